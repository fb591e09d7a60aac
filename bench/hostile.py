"""Hostile inputs and faults by category, in memory and on loopback only: what ran, hung, fell over, doubled, was lost.

    python -m bench.hostile            # about 3,600 inputs and 6,000 faults, a few minutes
    python -m bench.hostile --quick    # a tenth of them

An input must end in an answer or in an error that is raised on purpose; any other exception counts as a traceback, an
input over its time as a hang, a trace of the canary program as a run. A fault (a kill or a cut at a random call, a full
disk at a random write, a clock that jumps) is followed by the same command until it ends; then every HIT, answer and
payment must be there once. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.errors import CurationError
from galloway.curation.files import temporary_files, write_atomic
from galloway.curation.pictures import open_picture
from galloway.mturk.marketplace.pages.guards import local_path
from galloway.mturk.marketplace.rules.lookalike import skeleton
from galloway.mturk.marketplace.store.steady import STEP_MS, SteadyClock
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.errors import MTurkError
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import approve
from galloway.pipeline.errors import PipelineError
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.wording import one_line, printable
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.settings import load_settings
from galloway.pipeline.workspace.state import read_state
from PIL import Image

from tests.support.mturk import Dropped, FakeMarket, batch, in_process_client, make_ledger

ON_PURPOSE = (CurationError, PipelineError, MTurkError)
PROGRAMS = ("gs", "convert", "magick", "inkscape", "git", "sh")
SECONDS = 5.0
"""No single input may take longer."""


class Tally:
    """What happened, by category: (category, outcome) → how often."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}

    def note(self, category: str, outcome: str, example: str = "") -> None:
        self.counts[category, outcome] += 1
        self.examples.setdefault((category, outcome), example)

    def attempt(self, category: str, act: Callable[[], Any], good: Callable[[Any], bool] = lambda _: True) -> None:
        """Run one input: answered, refused on purpose, a traceback, a hang, or a wrong answer."""
        started = time.monotonic()
        try:
            outcome, example = ("answered", "") if good(found := act()) else ("wrong", repr(found)[:200])
        except ON_PURPOSE:
            outcome, example = "refused", ""
        except Exception as error:
            outcome, example = "traceback", f"{type(error).__name__}: {error}"[:200]
        self.note(category, "hang" if time.monotonic() - started > SECONDS else outcome, example)

    def of(self, *outcomes: str) -> int:
        return sum(count for (_, outcome), count in self.counts.items() if outcome in outcomes)


@contextmanager
def canary(folder: Path) -> Iterator[Path]:
    """Programs that leave a trace stand first in PATH."""
    programs, trace = folder / "bin", folder / "sang"
    programs.mkdir()
    for name in PROGRAMS:
        path = programs / name
        path.write_text(f"#!{sys.executable}\nopen({str(trace)!r}, 'a').write('x')\n", encoding="utf-8")
        path.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{programs}{os.pathsep}{before}"
    try:
        yield trace
    finally:
        os.environ["PATH"] = before


# Hostile inputs

HEADS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{ } loop\n",
    b"\xc5\xd0\xd3\xc6" + bytes(60), b"\xd7\xcd\xc6\x9a" + bytes(60), b"8BPS\x00\x01" + bytes(60), b"%PDF-1.7\n",
    b"GIF89a" + bytes(20), b"<svg/>", b"ffconcat version 1.0\n", b"#EXTM3U\nx", b"\x00\x00\x01\x00" + bytes(40),
    b"SIMPLE  =  T" + bytes(99), b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"RIFF\xff\xff\xff\xffWEBP",
    b"BM",
)  # fmt: skip


def pictures(tally: Tally, rng: random.Random, count: int) -> None:
    """Other formats under a picture's name, and pictures with bytes changed, cut off and glued together."""
    whole = []
    for form in ("PNG", "JPEG", "WEBP", "BMP", "TIFF"):
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 24, 3), np.uint8)).save(out, form)
        whole.append(out.getvalue())
    for number in range(count):
        data = bytearray(HEADS[number % len(HEADS)] if number % 3 == 0 else rng.choice(whole))
        for _ in range(rng.randrange(12)):
            if data:
                data[rng.randrange(min(len(data), 300))] = rng.randrange(256)
        made = bytes(data[: rng.randrange(len(data) + 1)]) if number % 4 == 1 else bytes(data) + rng.choice(HEADS)
        tally.attempt("pictures", lambda made=made: open_picture(made, name="x.jpg", pixels=1 << 20))


