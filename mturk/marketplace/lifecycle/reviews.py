"""Running review policies: scores and what they cause, each recorded for ListReviewPolicyResultsForHIT."""

from __future__ import annotations

import json
from collections.abc import Callable

import sqlalchemy as sa

from ..errors import Refused
from ..rules import review
from ..rules.answers import read_answers
from ..stamps import new_id
from ..store import Tx, one, rows
from ..store.tables import assignment, review_action, review_result
from ..store.transactions import Row
from . import assignments, hits

__all__ = ["review_assignment", "review_hit"]


def _result(
    tx: Tx, hit_id: str, level: str, subject: tuple[str, str], key: str, value: str, question: str | None = None
) -> None:
    tx.conn.execute(
        review_result.insert().values(
            hit_id=hit_id,
            level=level,
            action_id=new_id(),
            subject_type=subject[0],
            subject_id=subject[1],
            question_id=question,
            key=key,
            value=value,
        )
    )


def _act(
    tx: Tx, hit_id: str, level: str, action: str, target: tuple[str, str], do: Callable[[], object], why: str
) -> bool:
    """Do what a policy asks for and record how it went; a refusal is recorded, not raised."""
    status, code, result = "Succeeded", "", why
    try:
        do()
    except Refused as refusal:
        status, code, result = "Failed", refusal.turk_code, refusal.message
    tx.conn.execute(
        review_action.insert().values(
            id=new_id(),
            hit_id=hit_id,
            level=level,
            action=action,
            target_type=target[0],
            target_id=target[1],
            status=status,
            completed_at=tx.now,
            result=result,
            error_code=code,
        )
    )
    return status == "Succeeded"


def _extend(tx: Tx, hit_id: str, level: str, extension: review.Extension | None, score: int) -> bool:
    """One more place where the score is too low; True if the HIT was extended."""
    hit = hits.require(tx, hit_id)
    if extension is None or score >= extension.below or hit["max_assignments"] >= extension.places:
        return False
    until = max(hit["expires_at"], tx.now + 1000 * extension.seconds)

    def do() -> None:
        hits.extend(tx, hit, more=1, expires_at=until if until != hit["expires_at"] else None)

    return _act(tx, hit_id, level, "extend", ("HIT", hit_id), do, f"score {score} is less than {extension.below}")


def _decide(tx: Tx, hit_id: str, level: str, target: str, verdict: tuple[str, str], why: str) -> None:
    """Approve or reject as `verdict` = (action, feedback) says."""
    action, feedback = verdict

    def do() -> None:
        row = assignments.find(tx, target)
        if row is None:
            raise LookupError(target)
        if action == "approve":
            assignments.approve(tx, row, feedback or None)
        else:
            assignments.reject(tx, row, feedback)

    _act(tx, hit_id, level, action, ("Assignment", target), do, why)


def _verdict(
    score: int, policy: review.KnownAnswers | review.Plurality, what: str
) -> tuple[tuple[str, str], str] | None:
    """((action, feedback), reason), or None where the policy leaves the decision to the requester."""
    if policy.reject_below is not None and score < policy.reject_below:
        return ("reject", policy.reject_reason), f"{what} {score} is less than {policy.reject_below}"
    if policy.approve_from is not None and score >= policy.approve_from:
        return ("approve", policy.approve_reason), f"{what} {score} is at least {policy.approve_from}"
    return None


def review_assignment(tx: Tx, row: Row, hit: Row) -> None:
    """Score an assignment that was just submitted against the known answers."""
    policy = review.parse_assignment_policy(json.loads(hit["assignment_policy"]))
    score, right = review.score_known(policy, read_answers(row["answer"]))
    subject = ("Assignment", row["id"])
    _result(tx, hit["id"], "Assignment", subject, "KnownAnswerScore", str(score))
    for question, correct in right.items():
        _result(tx, hit["id"], "Assignment", subject, "KnownAnswerCorrect", str(int(correct)), question)
    _extend(tx, hit["id"], "Assignment", policy.extension, score)
    verdict = _verdict(score, policy, "KnownAnswerScore")
    if verdict is not None:
        _decide(tx, hit["id"], "Assignment", row["id"], *verdict)


def review_hit(tx: Tx, hit: Row) -> None:
    """Look for agreement in a HIT that just became reviewable; an extension puts off every decision."""
    policy = review.parse_hit_policy(json.loads(hit["hit_policy"]))
    tx.conn.execute(review_result.delete().where(review_result.c.hit_id == hit["id"], review_result.c.level == "HIT"))
    considered = {
        row["id"]: read_answers(row["answer"])
        for row in rows(
            tx,
            sa.select(assignment.c.id, assignment.c.state, assignment.c.answer)
            .where(assignment.c.hit_id == hit["id"], assignment.c.state.in_(("Submitted", "Approved", "Rejected")))
            .order_by(assignment.c.submitted_at, assignment.c.seq),
        )
        if _counts(tx, policy, row)
    }
    if not considered:
        return
    found = review.plurality(policy, considered)
    _record(tx, hit["id"], found)
    if _extend(tx, hit["id"], "HIT", policy.extension, found.hit_score):
        return
    for target, score in found.workers.items():
        verdict = None if score is None else _verdict(score, policy, "WorkerAgreementScore")
        if verdict is not None:
            _decide(tx, hit["id"], "HIT", target, *verdict)


def _counts(tx: Tx, policy: review.Plurality, row: Row) -> bool:
    """False for an assignment that the policy disregards."""
    if policy.drop_rejected and row["state"] == "Rejected":
        return False
    if policy.drop_known_below is None:
        return True
    known = one(
        tx,
        sa.select(review_result.c.value).where(
            review_result.c.subject_id == row["id"], review_result.c.key == "KnownAnswerScore"
        ),
    )
    return known is None or int(known["value"]) >= policy.drop_known_below


def _record(tx: Tx, hit_id: str, found: review.PluralityResult) -> None:
    _result(tx, hit_id, "HIT", ("HIT", hit_id), "HITAgreementScore", str(found.hit_score))
    for question, (answer, score) in found.questions.items():
        _result(tx, hit_id, "HIT", ("HIT", hit_id), "QuestionAgreementScore", str(score), question)
        if answer is not None:
            _result(tx, hit_id, "HIT", ("HIT", hit_id), "AgreedAnswer", answer, question)
    for target, agreement in found.workers.items():
        if agreement is not None:
            _result(tx, hit_id, "HIT", ("Assignment", target), "WorkerAgreementScore", str(agreement))
