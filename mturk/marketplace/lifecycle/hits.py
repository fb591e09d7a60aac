"""Changing a HIT: counters in, status, hold, events and the HIT-level review policy out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..rules.hits import Counts, extension_refusal, status_of
from ..store import MuchToTouch, Tx, ask_one, tell
from ..store.tables import assignment, hit, hit_type, notification_spec, requester
from ..store.transactions import Row
from . import funds, groups
from .events import emit

__all__ = [
    "REVIEWABLE",
    "WHOLE",
    "change",
    "counts",
    "dispose",
    "expire",
    "extend",
    "get",
    "insert",
    "require",
    "with_assignment",
    "wrong_state",
]

REVIEWABLE = ("Reviewable", "Reviewing")


WHOLE = sa.select(
    hit,
    hit_type.c.reward_cents,
    hit_type.c.duration_s,
    hit_type.c.auto_approval_s,
    hit_type.c.requirements,
    hit_type.c.group_id,
    sa.select(requester.c.revoked_at).where(requester.c.id == hit.c.requester_id).scalar_subquery().label("ended_at"),
    sa.exists(notification_spec.select().where(notification_spec.c.hit_type_id == hit.c.type_id)).label("noted"),
).join(hit_type, hit_type.c.id == hit.c.type_id)
"""A HIT with its type's reward, since when its requester works here no more, and whether events may be told."""
_GET = WHOLE.where(hit.c.id == sa.bindparam("wanted"))
_PART = "part "
_BOTH = (
    WHOLE.add_columns(*(column.label(_PART + column.name) for column in assignment.c))
    .join(assignment, assignment.c.hit_id == hit.c.id)
    .where(assignment.c.id == sa.bindparam("wanted"))
)
_HELD = _GET.with_for_update(of=hit)
_BOTH_HELD = _BOTH.with_for_update(of=[hit, assignment])
_CHANGE = hit.update().where(hit.c.id == sa.bindparam("wanted"))


def get(tx: Tx, hit_id: str, *, hold: bool = False) -> Row | None:
    """The HIT with its type's reward, or None; with `hold` as it stays until the end of the transaction."""
    return ask_one(tx, _HELD if hold and not tx.alone else _GET, {"wanted": hit_id})


def require(tx: Tx, hit_id: str, *, hold: bool = False) -> Row:
    """The HIT. Raises LookupError where the caller got the id from the database itself."""
    row = get(tx, hit_id, hold=hold)
    if row is None:
        raise LookupError(hit_id)
    return row


def with_assignment(tx: Tx, assignment_id: str) -> tuple[Row, Row] | None:
    """An assignment and its HIT, held like `get`'s, or None: one statement, in which both are as they are once the HIT
    is held (PostgreSQL reads a row that it locks again after it waited for it)."""
    found = ask_one(tx, _BOTH if tx.alone else _BOTH_HELD, {"wanted": assignment_id})
    if found is None:
        return None
    part = {column.name: found.pop(_PART + column.name) for column in assignment.c}
    return part, found


def counts(row: Row) -> Counts:
    """Where the HIT's places are."""
    return Counts(row["max_assignments"], row["held"], row["submitted"], row["approved"], row["rejected"])


def wrong_state(row: Row, allowed: str) -> Refused:
    """MTurk's sentence, with its two blanks: clients match on it."""
    return Refused(
        f"This HIT is currently in the state '{row['status']}'.  "
        f"This operation can be called with a status of: {allowed}",
        "AWS.MechanicalTurk.InvalidHITState",
    )


def _needed(row: Row) -> int:
    """Cents that must stay reserved: every place that may still be paid."""
    cost = row["reward_cents"] + row["fee_cents"]
    places = row["held"] + row["submitted"]
    if row["status"] == "Assignable":
        places += counts(row).free
    return int(places * cost)


def insert(tx: Tx, row: Row) -> Row:
    """Store a new HIT (columns of `hit` plus reward_cents of its type) and reserve its money."""
    row = {**row, "status": "Assignable"}
    row["hold_cents"] = _needed({"held": 0, "submitted": 0, "approved": 0, "rejected": 0, **row})
    funds.hold(tx, row["requester_id"], row["hold_cents"])
    tx.conn.execute(hit.insert().values({name: value for name, value in row.items() if name in hit.c}))
    groups.follow(tx, None, row)
    emit(tx, "HITCreated", row)
    return require(tx, row["id"])


def change(tx: Tx, row: Row, *, defer: bool = False, at: int | None = None, **changes: Any) -> Row:
    """Apply changes to a HIT and everything that follows from them; returns the HIT as it is then.

    With `defer` the status stays as it is until the next change; `at` is when it happened, if before now.
    """
    after = {**row, **changes}
    if not defer:
        after["status"] = status_of(
            counts(after),
            expired=after["expires_at"] <= tx.now,
            reviewing=after["reviewing"],
            disposed=after["disposed_at"] is not None,
        )
    if after["status"] not in REVIEWABLE:
        after["reviewing"] = False
    became_reviewable = after["status"] == "Reviewable" and row["status"] not in REVIEWABLE
    if became_reviewable:
        after["reviewable_at"] = tx.now if at is None else at
    after["hold_cents"] = _needed(after)
    funds.hold(tx, after["requester_id"], after["hold_cents"] - row["hold_cents"])
    changed = {name: value for name, value in after.items() if name in hit.c and value != row[name]}
    if changed:
        tell(tx, _CHANGE, {**changed, "wanted": row["id"]})
    if changed.keys() & {"status", "type_id", "expires_at"}:
        groups.follow(tx, row, after)
    if not became_reviewable:
        return after
    emit(tx, "HITReviewable", after)
    if after["hit_policy"] is None:
        return after
    if not tx.alone:
        raise MuchToTouch
    tx.policies.review_hit(tx, after)
    return require(tx, row["id"])


def extend(tx: Tx, row: Row, *, more: int = 0, expires_at: int | None = None) -> Row:
    """More places, a later expiration, or both. Raises Refused; event HITExtended."""
    if more and (reason := extension_refusal(row["max_assignments"], more)):
        raise Refused(reason, "AWS.MechanicalTurk.InvalidMaximumAssignmentsIncrease")
    changes: Row = {"max_assignments": row["max_assignments"] + more}
    if expires_at is not None:
        changes |= {"expires_at": expires_at, "expiry_noted": False}
    after = change(tx, row, **changes)
    emit(tx, "HITExtended", after)
    return after


def expire(tx: Tx, row: Row, at: int) -> Row:
    """The lifetime ended at `at` (not after now); what workers hold they may finish."""
    open_before = row["status"] in ("Assignable", "Unassignable")
    after = change(tx, row, at=min(at, tx.now), expires_at=min(at, tx.now), expiry_noted=True)
    if open_before and not row["expiry_noted"]:
        emit(tx, "HITExpired", after)
    return after


def dispose(tx: Tx, row: Row) -> None:
    """Delete a HIT: it stays readable as Disposed and leaves every list."""
    after = change(tx, row, disposed_at=tx.now)
    emit(tx, "HITDisposed", after)
