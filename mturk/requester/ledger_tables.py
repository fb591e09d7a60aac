"""The ledger's tables: batches, HITs, assignments and payments, each row with the market's `state_key`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

__all__ = ["assignment", "batch", "hit", "metadata", "payment"]

metadata = sa.MetaData()


class _Money(sa.TypeDecorator[Decimal]):
    """Decimal kept as text: SQLite has no exact numbers."""

    impl = sa.String(20)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class _Instant(sa.TypeDecorator[datetime]):
    """Aware UTC in and out."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


batch = sa.Table(
    "batch",
    metadata,
    sa.Column("state_key", sa.String(255), primary_key=True),
    sa.Column("batch_key", sa.String(100), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("keywords", sa.Text, nullable=False),
    sa.Column("reward", _Money, nullable=False),
    sa.Column("max_assignments", sa.Integer, nullable=False),
    sa.Column("lifetime_seconds", sa.Integer, nullable=False),
    sa.Column("duration_seconds", sa.Integer, nullable=False),
    sa.Column("auto_approval_seconds", sa.Integer, nullable=False),
    sa.Column("budget", _Money),
    sa.Column("price", _Money, nullable=False),
    sa.Column("created_at", _Instant, nullable=False),
    sa.Column("cancelled_at", _Instant),
)
hit = sa.Table(
    "hit",
    metadata,
    sa.Column("state_key", sa.String(255), primary_key=True),
    sa.Column("batch_key", sa.String(100), primary_key=True),
    sa.Column("hit_key", sa.String(100), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("question_digest", sa.String(64), nullable=False),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("annotation", sa.String(255), nullable=False),
    sa.Column("max_assignments", sa.Integer, nullable=False),
    # planned → intent (about to be sent) → published ⇄ ended (no answer can come any more) → disposed
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("intent_at", _Instant),
    sa.Column("published_at", _Instant),
    sa.Column("adopted", sa.Boolean, nullable=False, default=False),
    sa.Column("hit_id", sa.String(64)),
    sa.Column("hit_type_id", sa.String(64)),
    sa.Column("group_id", sa.String(64)),
    sa.Column("expires_at", _Instant),
    sa.ForeignKeyConstraint(["state_key", "batch_key"], ["batch.state_key", "batch.batch_key"]),
    sa.UniqueConstraint("state_key", "hit_id", name="hit_once"),
    sa.UniqueConstraint("state_key", "annotation", name="annotation_once"),
    # Whoever counts reads no question: each is up to 64 KB.
    sa.Index(
        "hit_counts",
        "batch_key",
        "state_key",
        "hit_key",
        "hit_id",
        "group_id",
        "status",
        "expires_at",
        "max_assignments",
    ),
)
assignment = sa.Table(
    "assignment",
    metadata,
    sa.Column("state_key", sa.String(255), primary_key=True),
    sa.Column("assignment_id", sa.String(64), primary_key=True),
    sa.Column("batch_key", sa.String(100), nullable=False),
    sa.Column("hit_key", sa.String(100), nullable=False),
    sa.Column("hit_id", sa.String(64), nullable=False),
    sa.Column("worker_id", sa.String(64), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("answer_xml", sa.Text, nullable=False),
    sa.Column("accepted_at", _Instant, nullable=False),
    sa.Column("submitted_at", _Instant, nullable=False),
    sa.Column("auto_approval_at", _Instant),
    sa.Column("collected_at", _Instant, nullable=False),
    sa.Column("feedback", sa.Text, nullable=False, default=""),
    sa.ForeignKeyConstraint(["state_key", "batch_key", "hit_key"], ["hit.state_key", "hit.batch_key", "hit.hit_key"]),
    sa.Index("assignment_by_hit", "state_key", "batch_key", "hit_key"),
    sa.Index("assignment_counts", "state_key", "batch_key", "hit_key", "status"),
)
payment = sa.Table(
    "payment",
    metadata,
    sa.Column("state_key", sa.String(255), primary_key=True),
    # approve:<assignment>, reject:<assignment>, override:<assignment>, bonus:<assignment>:<key>
    sa.Column("payment_key", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("batch_key", sa.String(100), nullable=False),
    sa.Column("assignment_id", sa.String(64), nullable=False),
    sa.Column("worker_id", sa.String(64), nullable=False),
    sa.Column("amount", _Money, nullable=False),
    sa.Column("fee", _Money, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("token", sa.String(64), nullable=False),
    # intent → done
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("intent_at", _Instant, nullable=False),
    sa.Column("done_at", _Instant),
    sa.ForeignKeyConstraint(["state_key", "assignment_id"], ["assignment.state_key", "assignment.assignment_id"]),
    sa.Index("payment_sums", "status", "state_key", "batch_key", "kind", "amount", "fee"),
    sa.Index("payment_by_worker", "status", "worker_id", "amount"),
)
