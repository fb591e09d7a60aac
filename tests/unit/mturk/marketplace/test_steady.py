"""Clocks that are set forward and back: nothing ends before its time has really passed, and no answer looks hasty."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from galloway.mturk.marketplace.stamps import to_ms
from galloway.mturk.marketplace.store.steady import STEP_MS, SteadyClock
from galloway.mturk.requester.collect import CollectedAssignment

HOUR = 3600 * 1000


class Machine:
    """A machine whose wall clock can be set."""

    def __init__(self) -> None:
        self.seconds, self.offset = 0.0, 0
        self.clock = SteadyClock(self.wall, lambda: self.seconds)

    @property
    def wall(self) -> int:
        return 1_000 * HOUR + round(self.seconds * 1000) + self.offset

    @property
    def due(self) -> int:
        return self.clock.due_at(self.wall)


def test_a_step_forward_makes_nothing_due(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    with caplog.at_level(logging.WARNING):
        machine.offset += 48 * HOUR
        assert machine.due == machine.wall - 48 * HOUR
        machine.seconds += 3600
        assert machine.due == machine.wall - 48 * HOUR
    assert len(caplog.records) == 1, "it is said once"
    assert "set forward by 48.0 hours" in caplog.text
    machine.offset -= 48 * HOUR
    assert machine.due == machine.wall, "set right again, nothing was lost"


def test_a_step_back_makes_nothing_due_either() -> None:
    machine = Machine()
    machine.offset -= 5 * HOUR
    assert machine.due == machine.wall
    taken = machine.clock.now_at(machine.wall)
    machine.offset += 5 * HOUR
    assert machine.due == taken, "an assignment taken meanwhile is not over when the clock is set right"


def test_real_time_and_small_corrections_are_followed() -> None:
    machine = Machine()
    for _ in range(500):
        machine.seconds += 3600
        machine.offset += STEP_MS // 3
        assert machine.due == machine.wall


@pytest.mark.parametrize(("minutes", "seconds"), [(1.0, 60.0), (0.0, None), (-90.0, None)])
def test_a_clock_that_was_set_back_is_no_haste(minutes: float, seconds: float | None) -> None:
    begun = datetime(2026, 1, 1, 12, tzinfo=UTC)
    end = begun + timedelta(minutes=minutes)
    item = CollectedAssignment("a", "h", "b", "w", {}, begun, end, "Submitted")
    assert item.seconds == seconds


def test_the_store_goes_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from galloway.mturk.marketplace.app import open_store
    from galloway.mturk.marketplace.config import MarketConfig

    store = open_store(MarketConfig(state_dir=tmp_path / "m"))
    seen: list[int] = []
    monkeypatch.setattr(store, "_is_due", lambda tx: seen.append(tx.now) or False)
    with store.read() as tx:
        assert abs(seen[-1] - tx.now) < 60_000
    assert store._steady is not None
    store._steady._start_ms -= 48 * HOUR  # the same as a wall clock two days ahead
    with store.read() as tx:
        assert abs(tx.now - seen[-1]) < 60_000, "what is written down and what ends go by the same time"
        assert abs(to_ms(datetime.now(UTC)) - tx.now - 48 * HOUR) < 60_000
    store._steady._start_ms += 96 * HOUR  # two days behind: nothing ends, and what is taken now lasts its time
    with store.read() as tx:
        assert abs(tx.now - to_ms(datetime.now(UTC)) - 48 * HOUR) < 60_000
        assert abs(seen[-1] - to_ms(datetime.now(UTC))) < 60_000
    store.close()
