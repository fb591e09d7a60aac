"""Accept, submit, return, abandon, approve, reject: each moves one assignment and its HIT's counters together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from ..errors import (
    BadForm,
    InPreview,
    NotEligible,
    NotFound,
    NothingAvailable,
    Refused,
    TooLate,
    TooManyHeld,
    WorkError,
)
from ..rules import answers as forms
from ..rules.questions import PREVIEW_ID, parse_question
from ..rules.xml import clean
from ..store import MuchToTouch, Tx, ask_one, tell
from ..store.tables import HOLDING, assignment, late_submission, requester, worker, worker_block
from ..store.transactions import Row
from . import funds, groups, hits, recruits, standing
from .events import emit

__all__ = ["LARGEST_FORM", "abandon", "accept", "approve", "find", "reject", "return_", "submit"]

LARGEST_FORM = 256 * 1024
"""Characters of names and values together."""
# Statements of the busiest paths are built once: building them costs SQLAlchemy more than running them.
_FIND = sa.select(assignment).where(assignment.c.id == sa.bindparam("wanted"))
_CHANGE = assignment.update().where(assignment.c.id == sa.bindparam("wanted"))
_INSERT = assignment.insert()
_STANDING = sa.select(
    sa.select(sa.func.count())
    .select_from(assignment)
    .where(assignment.c.worker_id == sa.bindparam("worker"), assignment.c.state == "Accepted")
    .scalar_subquery()
    .label("held"),
    sa.exists(
        worker_block.select().where(
            worker_block.c.worker_id == sa.bindparam("worker"),
            worker_block.c.requester_id == sa.bindparam("requester"),
        )
    ).label("blocked"),
    sa.exists(sa.select(assignment.c.seq).where(assignment.c.id == sa.bindparam("own"))).label("there"),
    assignment.c.id.label("mine"),
    assignment.c.state.label("my_state"),
).select_from(
    sa.select(sa.literal(1))
    .subquery("once")
    .outerjoin(
        assignment,
        sa.and_(
            assignment.c.hit_id == sa.bindparam("hit"),
            assignment.c.worker_id == sa.bindparam("worker"),
            assignment.c.state.in_(HOLDING),
        ),
    )
)
"""How a worker stands to a HIT, in one step: how much is held, whether its requester blocked them, what they have of
it; and whether the assignment that is to be made is there."""
OVERRIDE_MS = 30 * 24 * 3600 * 1000
"""A rejection may be turned into an approval for 30 days after submission."""


def find(tx: Tx, assignment_id: str) -> Row | None:
    """The assignment, or None."""
    return ask_one(tx, _FIND, {"wanted": assignment_id})


def _move(tx: Tx, row: Row, state: str, **values: Any) -> Row:
    changes = {"state": state, **values}
    tell(tx, _CHANGE, {**changes, "wanted": row["id"]})
    return {**row, **changes}


def _with_hit(tx: Tx, assignment_id: str) -> tuple[Row, Row]:
    """The assignment as it is once its HIT is held, and the HIT. NotFound."""
    found = hits.with_assignment(tx, assignment_id)
    if found is None:
        raise NotFound("There is no such assignment.")
    return found


@cache
def _counting(table: sa.Table, *names: str) -> sa.Update:
    more = {name: table.c[name] + sa.bindparam(f"more_{name}", type_=sa.BigInteger()) for name in names}
    return table.update().where(table.c.id == sa.bindparam("wanted")).values(more)


def _count(tx: Tx, table: sa.Table, key: str, **steps: int) -> None:
    values = {f"more_{name}": step for name, step in steps.items()}
    tell(tx, _counting(table, *steps), {"wanted": key, **values})


def accept(tx: Tx, worker_id: str, hit: Row, own_id: str) -> Row:
    """The worker takes one place of the HIT (which is held); returns the assignment, which is called `own_id`, or the
    one that is held already.

    Raises NotFound, NothingAvailable, NotEligible, TooManyHeld.
    """
    wanted = {"hit": hit["id"], "worker": worker_id, "requester": hit["requester_id"], "own": own_id}
    person, about = standing.held_worker(tx, worker_id, (_STANDING, wanted))
    if about["there"]:  # the same form, sent twice, arrived twice at the same time
        return find(tx, own_id) or {}
    if about["mine"] is not None:
        if about["my_state"] == "Accepted":
            return find(tx, about["mine"]) or {}
        raise NothingAvailable("You have already done this HIT.")
    if hit["status"] != "Assignable":
        raise NothingAvailable("This HIT is no longer available: others have taken it, or it has expired.")
    _check_eligible(tx, person, hit, held=about["held"], blocked=about["blocked"])
    entry = recruits.permit(tx, person, hit)
    row: Row = {
        "id": own_id,
        "hit_id": hit["id"],
        "type_id": hit["type_id"],
        "requester_id": hit["requester_id"],
        "worker_id": person["id"],
        "state": "Accepted",
        "accepted_at": tx.now,
        "deadline": tx.now + 1000 * hit["duration_s"],
        "reward_cents": hit["reward_cents"],
        "fee_cents": hit["fee_cents"],
        "entry_seq": entry,
    }
    tell(tx, _INSERT, row)
    hits.change(tx, hit, held=hit["held"] + 1, touched=True)
    emit(tx, "AssignmentAccepted", hit, row["id"])
    return row


def _check_eligible(tx: Tx, person: Row, hit: Row, *, held: int, blocked: bool) -> None:
    if blocked:
        raise NotEligible("This requester does not accept your work at present.")
    requirements = standing.requirements_of(hit["requirements"])
    if requirements:
        missing = standing.unmet(requirements, standing.held_qualifications(tx, person))
        if missing:
            raise NotEligible("You do not meet every qualification that this HIT asks for.", missing)
    if held >= tx.config.max_held:
        raise TooManyHeld(f"You hold {held} HITs already; submit or return one first.")


def _let_go(tx: Tx, row: Row, state: str, at: int, event: str, counter: str) -> None:
    row, hit = _with_hit(tx, row["id"])
    if row["state"] != "Accepted":
        raise NotFound("You hold no such HIT.")
    _move(tx, row, state, ended_at=at, draft=None)
    _count(tx, worker, row["worker_id"], **{counter: 1})
    hits.change(tx, hit, at=min(tx.now, max(at, hit["expires_at"])), held=hit["held"] - 1)
    emit(tx, event, hit, row["id"])


def return_(tx: Tx, row: Row) -> None:
    """The worker gives the place back."""
    _let_go(tx, row, "Returned", tx.now, "AssignmentReturned", "returned")


def abandon(tx: Tx, row: Row) -> None:
    """The deadline passed."""
    _let_go(tx, row, "Abandoned", row["deadline"], "AssignmentAbandoned", "abandoned")


def submit(tx: Tx, assignment_id: str, fields: Sequence[tuple[str, str]]) -> tuple[Row, Row, bool, WorkError | None]:
    """Store the answers: (assignment, its HIT, was it submitted before, refusal).

    A refusal that must not undo the transaction (a late submission is kept) is returned, the others are raised.
    """
    if assignment_id == PREVIEW_ID:
        raise InPreview("This is a preview. Accept the HIT first, then submit; nothing was stored.")
    row, hit = _with_hit(tx, assignment_id)
    if row["state"] in ("Submitted", "Approved", "Rejected"):
        return row, hit, True, None
    if sum(len(name) + len(value) for name, value in fields) > LARGEST_FORM:
        raise BadForm(f"The answers are longer than {LARGEST_FORM // 1024} KB; please shorten them.")
    if row["state"] != "Accepted":
        _keep_late(tx, row, fields)
        what = "was returned" if row["state"] == "Returned" else "ran out of time"
        return row, hit, False, TooLate(f"This HIT {what}, so it cannot be submitted; what you wrote is kept.")
    document = forms.answers_xml(_answers(hit["question"], fields))
    # A clock that was set back meanwhile does not make an answer older than its question, and who waited for the HIT
    # comes after the one who had it: pages of answers go by this time.
    at = max(tx.clock(), row["accepted_at"])
    row = _move(
        tx,
        row,
        "Submitted",
        submitted_at=at,
        auto_approve_at=at + 1000 * hit["auto_approval_s"],
        answer=document,
        draft=None,
    )
    _count(tx, worker, row["worker_id"], submitted=1)
    emit(tx, "AssignmentSubmitted", hit, row["id"])
    row = _after_submit(tx, row, hit)
    groups.time_taken(tx, row)
    return row, hit, False, None


def _after_submit(tx: Tx, row: Row, hit: Row) -> Row:
    """The assignment as it is after all that follows from its being handed in."""
    moved = {"held": hit["held"] - 1, "submitted": hit["submitted"] + 1}
    if hit["assignment_policy"] is None and hit["auto_approval_s"] > 0:
        after = hits.change(tx, hit, **moved)
        return row if after["hit_policy"] is None else find(tx, row["id"]) or row
    if hit["assignment_policy"] is not None and not tx.alone:
        raise MuchToTouch
    # The assignment's own policy and approval come before the HIT may turn reviewable: the HIT's policy looks at
    # their outcome, and an extension must keep the HIT open.
    hits.change(tx, hit, defer=True, **moved)
    if hit["assignment_policy"] is not None:
        tx.policies.review_assignment(tx, row, hit)
    current = find(tx, row["id"])
    if hit["auto_approval_s"] == 0 and current is not None and current["state"] == "Submitted":
        approve(tx, current)
    hits.change(tx, hits.require(tx, hit["id"]))
    return find(tx, row["id"]) or row


def _answers(question: str, fields: Sequence[tuple[str, str]]) -> list[forms.Answer]:
    asked = parse_question(question)
    if asked.form is None:
        found = forms.page_answers(fields)
        # An honest page may have no answer to send: all its boxes are left unticked. That is believed of a form of our
        # frame, which holds the assignment's id; pages of other servers owe a field besides it, as on MTurk.
        if not found and not (asked.kind == "html" and any(name == "assignmentId" for name, _ in fields)):
            raise BadForm("Nothing was stored: the task's page sent no answer. Please tell the requester.")
        return found
    answers, wrong = forms.form_answers(asked.form, fields)
    if wrong:
        raise BadForm("Please mend your answers. " + "; ".join(wrong) + ".")
    return answers


def _keep_late(tx: Tx, row: Row, fields: Sequence[tuple[str, str]]) -> None:
    kept = tx.conn.scalar(
        sa.select(sa.func.count()).select_from(late_submission).where(late_submission.c.assignment_id == row["id"])
    )
    if (kept or 0) < 3:
        tx.conn.execute(
            late_submission.insert().values(
                assignment_id=row["id"],
                worker_id=row["worker_id"],
                at=tx.now,
                fields=json.dumps([[clean(name), clean(value)] for name, value in fields]),
            )
        )


def wrong_state(row: Row, allowed: str) -> Refused:
    """MTurk's sentence for an assignment in the wrong state."""
    return Refused(
        f"This Assignment is currently in the state '{row['state']}'.  "
        f"This operation can be called with a status of: {allowed}",
        "AWS.MechanicalTurk.InvalidAssignmentState",
    )


