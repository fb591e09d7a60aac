"""Commands in real processes, cheaply: forked from this one, which has imported everything, and killed at any instant.

A kill by the clock (SIGKILL from outside after some seconds) falls where the time goes; a kill by count (the process
sends itself SIGKILL at its Nth file that is opened for writing, renamed, linked or deleted, its Nth connection, SQL
statement or commit) falls where state changes. Both are used.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pkgutil
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa
from galloway import curation, mturk, pipeline
from galloway.pipeline.cli.main import main

LONGEST = 90.0
"""Seconds after which a process counts as hanging."""
_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.symlink",
     "socket.connect", "socket.bind", "sqlite3.connect", "shutil.rmtree", "shutil.move", "shutil.copyfile"}
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def preload() -> None:
    """Import what commands import, but for engines: children then begin at once."""
    for room in (curation, mturk, pipeline):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".engines." not in found.name and ".migrations." not in found.name and ".demo." not in found.name:
                import_module(found.name)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, or None where it was killed; what it printed; how many changes it began."""

    code: int | None
    said: str
    seconds: float
    changes: int
    hung: bool = False

    @property
    def fell_over(self) -> bool:
        return "Traceback (most recent call last)" in self.said


@dataclass(frozen=True, slots=True)
class Kill:
    """Where to kill: at the Nth change, or after so many seconds; (0, 0) nowhere."""

    change: int = 0
    seconds: float = 0.0


def leave_with_parent() -> None:
    """This process is killed when the one that forked it ends, however that ends (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def forked(act: Callable[[], object], log: Path, kill: Kill = Kill(), *, longest: float = LONGEST) -> Ended:
    """Run `act` in a child of this process; its output goes to `log`. This process must have no threads."""
    counter, started = mmap.mmap(-1, 8), time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _become(act, log, counter, kill.change)
    deadline = started + (kill.seconds or longest)
    status = _wait(child, deadline)
    hung = status is None and not kill.seconds
    if status is None:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    said = log.read_text(encoding="utf-8", errors="replace")
    changes = int.from_bytes(counter[:8], "little")
    counter.close()
    return Ended(None if code < 0 else code, said, time.monotonic() - started, changes, hung)


def _wait(child: int, deadline: float) -> int | None:
    """The status of a child that ends before the deadline, else None."""
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.02)


def _become(act: Callable[[], object], log: Path, counter: mmap.mmap, change: int) -> NoReturn:
    """The child's life: streams into the log, changes counted, `act`, and out without this process's clean-up."""
    code: object = 1
    try:
        leave_with_parent()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
        _count(counter, change)
        act()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or 1
        os._exit(code if isinstance(code, int) else 1)


def _count(counter: mmap.mmap, change: int) -> None:
    seen = 0

    def changed(*_: Any) -> None:
        nonlocal seen
        seen += 1
        counter[:8] = seen.to_bytes(8, "little")
        if seen == change:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, args: tuple[Any, ...]) -> None:
        if event in _CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & _WRITES):
            changed()

    sys.addaudithook(audited)
    sa.event.listen(sa.Engine, "before_cursor_execute", changed)
    sa.event.listen(sa.Engine, "commit", changed)


def command(root: Path, *args: str) -> Callable[[], object]:
    """`galloway -w ROOT …`, to be run by `forked`."""
    return lambda: main(["-w", str(root), *args])


def somewhere(rng: random.Random, whole: Ended) -> Kill:
    """A kill at random in a command that took as long as `whole`: mostly by count, else by the clock."""
    if whole.changes and rng.random() < 0.7:
        return Kill(change=rng.randrange(1, whole.changes + 1))
    return Kill(seconds=max(0.002, rng.random() * whole.seconds * 1.05))
