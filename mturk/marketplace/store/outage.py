"""A database or a disk that does not answer just now: what that looks like, and saying so once, not for each try."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

__all__ = ["AWAY", "Outage"]

_LOG = logging.getLogger(__name__)
AWAY = (sa.exc.DBAPIError, sa.exc.TimeoutError, OSError)
"""What is raised then: a reason to wait, no fault of a page or a request."""
_OURS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)
"""Of these, what waiting does not help: a fault of the marketplace itself."""
_QUIET_SECONDS = 60


class Outage:
    """Counts what could not be done, and writes one line a minute about it."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._told: float | None = None
        self._more = 0

    def note(self, error: BaseException) -> None:
        """Something was not done because of `error`, one of `AWAY`. What was asked is not written down."""
        if isinstance(error, _OURS):
            _LOG.error("a statement that cannot be right", exc_info=error)
            return
        with self._lock:
            now = self._elapsed()
            if self._told is not None and now - self._told < _QUIET_SECONDS:
                self._more += 1
                return
            more, self._told, self._more = self._more, now, 0
        lines = str(getattr(error, "orig", None) or error).strip().splitlines()
        why = lines[0] if lines else type(error).__name__
        since = f" ({more} more like it since the last such line)" if more else ""
        _LOG.warning("the database or the disk does not answer: %s%s", why, since)
