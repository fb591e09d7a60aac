"""What the worker's list shows of a HIT type, kept in step by the transactions that change it."""

from __future__ import annotations

from statistics import median

import sqlalchemy as sa

from ..store import Tx, ask, ask_one, tell
from ..store.tables import assignment, hit_type
from ..store.transactions import Row

__all__ = ["follow", "searched", "time_taken"]

_SAMPLE = 51
_SUBMITTED = (assignment.c.type_id == sa.bindparam("type"), assignment.c.submitted_at.is_not(None))
_TIMES = (
    sa.select((assignment.c.submitted_at - assignment.c.accepted_at).label("taken"))
    .where(*_SUBMITTED)
    .order_by(assignment.c.submitted_at.desc())
    .limit(_SAMPLE)
)
_MANY = (
    sa.select(assignment.c.seq).where(*_SUBMITTED).order_by(assignment.c.submitted_at.desc()).offset(_SAMPLE).limit(1)
)
_TYPE = hit_type.update().where(hit_type.c.id == sa.bindparam("type"))


def _later(column: sa.Column[int], name: str) -> sa.ColumnElement[int]:
    value = sa.bindparam(name, type_=sa.BigInteger())
    return sa.case((column < value, value), else_=column)


_CLOSED = _TYPE.values(open_hits=hit_type.c.open_hits - 1)
_FOLLOWED = _TYPE.values(
    open_hits=hit_type.c.open_hits + sa.bindparam("opened", type_=sa.BigInteger()),
    newest_at=_later(hit_type.c.newest_at, "made"),
    last_at=_later(hit_type.c.last_at, "ends"),
)
_USUAL = _TYPE.values(median_ms=sa.bindparam("usual", type_=sa.BigInteger()))


def searched(title: str, description: str, keywords: str, requester: str) -> str:
    """The text that a worker's search looks into."""
    return f"{title} {description} {keywords} {requester}".lower()


def follow(tx: Tx, before: Row | None, after: Row) -> None:
    """A HIT was made (`before` is None) or changed: its type's number of open HITs and its dates follow."""
    was, now = before is not None and before["status"] == "Assignable", after["status"] == "Assignable"
    moved = before is not None and before["type_id"] != after["type_id"]
    if was and (moved or not now) and before is not None:
        tell(tx, _CLOSED, {"type": before["type_id"]})
    later = before is None or moved or after["expires_at"] > before["expires_at"]
    opened = now and (moved or not was)
    if opened or later:
        dates = {"made": after["created_at"], "ends": after["expires_at"]}
        tell(tx, _FOLLOWED, {"type": after["type_id"], "opened": int(opened), **dates})


def time_taken(tx: Tx, row: Row) -> None:
    """An assignment was submitted: the usual time is the median of the last ones. Where there are many, one in eight
    tells it: everybody who hands in would wait for the type's one row."""
    kind = {"type": row["type_id"]}
    if row["seq"] % 8 and ask_one(tx, _MANY, kind) is not None:
        return
    (found,) = ask(tx, (_TIMES, kind))
    times = [item["taken"] for item in found]
    tell(tx, _USUAL, {**kind, "usual": round(median(times)) if times else None})
