"""Reading, extending, expiring, reviewing and deleting HITs."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..lifecycle import hits
from ..rules.hittypes import check_range
from ..rules.qualifications import SYSTEM_TYPES
from ..store import one
from ..store.tables import hit, hit_type, hit_type_requirement, qualification_type, review_action, review_result
from ..store.transactions import Row
from .base import (
    Call,
    duplicate_token,
    missing,
    own_hit,
    page,
    remember_token,
    used_token,
)
from .shapes import hit_shape, seconds

__all__ = [
    "create_additional_assignments",
    "delete",
    "get",
    "list_all",
    "list_for_qualification_type",
    "list_review_results",
    "list_reviewable",
    "update_expiration",
    "update_review_status",
]

_TYPE_COLUMNS = tuple(
    hit_type.c[name]
    for name in (
        "group_id",
        "title",
        "description",
        "keywords",
        "reward_cents",
        "duration_s",
        "auto_approval_s",
        "requirements",
    )
)
HITS = sa.select(hit, *_TYPE_COLUMNS).join(hit_type, hit_type.c.id == hit.c.type_id)
"""HITs with everything that the HIT shape needs."""
_TOO_OLD_MS = 365 * 24 * 3600 * 1000


def get(call: Call) -> dict[str, Any]:
    """A HIT in any status, also Disposed."""
    own_hit(call)
    row = one(call.tx, HITS.where(hit.c.id == call["HITId"]))
    assert row is not None
    return {"HIT": hit_shape(row)}


def _list(call: Call, statement: sa.Select[Any]) -> dict[str, Any]:
    born = call.tx.now - int(1000 * call.tx.config.visible_after_seconds)
    if call.tx.config.visible_after_seconds:
        statement = statement.where(hit.c.created_at <= born)
    found, members = page(call, statement, (hit.c.seq,), newest_first=True)
    return {**members, "HITs": [hit_shape(row) for row in found]}


def list_all(call: Call) -> dict[str, Any]:
    """All the caller's HITs but Disposed ones, newest first."""
    return _list(call, HITS.where(hit.c.requester_id == call.owner, hit.c.status != "Disposed"))


def list_reviewable(call: Call) -> dict[str, Any]:
    """Reviewable (default) or Reviewing HITs, of one HIT type or all."""
    statement = HITS.where(hit.c.requester_id == call.owner, hit.c.status == call.get("Status", "Reviewable"))
    if call.get("HITTypeId") is not None:
        statement = statement.where(hit.c.type_id == call["HITTypeId"])
    return _list(call, statement)


def list_for_qualification_type(call: Call) -> dict[str, Any]:
    """The caller's HITs whose type asks for a qualification."""
    name = call["QualificationTypeId"]
    if name not in SYSTEM_TYPES:
        known = one(call.tx, sa.select(qualification_type.c.id).where(qualification_type.c.id == name))
        if known is None:
            raise missing("QualificationType", name)
    wanted = sa.select(hit_type_requirement.c.hit_type_id).where(hit_type_requirement.c.qualification_type_id == name)
    return _list(
        call,
        HITS.where(hit.c.requester_id == call.owner, hit.c.status != "Disposed", hit.c.type_id.in_(wanted)),
    )


def create_additional_assignments(call: Call) -> dict[str, Any]:
    """More places; an unexpired Reviewable HIT opens again."""
    used = used_token(call)
    if used is not None:
        raise duplicate_token(call, used)
    row = own_hit(call)
    more = check_range("NumberOfAdditionalAssignments", call["NumberOfAdditionalAssignments"], 1, 1_000_000_000)
    if row["status"] == "Disposed":
        raise hits.wrong_state(row, "Assignable,Unassignable,Reviewable,Reviewing")
    if call.tx.now > row["created_at"] + _TOO_OLD_MS:
        raise Refused(
            f"HIT {row['id']} was created more than a year ago and cannot be extended.",
            "AWS.MechanicalTurk.HITTooOldForExtension",
        )
    hits.extend(call.tx, row, more=more)
    remember_token(call, row["id"])
    return {}


def update_expiration(call: Call) -> dict[str, Any]:
    """A past time expires the HIT now, while held work may still be submitted; a future one extends or shortens."""
    row = own_hit(call, early=True)
    past = call["ExpireAt"] <= call.tx.now
    if row["status"] == "Disposed":
        if past:
            # Dallinger expires before it deletes and expects only the delete of a disposed HIT to be refused.
            return {}
        raise hits.wrong_state(row, "Assignable,Unassignable,Reviewable,Reviewing")
    if past:
        # MTurk's clock for "now" is the call's own; a HIT that had ended keeps the time at which it did.
        if row["expires_at"] > call.tx.now:
            hits.expire(call.tx, row, call.tx.now)
        return {}
    hits.extend(call.tx, row, expires_at=call["ExpireAt"])
    return {}


