"""Faces as pages find, count and sort them: by the database, a page at a time, in the same time at any number.

Everything is read from `shown_table`, which the store keeps. A page begins behind a place (`after`), so that the
hundredth costs what the first costs and nobody who decides meanwhile makes a face come twice; `skip` jumps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from .counts import CELLS, cell_counts, cells_of, face_counts
from .errors import CurationError
from .tables import (
    Among,
    decision_table,
    face_of_row,
    face_table,
    reading,
    run_table,
    shown_table,
    vote_table,
    word_of,
)
from .types import DecidedBy, Face, FaceId, Side, Status

__all__ = [
    "CELLS",
    "Order",
    "Pose",
    "ShownFace",
    "Wanted",
    "count_faces",
    "count_outcomes",
    "count_persons",
    "count_statuses",
    "map_cells",
    "near_in_time",
    "page_of_faces",
    "posteriors",
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
_DOWN = frozenset({Order.RISK, Order.DOUBT})  # orders that begin with the largest


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which faces, and in what order; None and "" are any. `frames` are the first and the last frame of a film, counted
    from 1; `sizes` and `sharpness` are from and below; `gone` are those that a merge moved away; `lasso` is a line
    round places on the map; `among` are those of these alone; `back` turns the order round."""

    side: Side | None = None
    status: Status | None = None
    source: str = ""
    person: int | None = None
    worker: str = ""
    decided_by: DecidedBy | None = None
    pose: Pose | None = None
    frames: tuple[int, int] | None = None
    sizes: tuple[int, int] | None = None
    sharpness: tuple[float, float] | None = None
    gone: bool | None = None
    lasso: tuple[tuple[float, float], ...] = ()
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
    counted = face_counts(engine.dialect)
    total = sa.cast(sa.func.sum(counted.faces), sa.BigInteger)  # PostgreSQL's own would be a decimal
    query = sa.select(counted.side, counted.status, total).group_by(counted.side, counted.status)
    if standing:
        query = query.where(counted.gone.is_(False))
    found = {side: dict.fromkeys(Status, 0) for side in Side}
    with reading(engine) as db:
        for side, status, count in db.execute(query):
            found[word_of(Side, side)][word_of(Status, status)] = count
    return found


def count_faces(engine: sa.Engine, wanted: Wanted) -> int:
    """How many faces fit: from the counts that are kept, where those tell them apart."""
    if replace(wanted, order=Order.RISK, back=False) == Wanted(
        side=wanted.side, status=wanted.status, decided_by=wanted.decided_by, gone=wanted.gone
    ):
        counted = face_counts(engine.dialect)
        query = sa.select(sa.func.coalesce(sa.func.sum(counted.faces), 0)).where(*_plainly(wanted, counted))
    else:
        query = sa.select(sa.func.count()).select_from(shown_table).where(*_fits(wanted))
    with reading(engine) as db:
        return int(db.execute(query).scalar_one())


def count_outcomes(engine: sa.Engine) -> list[tuple[Side, Status, str, DecidedBy, int]]:
    """(side, status, reason, decided by, faces) of the faces that stand, of those alike together; in that order."""
    counted = face_counts(engine.dialect)
    columns = counted.side, counted.status, counted.reason, counted.decided_by
    query = sa.select(*columns, counted.faces).where(counted.gone.is_(False), counted.faces > 0).order_by(*columns)
    with reading(engine) as db:
        return [
            (word_of(Side, side), word_of(Status, status), reason, word_of(DecidedBy, who), count)
            for side, status, reason, who, count in db.execute(query)
        ]


def count_persons(engine: sa.Engine, side: Side | None = None) -> list[tuple[Side, int, int]]:
    """(side, number, faces) of every person that the last looks found, and of the faces that are not clear (0)."""
    query = sa.select(_C.side, _C.person, sa.func.count()).group_by(_C.side, _C.person).order_by(_C.side, _C.person)
    if side is not None:
        query = query.where(_C.side == side.value)
    with reading(engine) as db:
        return [(word_of(Side, one), person, count) for one, person, count in db.execute(query)]


def voters(engine: sa.Engine) -> list[str]:
    """Everybody who voted: found by stepping through the index, not by reading every vote."""
    first = sa.select(sa.func.min(vote_table.c.worker_id).label("worker")).cte("voter", recursive=True)
    later = sa.select(sa.func.min(vote_table.c.worker_id)).where(vote_table.c.worker_id > first.c.worker)
    found = first.union_all(sa.select(later.scalar_subquery()).select_from(first).where(first.c.worker.is_not(None)))
    with reading(engine) as db:
        return [str(name) for name in db.execute(sa.select(found.c.worker)).scalars() if name is not None]


