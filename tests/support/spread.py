"""Pools for tests: one that works in this process, and functions that workers of other processes can import."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from galloway.curation.spread import Spread

__all__ = ["Here", "always_ends", "doubled", "ends_once", "fails_once", "here", "named", "never", "summed"]


@dataclass
class Here:
    """Does a task when it is given, as one of so many workers; `sent` are those that it was given."""

    workers: int = 2
    sent: list[Any] = field(default_factory=list)

    def submit(self, function: Callable[[Any], Any], task: object) -> Future[Any]:
        self.sent.append(task)
        future: Future[Any] = Future()
        try:
            future.set_result(function(task))
        except Exception as error:
            future.set_exception(error)
        return future

    def renew(self) -> None: ...


def here(workers: int = 2) -> Spread:
    """A spread whose workers are this process."""
    return Spread(Here(workers))


def doubled(number: int) -> int:
    return 2 * number


def summed(numbers: int) -> int:
    """Takes longer for more."""
    return sum(range(numbers))


def fails_once(mark: str) -> str:
    """Finds its file unreadable the first time."""
    if not Path(mark).exists():
        Path(mark).touch()
        raise OSError("the disk went away")
    return mark


def never(_task: object) -> None:
    raise OSError("no such disk")


def named(_task: object) -> int:
    """Who works."""
    return os.getpid()


def ends_once(task: tuple[int, str]) -> int:
    """Ends its process, as a machine does that is out of memory, the first time that it is asked for 3."""
    number, mark = task
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def always_ends(_task: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
