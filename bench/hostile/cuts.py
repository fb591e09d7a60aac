"""Connections that are cut: a proxy on loopback between real commands and a real market, that hangs up at any byte."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from galloway.mturk.marketplace.app import MarketConfig, add_requester, open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.errors import MTurkError
from galloway.mturk.requester.ledger import Ledger
from galloway.mturk.requester.markets import resolve_market
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import approve
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import CONFIG_NAME, make_engine

from bench import marketplace
from tests.support.mturk import batch

from .kills import ForkedServer, in_child, note
from .processes import command, forked, leave_with_parent
from .scenes import damaged, rows
from .tally import Tally

ROWS = 6
BATCH = 10
_RESET = struct.pack("ii", 1, 0)


class CuttingProxy:
    """A process that passes bytes on to `upstream` and hangs up on a share of its connections, before, within or after
    what the server says; `cuts` counts them."""

    def __init__(self, upstream: int, share: float, seed: int) -> None:
        self._counter = mmap.mmap(-1, 8)
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        self.port = int(listening.getsockname()[1])
        self._child = os.fork()
        if self._child == 0:
            leave_with_parent()
            _pass_on(listening, upstream, share, random.Random(seed), self._counter)
        listening.close()

    @property
    def cuts(self) -> int:
        return int.from_bytes(self._counter[:8], "little")

    def stop(self) -> None:
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)


def _pass_on(listening: socket.socket, upstream: int, share: float, rng: random.Random, counter: mmap.mmap) -> None:
    lock = threading.Lock()

    def cut(*ends: socket.socket) -> None:
        with lock:
            counter[:8] = (int.from_bytes(counter[:8], "little") + 1).to_bytes(8, "little")
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
            end.close()

    def carry(one: socket.socket, other: socket.socket, left: int | None) -> None:
        """From one end to the other, at most `left` bytes; then both hear that the line is gone."""
        with suppress(OSError):
            while data := one.recv(4096):
                if left is not None:
                    other.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        cut(one, other)
                        return
                else:
                    other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    while True:
        client, _ = listening.accept()
        try:
            server = socket.create_connection(("127.0.0.1", upstream), 5)
        except OSError:
            client.close()
            continue
        broken = rng.random() < share
        there = rng.randrange(1, 20_000) if broken and rng.random() < 0.4 else None
        back = rng.randrange(1, 8000) if broken and there is None else None
        threading.Thread(target=carry, args=(client, server, there), daemon=True).start()
        threading.Thread(target=carry, args=(server, client, back), daemon=True).start()


def _market(state: Path) -> tuple[Path, tuple[str, str], ForkedServer]:
    """A marketplace in a process of its own: its folder, a requester's keys, and the server."""
    state.mkdir()
    store = open_store(MarketConfig(state_dir=state))
    keys = add_requester(store, "cuts")
    store.close()
    server = ForkedServer(state)
    server.start()
    return state, keys, server


