"""What was meant, what was sent, what came back: every question to the ledger's tables, and every change of them.

The intent is committed before each call, the result after it. Every row carries the market's `state_key`; a ledger
read for one market never sees another's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from .client import AssignmentInfo, HitInfo
from .ledger_tables import assignment, batch, hit, metadata, payment
from .progress import BatchProgress, BatchSum, HitProgress, Paid
from .questions import question_digest

__all__ = ["STANDING", "Ledger", "Row"]

Row = sa.RowMapping
STANDING = ("published", "ended")
"""Statuses of a HIT that stands at the market."""


_PLACE = ("state_key", "batch_key", "hit_key", "hit_id", "group_id", "status", "expires_at", "max_assignments")


def _total(counted: sa.ColumnElement[int]) -> sa.Cast[int]:
    """A sum of whole numbers as one: PostgreSQL's would be a decimal."""
    return sa.cast(sa.func.sum(counted), sa.BigInteger)


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The tables of one workspace. Each method is one committed transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        alone = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._reads = engine.execution_options(**alone)  # a round trip where BEGIN and its end make three

    def create_tables(self) -> None:
        """Make the tables where they are missing (a workspace's own migration does it otherwise)."""
        metadata.create_all(self.engine)

    # -- publishing -------------------------------------------------------------------------------------------

    def plan(self, batch_row: Mapping[str, Any], hit_rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a batch and all its HITs as planned, at once or not at all."""
        with self.engine.begin() as db:
            db.execute(batch.insert(), {**batch_row, "created_at": _now()})
            db.execute(hit.insert(), [{**row, "status": "planned", "adopted": False} for row in hit_rows])

    def mark_intent(self, state_key: str, batch_key: str, hit_key: str, question: str, digest: str) -> None:
        """From here on the HIT may exist at the market, with this question."""
        self._update_hit(
            state_key,
            batch_key,
            hit_key,
            status="intent",
            intent_at=_now(),
            question=question,
            question_digest=digest,
        )

    def mark_published(
        self, state_key: str, batch_key: str, hit_key: str, info: HitInfo, *, adopted: bool = False
    ) -> None:
        """The HIT exists at the market under this id; an adopted one with the question that the market shows."""
        seen: dict[str, Any] = {}
        if adopted and info.question_xml:
            seen = {"question": info.question_xml, "question_digest": question_digest(info.question_xml)}
        self._update_hit(
            state_key,
            batch_key,
            hit_key,
            status="published",
            published_at=_now(),
            adopted=adopted,
            hit_id=info.hit_id,
            hit_type_id=info.hit_type_id,
            group_id=info.group_id,
            expires_at=info.expires_at,
            **seen,
        )

    def mark_disposed(self, state_key: str, batch_key: str, hit_key: str) -> None:
        """The HIT is gone from the market (deleted by us, or after its 120 days)."""
        self._update_hit(state_key, batch_key, hit_key, status="disposed")

    def note_end(
        self, state_key: str, batch_key: str, hit_key: str, at: datetime | None, *, ended: bool = False
    ) -> None:
        """When the HIT ends, as the market says now; `ended`: no answer can come any more, whenever that is."""
        self._update_hit(state_key, batch_key, hit_key, expires_at=at, status="ended" if ended else "published")

    def note_places(self, state_key: str, batch_key: str, hit_key: str, places: int) -> None:
        """How many workers the HIT asks for now."""
        self._update_hit(state_key, batch_key, hit_key, max_assignments=places)

    def extend_batch(self, state_key: str, batch_key: str, assignments: int, price: Decimal) -> None:
        """From here on the batch may have so many places a HIT, at this price."""
        with self.engine.begin() as db:
            db.execute(
                batch.update()
                .where(batch.c.state_key == state_key, batch.c.batch_key == batch_key)
                .values(max_assignments=assignments, price=price)
            )

    def mark_cancelled(self, state_key: str, batch_key: str) -> None:
        """The batch is being taken back: nothing more of it is sent."""
        with self.engine.begin() as db:
            db.execute(
                batch.update()
                .where(batch.c.state_key == state_key, batch.c.batch_key == batch_key)
                .where(batch.c.cancelled_at.is_(None))
                .values(cancelled_at=_now())
            )

    def _update_hit(self, state_key: str, batch_key: str, hit_key: str, **values: Any) -> None:
        with self.engine.begin() as db:
            db.execute(
                hit.update()
                .where(hit.c.state_key == state_key, hit.c.batch_key == batch_key, hit.c.hit_key == hit_key)
                .values(**values)
            )

    # -- reading ----------------------------------------------------------------------------------------------

    def batch(self, state_key: str, batch_key: str) -> Row | None:
        rows = self._rows(sa.select(batch).where(batch.c.state_key == state_key, batch.c.batch_key == batch_key))
        return rows[0] if rows else None

    def batches(self, state_key: str | None = None) -> list[Row]:
        """The batches of one market (None: of all), oldest first."""
        query = sa.select(batch).order_by(batch.c.created_at, batch.c.batch_key)
        return self._rows(query if state_key is None else query.where(batch.c.state_key == state_key))

    def hits(self, state_key: str, batch_keys: Iterable[str] | None = None, *, questions: bool = False) -> list[Row]:
        """The HITs of these batches (None: of all batches of the market), in the order in which they are sent.

        Without their `question`, up to 64 KB each, unless `questions`.
        """
        columns = [column for column in hit.c if questions or column is not hit.c.question]
        query = sa.select(*columns).where(hit.c.state_key == state_key)
        if batch_keys is not None:
            query = query.where(hit.c.batch_key.in_(list(batch_keys)))
        return self._rows(query.order_by(hit.c.batch_key, hit.c.position))

    def hit(self, state_key: str, batch_key: str, hit_key: str) -> Row:
        """One HIT with its question, as workers see it."""
        (row,) = self._rows(
            sa.select(hit).where(hit.c.state_key == state_key, hit.c.batch_key == batch_key, hit.c.hit_key == hit_key)
        )
        return row

    def progress(self, state_key: str | None = None, batch_keys: Iterable[str] | None = None) -> list[HitProgress]:
        """How far each HIT is, counted by the database; in the order of `hits`. `state_key` None: of all markets."""
        answers = sa.and_(*(assignment.c[name] == hit.c[name] for name in ("state_key", "batch_key", "hit_key")))
        counts = [
            sa.func.count(assignment.c.assignment_id),
            *(sa.func.count(sa.case((assignment.c.status == name, 1))) for name in ("Approved", "Rejected")),
        ]
        query = (
            sa.select(*(hit.c[name] for name in _PLACE), *counts)
            .select_from(hit.outerjoin(assignment, answers))
            .group_by(hit.c.state_key, hit.c.batch_key, hit.c.hit_key)
            .order_by(hit.c.batch_key, hit.c.position)
        )
        if state_key is not None:
            query = query.where(hit.c.state_key == state_key)
        if batch_keys is not None:
            query = query.where(hit.c.batch_key.in_(list(batch_keys)))
        with self._reads.connect() as db:
            return [HitProgress(*row) for row in db.execute(query)]

    def sums(self, state_key: str | None = None, *, now: datetime | None = None) -> list[BatchSum]:
        """How far each batch is, summed by the database: of a market, or of all. `now` says which time is over."""
        durations = self._durations()
        over = sa.case(
            {seconds: (now or _now()) - timedelta(seconds=seconds) for seconds in durations or [0]},
            value=batch.c.duration_seconds,
        )
        answered = (
            sa.select(
                *(assignment.c[name] for name in ("state_key", "batch_key", "hit_key")),
                sa.func.count().label("answers"),
                *(
                    sa.func.count(sa.case((assignment.c.status == name, 1))).label(name)
                    for name in ("Approved", "Rejected")
                ),
            )
            .group_by(assignment.c.state_key, assignment.c.batch_key, assignment.c.hit_key)
            .subquery()
        )
        came, rejected = (sa.func.coalesce(answered.c[name], 0) for name in ("answers", "Rejected"))
        open_ = sa.and_(
            hit.c.status.not_in(("disposed", "ended")),
            came < hit.c.max_assignments,
            sa.or_(hit.c.expires_at.is_(None), hit.c.expires_at > over),
        )
        here = [answered.c[name] == hit.c[name] for name in ("state_key", "batch_key", "hit_key")]
        owner = [batch.c[name] == hit.c[name] for name in ("state_key", "batch_key")]
        query = (
            sa.select(
                hit.c.state_key,
                hit.c.batch_key,
                sa.func.count(),
                sa.func.count(hit.c.hit_id),
                _total(hit.c.max_assignments),
                _total(came),
                _total(sa.func.coalesce(answered.c.Approved, 0)),
                _total(rejected),
                sa.func.min(hit.c.group_id),
                _total(sa.case((open_, hit.c.max_assignments), else_=came - rejected)),
            )
            .select_from(hit.join(batch, sa.and_(*owner)).outerjoin(answered, sa.and_(*here)))
            .group_by(hit.c.state_key, hit.c.batch_key)
        )
        if state_key is not None:
            query = query.where(hit.c.state_key == state_key)
        with self._reads.connect() as db:
            return [BatchSum(row[0], BatchProgress(*row[1:9]), row[9]) for row in db.execute(query)]

    def _durations(self) -> list[int]:
        """For how long workers may hold HITs, over all batches."""
        with self._reads.connect() as db:
            return list(db.execute(sa.select(batch.c.duration_seconds).distinct()).scalars())

    def count_answers(self) -> int:
        """How many answers were collected on any market."""
        with self._reads.connect() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(assignment)).scalar_one())

    def paid(self, state_key: str | None = None) -> list[Paid]:
        """What was paid on a market, or on all, summed by the database: alike payments of a batch are one row."""
        columns = [payment.c[name] for name in ("state_key", "batch_key", "kind", "amount", "fee")]
        query = sa.select(*columns, sa.func.count()).where(payment.c.status == "done").group_by(*columns)
        if state_key is not None:
            query = query.where(payment.c.state_key == state_key)
        with self._reads.connect() as db:
            rows = db.execute(query).all()
        return [Paid(*tuple(row)) for row in rows]

    def earned(self) -> list[tuple[str, Decimal, int]]:
        """(worker, amount, how often it was paid) on all markets."""
        columns = payment.c.worker_id, payment.c.amount
        query = sa.select(*columns, sa.func.count()).where(payment.c.status == "done").group_by(*columns)
        with self._reads.connect() as db:
            return [(worker, amount, count) for worker, amount, count in db.execute(query)]

    def working_times(self) -> list[tuple[str, str, float]]:
        """(batch, worker, seconds from accept to submit) of every answer on any market."""
        columns = (assignment.c[name] for name in ("batch_key", "worker_id", "accepted_at", "submitted_at"))
        with self._reads.connect() as db:
            return [
                (key, who, (end - begun).total_seconds())
                for key, who, begun, end in db.execute(sa.select(*columns))
                if end > begun  # else the market's clock was set back between: nothing is known of the time
            ]

    def assignments(
        self,
        state_key: str,
        batch_keys: Iterable[str] | None = None,
        *,
        answers: bool = False,
        most: int | None = None,
    ) -> list[Row]:
        """What was collected, in the order of submission; with `most` what has no decision first, and no more.

        Without their `answer_xml`, unless `answers`: whoever counts uses `progress`.
        """
        columns = [column for column in assignment.c if answers or column is not assignment.c.answer_xml]
        query = sa.select(*columns).where(assignment.c.state_key == state_key)
        if batch_keys is not None:
            query = query.where(assignment.c.batch_key.in_(list(batch_keys)))
        if most is not None:
            query = query.order_by(sa.case((assignment.c.status == "Submitted", 0), else_=1)).limit(most)
        return self._rows(query.order_by(assignment.c.submitted_at, assignment.c.assignment_id))

    def undecided(self, state_key: str, batch_key: str) -> list[str]:
        """The assignments of a batch that were collected and neither approved nor rejected."""
        here = assignment.c.state_key == state_key, assignment.c.batch_key == batch_key
        query = sa.select(assignment.c.assignment_id).where(*here, assignment.c.status == "Submitted")
        with self._reads.connect() as db:
            return list(db.execute(query).scalars())

    def rejected(self) -> frozenset[str]:
        """The assignments of all markets that stand rejected."""
        with self._reads.connect() as db:
            query = sa.select(assignment.c.assignment_id).where(assignment.c.status == "Rejected")
            return frozenset(db.execute(query).scalars())

    def wanted_and_came(self) -> tuple[int, int]:
        """How many answers all HITs of all markets ask for, and how many were collected: no answer is matched."""
        wanted = sa.select(sa.func.coalesce(_total(hit.c.max_assignments), 0)).scalar_subquery()
        came = sa.select(sa.func.count()).select_from(assignment).scalar_subquery()
        with self._reads.connect() as db:
            return db.execute(sa.select(wanted, came)).one()._tuple()

    def assignment(self, state_key: str, assignment_id: str) -> Row | None:
        rows = self._rows(
            sa.select(assignment).where(
                assignment.c.state_key == state_key, assignment.c.assignment_id == assignment_id
            )
        )
        return rows[0] if rows else None

    def payments(self, state_key: str | None, batch_keys: Iterable[str] | None = None) -> list[Row]:
        """What was meant to be paid and what was, in the order of intent; of all markets where `state_key` is None."""
        query = sa.select(payment)
        if state_key is not None:
            query = query.where(payment.c.state_key == state_key)
        if batch_keys is not None:
            query = query.where(payment.c.batch_key.in_(list(batch_keys)))
        return self._rows(query.order_by(payment.c.intent_at, payment.c.payment_key))

    def payment(self, state_key: str, payment_key: str) -> Row | None:
        rows = self._rows(
            sa.select(payment).where(payment.c.state_key == state_key, payment.c.payment_key == payment_key)
        )
        return rows[0] if rows else None

    def _rows(self, query: sa.Select[Any]) -> list[Row]:
        with self._reads.connect() as db:
            return list(db.execute(query).mappings())

    # -- collecting and paying --------------------------------------------------------------------------------

    def keep_assignments(self, hit_row: Row, found: Sequence[AssignmentInfo]) -> int:
        """Keep what was submitted for a HIT; how many are new. An answer once kept is never overwritten."""
        state_key, new = hit_row["state_key"], 0
        ids = sa.select(assignment.c.assignment_id).where(
            assignment.c.state_key == state_key, assignment.c.hit_id == hit_row["hit_id"]
        )
        with self.engine.begin() as db:
            known = set(db.execute(ids).scalars())
            for info in found:
                state = {
                    "status": info.status,
                    "feedback": info.feedback,
                    "auto_approval_at": info.auto_approval_at,
                }
                if info.assignment_id in known:
                    db.execute(
                        assignment.update()
                        .where(assignment.c.state_key == state_key)
                        .where(assignment.c.assignment_id == info.assignment_id)
                        .values(**state)
                    )
                    continue
                new += 1
                values = {**state, **{key: hit_row[key] for key in ("batch_key", "hit_key", "hit_id")}}
                values |= {
                    "state_key": state_key,
                    "assignment_id": info.assignment_id,
                    "worker_id": info.worker_id,
                    "answer_xml": info.answer_xml,
                    "accepted_at": info.accepted_at,
                    "submitted_at": info.submitted_at,
                    "collected_at": _now(),
                }
                db.execute(assignment.insert(), values)
        return new

    def intend_payment(self, row: Mapping[str, Any]) -> Row:
        """Write the intent of a payment, or find the one that was written before."""
        existing = self.payment(row["state_key"], row["payment_key"])
        if existing is not None:
            return existing
        with self.engine.begin() as db:
            db.execute(payment.insert(), {**row, "status": "intent", "intent_at": _now()})
        written = self.payment(row["state_key"], row["payment_key"])
        assert written is not None
        return written

    def mark_paid(self, state_key: str, payment_key: str, *, assignment_status: str | None = None) -> None:
        """The payment is done; where it decided the assignment, its status changes in the same transaction."""
        with self.engine.begin() as db:
            row = db.execute(
                payment.update()
                .where(payment.c.state_key == state_key, payment.c.payment_key == payment_key)
                .values(status="done", done_at=_now())
                .returning(payment.c.assignment_id, payment.c.reason)
            ).one()
            if assignment_status is not None:
                db.execute(
                    assignment.update()
                    .where(assignment.c.state_key == state_key)
                    .where(assignment.c.assignment_id == row.assignment_id)
                    .values(status=assignment_status, feedback=row.reason)
                )

    def drop_intent(self, state_key: str, payment_key: str) -> None:
        """Forget an intent that the market refused for certain: nothing was paid."""
        with self.engine.begin() as db:
            db.execute(
                payment.delete().where(
                    payment.c.state_key == state_key,
                    payment.c.payment_key == payment_key,
                    payment.c.status == "intent",
                )
            )
