"""Which exit code an error gets. Imported only when something failed."""

from __future__ import annotations

from ...curation.errors import CurationError
from ...extras import missing_extra
from ...mturk.marketplace.errors import MarketplaceError
from ...mturk.requester.errors import BudgetExceeded, MTurkError
from ..engines.base import EngineError
from ..errors import NothingToDo, PipelineError, SafetyStop, WorkspaceBusy
from ..trouble import sentence
from ..wording import lines, one_line

__all__ = ["NOTHING_TO_DO", "exit_code", "told"]

BUSY = 5
"""Another command is changing the workspace just now; the same command works later."""
NOTHING_TO_DO = 3
"""Not a failure: what was asked for is done already, or others are at it."""


def exit_code(error: Exception) -> int | None:
    """The exit code for an error raised on purpose, None for one that is a bug and deserves its traceback."""
    if isinstance(error, NothingToDo):
        return NOTHING_TO_DO
    if isinstance(error, WorkspaceBusy):
        return BUSY
    if isinstance(error, (SafetyStop, BudgetExceeded)):
        return 4
    if isinstance(error, (PipelineError, CurationError, MTurkError, MarketplaceError, EngineError)):
        return 1
    return 1 if missing_extra(error) is not None or sentence(error) is not None else None


def told(error: Exception) -> str:
    """What the person reads: what was raised on purpose says it itself, the rest is put into a sentence. One line,
    whatever names stand in it, but for errors that are a list."""
    if isinstance(error, PipelineError):
        return lines(error.lines)
    return one_line(str(missing_extra(error) or _on_purpose(error) or sentence(error) or error))


def _on_purpose(error: Exception) -> str:
    ours = (PipelineError, CurationError, MTurkError, MarketplaceError, EngineError)
    return str(error) if isinstance(error, ours) else ""
