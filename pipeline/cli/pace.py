"""How fast work goes and how long it will take, from what is told of it now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Pace"]

_SURE = 1.0
"""Seconds before which a rate says nothing."""
_LOADING = 30.0
"""What a stretch begins with (loading a network) takes less than so many seconds, and is in its first piece."""


@dataclass
class Pace:
    """The rate of one stretch of work. What was done when it was first told of (by a run before this one) does not
    count, nor does a first piece with which things were loaded; a new stretch begins where the work is called
    otherwise. `seconds`: a stretch ends after so long, however much is done by then."""

    clock: Callable[[], float]
    seconds: float | None = None
    what: str = ""
    done: int = 0
    total: int | None = None
    _first: int = 0
    _began: float = field(default=0.0)
    _counted: float = 0.0
    _loading: bool = True

    def told(self, what: str, done: int, total: int | None) -> bool:
        """Take note; whether a new stretch began."""
        new = what != self.what or done < self.done
        if new:
            self._first, self._loading = done, True
            self._began = self._counted = self.clock()
        elif self._loading and done > self._first:
            self._loading = False
            if done == self._first + 1 and self.clock() - self._began < _LOADING:
                self._first, self._counted = done, self.clock()
        self.what, self.done, self.total = what, done, total
        return new

    @property
    def rate(self) -> float | None:
        """Pieces a second, None where that cannot be told yet."""
        seconds = self.clock() - self._counted
        return (self.done - self._first) / seconds if seconds >= _SURE and self.done > self._first else None

    def text(self) -> str:
        """ "31/s, 5 s left", as far as it is known."""
        rate = self.rate
        if rate is None:
            return ""
        speed = f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
        left = self._left(rate)
        return speed if left is None else f"{speed}, {_span(left)} left"

    def _left(self, rate: float) -> float | None:
        """Seconds, None where they are not known, or are over."""
        if self.total is not None and self.total > self.done:
            return (self.total - self.done) / rate
        left = None if self.seconds is None else self.seconds - (self.clock() - self._began)
        return left if left is not None and left > 0 else None


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
