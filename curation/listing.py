"""Faces with their decisions as pages show them: counted and sorted by the database, a page at a time.

With 100,000 faces a page must not read them all. Disputes come first, then the open faces, least certain first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .tables import decision_table, face_of_row, face_table, run_table, word_of
from .types import Face, Side, Status

__all__ = ["FacePage", "count_statuses", "page_of_faces"]

_ORDER = (Status.DISPUTED, Status.UNDECIDED, Status.REJECTED, Status.APPROVED)
_STATUS = sa.func.coalesce(decision_table.c.status, Status.UNDECIDED.value)


@dataclass(frozen=True, slots=True)
class FacePage:
    """Some faces of a listing in its order, of `total` that fit."""

    faces: tuple[Face, ...]
    total: int


def _with_decisions(*columns: Any) -> sa.Select[Any]:
    """All faces, each with its decision as a whole in the newest run where it has one."""
    newest = sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
    decided = sa.and_(
        decision_table.c.face_id == face_table.c.face_id,
        decision_table.c.run_id == newest,
        decision_table.c.question == "",
    )
    return sa.select(*columns).select_from(face_table.outerjoin(decision_table, decided))


def count_statuses(engine: sa.Engine, *, standing: bool = False) -> dict[Side, dict[Status, int]]:
    """How many faces of each side have which status; `standing` leaves out those that a merge moved away."""
    query = _with_decisions(face_table.c.side, _STATUS, sa.func.count()).group_by(face_table.c.side, _STATUS)
    if standing:
        query = query.where(face_table.c.rejected_in.is_(None))
    found = {side: dict.fromkeys(Status, 0) for side in Side}
    with engine.connect() as db:
        for side, status, count in db.execute(query):
            found[word_of(Side, side)][word_of(Status, status)] = count
    return found


def page_of_faces(
    engine: sa.Engine, side: Side | None, status: Status | None, *, first: int = 0, most: int | None = None
) -> FacePage:
    """At most `most` faces (None: all) of a side (None: both) and a status (None: any), from the `first`th on."""
    wanted: list[sa.ColumnElement[bool]] = []
    if side is not None:
        wanted.append(face_table.c.side == side.value)
    if status is not None:
        wanted.append(_STATUS.in_([status.value]))
    rank = sa.case({item.value: place for place, item in enumerate(_ORDER)}, value=_STATUS)
    known = face_table.c
    query = (
        _with_decisions(face_table)
        .where(*wanted)
        .order_by(rank, sa.func.coalesce(decision_table.c.posterior, 0.0))
        .order_by(known.side, known.source, known.source_name, known.face_index)
        .offset(first)
        .limit(most)
    )
    with engine.connect() as db:
        total = db.execute(_with_decisions(sa.func.count()).where(*wanted)).scalar_one()
        return FacePage(tuple(face_of_row(row) for row in db.execute(query).mappings()), int(total))
