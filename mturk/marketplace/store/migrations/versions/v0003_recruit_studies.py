"""Studies, entries and payments of people recruited from a panel, and where each worker came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _word(name: str, length: int, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), server_default="" if empty else None, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _stamp(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.add_column("worker", _word("source", 64, empty=True))
    op.add_column("assignment", sa.Column("entry_seq", _SEQ, nullable=True))
    op.create_index("ix_assignment_entry", "assignment", ["entry_seq"], unique=False)
    op.create_table(
        "recruit_study",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        _word("key", 64),
        _word("source", 64),
        _word("panel_id", 64, empty=True),
        _word("status", 16),
        sa.Column("terms", sa.Text(), server_default="", nullable=False),
        _stamp("created_at"),
        _stamp("panel_at", nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recruit_study")),
        sa.UniqueConstraint("key", name=op.f("uq_recruit_study_key")),
    )
    op.create_index(op.f("ix_recruit_study_panel_id"), "recruit_study", ["panel_id"], unique=False)
    op.create_table(
        "recruit_entry",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        _word("study_key", 64),
        _word("participant", 128),
        _word("session", 128),
        _word("worker_id", 64),
        _word("group_id", 64, empty=True),
        _word("state", 16),
        sa.Column("outcome", sa.String(16), nullable=True),
        _word("code", 32, empty=True),
        _stamp("landed_at"),
        _stamp("consented_at"),
        _stamp("finished_at", nullable=True),
        _stamp("redeemed_at", nullable=True),
        _word("panel_state", 32, empty=True),
        _stamp("panel_at", nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recruit_entry")),
    )
    for name in ("session", "worker_id"):
        op.create_index(op.f(f"ix_recruit_entry_{name}"), "recruit_entry", [name], unique=False)
    op.create_index("uq_recruit_entry_person", "recruit_entry", ["study_key", "participant"], unique=True)
    op.create_index("uq_recruit_entry_session", "recruit_entry", ["study_key", "session"], unique=True)
    op.create_table(
        "recruit_payment",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        _word("study_key", 64),
        sa.Column("entry_seq", _SEQ, nullable=False),
        _word("kind", 16),
        _count("amount_cents"),
        _count("fee_cents"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        _word("ref", 64, empty=True),
        _word("status", 16),
        _stamp("intent_at"),
        _stamp("paying_at", nullable=True),
        _stamp("done_at", nullable=True),
        _count("pay_list"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recruit_payment")),
    )
    op.create_index(op.f("ix_recruit_payment_study_key"), "recruit_payment", ["study_key"], unique=False)
    op.create_index("uq_recruit_payment_once", "recruit_payment", ["entry_seq", "kind"], unique=True)
    op.create_table(
        "recruit_event",
        _word("event_id", 128),
        _word("kind", 64),
        _stamp("at"),
        _stamp("received_at"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_recruit_event")),
    )


def downgrade() -> None:
    for name in ("recruit_event", "recruit_payment", "recruit_entry", "recruit_study"):
        op.drop_table(name)
    op.drop_index("ix_assignment_entry", table_name="assignment")
    op.drop_column("assignment", "entry_seq")
    op.drop_column("worker", "source")
