"""From truth inference to decisions: per question, then per face, by the rules of its side.

Side A keeps every face of the right person, even blurred or partly covered: without it that frame is not swapped.
Side B keeps only good examples. So the same `reject` for the same reason can mean different things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .truth.result import TaskStatus, Truth
from .types import ABSTENTIONS, LABELS, DecidedBy, Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from .votes import Votes

__all__ = [
    "AGREED",
    "KEPT_ON_A",
    "all_as_asked",
    "as_asked",
    "by_person",
    "combine",
    "decide_faces",
    "heard",
    "majority_reason",
    "question_decision",
]

KEPT_ON_A = frozenset({"blurred", "covered"})
"""Reasons that do not remove a face on side A: it keeps every face of the right person, even blurred, or that frame is
not swapped."""
AGREED = 3
"""So many workers who agree settle a face, whatever anything else says of it."""


def as_asked(vote: Vote, side: Side) -> Vote:
    """On side A a blurred or covered face is kept, so a vote that names such a reason means `keep`."""
    if side is Side.A and vote.label == "reject" and vote.reason in KEPT_ON_A:
        return replace(vote, label="keep", reason=None)
    return vote


def all_as_asked(votes: Votes, on_a: NDArray[np.bool_]) -> Votes:
    """`as_asked` of many; `on_a` bool (votes,) says which are on faces of side A."""
    kept = on_a & votes.where(label="reject") & votes.columns["reason"].where(KEPT_ON_A.__contains__)
    return votes.saying(kept, label="keep", reason=None)


def majority_reason(votes: Iterable[Vote]) -> str | None:
    """The reason that most rejecting votes give; the first in `REASONS` order among equals is not taken: a tie
    between reasons gives the one named by the earliest vote, since any reason rejects the face."""
    counts = Counter(vote.reason for vote in votes if vote.label == "reject" and vote.reason)
    return counts.most_common(1)[0][0] if counts else None


def by_person(votes: Sequence[Vote]) -> Vote | None:
    """The newest vote of a person, or of known truth, among votes on one face and question."""
    spoken = [vote for vote in votes if vote.kind is not VoterKind.WORKER]
    return spoken[-1] if spoken else None


def heard(decisions: Iterable[Decision]) -> set[FaceId]:
    """The faces of which a worker, a person or known truth said anything: no machine's guess takes its place."""
    own = (DecidedBy.PERSON, DecidedBy.GOLD)
    return {item.face_id for item in decisions if item.votes > 0 or item.decided_by in own}


def question_decision(
    face: Face,
    question: Question,
    votes: Sequence[Vote],
    *,
    label: str | None,
    settled: Status | None,
    posterior: float | None,
    method: str,
    alone: str | None = None,
    by: DecidedBy = DecidedBy.CROWD,
    reason: str | None = None,
    blind: Collection[str] = (),
) -> Decision:
    """The decision on one question about one face.

    `label` and `posterior` come from truth inference; `settled` is DISPUTED or UNDECIDED where it found no label it
    may stand on, else None. Where a model had a say in it, `by` says so, `alone` is the label that people's votes
    settle without it, and `reason` why it rejects. Workers in `blind` are shown to say the same of good and of bad
    faces. A person's vote overrules, and stays a vote of its own; what
    workers agree on is overruled by nothing else (`_heeded`).
    """
    person = by_person(votes)
    workers = {vote.worker_id for vote in votes if vote.kind is VoterKind.WORKER}
    if person is not None:
        label, settled, posterior, reason = person.label, None, 1.0, person.reason
    elif label == "reject":
        reason = majority_reason(votes) or reason
    status = settled or _status(face.side, question, label, reason)
    if person is None:
        heeded = _heeded(face.side, question, votes, status, alone, blind)
        if heeded is not None:
            label, status = heeded
            posterior, by = None, DecidedBy.CROWD
            reason = majority_reason(votes)
    return Decision(
        face_id=face.face_id,
        question=question,
        status=status,
        label=label,
        reason=reason if label == "reject" else None,
        posterior=posterior,
        votes=len(workers),
        decided_by=by if person is None else _who(person),
        method=method,
    )


