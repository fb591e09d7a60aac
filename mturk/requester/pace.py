"""A token bucket: how fast requests leave for a market on another machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

__all__ = ["TokenBucket"]


class TokenBucket:
    """At most `rate` requests a second after the first `burst`. The clock and the sleep come in, so tests are exact."""

    def __init__(
        self,
        rate: float,
        burst: int = 1,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(burst)
        self._then = clock()
        self._lock = Lock()

    def wait(self) -> float:
        """Take one token, sleeping until there is one; the seconds slept."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
            self._then = now
            self._tokens -= 1
            delay = max(0.0, -self._tokens / self._rate)
        if delay:
            self._sleep(delay)
        return delay