def commands(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """`project publish`, `results` and `settle` against a market by its address, through a line that is cut."""
    state, (access, secret), server = _market(folder / "cut-market")
    cuts, turn = 0, 0
    while cuts < count:
        turn += 1
        proxy = CuttingProxy(server.api, rng.choice((0.6, 0.9)), rng.randrange(1 << 30))
        os.environ.update(AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret)
        try:
            wrong = _one_project(tally, folder / f"cut{turn}", proxy.port, state, turn)
        finally:
            proxy.stop()
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                del os.environ[name]
        tally.note("cuts: commands", "right" if not wrong else wrong[0].partition(":")[0], "; ".join(wrong))
        for _ in range(proxy.cuts):
            tally.real("cut connections")
        cuts += max(1, proxy.cuts)
        shutil.rmtree(folder / f"cut{turn}")
    server.stop()
    for line in damaged(state):
        tally.note("cuts: commands", "lost", line)


def _one_project(tally: Tally, root: Path, port: int, state: Path, turn: int) -> list[str]:
    """Six rows are published, answered by two people each, fetched and paid; what is doubled or lost of them."""
    workspace, _ = make_workspace(root)
    workspace.db.dispose()
    text = (root / CONFIG_NAME).read_text(encoding="utf-8")
    (root / CONFIG_NAME).write_text(
        text[: text.index("[market]")]
        + f'[market]\nname = "http://127.0.0.1:{port}"\n[hosting]\npublic_url = "https://pictures.example"\n',
        encoding="utf-8",
    )
    cells = "".join(f"is {turn}.{number} odd?,https://pictures.example/{number}\n" for number in range(ROWS))
    (root / "rows.csv").write_text(f"question,image_url\n{cells}", encoding="utf-8")
    before = len(rows(state / "market.db", "SELECT id FROM hit"))
    steps = (
        ("project", "new", "p", "--gallery", "yes-no", "--assignments", "2", "--reward", "0.20"),
        ("project", "publish", "p", str(root / "rows.csv"), "--yes"),
        (),
        ("project", "results", "p", "--out", str(root / "results.csv")),
        ("project", "settle", "p", str(root / "marked.csv")),
    )
    for step in steps:
        if not step:
            _answer(state, turn)
            continue
        if step[1] == "settle":
            _mark(root)
        wrong = _until_done(tally, root, step)
        if wrong:
            return [wrong]
    hits = len(rows(state / "market.db", "SELECT id FROM hit")) - before
    paid = rows(state / "market.db", "SELECT id FROM assignment WHERE state != 'Approved'")
    ledger = rows(root / "galloway.db", "SELECT status FROM payment")
    done = sum(row[0] == "done" for row in ledger)
    found = [("HITs", hits, ROWS), ("payments", done, 2 * ROWS), ("answers left unpaid", len(paid), 0)]
    bad = [
        f"{'doubled' if have > want else 'lost'}: {what}: {have} of {want}"
        for what, have, want in found
        if have != want
    ]
    return [*bad, *damaged(root)]


def _until_done(tally: Tally, root: Path, step: tuple[str, ...]) -> str:
    """The same command until it ends by itself; a cut line may be said (exit code 1), nothing else."""
    for _ in range(60):
        ended = forked(command(root, *step), root / "log")
        note(tally, "cuts: commands", ended, (0, 1, 3))
        if ended.code in (0, 3):
            return ""
    return f"lost: {step[1]} never ended: {ended.said[-300:]}"


def _answer(state: Path, turn: int) -> None:
    """Two new people answer all that is open."""
    store = open_store(MarketConfig(state_dir=state))
    desk = Work(store)
    invite = desk.invite(uses=2)
    for letter in "xy":
        name = f"{letter}-{turn:04d}"
        person = desk.worker_of(desk.join(invite.token, name=name, password="correct horse battery").token)
        assert person is not None
        for (hit,) in rows(state / "market.db", "SELECT id FROM hit WHERE status = 'Assignable'"):
            held = desk.accept(person.worker_id, hit_id=str(hit))
            desk.submit(held.assignment_id, [("answer", "yes")])
    store.close()


def _mark(root: Path) -> None:
    """Every answer is approved in the file that settles pay."""
    import pandas as pd

    table = pd.read_csv(root / "results.csv", dtype=str)
    table["Approve"] = "x"
    table.to_csv(root / "marked.csv", index=False)


def requester(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """The requester's own publish, collect and pay, each in a process, until all has come to its end."""
    state, keys, server = _market(folder / "cut-requester")
    cuts, turn = 0, 0
    while cuts < count:
        turn += 1
        proxy = CuttingProxy(server.api, rng.choice((0.7, 0.95)), rng.randrange(1 << 30))
        path = folder / f"ledger{turn}.db"
        wrong: list[str] = []
        for step in (_send, None, _fetch_and_pay):
            if step is None:
                _answer(state, 5000 + turn)
                continue
            ended = forked(partial(step, proxy.port, keys, path, turn), folder / "log")
            note(tally, "cuts: requester", ended, (0,))
        proxy.stop()
        paid = rows(path, "SELECT status FROM payment")
        sent = rows(path, "SELECT hit_id FROM hit WHERE hit_id IS NOT NULL")
        there = rows(state / "market.db", "SELECT id FROM hit")
        open_ = rows(state / "market.db", "SELECT id FROM assignment WHERE state != 'Approved'")
        for what, have, want in (
            ("HITs in the ledger", len(sent), BATCH),
            ("HITs at the market", len(there), BATCH * turn),
            ("payments", sum(row[0] == "done" for row in paid), 2 * BATCH),
            ("unpaid", len(open_), 0),
        ):
            if have != want:
                wrong.append(f"{'doubled' if have > want else 'lost'}: {what}: {have} of {want}")
        tally.note("cuts: requester", "right" if not wrong else wrong[0].partition(":")[0], "; ".join(wrong))
        for _ in range(proxy.cuts):
            tally.real("cut connections")
        cuts += max(1, proxy.cuts)
    server.stop()
    for line in damaged(state):
        tally.note("cuts: requester", "lost", line)


def _client(port: int, keys: tuple[str, str]) -> MTurkClient:
    return MTurkClient(resolve_market(f"http://127.0.0.1:{port}"), *keys)


def _again(act: Callable[[], Any]) -> Any:
    """The same step until it ends by itself, as a person runs a command again."""
    for _ in range(500):
        with suppress(MTurkError):
            return act()
    raise TimeoutError("it never ended")


def _ledger(path: Path) -> Ledger:
    ledger = Ledger(make_engine(f"sqlite:///{path}"))
    ledger.create_tables()
    return ledger


def _send(port: int, keys: tuple[str, str], path: Path, turn: int) -> None:
    ledger, client = _ledger(path), _client(port, keys)
    spec = batch(BATCH, key=f"b{turn}", places=2)
    _again(lambda: publish(ledger, client, spec))


def _fetch_and_pay(port: int, keys: tuple[str, str], path: Path, _turn: int) -> None:
    ledger, client = _ledger(path), _client(port, keys)
    _again(lambda: approve(ledger, client, [item.assignment_id for item in collect(ledger, client)]))


def workers(tally: Tally, rng: random.Random, total: int, folder: Path) -> None:
    """Workers accept and submit over lines that are cut: what was acknowledged is there, once."""
    state = folder / "cut-workers"
    state.mkdir()
    server = ForkedServer(state)
    server.start()
    site = CuttingProxy(server.worker, 0.3, rng.randrange(1 << 30))
    frames = CuttingProxy(server.frames, 0.3, rng.randrange(1 << 30))
    figures = in_child(lambda: _crowd(server, site.port, frames.port, total), folder)
    for proxy in (site, frames):
        for _ in range(proxy.cuts):
            tally.real("cut connections")
        proxy.stop()
    server.stop()
    for what in ("missing", "lost", "doubled", "overfilled"):
        if figures.get(what, 1):
            tally.note("cuts: workers", "doubled" if what in ("doubled", "overfilled") else "lost", str(figures))
    tally.note("cuts: workers", "right", str(figures))
    for line in damaged(state):
        tally.note("cuts: workers", "lost", line)


def _crowd(server: ForkedServer, site: int, frames: int, total: int) -> dict[str, Any]:
    """Six workers through the proxies, without kept-open connections; then what the market has, asked directly."""
    people = 6
    client, group, cookies, _ = marketplace.prepare(server, people, total // marketplace.PLACES)
    tally = marketplace.Tally()

    def work(cookie: str, name: str) -> None:
        while len(tally.acknowledged) < total:
            links = (marketplace.Link(site, {"Cookie": cookie}), marketplace.Link(frames))
            status, headers, seconds = links[0].post(f"/projects/{group}/accept", {})
            links[0].close()
            if status != 303:
                tally.refuse(status)
                return
            assignment = headers["Location"].rstrip("/").rpartition("/")[2]
            answer = f"{name} {assignment}"
            sent, _, taken = links[1].post("/mturk/externalSubmit", {"assignmentId": assignment, "face.k1": answer})
            links[1].close()
            with tally.lock:
                tally.accepts.append(seconds)
                tally.submits.append(taken)
                if sent == 200:
                    tally.acknowledged[assignment] = answer

    jobs = [lambda cookie=cookie, place=place: work(cookie, f"w{place}") for place, cookie in enumerate(cookies)]  # type: ignore[misc]
    marketplace.in_threads(jobs)
    marketplace.finish(server, cookies, group, tally, total)
    time.sleep(0.1)
    found = marketplace.verify(client, tally, total)
    client.close()
    return found