def page_of_faces(
    engine: sa.Engine, wanted: Wanted, *, after: str = "", skip: int = 0, most: int | None = None
) -> list[ShownFace]:
    """At most `most` faces that fit (None: all), from behind the place `after` on, or of those from the `skip`th on.

    Raises CurationError for a place that is none of this order.
    """
    keys = _KEYS[wanted.order]
    behind = _values(after, wanted.order) if after else None
    merged = most is not None and wanted.order not in (Order.FILM, Order.PERSON) and not _indexed(wanted)
    chosen = _merged(wanted, behind, skip + (most or 0)) if merged else _sorted(wanted, behind)
    page = chosen.offset(skip or None).limit(most).subquery()
    query = (
        sa.select(shown_table, *_facts())
        .join(page, page.c.face_id == _C.face_id)
        .join(face_table, face_table.c.face_id == _C.face_id)
        .order_by(*_directed(keys, wanted))
    )
    with reading(engine) as db:
        return [_shown(row, keys) for row in db.execute(query).mappings()]


def _indexed(wanted: Wanted) -> bool:
    """Whether the selection says what has an index of its own."""
    return bool(wanted.source or wanted.person is not None or wanted.worker or wanted.lasso or wanted.among is not None)


def _sorted(wanted: Wanted, behind: Sequence[Any] | None) -> sa.Select[Any]:
    """The ids and keys of all faces that fit, in order, from behind a place on."""
    keys = _KEYS[wanted.order]
    chosen = sa.select(*keys).where(*_fits(wanted)).order_by(*_directed(keys, wanted))
    if behind is not None:
        here, there = sa.tuple_(*keys), sa.tuple_(*(sa.literal(value) for value in behind))
        chosen = chosen.where(here < there if _descends(wanted) else here > there)
    return chosen


def _merged(wanted: Wanted, behind: Sequence[Any] | None, most: int) -> sa.Select[Any]:
    """The same, for an order by a value: the first `most` of each side and status together. The order's index begins
    with these two, so it alone finds them; one query of a whole side would read and sort every face there."""
    parts = [
        _sorted(replace(wanted, side=side, status=status), behind).limit(most).subquery().select()
        for side in (Side if wanted.side is None else [wanted.side])
        for status in (Status if wanted.status is None else [wanted.status])
    ]
    found = sa.union_all(*parts).subquery()
    keys = [found.c[key.name] for key in _KEYS[wanted.order]]
    return sa.select(*keys).order_by(*_directed(keys, wanted))


def _descends(wanted: Wanted) -> bool:
    return (wanted.order in _DOWN) is not wanted.back


def _directed(keys: Sequence[Any], wanted: Wanted) -> list[Any]:
    return [key.desc() if _descends(wanted) else key for key in keys]


def posteriors(engine: sa.Engine, faces: Sequence[FaceId]) -> dict[FaceId, float | None]:
    """How sure the newest run is of what it decided on each of these faces as a whole; without those it lacks."""
    columns = decision_table.c
    newest = sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
    query = sa.select(columns.face_id, columns.posterior).where(
        columns.run_id == newest, columns.question == "", Among(columns.face_id, faces)
    )
    with reading(engine) as db:
        return {FaceId(face): sure for face, sure in db.execute(query)}


def near_in_time(engine: sa.Engine, face: Face, each: int) -> list[ShownFace]:
    """At most `each` faces before a face and behind it in its film, with it in the middle."""
    place = json.dumps([face.side.value, face.source, face.frame_number or 0, face.face_id])
    film = Wanted(side=face.side, source=face.source, order=Order.FILM)
    before = page_of_faces(
        engine, Wanted(side=face.side, source=face.source, order=Order.FILM, back=True), after=place, most=each
    )
    itself = page_of_faces(engine, Wanted(among=(face.face_id,)), most=1)
    return [*before[::-1], *itself, *page_of_faces(engine, film, after=place, most=each)]


