"""Faces as pages find, count and sort them: by the database, a page at a time, in the same time at any number.

Everything is read from `shown_table`, which the store keeps. A page begins behind a place (`after`), so that the
hundredth costs what the first costs and nobody who decides meanwhile makes a face come twice; `skip` jumps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from .errors import CurationError
from .tables import face_of_row, face_table, shown_table, vote_table, word_of
from .types import DecidedBy, Face, FaceId, Side, Status

__all__ = [
    "Order",
    "Pose",
    "ShownFace",
    "Wanted",
    "count_faces",
    "count_persons",
    "count_statuses",
    "near_in_time",
    "page_of_faces",
    "points",
    "voters",
]

_C = shown_table.c
FRONT, PROFILE = 20.0, 50.0
"""Degrees of yaw up to which a face is seen from the front, and from which in profile."""


class Order(StrEnum):
    """By what faces are sorted: what is likeliest wrong first, the least sure, the least sharp, from one profile to the
    other, the smallest, as in the film, by person."""

    RISK = "risk"
    DOUBT = "doubt"
    SHARPNESS = "sharpness"
    POSE = "pose"
    SIZE = "size"
    FILM = "film"
    PERSON = "person"


class Pose(StrEnum):
    """How far a face is turned."""

    FRONT = "front"
    HALF = "half"
    PROFILE = "profile"


_KEYS: dict[Order, tuple[sa.Column[Any], ...]] = {
    Order.RISK: (_C.risk, _C.face_id),
    Order.DOUBT: (_C.doubt, _C.face_id),
    Order.SHARPNESS: (_C.sharpness, _C.face_id),
    Order.POSE: (_C.yaw, _C.face_id),
    Order.SIZE: (_C.size, _C.face_id),
    Order.FILM: (_C.side, _C.source, _C.frame, _C.face_id),
    Order.PERSON: (_C.side, _C.person, _C.face_id),
}
_DOWN = frozenset({Order.RISK, Order.DOUBT})
"""Orders that begin with the largest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which faces, and in what order; None and "" are any. `sizes` and `sharpness` are from and below; `among` those of
    these alone; `back` turns the order round."""

    side: Side | None = None
    status: Status | None = None
    source: str = ""
    person: int | None = None
    worker: str = ""
    decided_by: DecidedBy | None = None
    pose: Pose | None = None
    sizes: tuple[int, int] | None = None
    sharpness: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    among: tuple[FaceId, ...] | None = None
    order: Order = Order.RISK
    back: bool = False


@dataclass(frozen=True, slots=True)
class ShownFace:
    """One face of a listing; `place` is where the page behind it begins."""

    face: Face
    status: Status
    reason: str
    decided_by: DecidedBy
    doubt: float
    risk: float
    sharpness: float
    yaw: float
    person: int
    gone: bool
    place: str


def count_statuses(engine: sa.Engine, *, standing: bool = False) -> dict[Side, dict[Status, int]]:
    """How many faces of each side have which status; `standing` leaves out those that a merge moved away."""
    query = sa.select(_C.side, _C.status, sa.func.count()).group_by(_C.side, _C.status)
    if standing:
        query = query.where(_C.gone.is_(False))
    found = {side: dict.fromkeys(Status, 0) for side in Side}
    with engine.connect() as db:
        for side, status, count in db.execute(query):
            found[word_of(Side, side)][word_of(Status, status)] = count
    return found


def count_faces(engine: sa.Engine, wanted: Wanted) -> int:
    """How many faces fit."""
    query = sa.select(sa.func.count()).select_from(shown_table).where(*_fits(wanted))
    with engine.connect() as db:
        return int(db.execute(query).scalar_one())


def count_persons(engine: sa.Engine, side: Side | None = None) -> list[tuple[Side, int, int]]:
    """(side, number, faces) of every person that the last looks found, and of the faces that are not clear (0)."""
    query = sa.select(_C.side, _C.person, sa.func.count()).group_by(_C.side, _C.person).order_by(_C.side, _C.person)
    if side is not None:
        query = query.where(_C.side == side.value)
    with engine.connect() as db:
        return [(word_of(Side, one), person, count) for one, person, count in db.execute(query)]


def voters(engine: sa.Engine) -> list[str]:
    """Everybody who voted: found by stepping through the index, not by reading every vote."""
    first = sa.select(sa.func.min(vote_table.c.worker_id).label("worker")).cte("voter", recursive=True)
    later = sa.select(sa.func.min(vote_table.c.worker_id)).where(vote_table.c.worker_id > first.c.worker)
    found = first.union_all(
        sa.select(later.scalar_subquery()).select_from(first).where(first.c.worker.is_not(None))
    )
    with engine.connect() as db:
        return [str(name) for name in db.execute(sa.select(found.c.worker)).scalars() if name is not None]


def page_of_faces(
    engine: sa.Engine, wanted: Wanted, *, after: str = "", skip: int = 0, most: int | None = None
) -> list[ShownFace]:
    """At most `most` faces that fit (None: all), from behind the place `after` on, or of those from the `skip`th on.

    Raises CurationError for a place that is none of this order.
    """
    keys = _KEYS[wanted.order]
    down = (wanted.order in _DOWN) is not wanted.back
    query = sa.select(shown_table, *_facts()).join(face_table, face_table.c.face_id == _C.face_id)
    query = query.where(*_fits(wanted)).order_by(*(key.desc() if down else key for key in keys))
    if after:
        here, there = sa.tuple_(*keys), sa.tuple_(*(sa.literal(value) for value in _values(after, wanted.order)))
        query = query.where(here < there if down else here > there)
    with engine.connect() as db:
        rows = db.execute(query.offset(skip or None).limit(most)).mappings()
        return [_shown(row, keys) for row in rows]


def near_in_time(engine: sa.Engine, face: Face, each: int) -> list[ShownFace]:
    """At most `each` faces before a face and behind it in its film, with it in the middle."""
    place = json.dumps([face.side.value, face.source, face.frame_number or 0, face.face_id])
    film = Wanted(side=face.side, source=face.source, order=Order.FILM)
    before = page_of_faces(engine, Wanted(side=face.side, source=face.source, order=Order.FILM, back=True), after=place, most=each)
    itself = page_of_faces(engine, Wanted(among=(face.face_id,)), most=1)
    return [*before[::-1], *itself, *page_of_faces(engine, film, after=place, most=each)]


def points(engine: sa.Engine, wanted: Wanted) -> list[tuple[FaceId, float, float, str, int]]:
    """Where each face that fits lies on its side's map: (face, x, y, status, person)."""
    query = sa.select(_C.face_id, _C.x, _C.y, _C.status, _C.person).where(*_fits(wanted)).order_by(_C.face_id)
    with engine.connect() as db:
        return [(FaceId(face), x, y, status, person) for face, x, y, status, person in db.execute(query)]


