"""Who did what, when: one row an act, from the pages and from the command line, never changed.

An act is written by the use case itself, where it is done, so that every way to it leaves the same row. What it says
names sides, counts, batches and money, never a face, a footage or a person: erasing somebody leaves nothing of them
here, and the database refuses to change or to delete a row.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

import sqlalchemy as sa

from ...curation.tables import reading
from ...mturk.requester.money import written
from .folder import Workspace
from .schema import act_table

__all__ = ["KINDS", "OWNER", "Act", "Actor", "act_as", "acting", "acts", "note_act", "people_who_acted"]

Through = Literal["page", "command"]

KINDS: dict[str, str] = {
    "publish": "published",
    "collect": "collected and paid",
    "pay": "paid",
    "reject": "rejected",
    "cancel": "took back a batch",
    "extend": "extended a batch",
    "decide": "decided on faces",
    "choose": "chose what is asked",
    "pictures": "spoke of pictures",
    "worker": "stopped, let in or answered a worker",
    "merge": "merged",
    "undo": "took back a merge",
    "ingest": "took footage in",
    "photograph": "gave photographs of a person",
    "mask": "masked parts of a picture",
    "remove": "removed footage",
    "remove-photo": "removed a photograph of a person",
    "extract": "extracted faces",
    "send": "sent faces to another machine",
    "train": "trained",
    "convert": "converted",
    "start": "started a job",
    "stop": "stopped a job",
    "settings": "changed a setting",
    "project": "made or changed a project",
    "erase": "erased a person",
    "delete": "deleted what was due",
    "consent": "recorded a consent",
    "revoke": "noted a withdrawal",
    "team": "changed the team",
    "invite": "invited workers",
    "recruit": "recruited",
    "claim": "said what the workspace is",
}
"""Every kind of act, and what a page calls it."""
OWNER = "owner"
"""Who reaches pages that have no door stands for whoever runs them."""


class Actor(NamedTuple):
    """Who acts: the person who is signed in, or the account's name on the command line."""

    name: str
    through: Through


@dataclass(frozen=True, slots=True)
class Act:
    """One row: `figure` is the money or the number that the act was about, in words; "" where there is none."""

    number: int
    at: datetime
    who: str
    through: str
    kind: str
    what: str
    figure: str


_ACTING: ContextVar[Actor | None] = ContextVar("galloway_actor", default=None)


def act_as(name: str, through: Through) -> None:
    """From now on, in this thread or task, what is done is done by this person; with an empty name by the account."""
    _ACTING.set(Actor(name, through) if name else None)


def acting() -> Actor:
    """Who acts here: whoever `act_as` named, else the account that the process runs as."""
    return _ACTING.get() or Actor(_account(), "command")


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"account {os.getuid()}" if hasattr(os, "getuid") else "the account"


def note_act(workspace: Workspace, kind: str, what: str, figure: str | Decimal = "") -> None:
    """Keep that it was done, now, by whoever acts. `what` names no face, no footage and no person; money is written in
    the market's currency."""
    assert kind in KINDS, kind
    who = acting()
    said = written(figure, workspace.settings.market.currency) if isinstance(figure, Decimal) else figure
    row = {"at": datetime.now(UTC).isoformat(), "who": who.name, "through": who.through, "kind": kind, "what": what}
    with workspace.db.begin() as db:
        db.execute(act_table.insert().values(**row, figure=said))


def acts(
    workspace: Workspace, *, who: str = "", kind: str = "", before: int | None = None, most: int | None = None
) -> list[Act]:
    """What was done, newest first: by one person, of one kind, before the row of that number."""
    table = act_table
    query = sa.select(table).order_by(table.c.number.desc()).limit(most)
    if who:
        query = query.where(table.c.who == who)
    if kind:
        query = query.where(table.c.kind == kind)
    if before is not None:
        query = query.where(table.c.number < before)
    with reading(workspace.db) as db:
        rows = db.execute(query).all()
    return [
        Act(row.number, datetime.fromisoformat(row.at), row.who, row.through, row.kind, row.what, row.figure)
        for row in rows
    ]


def people_who_acted(workspace: Workspace) -> Sequence[str]:
    """Their names, in order."""
    with reading(workspace.db) as db:
        return db.execute(sa.select(act_table.c.who).distinct().order_by(act_table.c.who)).scalars().all()
