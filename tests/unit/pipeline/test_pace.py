"""Rate and time left, right after a resume and where the work changes."""

from __future__ import annotations

from galloway.pipeline.cli.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_an_earlier_run_had_done_does_not_count() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.told("faces", 900, 1000) and pace.text() == ""
    clock.now += 10
    assert not pace.told("faces", 920, 1000)
    assert pace.rate == 2.0
    assert pace.text() == "2.0/s, 40 s left"


def test_another_stretch_of_work_begins_anew_and_long_ones_are_told_in_minutes_and_hours() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.told("reading", 0, 10)
    clock.now += 5
    pace.told("reading", 10, 10)
    assert pace.text() == "2.0/s"
    assert pace.told("faces", 0, 30_000)
    clock.now += 10
    pace.told("faces", 20, 30_000)
    assert pace.text() == "2.0/s, 4 h 10 min left"
    pace.told("faces", 29_000, 30_000)
    assert pace.text().endswith("s left")
    pace.told("slow", 0, None)
    clock.now += 10
    pace.told("slow", 4, None)
    assert pace.text() == "2.5 s each"


def test_work_of_so_many_minutes_says_how_many_are_left() -> None:
    clock = Clock()
    pace = Pace(clock, 7 * 60)
    pace.told("iteration", 40, None)
    clock.now += 60
    pace.told("iteration", 52, None)
    assert pace.text() == "5.0 s each, 6 min left"
    clock.now += 400
    pace.told("iteration", 140, None)
    assert pace.text() == "4.6 s each", "its last save is still to be written"


def test_what_is_loaded_with_the_first_piece_is_no_rate() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.told("frames", 184, 352)
    clock.now += 9.4
    pace.told("frames", 185, 352)
    assert pace.text() == "", "not 9.4 s each, 26 min left"
    clock.now += 2
    pace.told("frames", 195, 352)
    assert pace.text() == "5.0/s, 31 s left"
    pace.told("films", 0, 3)
    clock.now += 60
    pace.told("films", 1, 3)
    assert pace.text() == "60.0 s each, 2 min left", "pieces that are as long are no loading"
