"""The rows of pages that one person answered without a market."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ...curation.tables import reading
from .folder import Workspace
from .schema import reviewed_table

__all__ = ["ReviewedPage", "add_reviewed", "reopen_reviewed", "reviewed_pages", "taken_back"]

_BACK = "back:"
"""Before the market key of a person whose page was taken back: it counts as unanswered, and is shown as it was sent."""


@dataclass(frozen=True, slots=True)
class ReviewedPage:
    """A page as one person answered it: `person` is the market key of that person's pages, `answers` are the form's
    fields."""

    hit_key: str
    batch_key: str
    person: str
    answers: Mapping[str, str]
    seconds: float | None
    submitted_at: datetime


def reviewed_pages(workspace: Workspace, person: str) -> list[ReviewedPage]:
    """What a person answered, in that order; without what was taken back."""
    return _pages(workspace, person)


def taken_back(workspace: Workspace, person: str) -> list[ReviewedPage]:
    """What a person took back and did not answer again, as it was sent."""
    return _pages(workspace, _BACK + person)


def _pages(workspace: Workspace, person: str) -> list[ReviewedPage]:
    query = sa.select(reviewed_table).where(reviewed_table.c.person == person).order_by(reviewed_table.c.submitted_at)
    with reading(workspace.db) as db:
        return [
            ReviewedPage(
                row.hit_key,
                row.batch_key,
                row.person,
                json.loads(row.answers),
                row.seconds,
                datetime.fromisoformat(row.submitted_at),
            )
            for row in db.execute(query)
        ]


def add_reviewed(db: sa.Connection, page: ReviewedPage) -> None:
    """Keep what was answered, in the transaction of its votes; a page that was answered before, once more, takes its
    place."""
    values = {
        "hit_key": page.hit_key,
        "batch_key": page.batch_key,
        "person": page.person,
        "answers": json.dumps(dict(page.answers)),
        "seconds": page.seconds,
        "submitted_at": page.submitted_at.isoformat(),
    }
    db.execute(reviewed_table.delete().where(reviewed_table.c.hit_key == page.hit_key))
    db.execute(reviewed_table.insert().values(**values))


def reopen_reviewed(db: sa.Connection, page: ReviewedPage) -> None:
    """Take an answered page back, in the transaction in which its votes go: it waits again, with what was sent."""
    this = reviewed_table.c.hit_key == page.hit_key
    db.execute(reviewed_table.update().where(this).values(person=_BACK + page.person))
