"""Decide: votes → truth inference per question → decisions per face. Decisions are derived; votes are facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from curation.decide import KEPT_ON_A, combine, counted_votes, question_decision
from curation.truth import Truth, VotesTable, aggregate
from curation.types import Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from pipeline.app import App

__all__ = ["asked_questions", "decide", "face_decisions", "truth_by_question"]


def asked_questions(app: App) -> dict[Side, tuple[Question, ...]]:
    """What each side is asked, in order."""
    return {Side.A: app.settings.side_a.questions, Side.B: app.settings.side_b.questions}


def truth_by_question(app: App, faces: Sequence[Face], votes: Sequence[Vote], method: str) -> dict[Question, Truth]:
    """Truth inference on each question that has votes; what persons said is gold, clamped."""
    side = {face.face_id: face.side for face in faces}
    result = {}
    for question in Question:
        cast = [vote for vote in votes if vote.question is question and vote.face_id in side]
        workers = [_as_asked(vote, side[vote.face_id]) for vote in cast if vote.kind is VoterKind.WORKER]
        if workers:
            gold = {str(vote.face_id): vote.label for vote in cast if vote.kind is not VoterKind.WORKER}
            table = VotesTable.from_votes(workers, question)
            result[question] = aggregate(table, method=method, gold=gold)
    return result


def _as_asked(vote: Vote, side: Side) -> Vote:
    """On side A a blurred or covered face is kept, so a vote that names such a reason means `keep`."""
    if side is Side.A and vote.label == "reject" and vote.reason in KEPT_ON_A:
        return replace(vote, label="keep", reason=None)
    return vote


def decide(app: App, *, method: str | None = None) -> list[Decision]:
    """Recompute all decisions from all votes and record them as a run; returns those per question and per face."""
    method = method or app.settings.ask.method
    faces = app.store.faces(rejected=True)
    votes = counted_votes(app.store.votes())
    truths = truth_by_question(app, faces, votes, method)
    by_key: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
    for vote in votes:
        by_key[vote.face_id, vote.question].append(vote)
    found = {question: _labels(truth) for question, truth in truths.items()}
    per_question = {}
    for face in faces:
        for question in asked_questions(app)[face.side]:
            cast = by_key.get((face.face_id, question))
            if cast:
                label, settled, posterior = found.get(question, {}).get(face.face_id, (None, Status.UNDECIDED, None))
                per_question[face.face_id, question] = question_decision(
                    face, question, cast, label=label, settled=settled, posterior=posterior, method=method
                )
    decisions = [*per_question.values(), *combine(faces, per_question, asked_questions(app))]
    app.store.add_decisions(decisions, method=method, made_at=datetime.now(UTC))
    return decisions


def _labels(truth: Truth) -> dict[str, tuple[str | None, Status | None, float | None]]:
    """Per face: label, the status where it is not decided, and the posterior of the label."""
    names = truth.votes.label_names
    result: dict[str, tuple[str | None, Status | None, float | None]] = {}
    for position, task in enumerate(truth.votes.task_names):
        code = int(truth.label[position])
        status = str(truth.status[position])
        settled = {"disputed": Status.DISPUTED, "undecided": Status.UNDECIDED}.get(status)
        result[task] = (names[code] if code >= 0 else None, settled, float(truth.confidence[position]))
    return result


def face_decisions(decisions: Sequence[Decision]) -> dict[FaceId, Decision]:
    """The decisions on faces as a whole."""
    return {item.face_id: item for item in decisions if item.question is None}
