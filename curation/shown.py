"""Keeps the rows that faces are found and sorted by (`shown_table`) as faces, decisions and looks change.

Everything here runs inside the store's own transactions, so that a row never says something else than what stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from .tables import Among, decision_table, insert_new, shown_table
from .types import DecidedBy, Face, FaceId, Status

__all__ = [
    "LookedAt",
    "forget_map",
    "hide_faces",
    "show_decisions",
    "show_faces",
    "show_looks",
    "show_places",
    "show_risks",
]

_OPEN = (Status.DISPUTED.value, Status.UNDECIDED.value)
_NO_WORD = 0.5
"""What an answer without a probability is worth."""
_AT_ONCE = 10_000


class LookedAt(NamedTuple):
    """What a look found of one face: `sharpness` is the share of the side's faces that are less sharp, `yaw` is in
    degrees, `person` its number on the side (0: not clear), `x` and `y` its place on the map, 0 to 1."""

    face_id: FaceId
    sharpness: float
    yaw: float
    person: int
    x: float
    y: float


def show_faces(db: sa.Connection, faces: Sequence[Face]) -> None:
    """Rows for faces that came in; those that have one keep it."""
    rows = [
        {
            "face_id": face.face_id, "side": face.side.value, "source": face.source, "frame": face.frame_number or 0,
            "size": min(face.box[2:]), "gone": False, "status": Status.UNDECIDED.value, "reason": "",
            "decided_by": DecidedBy.CROWD.value, "doubt": 1.0, "risk": 1.0,
            "sharpness": 0.0, "yaw": 0.0, "person": 0, "x": 0.5, "y": 0.5,
        }
        for face in faces
    ]  # fmt: skip
    insert_new(db, shown_table, rows)


def show_decisions(db: sa.Connection, run_id: int, among: Sequence[FaceId] | None = None) -> None:
    """Rows follow the decisions of a run (`among`: on these faces); those that say so already are not written."""
    said, shown = decision_table.c, shown_table.c
    doubt = sa.case((said.status.in_(_OPEN), 1.0), else_=1.0 - sa.func.coalesce(said.posterior, _NO_WORD))
    reason = sa.func.coalesce(said.reason, "")
    changed = sa.or_(
        shown.status != said.status, shown.reason != reason, shown.decided_by != said.decided_by, shown.doubt != doubt
    )
    query = (
        shown_table.update()
        .where(said.run_id == run_id, said.question == "", said.face_id == shown.face_id, changed)
        .values(status=said.status, reason=reason, decided_by=said.decided_by, doubt=doubt, risk=doubt)
    )
    db.execute(query if among is None else query.where(Among(shown.face_id, among)))


def show_places(db: sa.Connection, standing: Sequence[FaceId], gone: Sequence[FaceId]) -> None:
    """Note which faces stand and which a merge moved away."""
    moved = shown_table.update().where(shown_table.c.face_id == sa.bindparam("wanted"))
    rows = [{"wanted": face, "gone": False} for face in standing] + [{"wanted": face, "gone": True} for face in gone]
    if rows:
        db.execute(moved, rows)


def show_looks(db: sa.Connection, looks: Sequence[LookedAt]) -> None:
    """Note what a look found."""
    if looks:
        found = shown_table.update().where(shown_table.c.face_id == sa.bindparam("wanted"))
        rows = [item._asdict() for item in looks]
        db.execute(found, [{"wanted": row.pop("face_id"), **row} for row in rows])


def show_risks(db: sa.Connection, risks: Mapping[FaceId, float]) -> None:
    """Note how likely what stands is wrong, by all that is known; what a person decided meanwhile stays as it is."""
    c = shown_table.c
    new = shown_table.update().where(
        c.face_id == sa.bindparam("wanted"), c.decided_by != DecidedBy.PERSON.value, c.risk != sa.bindparam("new")
    )
    told = iter(risks.items())
    while rows := [{"wanted": face, "new": risk} for face, risk in islice(told, _AT_ONCE)]:
        db.execute(new.values(risk=sa.bindparam("new")), rows)


def forget_map(db: sa.Connection) -> None:
    """Take away what was made of embeddings: the places on the map."""
    db.execute(shown_table.update().values(x=0.5, y=0.5))


def hide_faces(db: sa.Connection, faces: sa.Select[tuple[str]]) -> None:
    """The faces of a query have no row any more."""
    db.execute(shown_table.delete().where(shown_table.c.face_id.in_(faces)))
