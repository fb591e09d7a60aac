"""The tables of studies that recruit: who landed, what is owed, what the panel said. Times and money as in `tables`."""

from __future__ import annotations

import sqlalchemy as sa

from .columns import SEQ, count, metadata, seq, stamp, text

__all__ = ["recruit_entry", "recruit_event", "recruit_payment", "recruit_study"]

recruit_study = sa.Table(
    "recruit_study",
    metadata,
    seq(),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("panel_id", sa.String(64), nullable=False, server_default="", index=True),
    sa.Column("status", sa.String(16), nullable=False),
    # The terms as JSON: written once, never changed, so that everybody who landed agreed to the same.
    text("terms"),
    stamp("created_at"),
    stamp("panel_at", nullable=True),
)

recruit_entry = sa.Table(
    "recruit_entry",
    metadata,
    seq(),
    sa.Column("study_key", sa.String(64), nullable=False),
    sa.Column("participant", sa.String(128), nullable=False),
    sa.Column("session", sa.String(128), nullable=False, index=True),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    sa.Column("group_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=True),
    sa.Column("code", sa.String(32), nullable=False, server_default=""),
    stamp("landed_at"),
    stamp("consented_at"),
    stamp("finished_at", nullable=True),
    stamp("redeemed_at", nullable=True),
    sa.Column("panel_state", sa.String(32), nullable=False, server_default=""),
    stamp("panel_at", nullable=True),
    sa.Index("uq_recruit_entry_person", "study_key", "participant", unique=True),
    sa.Index("uq_recruit_entry_session", "study_key", "session", unique=True),
)

recruit_payment = sa.Table(
    "recruit_payment",
    metadata,
    seq(),
    sa.Column("study_key", sa.String(64), nullable=False, index=True),
    sa.Column("entry_seq", SEQ, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    count("amount_cents"),
    count("fee_cents"),
    text("reason"),
    sa.Column("ref", sa.String(64), nullable=False, server_default=""),
    # intent → paying (may have been sent) → done
    sa.Column("status", sa.String(16), nullable=False),
    stamp("intent_at"),
    stamp("paying_at", nullable=True),
    stamp("done_at", nullable=True),
    count("pay_list"),
    # One reward, one top-up, one refusal for a person, whatever is run again.
    sa.Index("uq_recruit_payment_once", "entry_seq", "kind", unique=True),
)

recruit_event = sa.Table(
    "recruit_event",
    metadata,
    sa.Column("event_id", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    stamp("at"),
    stamp("received_at"),
)
