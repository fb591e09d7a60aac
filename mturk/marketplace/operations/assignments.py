"""Assignments and bonuses as the requester sees them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..lifecycle import assignments as life
from ..lifecycle import funds, grants
from ..rules import money
from ..rules.hittypes import amount
from ..store import one
from ..store.tables import assignment, bonus, hit
from ..store.transactions import Row
from .base import (
    Call,
    duplicate_token,
    missing,
    own_assignment,
    own_hit,
    page,
    remember_token,
    used_token,
    wrong_value,
)
from .hits import HITS
from .shapes import assignment_shape, hit_shape, seconds

__all__ = [
    "approve",
    "get",
    "get_file_upload_url",
    "list_bonuses",
    "list_for_hit",
    "reject",
    "send_bonus",
]

VISIBLE = ("Submitted", "Approved", "Rejected")


def _submitted(call: Call) -> Row:
    row = own_assignment(call)
    if row["state"] not in VISIBLE:
        raise life.wrong_state(row, "Reviewable,Approved,Rejected")
    return row


def get(call: Call) -> dict[str, Any]:
    """A submitted assignment with its HIT; before submission an error, as on MTurk."""
    row = _submitted(call)
    parent = one(call.tx, HITS.where(hit.c.id == row["hit_id"]))
    assert parent is not None
    return {"Assignment": assignment_shape(row), "HIT": hit_shape(parent)}


def list_for_hit(call: Call) -> dict[str, Any]:
    """Submitted, approved and rejected assignments in the order of submission."""
    row = own_hit(call)
    states = call.get("AssignmentStatuses") or list(VISIBLE)
    statement = sa.select(assignment).where(assignment.c.hit_id == row["id"], assignment.c.state.in_(states))
    found, members = page(call, statement, (assignment.c.submitted_at, assignment.c.seq))
    return {**members, "Assignments": [assignment_shape(item) for item in found]}


def approve(call: Call) -> dict[str, Any]:
    """Pay for the work; with OverrideRejection also for work that was rejected less than 30 days ago."""
    row = own_assignment(call)
    life.approve(call.tx, row, call.get("RequesterFeedback"), override=call.get("OverrideRejection", False))
    return {}


def reject(call: Call) -> dict[str, Any]:
    """Refuse the work, with a reason for the worker."""
    row = own_assignment(call)
    life.reject(call.tx, row, call["RequesterFeedback"])
    return {}


def send_bonus(call: Call) -> dict[str, Any]:
    """Pay on top. The worker must be the assignment's; before it is submitted, the assignment "does not exist", in the
    service's own words."""
    used = used_token(call)
    if used is not None:
        raise duplicate_token(call, used)
    row = own_assignment(call)
    if row["state"] not in VISIBLE:
        raise missing("Assignment", row["id"])
    if row["worker_id"] != call["WorkerId"]:
        raise wrong_value(f"Assignment {row['id']} was not done by worker {call['WorkerId']}.")
    cents = amount("BonusAmount", call["BonusAmount"])
    if cents < 1:
        raise Refused("BonusAmount must be at least 0.01.", "AWS.ParameterOutOfRange")
    if not call["Reason"].strip():
        raise wrong_value("Reason must not be empty: the worker reads it.")
    fee = money.bonus_fee(cents, percent=call.tx.config.fee_percent)
    funds.pay(call.tx, call.owner, "bonus", cents + fee, row["id"], held=False)
    call.tx.conn.execute(
        bonus.insert().values(
            requester_id=call.owner,
            worker_id=row["worker_id"],
            assignment_id=row["id"],
            hit_id=row["hit_id"],
            amount_cents=cents,
            fee_cents=fee,
            reason=call["Reason"],
            granted_at=call.tx.now,
        )
    )
    grants.send(
        call.tx,
        row["worker_id"],
        call.requester["name"],
        f"You received a bonus of {money.written(money.to_decimal(cents), call.tx.config.currency)}",
        call["Reason"],
    )
    remember_token(call, row["id"])
    return {}


def list_bonuses(call: Call) -> dict[str, Any]:
    """Bonuses of exactly one HIT or one assignment."""
    hit_id, assignment_id = call.get("HITId"), call.get("AssignmentId")
    if (hit_id is None) == (assignment_id is None):
        raise wrong_value("Exactly one of HITId and AssignmentId must be given.")
    if hit_id is not None:
        mine = bonus.c.hit_id == own_hit(call)["id"]
    else:
        mine = bonus.c.assignment_id == own_assignment(call)["id"]
    statement = sa.select(bonus).where(bonus.c.requester_id == call.owner, mine)
    found, members = page(call, statement, (bonus.c.seq,))
    payments = [
        {
            "WorkerId": item["worker_id"],
            "BonusAmount": money.format_cents(item["amount_cents"]),
            "AssignmentId": item["assignment_id"],
            "Reason": item["reason"],
            "GrantTime": seconds(item["granted_at"]),
        }
        for item in found
    ]
    return {**members, "BonusPayments": payments}


def get_file_upload_url(call: Call) -> dict[str, Any]:
    """Always refused: FileUploadAnswer ended on 2017-12-12, so no assignment has a file."""
    row = own_assignment(call)
    if row["state"] not in VISIBLE:
        raise missing("Assignment", row["id"])
    raise wrong_value(
        f"The question {call['QuestionIdentifier'][:100]} has no uploaded file: FileUploadAnswer is not supported."
    )