def _heeded(
    side: Side,
    question: Question,
    votes: Sequence[Vote],
    status: Status,
    alone: str | None,
    blind: Collection[str],
) -> tuple[str | None, Status] | None:
    """People's word stands: label and status where `status` goes against what the workers said, else None.

    The one place of this law, for every prior, screen, copy rule and model. Three who agree settle the face, and who is
    `blind` is none of them. Fewer who agree are never decided against: another worker is asked. Where they differ, what
    their votes settle `alone` is not decided against either. "Cannot tell" is an abstention.
    """
    said = {v.worker_id: v for v in votes if v.kind is VoterKind.WORKER and v.label not in ABSTENTIONS[question]}
    meant = {worker: _status(side, question, vote.label, vote.reason) for worker, vote in said.items()}
    against = {Status.APPROVED: Status.REJECTED, Status.REJECTED: Status.APPROVED}.get(status)
    if len(set(meant.values())) == 1:
        agreed = next(iter(meant.values()))
        if status is not agreed and len(meant.keys() - set(blind)) >= AGREED:
            return Counter(vote.label for vote in said.values()).most_common(1)[0][0], agreed
        return (None, Status.UNDECIDED) if against is agreed else None
    if said and alone is not None and against is _status(side, question, alone, majority_reason(votes)):
        return None, Status.DISPUTED
    return None


def _who(person: Vote) -> DecidedBy:
    return DecidedBy.GOLD if person.kind is VoterKind.GOLD else DecidedBy.PERSON


def _status(side: Side, question: Question, label: str | None, reason: str | None) -> Status:
    if label is None or label not in LABELS[question]:
        return Status.UNDECIDED
    if question is Question.IDENTITY:
        # "Cannot tell" by most is not a verdict on the person: somebody has to look.
        return {"same": Status.APPROVED, "different": Status.REJECTED}.get(label, Status.DISPUTED)
    if label == "keep" or (side is Side.A and reason in KEPT_ON_A):
        return Status.APPROVED
    return Status.REJECTED


def combine(
    faces: Sequence[Face],
    per_question: Mapping[tuple[FaceId, Question], Decision],
    asked: Mapping[Side, Sequence[Question]],
) -> list[Decision]:
    """One decision per face (question None) from those of the questions that its side asks.

    One rejection rejects; a face is approved when every question approves it; else a dispute shows before a question
    that nobody has answered. `posterior` is the smallest of an approval, or that of the rejection.
    """
    result = []
    for face in faces:
        answers = [
            per_question[face.face_id, question]
            for question in asked[face.side]
            if (face.face_id, question) in per_question
        ]
        result.append(_combine_one(face, answers, len(asked[face.side])))
    return result


def decide_faces(faces: Sequence[Face], truth: Truth, question: Question = Question.USABLE) -> list[Decision]:
    """One decision per face (question None) from a `Truth` whose tasks are the faces' file names or face ids.

    The labels are the question's (keep and reject; same, different and unsure). Faces that nobody voted on are
    undecided.
    """
    place = {task: number for number, task in enumerate(truth.votes.task_names)}
    open_as = {TaskStatus.DISPUTED: Status.DISPUTED, TaskStatus.UNDECIDED: Status.UNDECIDED}
    found: dict[tuple[FaceId, Question], Decision] = {}
    for face in faces:
        at = place.get(face.name, place.get(face.face_id))
        if at is None:
            continue
        code = int(truth.label[at])
        decision = question_decision(
            face,
            question,
            (),
            label=truth.votes.label_names[code] if code >= 0 else None,
            settled=open_as.get(TaskStatus(truth.status_codes[at])),
            posterior=float(truth.confidence[at]),
            method=truth.method,
        )
        found[face.face_id, question] = replace(decision, votes=int(truth.voters[at]))
    return combine(faces, found, dict.fromkeys(Side, (question,)))


def _combine_one(face: Face, answers: Sequence[Decision], questions: int) -> Decision:
    rejections = [item for item in answers if item.status is Status.REJECTED]
    disputes = [item for item in answers if item.status is Status.DISPUTED]
    approved = [item for item in answers if item.status is Status.APPROVED]
    if rejections:
        first = max(rejections, key=lambda item: item.posterior or 0.0)
        reason = first.reason or ("another_person" if first.question is Question.IDENTITY else None)
        return _face_level(face, Status.REJECTED, answers, first.label, reason, first.posterior, first.decided_by)
    if disputes:
        first = disputes[0]
        return _face_level(face, Status.DISPUTED, answers, None, None, first.posterior, first.decided_by)
    if answers and len(approved) == questions:
        weakest = min(approved, key=lambda item: item.posterior if item.posterior is not None else 1.0)
        return _face_level(face, Status.APPROVED, answers, weakest.label, None, weakest.posterior, weakest.decided_by)
    return _face_level(face, Status.UNDECIDED, answers, None, None, None, DecidedBy.CROWD)


def _face_level(
    face: Face,
    status: Status,
    answers: Sequence[Decision],
    label: str | None,
    reason: str | None,
    posterior: float | None,
    who: DecidedBy,
) -> Decision:
    return Decision(
        face_id=face.face_id,
        question=None,
        status=status,
        label=label,
        reason=reason,
        posterior=posterior,
        votes=max((item.votes for item in answers), default=0),
        decided_by=who,
        method=answers[0].method if answers else "none",
    )
