"""Frozen values of the label side: Face, Vote, Decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, NewType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ABSTENTIONS",
    "LABELS",
    "REASONS",
    "AssignmentId",
    "Ballot",
    "DecidedBy",
    "Decision",
    "Face",
    "FaceId",
    "PageKind",
    "Progress",
    "Question",
    "Side",
    "Status",
    "Vote",
    "VoterKind",
    "WorkerId",
    "no_progress",
]

FaceId = NewType("FaceId", str)
"""32 lower-case hex digits: BLAKE2b-128 of side, source frame and decoded pixels. Survives renames."""
WorkerId = NewType("WorkerId", str)
AssignmentId = NewType("AssignmentId", str)

Progress = Callable[[str, int, int | None], None]
"""Called with (what, done, total); total is None while it is unknown."""


def no_progress(_what: str, _done: int, _total: int | None) -> None:
    """A `Progress` that says nothing."""


class Side(StrEnum):
    """faceswap's own sides: A is the face in the video that is replaced, B the face that is swapped in."""

    A = "a"
    B = "b"


class Question(StrEnum):
    """What is asked about a face."""

    USABLE = "usable"
    IDENTITY = "identity"


class PageKind(StrEnum):
    """How faces are put before somebody.

    `quality`: can it be used, where no picture of the person exists. `usable`: the same beside the person's pictures.
    `identity`: is it the person. `both`: one look for both. `cluster`: as `both`, for groups of faces that look alike.
    `find`: as `both`, but the good ones are marked and the rest are confirmed as not wanted, where most are bad.
    `pair`: as `identity`, each face large beside a picture of the person. `merge`: as `identity`, for groups.
    """

    QUALITY = "quality"
    USABLE = "usable"
    IDENTITY = "identity"
    BOTH = "both"
    CLUSTER = "cluster"
    FIND = "find"
    PAIR = "pair"
    MERGE = "merge"

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions on which its answers are votes."""
        if self in (PageKind.QUALITY, PageKind.USABLE):
            return (Question.USABLE,)
        if self in (PageKind.BOTH, PageKind.CLUSTER, PageKind.FIND):
            return (Question.USABLE, Question.IDENTITY)
        return (Question.IDENTITY,)

    @property
    def grouped(self) -> bool:
        """Whether one answer can stand for a group of faces."""
        return self in (PageKind.CLUSTER, PageKind.MERGE)

    @property
    def shows_person(self) -> bool:
        """Whether it needs a picture of the person."""
        return self is not PageKind.QUALITY


LABELS: dict[Question, tuple[str, ...]] = {
    Question.USABLE: ("keep", "reject"),
    Question.IDENTITY: ("same", "different", "cannot_tell"),
}
"""The labels that a vote may carry, per question."""

ABSTENTIONS: dict[Question, frozenset[str]] = {
    Question.USABLE: frozenset(),
    Question.IDENTITY: frozenset({"cannot_tell"}),
}
"""The labels that are no answer: who gives one was asked, and says nothing of the truth."""

REASONS: tuple[str, ...] = ("not_a_face", "another_person", "blurred", "covered", "bad_crop")
"""Why a face is rejected (the sub-label of a `reject` vote on `usable`)."""


class Status(StrEnum):
    """What the votes of a face amount to."""

    APPROVED = "approved"
    REJECTED = "rejected"
    DISPUTED = "disputed"
    UNDECIDED = "undecided"


class DecidedBy(StrEnum):
    """Who settled a face. MODEL: what people's answers on other faces of the set taught a model.
    COPY: the answer on the face that it is a near-copy of, whose id is the method; written by releases before 1.0."""

    CROWD = "crowd"
    GOLD = "gold"
    PERSON = "person"
    SCREEN = "screen"
    COPY = "copy"
    MODEL = "model"


class VoterKind(StrEnum):
    """What stands behind a vote: a worker, the requester in person, or known truth."""

    WORKER = "worker"
    PERSON = "person"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Face:
    """One extracted crop.

    `name` is the PNG's file name in the faceset folder; `(source_name, face_index)` is how faceswap's alignments
    know it: the frame's key and the position in that frame's list. `box` is x, y, width, height in frame pixels;
    `landmarks` is float32 (68, 2) in frame pixels. `frame_number` counts from 1 as faceswap's video keys do.
    """

    face_id: FaceId
    side: Side
    name: str
    source: str
    source_name: str
    face_index: int
    frame_number: int | None
    box: tuple[int, int, int, int]
    landmarks: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)


class Ballot(NamedTuple):
    """A vote as it is stored, without types: `submitted_at` is ISO 8601."""

    face_id: str
    worker_id: str
    label: str
    kind: str
    seconds: float | None
    submitted_at: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """One voter's label for one question about one face. Append-only: a vote is a fact.

    `seconds` is the share of the assignment's working time that fell to this face; `round` counts publishes from 1.
    `reason` is one of REASONS for a `reject`, `covered` where a face of side A is kept that something hides, else None;
    `note` is free text of a person who overrules.

    `look` is the kind of page and how the answer was given on it: `both:face` for a face by itself, `both:rest` with
    all that were left unmarked, `cluster:3` with the whole third group. Votes of one assignment with the same look are
    one dependent judgement, unless they were given face by face. "" where no page was answered.
    """

    face_id: FaceId
    question: Question
    label: str
    worker_id: WorkerId
    assignment_id: AssignmentId
    round: int
    submitted_at: datetime
    reason: str | None = None
    seconds: float | None = None
    kind: VoterKind = VoterKind.WORKER
    simulated: bool = False
    note: str | None = None
    look: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the votes on a face amount to; always recomputable from the votes.

    `question` is None for the face as a whole. `posterior` is the probability of `label` (0 to 1), None where the
    method gives none. `votes` counts distinct voters.
    """

    face_id: FaceId
    question: Question | None
    status: Status
    label: str | None
    reason: str | None
    posterior: float | None
    votes: int
    decided_by: DecidedBy
    method: str
