"""Rows as the API writes them."""

from __future__ import annotations

import json
from typing import Any

from ..lifecycle.hits import REVIEWABLE, counts
from ..rules.money import format_cents
from ..store.transactions import Row

__all__ = ["assignment_shape", "hit_shape", "qualification_type_shape", "seconds"]


def seconds(stamp: int) -> float:
    """A time as AWS JSON 1.1 writes it: seconds since 1970, with milliseconds."""
    return stamp / 1000


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def hit_shape(row: Row) -> dict[str, Any]:
    """HIT, from a row of `hit` joined with its HIT type."""
    done = row["status"] in (*REVIEWABLE, "Disposed")
    places = counts(row)
    return _present(
        {
            "HITId": row["id"],
            "HITTypeId": row["type_id"],
            "HITGroupId": row["group_id"],
            "HITLayoutId": row["layout_id"],
            "CreationTime": seconds(row["created_at"]),
            "Title": row["title"],
            "Description": row["description"],
            "Question": row["question"],
            "Keywords": row["keywords"] or None,
            "HITStatus": row["status"],
            "MaxAssignments": row["max_assignments"],
            "Reward": format_cents(row["reward_cents"]),
            "AutoApprovalDelayInSeconds": row["auto_approval_s"],
            "Expiration": seconds(row["expires_at"]),
            "AssignmentDurationInSeconds": row["duration_s"],
            "RequesterAnnotation": row["annotation"],
            "QualificationRequirements": json.loads(row["requirements"]),
            "HITReviewStatus": "MarkedForReview" if row["status"] == "Reviewing" else "NotReviewed",
            "NumberOfAssignmentsPending": 0 if done else row["held"],
            "NumberOfAssignmentsAvailable": places.free if row["status"] == "Assignable" else 0,
            "NumberOfAssignmentsCompleted": row["approved"] + row["rejected"],
        }
    )


def _time(stamp: int | None) -> float | None:
    return None if stamp is None else seconds(stamp)


def assignment_shape(row: Row) -> dict[str, Any]:
    """Assignment, from a row of `assignment`."""
    return _present(
        {
            "AssignmentId": row["id"],
            "WorkerId": row["worker_id"],
            "HITId": row["hit_id"],
            "AssignmentStatus": row["state"],
            "AutoApprovalTime": _time(row["auto_approve_at"]),
            "AcceptTime": seconds(row["accepted_at"]),
            "SubmitTime": _time(row["submitted_at"]),
            "ApprovalTime": _time(row["approved_at"]),
            "RejectionTime": _time(row["rejected_at"]),
            "Deadline": seconds(row["deadline"]),
            "Answer": row["answer"],
            "RequesterFeedback": row["feedback"] or None,
        }
    )


def qualification_type_shape(row: Row, *, owned: bool) -> dict[str, Any]:
    """QualificationType, from a row of `qualification_type`; the answer key only for its owner."""
    return _present(
        {
            "QualificationTypeId": row["id"],
            "CreationTime": seconds(row["created_at"]),
            "Name": row["name"],
            "Description": row["description"],
            "Keywords": row["keywords"] or None,
            "QualificationTypeStatus": row["status"],
            "Test": row["test"],
            "TestDurationInSeconds": row["test_duration_s"],
            "AnswerKey": row["answer_key"] if owned else None,
            "RetryDelayInSeconds": row["retry_delay_s"],
            "IsRequestable": row["status"] == "Active",
            "AutoGranted": row["auto_granted"],
            "AutoGrantedValue": row["auto_granted_value"],
        }
    )