def map_cells(engine: sa.Engine, wanted: Wanted) -> str:
    """How the faces that fit lie on the map, as a JSON list of [column, row, status, faces] of `CELLS` columns and
    rows, the empty ones left out; written by the database, for there are up to a hundred thousand. Of a whole side, or
    of a status of it, the counts that are kept are read."""
    dialect = engine.dialect
    if wanted == Wanted(side=wanted.side, status=wanted.status, order=wanted.order, back=wanted.back):
        c = cell_counts(dialect)
        cells = sa.select(c.across, c.down, c.status, c.faces).where(c.faces > 0, *_plainly(wanted, c))
    else:
        places = cells_of(dialect)
        cells = sa.select(*places, _C.status, sa.func.count().label("faces")).where(*_fits(wanted))
        cells = cells.group_by(*places, _C.status)
    found = cells.subquery().c
    row = found.across, found.down, found.status, found.faces
    told: sa.ColumnElement[Any]
    if dialect.name == "sqlite":
        told = sa.func.json_group_array(sa.func.json_array(*row))
    else:
        told = sa.func.coalesce(sa.cast(sa.func.json_agg(sa.func.json_build_array(*row)), sa.Text), "[]")
    with reading(engine) as db:
        return str(db.execute(sa.select(told)).scalar_one())


def _facts() -> list[Any]:
    """What of the face is not in the row already."""
    return [face_table.c[name] for name in ("name", "source_name", "face_index", "frame_number", "w", "h")] + [
        face_table.c.x.label("left"), face_table.c.y.label("top"),
    ]  # fmt: skip


def _fits(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """The conditions of a selection."""
    found = _plainly(wanted, _C)
    if wanted.source:
        found.append(_C.source == wanted.source)
    if wanted.person is not None:
        found.append(_C.person == wanted.person)
    if wanted.pose is not None:
        found.append(_turned(wanted.pose))
    if wanted.frames is not None:
        found.append(_C.frame.between(*wanted.frames))
    for column, span in ((_C.size, wanted.sizes), (_C.sharpness, wanted.sharpness)):
        if span is not None:
            found += [column >= span[0], column < span[1]]
    if wanted.lasso:
        found += _inside(wanted.lasso)
    if wanted.worker:
        said = sa.select(vote_table.c.face_id).where(vote_table.c.worker_id == wanted.worker)
        found.append(_C.face_id.in_(said))
    if wanted.among is not None:
        found.append(Among(_C.face_id, wanted.among))
    return found


def _plainly(wanted: Wanted, columns: Any) -> list[sa.ColumnElement[bool]]:
    """The conditions on what rows and counts both have."""
    found: list[sa.ColumnElement[bool]] = []
    for name in ("side", "status", "decided_by"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(columns[name] == value.value)
    if wanted.gone is not None:
        found.append(columns["gone"].is_(wanted.gone))
    return found


def _inside(lasso: Sequence[tuple[float, float]]) -> list[sa.ColumnElement[bool]]:
    """Whether a place lies inside a closed line: one that starts there crosses it an odd number of times."""
    xs, ys = [x for x, _ in lasso], [y for _, y in lasso]
    crossed: sa.ColumnElement[int] = sa.literal(0)
    for (x, y), (right, top) in zip(lasso, [*lasso[1:], lasso[0]], strict=True):
        if y != top:
            low, high = sorted((y, top))
            at = x + (_C.y - y) * ((right - x) / (top - y))
            crossed = crossed + sa.case((sa.and_(_C.y >= low, _C.y < high, _C.x < at), 1), else_=0)
    return [_C.x.between(min(xs), max(xs)), _C.y.between(min(ys), max(ys)), crossed % 2 == 1]


def _turned(pose: Pose) -> sa.ColumnElement[bool]:
    if pose is Pose.FRONT:
        return _C.yaw.between(-FRONT, FRONT)
    if pose is Pose.PROFILE:
        return sa.or_(_C.yaw <= -PROFILE, _C.yaw >= PROFILE)
    return sa.or_(sa.and_(_C.yaw > FRONT, _C.yaw < PROFILE), sa.and_(_C.yaw < -FRONT, _C.yaw > -PROFILE))


def _values(after: str, order: Order) -> Sequence[Any]:
    """A place as the values of its order's keys."""
    keys = _KEYS[order]
    try:
        values = json.loads(after)
    except ValueError:
        values = None
    kinds = [(str,) if isinstance(key.type, sa.String) else (int, float) for key in keys]
    if not isinstance(values, list) or [type(v) in k for v, k in zip(values, kinds, strict=False)] != [True] * len(
        keys
    ):
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
