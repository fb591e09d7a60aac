"""The persons of a side, kept under `reports/persons-<side>.json` by whoever looked at its faces last.

No embedding is in the file: numbers, sizes, and which faces look like one person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...curation.decide import AGREED, by_person
from ...curation.files import write_atomic
from ...curation.screen.identity import PersonGroup, person_groups, surely_person
from ...curation.screen.observe import Observation
from ...curation.screen.priors import ScreenSettings
from ...curation.types import ABSTENTIONS, Face, FaceId, PageKind, Question, Side, Vote
from ...curation.votes import Cast
from ..workspace.records import frozen_batches
from ..workspace.state import read_state
from .crowd import Crowd, PersonFound, persons_found
from .heeded import heeded_votes

if TYPE_CHECKING:
    from ..app import App

__all__ = ["compare_persons", "confirmed", "crowd_of", "keep_persons", "likeness", "look_for_persons", "persons_of"]


Vector = NDArray[np.float32]


def look_for_persons(
    app: App,
    side: Side,
    faces: Sequence[Face],
    looked: Sequence[Observation],
    photographs: NDArray[np.float32] | None,
) -> None:
    """Find who is among the faces and keep it; nothing where they have no embeddings. `photographs` float32 (r, 128)
    are those of the person who is wanted."""
    vectors = [item.vector for item in looked if item.vector is not None]
    if not vectors or len(vectors) < len(looked):
        return
    jitter = np.nan_to_num(np.array([item.jitter for item in looked]), nan=0.0)
    groups = person_groups(np.stack(vectors), jitter <= ScreenSettings().unclear_jitter)
    keep_persons(app, side, persons_found(groups, faces, likeness(groups, photographs)))


def likeness(groups: Sequence[PersonGroup], photographs: NDArray[np.float32] | None) -> list[float | None]:
    """How likely each group is the person of the photographs."""
    if photographs is None or not len(photographs):
        return [None] * len(groups)
    return [surely_person(float(np.linalg.norm(photographs - group.centre, axis=1).min())) for group in groups]


def keep_persons(app: App, side: Side, persons: Sequence[PersonFound]) -> None:
    """Write who is on the side; the numbers are those that people are told from now on."""
    rows = json.dumps({"persons": [asdict(person) for person in persons]}, separators=(",", ":"))
    write_atomic(app.workspace.path("reports", f"persons-{side.value}.json"), rows)


def confirmed(app: App, side: Side) -> list[FaceId]:
    """The faces of which people said "the same" before anything else was asked (`doubts`): as good as photographs.

    A person's word, or that of three workers who agree.
    """
    if not any(batch.page is PageKind.PAIR and batch.round == 1 for batch in frozen_batches(app.workspace)):
        return []
    votes = heeded_votes(app, Question.IDENTITY, side=side)
    at_first = votes.where(round=1) & votes.columns["look"].where(lambda look: look.startswith(f"{PageKind.PAIR}:"))
    said, first = Cast(votes.counted()), {vote.face_id for vote in votes.at(at_first)}
    return sorted(face for face in first if _same(said.of(face, Question.IDENTITY)))


def _same(votes: Sequence[Vote]) -> bool:
    person = by_person(votes)
    if person is not None:
        return person.label == "same"
    told = [vote.label for vote in votes if vote.label not in ABSTENTIONS[vote.question]]
    return len(told) >= AGREED and set(told) == {"same"}


def compare_persons(app: App, side: Side, vectors: Mapping[FaceId, Vector], same: Sequence[FaceId]) -> None:
    """Note of each person how like those faces it is of which people said that they are `same`."""
    found = crowd_of(app, side)
    if found is None:
        return
    said = np.stack([vectors[face] for face in same]) if same else None
    told = []
    for person in found.persons:
        members = [vectors[face] for face in person.members if face in vectors]
        centre = np.mean(members, axis=0) if members else None
        nearest = None if said is None or centre is None else float(np.linalg.norm(said - centre, axis=1).min())
        told.append(replace(person, by_people=None if nearest is None else surely_person(nearest)))
    keep_persons(app, side, told)


def persons_of(app: App, side: Side) -> tuple[PersonFound, ...] | None:
    """Who was found on the side by the last look; None where nobody looked."""
    path = app.workspace.root / "reports" / f"persons-{side.value}.json"
    if not path.is_file():
        return None
    rows: list[dict[str, Any]] = read_state(path, f"Make it anew: galloway screen --side {side.value}")["persons"]
    return tuple(PersonFound(**{**row, "members": tuple(map(FaceId, row["members"]))}) for row in rows)


def crowd_of(app: App, side: Side, faces: Sequence[Face] | None = None) -> Crowd | None:
    """Who is on the side, by its standing faces (`faces`, if at hand); None where nobody looked at them."""
    persons = persons_of(app, side)
    if persons is None:
        return None
    standing = app.store.faces(side) if faces is None else [face for face in faces if face.side is side]
    clear = {face for person in persons for face in person.members}
    unclear = {face.face_id: min(face.box[2:]) for face in standing if face.face_id not in clear}
    return Crowd(side, len(standing), persons, unclear, tuple(min(face.box[2:]) for face in standing))
