"""How fast work goes and how long it will take, from what is told of it now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Pace"]

_SURE = 1.0
"""Seconds before which a rate says nothing."""


@dataclass
class Pace:
    """The rate of one stretch of work. What was done when it was first told of (by a run before this one) does not
    count, and a new stretch begins where the work is called otherwise."""

    clock: Callable[[], float]
    what: str = ""
    done: int = 0
    total: int | None = None
    _first: int = 0
    _began: float = field(default=0.0)

    def told(self, what: str, done: int, total: int | None) -> bool:
        """Take note; whether a new stretch began."""
        new = what != self.what or done < self.done
        if new:
            self._first, self._began = done, self.clock()
        self.what, self.done, self.total = what, done, total
        return new

    @property
    def rate(self) -> float | None:
        """Pieces a second, None where that cannot be told yet."""
        seconds = self.clock() - self._began
        return (self.done - self._first) / seconds if seconds >= _SURE and self.done > self._first else None

    def text(self) -> str:
        """ "31/s, 5 s left", as far as it is known."""
        rate = self.rate
        if rate is None:
            return ""
        speed = f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
        if self.total is None or self.total <= self.done:
            return speed
        return f"{speed}, {_span((self.total - self.done) / rate)} left"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
