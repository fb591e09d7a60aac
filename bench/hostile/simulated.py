"""Faults inside one process: kills and cuts between two calls, a disk that refuses a piece, clocks that are moved."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from galloway.curation.files import temporary_files, write_atomic
from galloway.mturk.marketplace.store.steady import STEP_MS, SteadyClock
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.errors import MTurkError
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import approve

from tests.support.mturk import Dropped, FakeMarket, batch, in_process_client, make_ledger

from .tally import Tally


class Killed(BaseException):
    """As a SIGKILL between two calls: nothing below catches it."""


class Faulty(FakeMarket):
    """A market whose calls are cut off or killed at random, before or after their work; `faults` counts them."""

    chance: float
    rng: random.Random
    faults: int

    def handle(self, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fault = self.rng.choice((Dropped, Killed)) if self.rng.random() < self.chance else None
        self.faults += fault is not None
        if fault is Killed and self.rng.random() < 0.5:
            raise Killed
        answer = super().handle(operation, params)
        if fault is not None:
            raise fault(operation)
        return answer


def money(tally: Tally, rng: random.Random, count: int) -> None:
    """Publish, collect and pay through faults until all of it ended; then each HIT and payment is there once."""
    faults = 0
    while faults < count:
        faults += _one_batch(tally, rng)
    tally.counts["faults", ""] += faults


def _one_batch(tally: Tally, rng: random.Random) -> int:
    fake, ledger = Faulty(), make_ledger()
    fake.chance, fake.rng, fake.faults = rng.choice((0.1, 0.3)), rng, 0
    client = in_process_client(fake)
    until_done(lambda: publish(ledger, client, batch(4)))
    for hit_id in list(fake.hits):
        fake.submit(hit_id, "AONE", {"face.0": "keep"})
    until_done(lambda: approve(ledger, client, [item.assignment_id for item in collect(ledger, client)]))
    fake.chance = 0.0
    approved = sum(row["AssignmentStatus"] == "Approved" for row in fake.assignments.values())
    found = (len(fake.hits), len(collect(ledger, client)), approved)
    outcome = "right" if found == (4, 4, 4) else "doubled" if max(found) > 4 else "lost"
    tally.note("kills and cuts", outcome, str(found))
    return fake.faults


def until_done(act: Callable[[], Any], most: int = 500) -> None:
    """The same command again until it ends by itself."""
    for _ in range(most):
        try:
            act()
        except (Killed, Dropped, MTurkError):
            continue
        return
    raise TimeoutError("it never ended")


def disks(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """A disk that is full, read-only or pulled out at a random piece of a file that is written."""
    path = folder / "kept.json"
    write_atomic(path, b"old", durable=False)
    for _ in range(count):
        stop, kind = rng.randrange(4), rng.choice((errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT))

        def pieces(stop: int = stop, kind: int = kind) -> Iterator[bytes]:
            for number in range(4):
                if number == stop:
                    raise OSError(kind, os.strerror(kind))
                yield b"new"

        tally.counts["faults", ""] += 1
        tally.attempt("disks", lambda: write_atomic(path, pieces(), durable=False))
        whole = path.read_bytes() == b"old" and not temporary_files(folder)
        tally.note("disks", "right" if whole else "lost")


def clocks(tally: Tally, rng: random.Random, count: int) -> None:
    """Clocks set forward and back by hours and days: nothing is due before its time has really passed."""
    seconds, offset = 0.0, 0
    clock = SteadyClock(0, lambda: seconds)
    for _ in range(count):
        seconds += rng.random() * 100
        if rng.random() < 0.5:
            offset = rng.choice((0, 0, 3_600_000, 172_800_000, -172_800_000, 86_400_000))
        wall = round(seconds * 1000) + offset
        tally.counts["faults", ""] += 1
        latest = seconds * 1000 + STEP_MS
        tally.attempt("clocks", lambda wall=wall: clock.due_at(wall), lambda due, latest=latest: due <= latest)
