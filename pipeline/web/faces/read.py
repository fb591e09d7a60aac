"""Faces as the pages show them: with what was decided and who said what. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ....curation.types import Decision, Face, Status, Vote, VoterKind
from ....mturk.requester.workers import pseudonym
from ...app import App
from ...asking.heeded import heeded_votes
from ...market.pictures import hosting_secret
from ...privacy.gone import erased_faces

__all__ = ["FaceRow", "FaceVote", "face_row"]


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
    """One face with all that was said of it."""
    ids = [face.face_id]
    secret = hosting_secret(app.workspace.root)
    decisions = app.store.decisions(faces=ids)
    whole = next((item for item in decisions if item.question is None), None)
    return FaceRow(
        face,
        whole.status if whole else Status.UNDECIDED,
        whole,
        tuple(item for item in decisions if item.question is not None),
        tuple(_shown(vote, secret) for vote in heeded_votes(app, faces=ids).counted()),
        face.face_id in app.store.rejected_in(ids),
        erased_faces(app, ids).get(face.face_id, ""),
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
