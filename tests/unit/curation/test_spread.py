"""Tasks for workers: results in order or as they end, work of lost workers done again, refusals that stop in time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from galloway.curation.errors import WorkersLost
from galloway.curation.spread import Spread, on_this_machine
from hypothesis import given
from hypothesis import strategies as st

from tests.support.spread import Here, always_ends, doubled, ends_once, fails_once, here, never, summed


class Threads(Here):
    """Threads, of which any may end first."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.pool = ThreadPoolExecutor(workers)

    def submit(self, function: Callable[[int], int], task: object) -> Future[int]:
        return self.pool.submit(function, task)


@given(st.lists(st.integers(0, 5000), max_size=40), st.integers(1, 5))
def test_results_come_in_order_whatever_ends_first(tasks: list[int], workers: int) -> None:
    pool = Threads(workers)
    with pool.pool:
        assert list(Spread(pool).in_order(summed, tasks)) == [summed(number) for number in tasks]


def test_every_task_is_done_once_and_named_by_its_place() -> None:
    assert sorted(here(3).as_they_end(doubled, range(20))) == [(number, 2 * number) for number in range(20)]
    assert list(here(1).in_order(doubled, [])) == []


def test_few_tasks_are_on_their_way_where_results_are_large() -> None:
    pool = Here(8)
    results = Spread(pool).in_order(doubled, range(100), most=3)
    next(results)
    assert len(pool.sent) <= 4


def test_a_file_that_cannot_be_read_is_tried_again_and_then_told(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    assert list(here().in_order(fails_once, [mark])) == [mark]
    pool = Here()
    with pytest.raises(OSError, match="no such disk"):
        list(Spread(pool).in_order(never, [1]))
    assert len(pool.sent) == 3


def test_processes_do_what_a_killed_one_had_left(tmp_path: Path) -> None:
    tasks = [(number, str(tmp_path / "mark")) for number in range(12)]
    with on_this_machine(2) as spread:
        assert list(spread.in_order(ends_once, tasks)) == list(range(12))
        assert (tmp_path / "mark").exists()


def test_workers_that_end_again_and_again_are_told_of() -> None:
    with on_this_machine(1) as spread, pytest.raises(WorkersLost, match="3 times"):
        list(spread.in_order(always_ends, [1, 2]))


ROOT = Path(__file__).parents[3]
_GIVES = """
import os, sys
from galloway.curation.spread import on_this_machine
from tests.support.spread import named
if __name__ == "__main__":
    with on_this_machine(2) as spread:
        for pid in spread.in_order(named, range(10**9)):
            print(pid, flush=True)
"""


@pytest.mark.timeout(60)
def test_workers_end_with_the_process_that_gives_them_work(tmp_path: Path) -> None:
    (tmp_path / "gives.py").write_text(_GIVES)
    line, environment = [sys.executable, str(tmp_path / "gives.py")], {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment) as giving:
        assert giving.stdout is not None
        workers: set[int] = set()
        while len(workers) < 2:
            workers.add(int(giving.stdout.readline()))
        giving.kill()
        giving.stdout.read()  # ends when the last one that could write has ended
    assert len(workers) == 2
