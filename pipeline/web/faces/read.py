"""Faces as the pages show them: with what was decided and who said what. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ....curation.decide import counted_votes
from ....curation.types import Decision, Face, FaceId, Status, Vote, VoterKind
from ....mturk.requester.workers import pseudonym
from ...app import App
from ...market.pictures import hosting_secret
from ...privacy.gone import erased_faces

__all__ = ["FaceRow", "FaceVote", "face_row", "with_votes"]


@dataclass(frozen=True, slots=True)
class FaceVote:
    """One vote as a page shows it; `voter` is a pseudonym, or a person's name."""

    voter: str
    kind: str
    question: str
    label: str
    reason: str | None
    seconds: float | None
    round: int
    at: datetime
    note: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class FaceRow:
    """A face with what was decided and who said what."""

    face: Face
    status: Status
    decision: Decision | None
    questions: tuple[Decision, ...]
    votes: tuple[FaceVote, ...]
    gone: bool
    erased_on: str = ""


def face_row(app: App, face: Face) -> FaceRow:
    """One face."""
    return with_votes(app, [face])[0]


def with_votes(app: App, known: Sequence[Face]) -> list[FaceRow]:
    """Some faces, in their order."""
    ids = [face.face_id for face in known]
    by_face: dict[FaceId, list[Decision]] = defaultdict(list)
    for decision in app.store.decisions(faces=ids):
        by_face[decision.face_id].append(decision)
    votes: dict[FaceId, list[Vote]] = defaultdict(list)
    for vote in counted_votes(app.store.votes(faces=ids)):
        votes[vote.face_id].append(vote)
    secret = hosting_secret(app.workspace.root)
    moved = app.store.rejected_in(ids)
    erased = erased_faces(app)
    return [
        _row(
            face,
            by_face[face.face_id],
            votes[face.face_id],
            secret,
            face.face_id in moved,
            erased.get(face.face_id, ""),
        )
        for face in known
    ]


def _row(
    face: Face, decisions: Sequence[Decision], votes: Sequence[Vote], secret: bytes, gone: bool, erased_on: str
) -> FaceRow:
    whole = next((item for item in decisions if item.question is None), None)
    return FaceRow(
        face,
        whole.status if whole else Status.UNDECIDED,
        whole,
        tuple(item for item in decisions if item.question is not None),
        tuple(_shown(vote, secret) for vote in votes),
        gone,
        erased_on,
    )


def _shown(vote: Vote, secret: bytes) -> FaceVote:
    name = vote.worker_id.removeprefix("person:")
    return FaceVote(
        voter=pseudonym(vote.worker_id, secret) if vote.kind is VoterKind.WORKER else name,
        kind=vote.kind.value,
        question=vote.question.value,
        label=vote.label,
        reason=vote.reason,
        seconds=vote.seconds,
        round=vote.round,
        at=vote.submitted_at,
        note=vote.note,
        simulated=vote.simulated,
    )