def _facts() -> list[Any]:
    """What of the face is not in the row already."""
    return [face_table.c[name] for name in ("name", "source_name", "face_index", "frame_number", "w", "h")] + [
        face_table.c.x.label("left"), face_table.c.y.label("top"),
    ]  # fmt: skip


def _fits(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """The conditions of a selection."""
    found: list[sa.ColumnElement[bool]] = []
    for column, value in ((_C.side, wanted.side), (_C.status, wanted.status), (_C.decided_by, wanted.decided_by)):
        if value is not None:
            found.append(column == value.value)
    if wanted.source:
        found.append(_C.source == wanted.source)
    if wanted.person is not None:
        found.append(_C.person == wanted.person)
    if wanted.pose is not None:
        found.append(_turned(wanted.pose))
    for column, span in ((_C.size, wanted.sizes), (_C.sharpness, wanted.sharpness)):
        if span is not None:
            found += [column >= span[0], column < span[1]]
    if wanted.box is not None:
        left, top, right, bottom = wanted.box
        found += [_C.x.between(left, right), _C.y.between(top, bottom)]
    if wanted.worker:
        said = sa.select(vote_table.c.face_id).where(vote_table.c.worker_id == wanted.worker)
        found.append(_C.face_id.in_(said))
    if wanted.among is not None:
        found.append(_C.face_id.in_(wanted.among))
    return found


def _turned(pose: Pose) -> sa.ColumnElement[bool]:
    if pose is Pose.FRONT:
        return _C.yaw.between(-FRONT, FRONT)
    if pose is Pose.PROFILE:
        return sa.or_(_C.yaw <= -PROFILE, _C.yaw >= PROFILE)
    return sa.or_(
        sa.and_(_C.yaw > FRONT, _C.yaw < PROFILE), sa.and_(_C.yaw < -FRONT, _C.yaw > -PROFILE)
    )


def _values(after: str, order: Order) -> Sequence[Any]:
    """A place as the values of its order's keys."""
    keys = _KEYS[order]
    try:
        values = json.loads(after)
    except ValueError:
        values = None
    kinds = [(str,) if isinstance(key.type, sa.String) else (int, float) for key in keys]
    if not isinstance(values, list) or [type(v) in k for v, k in zip(values, kinds, strict=False)] != [True] * len(keys):
        raise CurationError(f"{after[:80]!r} is no place in faces sorted by {order}. Begin at the first page.")
    return values


def _shown(row: sa.RowMapping, keys: Sequence[sa.Column[Any]]) -> ShownFace:
    face = {**row, "x": row["left"], "y": row["top"]}
    return ShownFace(
        face=face_of_row(face),  # type: ignore[arg-type]
        status=word_of(Status, row["status"]),
        reason=row["reason"],
        decided_by=word_of(DecidedBy, row["decided_by"]),
        doubt=row["doubt"],
        risk=row["risk"],
        sharpness=row["sharpness"],
        yaw=row["yaw"],
        person=row["person"],
        gone=bool(row["gone"]),
        place=json.dumps([row[key.name] for key in keys]),
    )
