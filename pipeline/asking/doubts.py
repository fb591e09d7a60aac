"""Which person is it? Where photographs leave that open, "same or different?" is asked before anything else: three
answers about one face of each group that may be meant settle it, and those said to be the same join the photographs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...curation.decide import AGREED
from ...curation.types import Face, FaceId, Question, Side
from ..app import App
from .decide import Inference, asked_questions, standing_faces
from .needs import Need
from .persons import crowd_of
from .taught import both_at_once

__all__ = ["who_first", "who_needs"]

Pair = tuple[FaceId, Question]


def who_first(
    app: App, known: Inference, *, waiting: Collection[Pair], passed: Collection[Pair]
) -> dict[Side, tuple[Face, ...]]:
    """The faces that are asked "same or different?" before anything else of their side, where photographs leave it open
    which person is wanted. Empty for a side whose pages with them are open (`waiting`); a side that is not named has
    nothing of the kind to ask. Each is asked once: `passed` pairs were.
    """
    faces = standing_faces(app, known)
    there = {face.face_id for face in faces}
    found: dict[Side, tuple[Face, ...]] = {}
    for side in {lesson.side for lesson in known.lessons.values()}:
        crowd = crowd_of(app, side, faces)
        if crowd is None or not both_at_once(app, side, asked_questions(app)[side]):
            continue
        pairs = [(face, Question.IDENTITY) for face in crowd.in_doubt if face in there]
        fresh = [pair for pair in pairs if not known.said.of(*pair) and pair not in passed]
        if any(pair in waiting and pair not in passed for pair in pairs):
            found[side] = ()
        elif fresh:
            wanted = {face for face, _ in fresh}
            mine = {face.face_id: face for face in faces if face.face_id in wanted}
            found[side] = tuple(mine[face] for face, _ in fresh)
    return found


def who_needs(first: Mapping[Side, Sequence[Face]], faces: Collection[FaceId]) -> list[Need]:
    """The question who it is about those of `faces`; so many workers answer it as settle it."""
    asked = {side: tuple(face for face in members if face.face_id in faces) for side, members in first.items()}
    return [
        Need(side, Question.IDENTITY, 1, AGREED, frozenset(), members, beside=True)
        for side, members in asked.items()
        if members
    ]
