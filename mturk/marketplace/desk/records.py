"""What became of a worker's work: history, appeals, earnings, messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ..errors import BadForm, NotFound
from ..rules.money import hourly, to_decimal
from ..rules.xml import clean
from ..stamps import from_ms
from ..store import Store, Tx, one, rows
from ..store.tables import assignment, bonus, hit_type, message, requester
from ..store.transactions import Row
from .values import Appeal, DayEarnings, Earnings, Message, Record, RecordPage

__all__ = ["Records"]

_APPEAL_MS = 30 * 24 * 3600 * 1000
_DAY_MS = 24 * 3600 * 1000
_STATES = ("Submitted", "Approved", "Rejected", "Returned", "Abandoned")
_LONGEST_APPEAL = 2000

_BONUS = (
    sa.select(sa.func.coalesce(sa.func.sum(bonus.c.amount_cents), 0))
    .where(bonus.c.assignment_id == assignment.c.id)
    .scalar_subquery()
)
_RECORDS = (
    sa.select(
        assignment,
        hit_type.c.title,
        hit_type.c.group_id,
        requester.c.name.label("requester_name"),
        _BONUS.label("bonus_cents"),
    )
    .join(hit_type, hit_type.c.id == assignment.c.type_id)
    .join(requester, requester.c.id == assignment.c.requester_id)
)


def _moment(stamp: int | None) -> Any:
    return None if stamp is None else from_ms(stamp)


def _can_appeal(tx: Tx, row: Row) -> bool:
    return row["state"] == "Rejected" and row["appeal"] is None and tx.now <= row["submitted_at"] + _APPEAL_MS


def _record(tx: Tx, row: Row) -> Record:
    appeal = None
    if row["appeal"] is not None:
        decided = _moment(row["appeal_decided_at"])
        appeal = Appeal(row["appeal"], from_ms(row["appeal_at"]), row["appeal_answer"] or "", decided)
    return Record(
        assignment_id=row["id"],
        hit_id=row["hit_id"],
        group_id=row["group_id"],
        title=row["title"],
        requester_name=row["requester_name"],
        reward=to_decimal(row["reward_cents"]),
        bonus=to_decimal(int(row["bonus_cents"])),
        status=row["state"],
        accepted_at=from_ms(row["accepted_at"]),
        submitted_at=_moment(row["submitted_at"]),
        decided_at=_moment(row["approved_at"] or row["rejected_at"]),
        auto_approval_at=_moment(row["auto_approve_at"]) if row["state"] == "Submitted" else None,
        feedback=row["feedback"] or "",
        appeal=appeal,
        can_appeal=_can_appeal(tx, row),
    )


class Records:
    """A worker's past."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def history(self, worker_id: str, *, status: str = "", cursor: str | None = None, limit: int = 20) -> RecordPage:
        """Past assignments, newest first; `status` as in `Record.status`, "" for all."""
        states = (status,) if status in _STATES else _STATES
        statement = _RECORDS.where(assignment.c.worker_id == worker_id, assignment.c.state.in_(states))
        if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 18:
            statement = statement.where(assignment.c.seq < int(cursor))
        with self._store.read() as tx:
            found = rows(tx, statement.order_by(assignment.c.seq.desc()).limit(limit + 1))
            shown = tuple(_record(tx, row) for row in found[:limit])
            return RecordPage(shown, str(found[limit - 1]["seq"]) if len(found) > limit else None)

    def _find(self, tx: Tx, worker_id: str, assignment_id: str) -> Row:
        row = one(tx, _RECORDS.where(assignment.c.id == assignment_id, assignment.c.worker_id == worker_id))
        if row is None or row["state"] == "Accepted":
            raise NotFound("There is no such past work of yours.")
        return row

    def record(self, worker_id: str, assignment_id: str) -> Record:
        """One past assignment."""
        with self._store.read() as tx:
            return _record(tx, self._find(tx, worker_id, assignment_id))

    def appeal(self, worker_id: str, assignment_id: str, text: str) -> Record:
        """Object to a rejection: once, within 30 days of submission. The operator sees it and tells the requester,
        whose API has no appeals. BadForm if there is nothing to appeal, or the text is empty or above 2,000
        characters."""
        text = clean(text).strip()
        if not text or len(text) > _LONGEST_APPEAL:
            raise BadForm(f"Say in 1 to {_LONGEST_APPEAL} characters why the rejection is wrong.")
        with self._store.write() as tx:
            row = self._find(tx, worker_id, assignment_id)
            if not _can_appeal(tx, row):
                raise BadForm("Only a rejection can be appealed: once, and within 30 days of submission.")
            tx.conn.execute(
                assignment.update().where(assignment.c.id == assignment_id).values(appeal=text, appeal_at=tx.now)
            )
            return _record(tx, self._find(tx, worker_id, assignment_id))

    def earnings(self, worker_id: str, *, days: int = 30) -> Earnings:
        """Sums over everything, and day by day for the last `days`."""
        with self._store.read() as tx:
            sums = {row["state"]: row for row in rows(tx, _sums(worker_id))}
            bonuses = tx.conn.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(bonus.c.amount_cents), 0)).where(bonus.c.worker_id == worker_id)
            )
            recent = self._days(tx, worker_id, days)
        done = [sums[state] for state in ("Submitted", "Approved", "Rejected") if state in sums]
        milliseconds = sum(int(row["ms"] or 0) for row in done)
        approved, extra = _cents(sums, "Approved"), to_decimal(int(bonuses or 0))
        return Earnings(
            submitted=sum(row["count"] for row in done),
            approved=_number(sums, "Approved"),
            rejected=_number(sums, "Rejected"),
            pending=_number(sums, "Submitted"),
            returned=_number(sums, "Returned"),
            approved_pay=approved,
            bonuses=extra,
            pending_pay=_cents(sums, "Submitted"),
            seconds=milliseconds // 1000,
            hourly=hourly(int((approved + extra) * 100), milliseconds),
            days=recent,
        )

    def _days(self, tx: Tx, worker_id: str, days: int) -> tuple[DayEarnings, ...]:
        found = rows(
            tx,
            sa.select(assignment.c.submitted_at, assignment.c.state, assignment.c.reward_cents, _BONUS.label("extra"))
            .where(
                assignment.c.worker_id == worker_id,
                assignment.c.submitted_at > tx.now - days * _DAY_MS,
                assignment.c.state.in_(("Submitted", "Approved", "Rejected")),
            )
            .order_by(assignment.c.submitted_at.desc()),
        )
        by_day: dict[str, list[Row]] = {}
        for row in found:
            by_day.setdefault(from_ms(row["submitted_at"]).strftime("%Y-%m-%d"), []).append(row)
        return tuple(_day(day, items) for day, items in by_day.items())

    def messages(self, worker_id: str) -> tuple[Message, ...]:
        """The inbox, newest first, at most 200."""
        with self._store.read() as tx:
            found = rows(
                tx,
                sa.select(message).where(message.c.worker_id == worker_id).order_by(message.c.seq.desc()).limit(200),
            )
        return tuple(
            Message(
                row["id"],
                row["sender"],
                row["subject"],
                row["text"],
                from_ms(row["sent_at"]),
                row["read_at"] is not None,
            )
            for row in found
        )

    def mark_read(self, worker_id: str, message_id: str) -> None:
        """Mark a message as read."""
        with self._store.write() as tx:
            tx.conn.execute(
                message.update()
                .where(message.c.id == message_id, message.c.worker_id == worker_id, message.c.read_at.is_(None))
                .values(read_at=tx.now)
            )


def _sums(worker_id: str) -> sa.Select[Any]:
    return (
        sa.select(
            assignment.c.state,
            sa.func.count().label("count"),
            sa.func.sum(assignment.c.reward_cents).label("cents"),
            sa.func.sum(assignment.c.submitted_at - assignment.c.accepted_at).label("ms"),
        )
        .where(assignment.c.worker_id == worker_id)
        .group_by(assignment.c.state)
    )


def _number(sums: dict[str, Row], state: str) -> int:
    return int(sums[state]["count"]) if state in sums else 0


def _cents(sums: dict[str, Row], state: str) -> Decimal:
    return to_decimal(int(sums[state]["cents"])) if state in sums else Decimal("0.00")


def _day(day: str, items: list[Row]) -> DayEarnings:
    approved = [row for row in items if row["state"] == "Approved"]
    pay = sum(row["reward_cents"] for row in approved) + sum(int(row["extra"]) for row in items)
    pending = sum(row["reward_cents"] for row in items if row["state"] == "Submitted")
    return DayEarnings(day, len(items), len(approved), to_decimal(pay), to_decimal(pending))
