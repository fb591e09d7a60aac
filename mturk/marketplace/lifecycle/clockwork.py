"""What time does: abandon at the deadline, expire, approve by itself, dispose after 120 days.

Runs at the start of every transaction that finds something due, and once a second from the server's ticker so that
notifications leave in time.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..rules.hits import DISPOSE_AFTER_MS
from ..store import Tx, rows
from ..store.tables import assignment, hit
from . import assignments, hits

__all__ = ["DUE", "advance"]

_BATCH = 200
Moment = int | sa.BindParameter[int]


def _late_assignments(now: Moment) -> sa.ColumnElement[bool]:
    return sa.and_(assignment.c.state == "Accepted", assignment.c.deadline <= now)


def _auto_approvals(now: Moment) -> sa.ColumnElement[bool]:
    return sa.and_(assignment.c.state == "Submitted", assignment.c.auto_approve_at <= now)


def _expired_hits(now: Moment) -> sa.ColumnElement[bool]:
    return sa.and_(hit.c.expiry_noted.is_(False), hit.c.expires_at <= now)


def _before(now: Moment) -> sa.ColumnElement[int]:
    moment = now if isinstance(now, sa.BindParameter) else sa.literal(now, sa.BigInteger())
    return moment - DISPOSE_AFTER_MS


def _past(now: Moment) -> sa.ColumnElement[bool]:
    return sa.and_(hit.c.reviewable_at <= _before(now), hit.c.submitted == 0, hit.c.expires_at <= _before(now))


def _old_hits(now: Moment) -> sa.ColumnElement[bool]:
    return sa.and_(hit.c.status.in_(hits.REVIEWABLE), _past(now))


def _first(moment: sa.Column[Any], waits: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The first of the moments that are waited for: one step into its index, whatever a database knows of its tables.
    Asked whether there are any before now, PostgreSQL without fresh statistics takes a third of the rows for due, and
    reads them all: 25 ms in every transaction at 50,000 HITs."""
    return sa.select(sa.func.min(moment)).where(waits).scalar_subquery()


_NOW = sa.bindparam("now", type_=sa.BigInteger())
DUE = sa.select(
    sa.or_(
        sa.func.coalesce(_first(assignment.c.deadline, assignment.c.state == "Accepted") <= _NOW, sa.false()),
        sa.func.coalesce(_first(assignment.c.auto_approve_at, assignment.c.state == "Submitted") <= _NOW, sa.false()),
        sa.func.coalesce(_first(hit.c.expires_at, hit.c.expiry_noted.is_(False)) <= _NOW, sa.false()),
        *(
            _first(hit.c.reviewable_at, sa.and_(hit.c.status == status, _past(_NOW))).is_not(None)
            for status in sorted(hits.REVIEWABLE)
        ),
    )
)
"""True where `advance` has something to do `:now`. Four index look-ups."""


def advance(tx: Tx) -> None:
    """Let everything happen that is due at `tx.now`, each thing at its own time.

    HITs expire before held work is abandoned: a place that comes back after the end must not open the HIT again.
    """
    while ended := rows(tx, sa.select(hit.c.id, hit.c.expires_at).where(_expired_hits(tx.now)).limit(_BATCH)):
        for row in ended:
            hits.expire(tx, hits.require(tx, row["id"]), row["expires_at"])
    while late := rows(tx, sa.select(assignment).where(_late_assignments(tx.now)).limit(_BATCH)):
        for row in late:
            assignments.abandon(tx, row)
    while waiting := rows(tx, sa.select(assignment).where(_auto_approvals(tx.now)).limit(_BATCH)):
        for row in waiting:
            current = assignments.find(tx, row["id"])
            if current is not None and current["state"] == "Submitted":
                assignments.approve(tx, current, at=row["auto_approve_at"])
    while old := rows(tx, sa.select(hit.c.id).where(_old_hits(tx.now)).limit(_BATCH)):
        for row in old:
            hits.dispose(tx, hits.require(tx, row["id"]))
