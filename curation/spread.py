"""Pure functions of many tasks, side by side: in processes of this machine, or wherever a cluster has workers.

What a task gives depends on the task alone, so results are the same with any number of workers, and work that was lost
with a worker is simply done again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, Protocol, TypeVar

from .errors import WorkersLost

__all__ = ["Pool", "Spread", "on_this_machine"]

Task = TypeVar("Task")
Result = TypeVar("Result")

_TRIES = 3
"""A task is given to workers so often: where one ended in the midst of it, or could not read or write a file."""
_AHEAD = 2
"""So many tasks a worker are on their way, so that none waits for the next one and a kill loses little."""


class Pool(Protocol):
    """Workers that take tasks."""

    @property
    def workers(self) -> int:
        """How many tasks are worked at side by side."""
        ...

    def submit(self, function: Callable[[Any], Any], task: object) -> Future[Any]:
        """Have a function, which every worker can import by its name, done with a task."""
        ...

    def renew(self) -> None:
        """Start workers in the place of those that ended."""
        ...


@dataclass(slots=True)
class _Sent:
    """A task on its way: which one it is and how often it was tried in vain."""

    place: int
    task: Any
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Does tasks in the workers of a pool."""

    pool: Pool

    @property
    def workers(self) -> int:
        """How many tasks are worked at side by side."""
        return self.pool.workers

    def as_they_end(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[tuple[int, Result]]:
        """Each result with the place of its task, from 0, as soon as it is there.

        Raises what a task raises; an OSError only after the last of three tries, and WorkersLost where workers ended
        three times without one result between.
        """
        return _Run(self.pool, function, enumerate(tasks)).results()

    def in_order(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], *, most: int | None = None
    ) -> Iterator[Result]:
        """The results in the order of the tasks; raises as `as_they_end`. At most so many tasks are on their way or
        wait for an earlier one, where they are large."""
        run, ready = _Run(self.pool, function, enumerate(tasks), most), dict[int, Result]()
        following = 0
        for place, result in run.results():
            ready[place] = result
            while following in ready:
                yield ready.pop(following)
                following += 1
            run.kept = len(ready)


@dataclass(slots=True)
class _Run:
    """One function over its tasks. `kept` results wait for an earlier one: as many tasks fewer are sent."""

    pool: Pool
    function: Callable[[Any], Any]
    tasks: Iterator[tuple[int, Any]]
    most: int | None = None
    kept: int = 0
    lost: int = 0
    waiting: dict[Future[Any], _Sent] = field(default_factory=dict)

    def results(self) -> Iterator[tuple[int, Any]]:
        try:
            while self._fill():
                ended, _ = wait(self.waiting, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield from self._taken(future)
        except Exception:
            wait(self.waiting)  # what is at work may write yet, and whoever hears of the error may clear away
            raise
        finally:
            for future in self.waiting:
                future.cancel()

    def _fill(self) -> bool:
        """Send tasks as long as there is room; whether any is on its way."""
        room = _AHEAD * self.pool.workers
        room = room if self.most is None else min(room, self.most)
        while len(self.waiting) < max(1, room - self.kept):
            following = next(self.tasks, None)
            if following is None:
                break
            self._send(_Sent(*following))
        return bool(self.waiting)

    def _send(self, sent: _Sent) -> None:
        try:
            self.waiting[self.pool.submit(self.function, sent.task)] = sent
        except BrokenProcessPool as broken:
            self._renew(broken)
            self.waiting[self.pool.submit(self.function, sent.task)] = sent

    def _taken(self, future: Future[Any]) -> Iterator[tuple[int, Any]]:
        sent = self.waiting.pop(future, None)
        if sent is None:
            return  # it went with its workers and was sent again
        try:
            result = future.result()
        except BrokenProcessPool as broken:
            again = [sent, *self.waiting.values()]
            self.waiting.clear()
            self._renew(broken)
            for one in again:
                self._send(one)
        except OSError:
            sent.failed += 1
            if sent.failed == _TRIES:
                raise
            self._send(sent)
        else:
            self.lost = 0
            yield sent.place, result

    def _renew(self, broken: BrokenProcessPool) -> None:
        self.lost += 1
        if self.lost == _TRIES:
            raise WorkersLost(
                f"Workers ended {_TRIES} times in the midst of their work; often memory runs out. What is done is "
                "kept. Run it again with fewer: --jobs 1"
            ) from broken
        self.pool.renew()


@dataclass(slots=True)
class _Processes:
    """Processes of this machine, each of which loads what it needs once."""

    workers: int
    _pool: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[[Any], Any], task: object) -> Future[Any]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, get_context("spawn"), initializer=_begin)
        return self._pool.submit(function, task)

    def renew(self) -> None:
        self.close()

    def close(self) -> None:
        """End the processes after the tasks that they have."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _begin() -> None:
    """Ctrl-C is the business of the process that gives the tasks; a worker ends with that process, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    giving = parent_process()
    if giving is not None:
        Thread(target=_end_with, args=(giving,), daemon=True).start()


def _end_with(giving: BaseProcess) -> None:
    # Workers hold both ends of the pipe that tasks come through: they would wait for one for ever.
    giving.join()
    os._exit(1)


@contextmanager
def on_this_machine(workers: int) -> Iterator[Spread]:
    """So many processes of this machine, which end with the context. They start with the first task."""
    pool = _Processes(workers)
    try:
        yield Spread(pool)
    finally:
        pool.close()
