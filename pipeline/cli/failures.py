"""Which exit code an error gets. Imported only when something failed."""

from __future__ import annotations

from ...curation.errors import CurationError
from ...mturk.marketplace.errors import MarketplaceError
from ...mturk.requester.errors import BudgetExceeded, MTurkError
from ..engines.base import EngineError
from ..errors import NothingToDo, PipelineError, SafetyStop
from ..workspace.folder import DATABASE_ERRORS

__all__ = ["NOTHING_TO_DO", "exit_code"]

NOTHING_TO_DO = 3
"""Not a failure: what was asked for is done already, or others are at it."""


def exit_code(error: Exception) -> int | None:
    """The exit code for an error raised on purpose, None for one that is a bug and deserves its traceback."""
    if isinstance(error, NothingToDo):
        return NOTHING_TO_DO
    if isinstance(error, (SafetyStop, BudgetExceeded)):
        return 4
    if isinstance(error, (PipelineError, CurationError, MTurkError, MarketplaceError, EngineError)):
        return 1
    if isinstance(error, (OSError, *DATABASE_ERRORS)):
        return 1
    return None
