"""The market side: HITs, assignments, money. Knows no face, no vote, no faceswap."""

from typing import TYPE_CHECKING

from ..lazy import public

if TYPE_CHECKING:
    from .marketplace.app import add_requester
    from .marketplace.config import Addresses, MarketConfig
    from .marketplace.desk.work import Work
    from .marketplace.serve import RunningMarketplace
    from .requester.answers import parse_answer
    from .requester.cancel import CancelResult, cancel
    from .requester.client import AssignmentInfo, BonusInfo, HitInfo, HitRequest, MTurkClient
    from .requester.collect import CollectedAssignment, collect, collected
    from .requester.errors import (
        AlreadyExists,
        BadAnswer,
        BudgetExceeded,
        DoesNotExist,
        InsufficientFunds,
        LedgerError,
        MarketUnreachable,
        MTurkError,
        QuestionTooLarge,
        RequestRefused,
        WrongState,
    )
    from .requester.hosting import Hosting, LocalHosting, S3Hosting
    from .requester.ledger import Ledger
    from .requester.markets import Market, resolve_market
    from .requester.money import FeeSchedule, Quote, percent_fees, quote
    from .requester.progress import BatchProgress, batch_progress
    from .requester.publish import BatchSpec, HitSpec, PublishResult, publish, quote_batch
    from .requester.questions import external_question, html_question
    from .requester.settle import Bonus, SettleResult, approve, bonus, reject

__all__ = [
    "Addresses",
    "AlreadyExists",
    "AssignmentInfo",
    "BadAnswer",
    "BatchProgress",
    "BatchSpec",
    "Bonus",
    "BonusInfo",
    "BudgetExceeded",
    "CancelResult",
    "CollectedAssignment",
    "DoesNotExist",
    "FeeSchedule",
    "HitInfo",
    "HitRequest",
    "HitSpec",
    "Hosting",
    "InsufficientFunds",
    "Ledger",
    "LedgerError",
    "LocalHosting",
    "MTurkClient",
    "MTurkError",
    "Market",
    "MarketConfig",
    "MarketUnreachable",
    "PublishResult",
    "QuestionTooLarge",
    "Quote",
    "RequestRefused",
    "RunningMarketplace",
    "S3Hosting",
    "SettleResult",
    "Work",
    "WrongState",
    "add_requester",
    "approve",
    "batch_progress",
    "bonus",
    "cancel",
    "collect",
    "collected",
    "external_question",
    "html_question",
    "parse_answer",
    "percent_fees",
    "publish",
    "quote",
    "quote_batch",
    "reject",
    "resolve_market",
]

__getattr__, __dir__ = public(
    __name__,
    {
        ".marketplace.app": "add_requester",
        ".marketplace.config": "Addresses MarketConfig",
        ".marketplace.desk.work": "Work",
        ".marketplace.serve": "RunningMarketplace",
        ".requester.answers": "parse_answer",
        ".requester.cancel": "CancelResult cancel",
        ".requester.client": "AssignmentInfo BonusInfo HitInfo HitRequest MTurkClient",
        ".requester.collect": "CollectedAssignment collect collected",
        ".requester.errors": "AlreadyExists BadAnswer BudgetExceeded DoesNotExist InsufficientFunds "
        "LedgerError MTurkError MarketUnreachable QuestionTooLarge RequestRefused WrongState",
        ".requester.hosting": "Hosting LocalHosting S3Hosting",
        ".requester.ledger": "Ledger",
        ".requester.markets": "Market resolve_market",
        ".requester.money": "FeeSchedule Quote percent_fees quote",
        ".requester.progress": "BatchProgress batch_progress",
        ".requester.publish": "BatchSpec HitSpec PublishResult publish quote_batch",
        ".requester.questions": "external_question html_question",
        ".requester.settle": "Bonus SettleResult approve bonus reject",
    },
)
