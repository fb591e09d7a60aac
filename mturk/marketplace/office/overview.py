"""What the operator sees: requesters, workers, open HITs, what is stuck, what failed, who appealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ..rules.money import to_decimal
from ..stamps import from_ms
from ..store import Tx, rows
from ..store import tables as t

__all__ = [
    "AppealRow",
    "FailureRow",
    "HitRow",
    "Overview",
    "RequesterRow",
    "StuckRow",
    "WorkerRow",
    "appeal_rows",
    "read_overview",
    "requester_rows",
    "worker_rows",
]

_MOST = 300
_WAITS_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class RequesterRow:
    """A requester and what is open for them."""

    requester_id: str
    name: str
    keys: int
    open_hits: int
    undecided: int
    balance: Decimal | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker account; `name` is "" once it was erased."""

    worker_id: str
    name: str
    joined_at: datetime
    held: int
    submitted: int
    approved: int
    rejected: int
    active: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class HitRow:
    """A HIT that is not yet Reviewable."""

    hit_id: str
    title: str
    requester_name: str
    status: str
    available: int
    pending: int
    submitted: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StuckRow:
    """An assignment that needs a look: `why` says so in words."""

    assignment_id: str
    title: str
    worker_id: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A notification that could not be delivered."""

    event_id: str
    event_type: str
    destination: str
    attempts: int
    last_error: str
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppealRow:
    """A worker's objection to a rejection that still stands."""

    assignment_id: str
    title: str
    requester_name: str
    worker_id: str
    feedback: str
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page; every list is cut at a few hundred rows, newest or most urgent first."""

    requesters: tuple[RequesterRow, ...]
    workers: tuple[WorkerRow, ...]
    hits: tuple[HitRow, ...]
    stuck: tuple[StuckRow, ...]
    failures: tuple[FailureRow, ...]
    appeals: tuple[AppealRow, ...]


def read_overview(tx: Tx) -> Overview:
    """Everything at one instant."""
    return Overview(requester_rows(tx), worker_rows(tx), _open_hits(tx), _stuck(tx), _failures(tx), appeal_rows(tx))


def requester_rows(tx: Tx) -> tuple[RequesterRow, ...]:
    """Requesters who were not revoked."""
    keys = _count(t.access_key, t.access_key.c.requester_id, t.access_key.c.revoked_at.is_(None))
    opened = _count(t.hit, t.hit.c.requester_id, t.hit.c.status.in_(("Assignable", "Unassignable")))
    undecided = _count(t.assignment, t.assignment.c.requester_id, t.assignment.c.state == "Submitted")
    found = rows(
        tx,
        sa.select(t.requester, keys.label("keys"), opened.label("open"), undecided.label("undecided"))
        .where(t.requester.c.revoked_at.is_(None))
        .order_by(t.requester.c.name)
        .limit(_MOST),
    )
    sandbox = tx.config.sandbox
    return tuple(
        RequesterRow(
            row["id"],
            row["name"],
            row["keys"],
            row["open"],
            row["undecided"],
            None if sandbox else to_decimal(row["balance_cents"]),
        )
        for row in found
    )


def worker_rows(tx: Tx) -> tuple[WorkerRow, ...]:
    """Worker accounts, newest first."""
    held = _count(t.assignment, t.assignment.c.worker_id, t.assignment.c.state == "Accepted", key=t.worker.c.id)
    found = rows(tx, sa.select(t.worker, held.label("held")).order_by(t.worker.c.seq.desc()).limit(_MOST))
    return tuple(
        WorkerRow(
            row["id"],
            row["name"] or "",
            from_ms(row["joined_at"]),
            row["held"],
            row["submitted"],
            row["approved"],
            row["rejected"],
            row["left_at"] is None,
            row["source"],
        )
        for row in found
    )


def _count(
    table: sa.Table, owner: sa.ColumnElement[Any], *where: sa.ColumnElement[bool], key: Any = None
) -> sa.ScalarSelect[int]:
    key = t.requester.c.id if key is None else key
    return sa.select(sa.func.count()).select_from(table).where(owner == key, *where).scalar_subquery()


def _titled(*columns: Any) -> sa.Select[Any]:
    return (
        sa.select(t.assignment, t.hit_type.c.title, t.requester.c.name.label("requester_name"), *columns)
        .join(t.hit_type, t.hit_type.c.id == t.assignment.c.type_id)
        .join(t.requester, t.requester.c.id == t.assignment.c.requester_id)
    )


def _open_hits(tx: Tx) -> tuple[HitRow, ...]:
    statement = (
        sa.select(t.hit, t.hit_type.c.title, t.requester.c.name.label("requester_name"))
        .join(t.hit_type, t.hit_type.c.id == t.hit.c.type_id)
        .join(t.requester, t.requester.c.id == t.hit.c.requester_id)
        .where(t.hit.c.status.in_(("Assignable", "Unassignable")))
        .order_by(t.hit.c.expires_at)
        .limit(_MOST)
    )
    return tuple(
        HitRow(
            row["id"],
            row["title"],
            row["requester_name"],
            row["status"],
            row["max_assignments"] - row["held"] - row["submitted"] - row["approved"] - row["rejected"],
            row["held"],
            row["submitted"],
            from_ms(row["expires_at"]),
        )
        for row in rows(tx, statement)
    )


def _stuck(tx: Tx) -> tuple[StuckRow, ...]:
    """Work that came too late, and work that has waited a week for its requester."""
    late = rows(
        tx,
        _titled(t.late_submission.c.at)
        .join(t.late_submission, t.late_submission.c.assignment_id == t.assignment.c.id)
        .order_by(t.late_submission.c.seq.desc())
        .limit(_MOST),
    )
    waiting = rows(
        tx,
        _titled()
        .where(t.assignment.c.state == "Submitted", t.assignment.c.submitted_at < tx.now - _WAITS_MS)
        .order_by(t.assignment.c.submitted_at)
        .limit(_MOST),
    )
    return (
        *(
            StuckRow(row["id"], row["title"], row["worker_id"], from_ms(row["at"]), "answers came after the deadline")
            for row in late
        ),
        *(
            StuckRow(
                row["id"],
                row["title"],
                row["worker_id"],
                from_ms(row["submitted_at"]),
                "the requester has not decided for a week",
            )
            for row in waiting
        ),
    )


def _failures(tx: Tx) -> tuple[FailureRow, ...]:
    statement = sa.select(t.outbox).where(t.outbox.c.last_error != "").order_by(t.outbox.c.seq.desc()).limit(_MOST)
    return tuple(
        FailureRow(
            row["id"],
            json.loads(row["body"])["Events"][0]["EventType"],
            row["destination"],
            row["attempts"],
            row["last_error"],
            from_ms(row["next_at"]) if row["state"] == "Waiting" else None,
        )
        for row in rows(tx, statement)
    )


def appeal_rows(tx: Tx) -> tuple[AppealRow, ...]:
    """Appeals that nobody has decided yet, the newest first."""
    statement = (
        _titled()
        .where(
            t.assignment.c.state == "Rejected",
            t.assignment.c.appeal.is_not(None),
            t.assignment.c.appeal_decided_at.is_(None),
        )
        .order_by(t.assignment.c.appeal_at.desc())
        .limit(_MOST)
    )
    return tuple(
        AppealRow(
            row["id"],
            row["title"],
            row["requester_name"],
            row["worker_id"],
            row["feedback"] or "",
            row["appeal"],
            from_ms(row["appeal_at"]),
        )
        for row in rows(tx, statement)
    )
