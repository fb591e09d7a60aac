"""A clock for what cannot be taken back: ending HITs, approving, disposing. No jump of the wall clock moves it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["STEP_MS", "SteadyClock", "since_boot"]

_LOG = logging.getLogger(__name__)
STEP_MS = 10 * 60 * 1000
"""So far a wall clock may run from the steady one before that is a step; NTP corrects by less."""


def since_boot() -> float:
    """Seconds since this machine started, sleep included where the system counts it (Linux)."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class SteadyClock:
    """The wall clock as it was at the start, and the time that has really passed since.

    Set two days forward, a wall clock would end every HIT and approve all that waits, for good. What is due goes by
    the earlier of both; a step is said once. Started anew, the marketplace takes the wall clock's word.

    What is written down goes by the steady time alone: an assignment that is taken while the clock is two days behind
    would else be over the moment it is set right.
    """

    def __init__(self, wall_ms: int, elapsed: Callable[[], float] = since_boot) -> None:
        self._elapsed = elapsed
        self._start_ms, self._started = wall_ms, elapsed()
        self._told = False

    def due_at(self, wall_ms: int) -> int:
        """The instant up to which things are due, where the wall clock shows `wall_ms`."""
        return min(wall_ms, self.now_at(wall_ms))

    def now_at(self, wall_ms: int) -> int:
        """The time to write down: the wall clock's, but for steps."""
        steady = self._start_ms + round((self._elapsed() - self._started) * 1000)
        ahead = wall_ms - steady
        if abs(ahead) <= STEP_MS:
            # Small corrections are followed, so that they never add up to a step.
            self._start_ms, self._started, self._told = wall_ms, self._elapsed(), False
            return wall_ms
        if not self._told:
            self._told = True
            _LOG.warning(
                "This machine's clock was set %s by %.1f hours. Nothing ends and nothing is approved before its time "
                "has really passed; if the new time is right, start the marketplace again.",
                "forward" if ahead > 0 else "back",
                abs(ahead) / 3_600_000,
            )
        return steady
