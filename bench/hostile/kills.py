"""SIGKILL of real commands and of a real market server, again and again until the work comes to its end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from galloway.pipeline.cli.main import main

from bench.market_server import Server, free_ports
from bench.marketplace import run
from tests.support.workspace import built_app

from .processes import Ended, Kill, command, forked, leave_with_parent, somewhere
from .scenes import Act, acts, build_stages, check_published, copied, damaged, line_of
from .tally import Tally

_MOST = 25
"""So many kills in a row, then the command is left alone."""


def commands(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """At least `count` kills, spread over all commands that change a workspace."""
    stages = build_stages(folder)
    todo = acts(stages)
    wholes = {act.name: _whole(tally, act, stages[act.stage], folder) for act in todo}
    done = 0
    while done < count:
        for act in rng.sample(todo, len(todo)):
            done += _killed_until_done(tally, rng, act, stages[act.stage], folder, wholes[act.name])
            if done >= count:
                break


def _whole(tally: Tally, act: Act, stage: Path, folder: Path) -> Ended:
    """The command once without a kill: how long it takes and how much it changes; it must be right by itself."""
    root = copied(stage, folder / "now")
    ended = forked(command(root, *line_of(act, root)), folder / "log")
    note(tally, f"unharmed: {act.name}", ended, act.done)
    wrong = [] if ended.fell_over else act.check(root)
    tally.note(f"unharmed: {act.name}", "right" if not wrong else wrong[0].partition(":")[0], "; ".join(wrong))
    return ended


def _killed_until_done(
    tally: Tally, rng: random.Random, act: Act, stage: Path, folder: Path, whole: Ended
) -> int:  # fmt: skip
    root, kills = copied(stage, folder / "now"), 0
    name = f"kills: {act.name}"
    while True:
        kill = somewhere(rng, whole) if kills < _MOST and rng.random() < 0.85 else Kill()
        ended = forked(command(root, *line_of(act, root)), folder / "log", kill)
        note(tally, name, ended, act.done)
        if ended.code is not None:
            break
        kills += 1
        tally.real("kills of commands")
    wrong = [*act.check(root), *damaged(root)]
    tally.note(name, "right" if not wrong else wrong[0].partition(":")[0], "; ".join(wrong))
    return kills


def note(tally: Tally, name: str, ended: Ended, done: tuple[int, ...]) -> None:
    """What a process came to: killed on purpose and its end are no news; a traceback, a hang and another code are."""
    said = ended.said.strip()[-300:].replace("\n", " | ")
    if ended.fell_over:
        tally.note(name, "traceback", said)
    elif ended.hung:
        tally.note(name, "hang", said)
    elif ended.code is not None and ended.code not in done:
        tally.note(name, "wrong", f"exit code {ended.code}: {said}")


class ForkedServer(Server):
    """`galloway market serve`, forked by a process that has no threads of its own and told through a pipe."""

    def __init__(self, state: Path) -> None:
        self.state, self.kills, self.database = state, 0, ""
        self.api, self.worker, self.frames = free_ports(3)
        self._process = None
        here, there = os.pipe(), os.pipe()
        self._spawner = os.fork()
        if self._spawner == 0:
            self._spawn(there[0], here[1])
        self._ask, self._answer = there[1], here[0]

    def _spawn(self, orders: int, answers: int) -> None:
        """Start and kill servers as told, until told to leave."""
        child = 0
        leave_with_parent()
        while (order := os.read(orders, 1)) != b"q":
            if child:
                os.kill(child, signal.SIGKILL if order == b"k" else signal.SIGTERM)
                os.waitpid(child, 0)
                child = 0
            if order == b"s":
                child = os.fork()
                if child == 0:
                    self._serve()
            os.write(answers, b".")
        os._exit(0)

    def _serve(self) -> None:
        leave_with_parent()
        log = os.open(self.state / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        ports = ("--api-port", self.api, "--worker-port", self.worker, "--frame-port", self.frames)
        try:
            main(["market", "--state", str(self.state), "serve", *map(str, ports)])
        finally:
            os._exit(0)

    def _tell(self, order: bytes) -> None:
        os.write(self._ask, order)
        os.read(self._answer, 1)

    def start(self) -> None:
        self._tell(b"s")
        self.wait()

    def kill(self) -> None:
        self._tell(b"k")
        self.kills += 1

    def stop(self) -> None:
        self._tell(b"t")
        os.write(self._ask, b"q")
        os.waitpid(self._spawner, 0)


def server(tally: Tally, kills: int, folder: Path, *, workers: int = 6) -> None:
    """A market server under load (workers accept and submit, a requester looks) that is killed `kills` times."""
    state = folder / "market"
    state.mkdir()
    figures = in_child(lambda: run(workers, 30 * max(1, kills // 3), kills, state, server=ForkedServer(state)), folder)
    for _ in range(int(figures.get("kills", 0))):
        tally.real("kills of the market server")
    name = "kills: market serve"
    if "fell_over" in figures:  # nothing was counted, so nothing is said of what was lost
        tally.note(name, "hang", json.dumps(figures))
        return
    bad = {what: int(figures.get(what, 1)) for what in ("missing", "lost", "doubled", "overfilled")}
    tally.note(name, "right", json.dumps(figures))
    for what, number in bad.items():
        if number:
            tally.note(name, "doubled" if what in ("doubled", "overfilled") else "lost", json.dumps(figures))
    log = (state / "server.log").read_text(encoding="utf-8", errors="replace")
    if "Traceback (most recent call last)" in log:
        tally.note(name, "traceback", log[log.index("Traceback") :][:300])
    for line in damaged(state):
        tally.note(name, "lost", line)


def in_child(act: Callable[[], Any], folder: Path) -> dict[str, Any]:
    """What `act` gives, run in a child: it may start threads, after which this process could not fork safely."""
    out = folder / "given.json"
    out.unlink(missing_ok=True)
    ended = forked(lambda: out.write_text(json.dumps(act()), encoding="utf-8"), folder / "child.log", longest=600.0)
    if not out.exists():
        return {"fell_over": ended.said[-600:]}
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def _kill_until_done(root: Path, wait: float) -> int:
    """How often `galloway publish` was killed, each time somewhat later, until it ended by itself."""
    line, kills = [sys.executable, "-m", "galloway", "-w", str(root), "publish", "--yes"], 0
    while True:
        try:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=wait, check=False)
        except subprocess.TimeoutExpired:  # `run` has killed it
            kills, wait = kills + 1, wait * 1.5
            continue
        assert done.returncode in (0, 3), done.stderr.decode()[-2000:]
        return kills


def executed(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """A few kills of commands as a shell starts them, with an interpreter of their own: nothing is shared with us."""
    for number in range(max(1, count // 8)):
        root = folder / f"executed{number}"
        app = built_app(root, faces=5)
        kills = _kill_until_done(root, 0.3 + rng.random())
        app.workspace.db.dispose()
        wrong = [*check_published(root), *damaged(root)]
        tally.note("kills: exec", "right" if not wrong else wrong[0].partition(":")[0], "; ".join(wrong))
        for _ in range(kills):
            tally.real("kills of commands")
