"""A person among the faces is the one who is wanted: their clearest faces become the photographs that are missing."""

from __future__ import annotations

from pathlib import Path

from ...curation.types import Side
from ..app import App
from ..asking.persons import crowd_of
from ..errors import StageError
from ..market.pictures import place_of
from ..wording import counted
from ..workspace.acts import note_act
from .ingest import add_references

__all__ = ["this_is"]

_PHOTOGRAPHS = 2
"""So many faces of a person are taken, the most central first: one may be an odd one."""


def this_is(app: App, side: Side, number: int) -> list[Path]:
    """Take person `number` (of `crowd_of`) for the one who is wanted; the photographs that were added. Several persons
    may be the same one: take one after the other. Raises StageError where there is no such person.
    """
    crowd = crowd_of(app, side)
    person = next((item for item in crowd.persons if item.number == number), None) if crowd else None
    if person is None:
        raise StageError(f"There is no person {number} on side {side.value}. See all: galloway screen --persons")
    standing = {face.face_id: face for face in app.store.faces(side)}
    faces = [standing[member] for member in person.members if member in standing][:_PHOTOGRAPHS]
    if not faces:
        raise StageError(f"The faces of person {number} are gone from side {side.value}. Look anew: galloway screen")
    note_act(
        app.workspace,
        "choose",
        f"side {side.value}: a person is who is wanted",
        counted(len(person.members), "face"),
    )
    return add_references(app, side, [place_of(app.workspace, face, None) for face in faces])