def approve(tx: Tx, row: Row, feedback: str | None = None, *, override: bool = False, at: int | None = None) -> Row:
    """Submitted → Approved, or with `override` Rejected → Approved. Raises Refused; pays in the same transaction."""
    row, hit = _with_hit(tx, row["id"])
    again = row["state"] == "Rejected" and override
    if row["state"] != "Submitted" and not again:
        raise wrong_state(row, "Submitted")
    if again:
        _check_override(tx, row, hit)
    cost = row["reward_cents"] + row["fee_cents"]
    values: Row = {"approved_at": tx.now if at is None else at, "rejected_at": None}
    if feedback is not None or again:
        values["feedback"] = feedback
    after = _move(tx, row, "Approved", **values)
    step = {"rejected": -1} if again else {"submitted": -1}
    fewer = {"rejected": -1} if again else {}
    _count(tx, worker, row["worker_id"], approved=1, **fewer)
    _count(tx, requester, row["requester_id"], approved=1, **fewer)
    if again:
        funds.pay(tx, row["requester_id"], "reward", cost, row["id"], held=False)
    hits.change(tx, hit, approved=hit["approved"] + 1, **{name: hit[name] + by for name, by in step.items()})
    if not again:
        funds.pay(tx, row["requester_id"], "reward", cost, row["id"], held=True)
    emit(tx, "AssignmentApproved", hit, row["id"])
    return after


def _check_override(tx: Tx, row: Row, hit: Row) -> None:
    if hit["status"] == "Disposed":
        raise hits.wrong_state(hit, "Assignable,Unassignable,Reviewable,Reviewing")
    if tx.now > row["submitted_at"] + OVERRIDE_MS:
        raise Refused(
            "A rejected assignment can be approved within 30 days of its submission only.",
            "AWS.MechanicalTurk.InvalidAssignmentState",
        )


def reject(tx: Tx, row: Row, feedback: str) -> Row:
    """Submitted → Rejected. Raises Refused. Nothing is paid, and nothing is charged."""
    row, hit = _with_hit(tx, row["id"])
    if row["state"] != "Submitted":
        raise wrong_state(row, "Submitted")
    after = _move(tx, row, "Rejected", rejected_at=tx.now, feedback=feedback)
    _count(tx, worker, row["worker_id"], rejected=1)
    _count(tx, requester, row["requester_id"], rejected=1)
    hits.change(tx, hit, submitted=hit["submitted"] - 1, rejected=hit["rejected"] + 1)
    emit(tx, "AssignmentRejected", hit, row["id"])
    return after
