"""The error tree of the market side.

MTurkError
├── MarketUnreachable      the endpoint does not answer, or AWS has closed it
├── RequestRefused         the market refused a call; `.turk_code` is the TurkErrorCode
│   ├── DoesNotExist       …DoesNotExist
│   ├── AlreadyExists      the same UniqueRequestToken was used before; `.hit_id` where the message names it
│   ├── WrongState         the HIT or assignment is in a state that does not allow the call
│   └── InsufficientFunds  the balance does not cover the call
├── BudgetExceeded         our own wall: the batch would cost more than the budget
├── QuestionTooLarge       a rendered HIT is over 65,535 bytes
├── BadAnswer              answer XML that cannot be read
├── PanelError             a panel that people are recruited from, such as Prolific
│   ├── PanelUnreachable   the call was never sent
│   ├── PanelDoubt         the call was sent and no answer came: it may have been carried out
│   └── PanelRefused       the panel refused the call; `.status` is HTTP's
└── LedgerError            the ledger contradicts the market or belongs to another one

Every message names the object and what to do next.
"""

from __future__ import annotations

__all__ = [
    "AlreadyExists",
    "BadAnswer",
    "BudgetExceeded",
    "DoesNotExist",
    "InsufficientFunds",
    "LedgerError",
    "MTurkError",
    "MarketUnreachable",
    "PanelDoubt",
    "PanelError",
    "PanelRefused",
    "PanelUnreachable",
    "QuestionTooLarge",
    "RequestRefused",
    "WrongState",
]


class MTurkError(Exception):
    """Root of everything that `mturk` raises on purpose."""


class MarketUnreachable(MTurkError):
    """The endpoint does not answer, or AWS has closed it."""


class RequestRefused(MTurkError):
    """The market refused a call."""

    def __init__(self, message: str, *, operation: str = "", turk_code: str = "") -> None:
        super().__init__(message)
        self.operation = operation
        self.turk_code = turk_code


class DoesNotExist(RequestRefused):
    """The HIT, assignment, worker or qualification is not there."""


class AlreadyExists(RequestRefused):
    """The same UniqueRequestToken was used before."""

    def __init__(self, message: str, *, operation: str = "", turk_code: str = "", hit_id: str | None = None) -> None:
        super().__init__(message, operation=operation, turk_code=turk_code)
        self.hit_id = hit_id


class WrongState(RequestRefused):
    """The object is in a state that does not allow the call."""


class InsufficientFunds(RequestRefused):
    """The balance does not cover the call."""


class BudgetExceeded(MTurkError):
    """The batch would cost more than the budget allows."""


class QuestionTooLarge(MTurkError):
    """A rendered HIT is over 65,535 bytes."""


class BadAnswer(MTurkError):
    """Answer XML that cannot be read."""


class LedgerError(MTurkError):
    """The ledger contradicts the market, or belongs to another one."""


class PanelError(MTurkError):
    """Something with a panel that people are recruited from."""


class PanelUnreachable(PanelError):
    """The call was never sent, so nothing came of it."""


class PanelDoubt(PanelError):
    """The call was sent and no answer came: it may have been carried out."""


class PanelRefused(PanelError):
    """The panel refused the call, so nothing came of it."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
