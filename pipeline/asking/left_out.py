"""Persons of whom somebody said: do not ask about them. Kept under `reports/left-out-<side>.json`, and reversible.

No face is removed and no vote is touched: a face that people were asked about keeps what they say.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.files import write_atomic
from ...curation.types import DecidedBy, Decision, FaceId, Side, Status
from ..errors import StageError
from ..workspace.state import read_state

if TYPE_CHECKING:
    from ..app import App

__all__ = ["leave_out", "left_out", "take_back", "with_left_out"]

_SURELY_THE_PERSON = 0.5
"""Faces that screening takes for the right person with more than this are no crowd."""


def leave_out(app: App, side: Side, number: int) -> int:
    """Leave the faces of a person out of what is asked; how many. `number` is the last screening's.

    Raises StageError where there is no such person, or where it is the right one.
    """
    report = _read(app, side, "screen")
    person = next((row for row in report.get("persons", ()) if row["number"] == number), None)
    if person is None:
        raise StageError(f"The last screening of side {side.value} found no person {number}. See all: galloway screen")
    members = set(person["members"])
    same = sorted(row["p_same"] or 0.0 for row in report["faces"] if row["face_id"] in members)
    if same and same[len(same) // 2] > _SURELY_THE_PERSON:
        raise StageError(f"Person {number} is the right person of side {side.value}, as screening sees it.")
    known = left_out(app, side)
    known[number] = tuple(sorted({*known.get(number, ()), *map(FaceId, members)}))
    _write(app, side, known)
    return len(members)


def take_back(app: App, side: Side, number: int) -> int:
    """Ask about a person's faces again; how many. Raises StageError where they were not left out."""
    known = left_out(app, side)
    if number not in known:
        raise StageError(f"Person {number} of side {side.value} was not left out. See who was: galloway screen")
    faces = known.pop(number)
    _write(app, side, known)
    return len(faces)


def left_out(app: App, side: Side) -> dict[int, tuple[FaceId, ...]]:
    """Number of a person -> the faces that are not asked."""
    rows: dict[str, list[str]] = _read(app, side, "left-out").get("persons", {})
    return {int(number): tuple(map(FaceId, faces)) for number, faces in rows.items()}


def with_left_out(app: App, decisions: Sequence[Decision]) -> list[Decision]:
    """`decisions` with faces of persons who were left out as another person, where nobody voted on them."""
    chosen = {face for side in Side for faces in left_out(app, side).values() for face in faces}
    unasked = chosen - {item.face_id for item in decisions if item.votes > 0}
    return [_another(item.face_id) if item.question is None and item.face_id in unasked else item for item in decisions]


def _another(face: FaceId) -> Decision:
    return Decision(
        face_id=face,
        question=None,
        status=Status.REJECTED,
        label="reject",
        reason="another_person",
        posterior=None,
        votes=0,
        decided_by=DecidedBy.SCREEN,
        method="left out",
    )


def _path(app: App, side: Side, what: str) -> Path:
    return app.workspace.root / "reports" / f"{what}-{side.value}.json"


def _read(app: App, side: Side, what: str) -> dict[str, Any]:
    path = _path(app, side, what)
    if not path.is_file():
        return {}
    remedy = {"screen": f"Make it anew: galloway screen --side {side.value}"}
    return read_state(path, remedy.get(what, f"Remove {path.name}, and leave those persons out again."))


def _write(app: App, side: Side, known: dict[int, tuple[FaceId, ...]]) -> None:
    path = _path(app, side, "left-out")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"persons": {str(number): faces for number, faces in known.items()}}))
