"""Faces as the pages show them: with what was decided and who said what. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...curation.decide import counted_votes
from ...curation.listing import page_of_faces
from ...curation.types import Decision, Face, FaceId, Side, Status, Vote, VoterKind
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..market.pictures import hosting_secret
from ..privacy.gone import erased_faces

__all__ = ["FaceRow", "FaceRows", "FaceVote", "all_faces", "face_row", "face_rows"]

_AT_ONCE = 500


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


@dataclass(frozen=True, slots=True)
class FaceRows:
    """Some faces of a listing, of `total` that fit."""

    rows: tuple[FaceRow, ...]
    total: int


def face_rows(app: App, side: Side | None, status: Status | None, *, first: int, most: int) -> FaceRows:
    """At most `most` faces from the `first`th on; disputes first, then the open ones, least certain first."""
    page = page_of_faces(app.workspace.db, side, status, first=first, most=most)
    return FaceRows(tuple(_with_votes(app, page.faces)), page.total)


def all_faces(app: App, status: Status | None) -> Iterator[FaceRow]:
    """Every face of a status (None: any) in the order of the listing."""
    found = page_of_faces(app.workspace.db, None, status).faces
    for start in range(0, len(found), _AT_ONCE):
        yield from _with_votes(app, found[start : start + _AT_ONCE])


def face_row(app: App, face: Face) -> FaceRow:
    """One face."""
    return _with_votes(app, [face])[0]


def _with_votes(app: App, known: Sequence[Face]) -> list[FaceRow]:
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
