"""What people decided in one step each, on one face or on many, with what stood before: so that any step can be undone.
The rows of `decided_step` and `decided_former`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ...curation.tables import Among, insert_new, reading, word_of
from ...curation.types import DecidedBy, Decision, FaceId, Question, Status
from .folder import Workspace
from .schema import former_table, step_table

__all__ = ["Step", "add_step", "faces_of", "find_step", "formers", "mark_undone", "rewrite_steps", "steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a person: what was said of how many faces, and whether it was taken back."""

    id: str
    person: str
    decided_at: datetime
    label: str
    reason: str | None
    note: str
    faces: int
    undone_at: datetime | None


def add_step(
    db: sa.Connection,
    *,
    step_id: str,
    person: str,
    label: str,
    reason: str | None,
    note: str,
    before: Mapping[FaceId, Sequence[Decision]],
) -> None:
    """Write down a step, or more faces of one that is there, in the transaction of its votes; twice is once."""
    step = {
        "id": step_id, "person": person, "decided_at": datetime.now(UTC).isoformat(), "label": label, "reason": reason,
        "note": note,
    }  # fmt: skip
    rows = [
        {"step_id": step_id, "face_id": face, "former": json.dumps([_written(item) for item in stood])}
        for face, stood in before.items()
    ]
    insert_new(db, step_table, step)
    insert_new(db, former_table, rows)


def steps(workspace: Workspace, person: str = "", *, most: int = 50) -> list[Step]:
    """The newest steps (of one person), newest first."""
    query = _steps().order_by(step_table.c.decided_at.desc()).limit(most)
    if person:
        query = query.where(step_table.c.person == person)
    with reading(workspace.db) as db:
        return [_step(row) for row in db.execute(query)]


def find_step(workspace: Workspace, step_id: str) -> Step | None:
    """One step, None where there is none."""
    with reading(workspace.db) as db:
        row = db.execute(_steps().where(step_table.c.id == step_id)).first()
    return None if row is None else _step(row)


def faces_of(workspace: Workspace, step_id: str) -> list[FaceId]:
    """The faces of a step."""
    query = sa.select(former_table.c.face_id).where(former_table.c.step_id == step_id)
    with reading(workspace.db) as db:
        return [FaceId(face) for face in db.execute(query).scalars()]


def formers(workspace: Workspace, faces: Sequence[FaceId]) -> dict[tuple[FaceId, Question], Decision]:
    """What stood of these faces before people decided: the newest decision of a step's before that is no person's."""
    query = (
        sa.select(former_table.c.face_id, former_table.c.former)
        .join(step_table, step_table.c.id == former_table.c.step_id)
        .where(Among(former_table.c.face_id, faces))
        .order_by(step_table.c.decided_at)
    )
    found: dict[tuple[FaceId, Question], Decision] = {}
    with reading(workspace.db) as db:
        for face, former in db.execute(query):
            for row in json.loads(former):
                item = _read(FaceId(face), row)
                if item.question is not None and item.decided_by is not DecidedBy.PERSON:
                    found[item.face_id, item.question] = item
    return found


def mark_undone(workspace: Workspace, step_id: str) -> None:
    """The step was taken back."""
    with workspace.db.begin() as db:
        db.execute(
            step_table.update().where(step_table.c.id == step_id).values(undone_at=datetime.now(UTC).isoformat())
        )


def rewrite_steps(workspace: Workspace, pattern: re.Pattern[str], instead: str) -> None:
    """Replace what `pattern` finds in the names and reasons of steps."""
    columns = step_table.c.id, step_table.c.person, step_table.c.note
    with workspace.db.begin() as db:
        for row in db.execute(sa.select(*columns)).all():
            new = {"person": pattern.sub(instead, row.person), "note": pattern.sub(instead, row.note)}
            if new != {"person": row.person, "note": row.note}:
                db.execute(step_table.update().where(step_table.c.id == row.id).values(new))


def _steps() -> sa.Select[Any]:
    faces = sa.select(sa.func.count()).where(former_table.c.step_id == step_table.c.id).scalar_subquery()
    return sa.select(step_table, faces.label("faces"))


def _step(row: Any) -> Step:
    undone = None if row.undone_at is None else datetime.fromisoformat(row.undone_at)
    at = datetime.fromisoformat(row.decided_at)
    return Step(row.id, row.person, at, row.label, row.reason, row.note, row.faces, undone)


def _written(item: Decision) -> dict[str, Any]:
    return {
        "question": item.question.value if item.question else "", "status": item.status.value, "label": item.label,
        "reason": item.reason, "posterior": item.posterior, "votes": item.votes,
        "decided_by": item.decided_by.value, "method": item.method,
    }  # fmt: skip


def _read(face: FaceId, row: Mapping[str, Any]) -> Decision:
    return Decision(
        face_id=face,
        question=word_of(Question, row["question"]) if row["question"] else None,
        status=word_of(Status, row["status"]),
        label=row["label"],
        reason=row["reason"],
        posterior=row["posterior"],
        votes=row["votes"],
        decided_by=word_of(DecidedBy, row["decided_by"]),
        method=row["method"],
    )
