"""What the worker's list shows of a HIT type, kept in step by the transactions that change it."""

from __future__ import annotations

from statistics import median

import sqlalchemy as sa

from ..store import Tx
from ..store.tables import assignment, hit_type
from ..store.transactions import Row

__all__ = ["follow", "searched", "time_taken"]

_SAMPLE = 51
_SUBMITTED = (assignment.c.type_id == sa.bindparam("type"), assignment.c.submitted_at.is_not(None))
_TIMES = (
    sa.select(assignment.c.submitted_at - assignment.c.accepted_at)
    .where(*_SUBMITTED)
    .order_by(assignment.c.submitted_at.desc())
    .limit(_SAMPLE)
)
_MANY = (
    sa.select(assignment.c.seq).where(*_SUBMITTED).order_by(assignment.c.submitted_at.desc()).offset(_SAMPLE).limit(1)
)


def searched(title: str, description: str, keywords: str, requester: str) -> str:
    """The text that a worker's search looks into."""
    return f"{title} {description} {keywords} {requester}".lower()


def follow(tx: Tx, before: Row | None, after: Row) -> None:
    """A HIT was made (`before` is None) or changed: its type's number of open HITs and its dates follow."""
    was, now = before is not None and before["status"] == "Assignable", after["status"] == "Assignable"
    moved = before is not None and before["type_id"] != after["type_id"]
    if was and (moved or not now) and before is not None:
        _change(tx, before["type_id"], open_hits=hit_type.c.open_hits - 1)
    later = before is None or moved or after["expires_at"] > before["expires_at"]
    opened = now and (moved or not was)
    if opened or later:
        _change(
            tx,
            after["type_id"],
            open_hits=hit_type.c.open_hits + int(opened),
            newest_at=_later(hit_type.c.newest_at, after["created_at"]),
            last_at=_later(hit_type.c.last_at, after["expires_at"]),
        )


def time_taken(tx: Tx, row: Row) -> None:
    """An assignment was submitted: the usual time is the median of the last ones. Where there are many, one in eight
    tells it: everybody who hands in would wait for the type's one row."""
    if row["seq"] % 8 and tx.conn.scalar(_MANY, {"type": row["type_id"]}) is not None:
        return
    times = tx.conn.scalars(_TIMES, {"type": row["type_id"]}).all()
    _change(tx, row["type_id"], median_ms=round(median(times)) if times else None)


def _later(column: sa.ColumnElement[int], value: int) -> sa.ColumnElement[int]:
    return sa.case((column < value, value), else_=column)


def _change(tx: Tx, type_id: str, **values: object) -> None:
    tx.conn.execute(hit_type.update().where(hit_type.c.id == type_id).values(values))
