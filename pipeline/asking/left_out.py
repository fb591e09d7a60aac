"""Persons, and faces too small, of whom somebody said: do not ask about them. Reversible, and kept under
`reports/left-out-<side>.json`.

No face is removed and no vote is touched: a face that people were asked about keeps what they say. What is kept are
the faces of each choice: persons get their numbers anew with every look, and a choice is that of the person who has
most of its faces now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...curation.decide import heard
from ...curation.files import write_atomic
from ...curation.types import DecidedBy, Decision, Face, FaceId, Side, Status
from ..errors import StageError
from ..wording import counted, noun
from ..workspace.acts import note_act
from ..workspace.masked import faces_in_regions
from ..workspace.records import sources
from ..workspace.state import read_state
from .crowd import PersonFound
from .persons import crowd_of, persons_of

if TYPE_CHECKING:
    from ..app import App

__all__ = [
    "leave_out",
    "leave_out_below",
    "leave_out_others",
    "left_out",
    "left_out_below",
    "take_back",
    "with_left_out",
]

_Choices = Mapping[int, Collection[FaceId]]
_SURELY_THE_PERSON = 0.5
"""A person who is the right one with more than this chance is no crowd."""


def leave_out(app: App, side: Side, number: int) -> int:
    """Leave the faces of a person out of what is asked; how many. `number` is that of `crowd_of`.

    Raises StageError where there is no such person, or where it is the right one.
    """
    crowd = crowd_of(app, side)
    person = next((item for item in crowd.persons if item.number == number), None) if crowd else None
    if crowd is None or person is None:
        raise StageError(f"There is no person {number} on side {side.value}. See all: galloway screen --persons")
    if (person.fits or 0.0) > _SURELY_THE_PERSON:
        raise StageError(f"Person {number} is the right person of side {side.value}, by the photograph.")
    known, below = _known(app, side)
    left = _numbered(known, crowd.persons)
    left.setdefault(number, set()).update(person.members)
    _write(app, side, left, below)
    note_act(app.workspace, "choose", f"side {side.value}: a person is not asked", counted(len(person.members), "face"))
    return len(person.members)


def leave_out_others(app: App, side: Side) -> list[PersonFound]:
    """Leave everybody out who does not look like the photographs; who that is. Who may be the person stays.

    Raises StageError without a photograph that fits somebody.
    """
    crowd = crowd_of(app, side)
    if crowd is None or crowd.fits is None:
        raise StageError(
            f"Nobody on side {side.value} was compared with a photograph. Add one, then look: galloway ingest --side "
            f"{side.value} --reference PHOTO && galloway screen --side {side.value}"
        )
    if crowd.fits_nobody:
        raise StageError(crowd.misfit)
    for person in crowd.others:
        leave_out(app, side, person.number)
    return list(crowd.others)


def take_back(app: App, side: Side, number: int) -> int:
    """Ask about a person's faces again; how many. Raises StageError where they were not left out."""
    known, below = _known(app, side)
    left = _numbered(known, persons_of(app, side) or ())
    if number not in left:
        raise StageError(f"Person {number} of side {side.value} was not left out. See who was: galloway screen")
    faces = left.pop(number)
    _write(app, side, left, below)
    note_act(app.workspace, "choose", f"side {side.value}: a person is asked again", counted(len(faces), "face"))
    return len(faces)


def leave_out_below(app: App, side: Side, pixels: int) -> int:
    """Leave out every face that is smaller; how many standing ones are. 0 asks about all of them again."""
    known, before = _known(app, side)
    _write(app, side, known, pixels)
    smaller = sum(_size(face) < (pixels or before) for face in app.store.faces(side))
    left_out = f"side {side.value}: below {pixels} pixels is not asked"
    taken_back = f"side {side.value}: faces of every size are asked again"
    note_act(app.workspace, "choose", left_out if pixels else taken_back, counted(smaller, "face"))
    return smaller if pixels else 0


def below_in_words(gone: int, pixels: int) -> str:
    """What `leave_out_below` did, as a sentence."""
    if not pixels:
        return "Faces of every size are asked again."
    are = noun(gone, "is", "are")
    return f"{counted(gone, 'face')} {are} smaller than {pixels} pixels and {are} not asked."


def person_in_words(number: int, faces: int, *, again: bool = False) -> str:
    """What became of a person's faces, as a sentence."""
    done = "asked again" if again else "not asked"
    return f"Person {number}: {counted(faces, 'face')} {noun(faces, 'is', 'are')} {done}."


def left_out(app: App, side: Side) -> dict[int, tuple[FaceId, ...]]:
    """Number of a person, as the last look gave it, -> the faces that are not asked."""
    left = _numbered(_known(app, side)[0], persons_of(app, side) or ())
    return {number: tuple(sorted(faces)) for number, faces in left.items()}


def _numbered(known: _Choices, persons: Sequence[PersonFound]) -> dict[int, set[FaceId]]:
    """What was chosen by the number of the person who has most of its faces now. Whom the last look does not know
    keeps the number under which it was told, or has one behind all others where that is somebody else's by now."""
    members = {person.number: set(person.members) for person in persons}
    found: dict[int, set[FaceId]] = {}
    for told, faces in known.items():
        shared = {number: len(those & set(faces)) for number, those in members.items()}
        best = max(shared, key=lambda number: (shared[number], -number), default=0)
        taken = members.keys() | found.keys()
        number = best if shared.get(best) else told if told not in taken else max(taken) + 1
        found.setdefault(number, set()).update(faces)
    return found


def left_out_below(app: App, side: Side) -> int:
    """Faces smaller than so many pixels are not asked; 0: all are."""
    return _known(app, side)[1]


def with_left_out(app: App, decisions: Sequence[Decision], faces: Sequence[Face]) -> list[Decision]:
    """`decisions` on `faces` with those of persons who were left out, those too small, and those in a region that was
    masked out, as another person, where nobody said anything of them."""
    chosen: set[FaceId] = set()
    for side in Side:
        known, below = _known(app, side)
        chosen.update(*known.values())
        chosen |= {face.face_id for face in faces if face.side is side and _size(face) < below}
    chosen |= _masked(app, faces)
    unasked = chosen - heard(decisions)
    return [_another(item.face_id) if item.question is None and item.face_id in unasked else item for item in decisions]


def _masked(app: App, faces: Sequence[Face]) -> set[FaceId]:
    """The faces whose centre lies in a masked region of their footage (`galloway source mask`)."""
    there: dict[tuple[Side, str], list[Face]] = {}
    for face in faces:
        there.setdefault((face.side, face.source), []).append(face)
    return {
        face.face_id
        for item in sources(app.workspace)
        for face in faces_in_regions(app.workspace, item, there.get((item.side, item.name), []))
    }


def _size(face: Face) -> int:
    return min(face.box[2:])


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


def _known(app: App, side: Side) -> tuple[_Choices, int]:
    """The faces of each choice by the number under which it was told, and below how many pixels none is asked."""
    path = _path(app, side)
    if not path.is_file():
        return {}, 0
    data = read_state(path, f"Remove {path.name}, and leave those persons out again.")
    rows: dict[str, list[str]] = data.get("persons", {})
    return {int(number): tuple(map(FaceId, faces)) for number, faces in rows.items()}, int(data.get("below", 0))


def _path(app: App, side: Side) -> Path:
    return app.workspace.root / "reports" / f"left-out-{side.value}.json"


def _write(app: App, side: Side, known: _Choices, below: int) -> None:
    path = _path(app, side)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {str(number): sorted(faces) for number, faces in known.items()}
    write_atomic(path, json.dumps({"persons": rows, "below": below}))
