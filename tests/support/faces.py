"""Builders of faces, votes and decisions."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from galloway.curation.types import (
    AssignmentId,
    DecidedBy,
    Decision,
    Face,
    FaceId,
    Question,
    Side,
    Status,
    Vote,
    VoterKind,
    WorkerId,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def make_face(number: int = 1, *, side: Side = Side.A, source: str = "clip", index: int = 0) -> Face:
    """The face of frame `number`."""
    face_id = hashlib.blake2b(f"{side}{source}{number}{index}".encode(), digest_size=16).hexdigest()
    return Face(
        face_id=FaceId(face_id),
        side=side,
        name=f"{source}_{number:06d}_{index}.png",
        source=source,
        source_name=f"{source}_{number:06d}.mp4",
        face_index=index,
        frame_number=number,
        box=(10 + number, 20, 64, 72),
    )


def make_vote(
    face: Face,
    label: str,
    worker: str = "A1",
    *,
    question: Question = Question.USABLE,
    reason: str | None = None,
    round_: int = 1,
    kind: VoterKind = VoterKind.WORKER,
    minute: int = 0,
) -> Vote:
    """One vote; each worker's assignment is named after the worker and the round."""
    return Vote(
        face_id=face.face_id,
        question=question,
        label=label,
        reason=reason,
        worker_id=WorkerId(worker),
        assignment_id=AssignmentId(f"ASG-{worker}-{round_}-{minute}"),
        round=round_,
        submitted_at=NOON + timedelta(minutes=minute),
        seconds=1.5,
        kind=kind,
    )


def make_decision(
    face: Face,
    status: Status,
    *,
    question: Question | None = None,
    label: str | None = None,
    reason: str | None = None,
    posterior: float | None = 0.95,
    votes: int = 3,
) -> Decision:
    """One decision of the crowd."""
    return Decision(
        face_id=face.face_id,
        question=question,
        status=status,
        label=label,
        reason=reason,
        posterior=posterior,
        votes=votes,
        decided_by=DecidedBy.CROWD,
        method="majority",
    )