def paths(tally: Tally, rng: random.Random, count: int, workspace: Workspace) -> None:
    """Names out of rows and files that would lead out of the workspace."""
    parts = ("..", ".", "a", "/", "//", "\\", "C:", "~", "\x00", "%2e%2e", "sources", "", "\n", "link")
    link = workspace.root / "link"
    link.symlink_to(workspace.root.parent)
    for _ in range(count):
        text = rng.choice(("", "/")) + "/".join(rng.choices(parts, k=rng.randrange(1, 6)))
        tally.attempt("paths", lambda text=text: workspace.inside(text).resolve(), _below(workspace.root))
    link.unlink()


def _below(root: Path) -> Callable[[Path], bool]:
    return lambda path: path.is_relative_to(root)


def texts(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Settings and state files: not UTF-8, cut, nested, of other kinds, with absurd numbers."""
    values = ("-1", "0", "1e400", "nan", "70000", '"x"', "[]", "{}", "true", "9" * 60, '"\\u0000"', "[" * 3000)
    keys = (
        "market.port",
        "market.fee_percent",
        "ask.reward",
        "ask.budget",
        "ask.votes",
        "ask.lifetime_hours",
        "engine",
        "x",
    )
    for number in range(count):
        section, _, key = rng.choice(keys).rpartition(".")
        toml = f"{f'[{section}]' if section else ''}\n{key} = {rng.choice(values)}\n".encode()
        if number % 5 == 0:
            toml = toml[: rng.randrange(len(toml))] + bytes([rng.randrange(256)])
        (folder / "galloway.toml").write_bytes(toml)
        tally.attempt("settings", lambda: load_settings(folder / "galloway.toml"))
        state = rng.choice((b"[]", b"null", b"{", b"\xff\xfe", b"[" * 90_000, b'{"a": 1}', b"", b"17", b'"x"'))
        (folder / "state.json").write_bytes(state + bytes(rng.randrange(2)))
        tally.attempt("state files", lambda: read_state(folder / "state.json", "Delete it.", needs=("a",)))


def addresses(tally: Tally, rng: random.Random, count: int) -> None:
    """Where a sign-in may lead: read as a browser reads it, it stays on this site."""
    pieces = (
        "/",
        "\\",
        "\t",
        "\n",
        "\r",
        "//",
        "evil.example",
        "@",
        ":",
        "https:",
        "%09",
        " ",
        "\x00",
        "a",
        "?",
        "#",
        ".",
    )

    def stays(path: str) -> bool:
        read = "".join(letter for letter in path if letter not in "\t\n\r").replace("\\", "/")
        return read.startswith("/") and not read.startswith("//")

    for _ in range(count):
        text = "".join(rng.choices(pieces, k=rng.randrange(1, 7)))
        tally.attempt("redirects", lambda text=text: local_path(text), stays)


def words(tally: Tally, rng: random.Random, count: int) -> None:
    """Comments and names with controls, directions and letters that look like others."""
    letters = [
        chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B, 0xFEFF, 0x2028, 0x41, 0x430)
    ]
    for _ in range(count):
        text = "".join(rng.choices(letters, k=20))
        tally.attempt("terminal", lambda text=text: one_line(text), str.isprintable)
        tally.attempt(
            "terminal", lambda text=text: printable(text), lambda said: "\x1b" not in said and "\r" not in said
        )
        name = "".join(rng.choices("annlee", k=6))
        forged = name.translate(str.maketrans("ane", "\u0430\u0578\u0435"))
        tally.attempt("names", lambda n=name, f=forged: (skeleton(n), skeleton(f)), lambda pair: pair[0] == pair[1])


def strangers(tally: Tally, rng: random.Random, count: int, workspace: Workspace) -> None:
    """Requests to every page without the token, as a proxy with nginx's defaults and others pass them on."""
    site = create_web_app(workspace, door=Door(workspace.root))
    client = site.test_client()
    ways = (
        {},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Via": "1.1 x"},
        {"Authorization": "Bearer x"},
        {"Cookie": "galloway=x"},
    )
    rules = [
        rule for rule in site.url_map.iter_rules() if rule.endpoint not in ("static", "door.sign_in", "door.enter")
    ]
    for _ in range(count):
        rule = rng.choice(rules)
        with site.test_request_context():
            path = rule.build({name: 1 if name == "number" else "a" for name in rule.arguments}, append_unknown=False)[
                1
            ]
        method = rng.choice(sorted((rule.methods or set()) & {"GET", "POST"}))
        tally.attempt(
            "strangers",
            lambda path=path, method=method: client.open(path, method=method, headers=dict(rng.choice(ways))),
            lambda answer: answer.status_code in (303, 401) and workspace.settings.name not in answer.text,
        )


SHAPES = (
    b"", b"{}", b"[]", b"null", b"17", b'{"HITs": [{"HITI', b"\xff\xfe", b"<html>Hotel Wi-Fi</html>", b"[" * 60_000,
    b'{"HITs": 3, "HIT": [], "AvailableBalance": {}}', b'{"HITs": [1, null], "HIT": 4, "AvailableBalance": "much"}',
)  # fmt: skip


def markets(tally: Tally, rng: random.Random, count: int) -> None:
    """Answers of another shape than the API's, with many a status."""
    told: list[tuple[int, bytes]] = []
    client = in_process_client(FakeMarket(), respond=lambda: told[-1])
    calls = (client.balance, lambda: list(client.list_hits()), lambda: client.get_hit("3X"))
    for _ in range(count):
        told.append((rng.choice((200, 200, 302, 403, 404, 500)), rng.choice(SHAPES) + bytes(rng.randrange(2))))
        tally.attempt("markets", rng.choice(calls), lambda _: False)


# Faults


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


def run(seed: int, share: float) -> Tally:
    """Everything, `share` of the full number of each."""
    tally, rng = Tally(), random.Random(seed)
    with tempfile.TemporaryDirectory() as name, canary(Path(name)) as trace:
        folder = Path(name)
        workspace, _ = make_workspace(folder / "a-name-to-look-for")
        pictures(tally, rng, round(900 * share))
        paths(tally, rng, round(500 * share), workspace)
        texts(tally, rng, round(250 * share), folder)
        addresses(tally, rng, round(300 * share))
        words(tally, rng, round(200 * share))
        strangers(tally, rng, round(400 * share), workspace)
        markets(tally, rng, round(500 * share))
        money(tally, rng, round(2500 * share))
        disks(tally, rng, round(1500 * share), folder)
        clocks(tally, rng, round(2000 * share))
        workspace.db.dispose()
        tally.counts["canary", "run"] = len(trace.read_text(encoding="utf-8")) if trace.exists() else 0
    return tally


def figures(tally: Tally) -> dict[str, int]:
    """The counts of the last line."""
    bad = ("run", "hang", "traceback", "wrong", "doubled", "lost")
    inputs = sum(
        count for (category, outcome), count in tally.counts.items()
        if category not in ("faults", "canary", "disks", "clocks", "kills and cuts") and outcome
    )  # fmt: skip
    return {"inputs": inputs, "faults": tally.counts["faults", ""], **{name: tally.of(name) for name in bad}}


def main() -> int:
    """Print the counts by category; 1 where anything ran, hung, fell over, doubled or was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every jump of a clock is told, and there are thousands
    tally = run(options.seed, 0.1 if options.quick else 1.0)
    for (category, outcome), count in sorted(tally.counts.items()):
        example = tally.examples.get((category, outcome), "")
        shown = "" if outcome in ("answered", "refused") else example
        print(f"{category:<16} {outcome:<10} {count:>6}  {shown}".rstrip())
    found = figures(tally)
    print(json.dumps(found))
    return int(any(count for name, count in found.items() if name not in ("inputs", "faults")))


if __name__ == "__main__":
    sys.exit(main())
