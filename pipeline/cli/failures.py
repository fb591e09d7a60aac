"""Which exit code an error gets. Imported only when something failed."""

from __future__ import annotations

import sqlite3
import sys

from ...curation.errors import CurationError
from ...extras import missing_extra
from ...mturk.marketplace.errors import MarketplaceError
from ...mturk.requester.errors import BudgetExceeded, MTurkError
from ..engines.base import EngineError
from ..errors import NothingToDo, PipelineError, SafetyStop

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
    if isinstance(error, (OSError, sqlite3.Error)) or missing_extra(error) is not None:
        return 1
    return 1 if _of_the_database(error) else None


def _of_the_database(error: Exception) -> bool:
    """Whether it is SQLAlchemy's OperationalError; without SQLAlchemy nothing can have raised one."""
    database = sys.modules.get("sqlalchemy.exc")
    return database is not None and isinstance(error, database.OperationalError)
