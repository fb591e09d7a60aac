"""The error tree of the marketplace.

MarketplaceError
├── Refused                a requester's call that the API refuses; carries `__type`, TurkErrorCode and HTTP status
├── WorkError              something a worker cannot do; the message is written for the worker
│   ├── NotFound           no such HIT, group, assignment or invite (or not this worker's)
│   ├── NotEligible        a qualification is missing, or the requester blocked the worker; `.unmet`
│   ├── NothingAvailable   every assignment of the HIT or group is taken, or it has expired
│   ├── TooManyHeld        the worker already holds as many assignments as allowed
│   ├── TooLate            the assignment's time is over; what was sent is kept as a late submission
│   ├── InPreview          a submit from a preview; nothing was stored
│   ├── BadForm            the form cannot be stored: names, size, or a broken qualification test
│   ├── SignInRefused      wrong name or password, or the account is closed
│   └── SlowDown           too many tries; `.seconds` to wait
└── OperatorError          the operator asked for something that is not there
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "BadForm",
    "InPreview",
    "MarketplaceError",
    "NotEligible",
    "NotFound",
    "NothingAvailable",
    "OperatorError",
    "Refused",
    "SignInRefused",
    "SlowDown",
    "TooLate",
    "TooManyHeld",
    "WorkError",
]


class MarketplaceError(Exception):
    """Root of everything that the marketplace raises on purpose."""


class Refused(MarketplaceError):
    """A requester's call that the API refuses."""

    def __init__(
        self, message: str, turk_code: str = "", *, error_type: str = "RequestError", status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.turk_code = turk_code
        self.error_type = error_type
        self.status = status


class WorkError(MarketplaceError):
    """Something a worker cannot do. `str(error)` is a sentence for the worker."""


class NotFound(WorkError):
    """No such HIT, group, assignment, message or invite, or not this worker's."""


class NotEligible(WorkError):
    """A qualification is missing, or the requester blocked the worker."""

    def __init__(self, message: str, unmet: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.unmet = tuple(unmet)


class NothingAvailable(WorkError):
    """Every assignment is taken, or the HIT has expired."""


class TooManyHeld(WorkError):
    """The worker already holds as many assignments as allowed."""


class TooLate(WorkError):
    """The assignment's time is over. What was sent is kept as a late submission."""


class InPreview(WorkError):
    """A submit from a preview. Nothing was stored."""


class BadForm(WorkError):
    """The form cannot be stored."""


class SignInRefused(WorkError):
    """Wrong name or password, or the account is closed."""


class SlowDown(WorkError):
    """Too many tries."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class OperatorError(MarketplaceError):
    """The operator asked for something that is not there."""