def update_review_status(call: Call) -> dict[str, Any]:
    """Reviewable → Reviewing, or back with Revert."""
    row = own_hit(call)
    back = call.get("Revert", False)
    if row["status"] != ("Reviewing" if back else "Reviewable"):
        raise hits.wrong_state(row, "Reviewing" if back else "Reviewable")
    hits.change(call.tx, row, reviewing=not back)
    return {}


def delete(call: Call) -> dict[str, Any]:
    """Dispose of a reviewable HIT whose submitted work is all decided."""
    row = own_hit(call)
    if row["status"] not in hits.REVIEWABLE or row["submitted"]:
        raise hits.wrong_state(row, "Reviewing, Reviewable")
    hits.dispose(call.tx, row)
    return {}


def list_review_results(call: Call) -> dict[str, Any]:
    """Policies, scores and actions. One page holds results and actions together, in the order in which they came."""
    row = own_hit(call)
    levels = call.get("PolicyLevels") or ["Assignment", "HIT"]
    answer: dict[str, Any] = {"HITId": row["id"]}
    for level, column in (("Assignment", "assignment_policy"), ("HIT", "hit_policy")):
        if row[column] is not None:
            answer[f"{level}ReviewPolicy"] = json.loads(row[column])
    found, members = page(call, _review_rows(call, row["id"], levels), (sa.literal_column("place"),))
    if "NextToken" in members:
        answer["NextToken"] = members["NextToken"]
    for level in levels:
        mine = [item for item in found if item["level"] == level]
        if row[f"{level.lower()}_policy"] is not None:
            answer[f"{level}ReviewReport"] = _report(call, mine)
    return answer


def _review_rows(call: Call, hit_id: str, levels: list[str]) -> sa.Select[Any]:
    """Results and actions as one list; `place` interleaves the two tables without collisions."""
    parts = []
    if call.get("RetrieveResults", True):
        parts.append(_RESULTS.where(review_result.c.hit_id == hit_id, review_result.c.level.in_(levels)))
    if call.get("RetrieveActions", True):
        parts.append(_ACTIONS.where(review_action.c.hit_id == hit_id, review_action.c.level.in_(levels)))
    if not parts:
        parts.append(sa.select(hit.c.seq.label("place"), hit.c.id.label("level")).where(sa.false()))
    return sa.select(sa.union_all(*parts).subquery("found"))


_RESULTS = sa.select(
    (2 * review_result.c.seq).label("place"),
    review_result.c.level,
    sa.literal("result").label("kind"),
    review_result.c.action_id.label("id"),
    review_result.c.subject_id.label("target_id"),
    review_result.c.subject_type.label("target_type"),
    review_result.c.question_id,
    review_result.c.key.label("name"),
    review_result.c.value.label("value"),
    sa.cast(sa.null(), sa.Text()).label("status"),
    sa.cast(sa.null(), sa.BigInteger()).label("completed_at"),
    sa.cast(sa.null(), sa.Text()).label("error_code"),
)
_ACTIONS = sa.select(
    (2 * review_action.c.seq + 1).label("place"),
    review_action.c.level,
    sa.literal("action").label("kind"),
    review_action.c.id.label("id"),
    review_action.c.target_id.label("target_id"),
    review_action.c.target_type.label("target_type"),
    sa.cast(sa.null(), sa.Text()).label("question_id"),
    review_action.c.action.label("name"),
    review_action.c.result.label("value"),
    review_action.c.status.label("status"),
    review_action.c.completed_at.label("completed_at"),
    review_action.c.error_code.label("error_code"),
)


def _report(call: Call, found: list[Row]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if call.get("RetrieveResults", True):
        report["ReviewResults"] = [_result(item) for item in found if item["kind"] == "result"]
    if call.get("RetrieveActions", True):
        report["ReviewActions"] = [_action(item) for item in found if item["kind"] == "action"]
    return report


def _result(item: Row) -> dict[str, Any]:
    result = {
        "ActionId": item["id"],
        "SubjectId": item["target_id"],
        "SubjectType": item["target_type"],
        "Key": item["name"],
        "Value": item["value"],
    }
    return result if item["question_id"] is None else {**result, "QuestionId": item["question_id"]}


def _action(item: Row) -> dict[str, Any]:
    action = {
        "ActionId": item["id"],
        "ActionName": item["name"],
        "TargetId": item["target_id"],
        "TargetType": item["target_type"],
        "Status": item["status"],
        "CompleteTime": seconds(item["completed_at"]),
        "Result": item["value"],
    }
    return {**action, "ErrorCode": item["error_code"]} if item["error_code"] else action
