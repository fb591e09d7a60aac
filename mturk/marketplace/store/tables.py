"""The tables. Times are milliseconds since 1970 (UTC), money is whole cents, JSON is text.

`seq` columns give the order of arrival and are what page cursors remember: writers are serialised (see `database`), so
a larger `seq` never becomes visible before a smaller one.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "HOLDING",
    "access_key",
    "assignment",
    "bonus",
    "hit",
    "hit_type",
    "hit_type_requirement",
    "invite",
    "late_submission",
    "layout",
    "ledger",
    "message",
    "metadata",
    "notification_spec",
    "outbox",
    "qualification",
    "qualification_request",
    "qualification_type",
    "recruit_entry",
    "recruit_event",
    "recruit_payment",
    "recruit_study",
    "request_token",
    "requester",
    "review_action",
    "review_result",
    "session",
    "sign_in_failure",
    "worker",
    "worker_block",
]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HOLDING = ("Accepted", "Submitted", "Approved", "Rejected")
"""Assignment states in which a worker has had their one assignment of a HIT."""


def _seq() -> sa.Column[int]:
    return sa.Column("seq", _SEQ, primary_key=True, autoincrement=True)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(64), nullable=False, unique=True)


def _stamp(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _ref(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=True)


requester = sa.Table(
    "requester",
    metadata,
    _seq(),
    _id(),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    _stamp("created_at"),
    _stamp("revoked_at", nullable=True),
    _count("balance_cents"),
    _count("hold_cents"),
    _count("approved"),
    _count("rejected"),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("access_key", sa.String(64), primary_key=True),
    _ref("requester_id"),
    sa.Column("secret", sa.String(128), nullable=False),
    _stamp("created_at"),
    _stamp("revoked_at", nullable=True),
)

hit_type = sa.Table(
    "hit_type",
    metadata,
    _seq(),
    _id(),
    sa.Column("group_id", sa.String(64), nullable=False, unique=True),
    _ref("requester_id"),
    sa.Column("key_hash", sa.String(64), nullable=False),
    _text("title"),
    _text("description"),
    _text("keywords"),
    _count("reward_cents"),
    _count("duration_s"),
    _count("auto_approval_s"),
    _text("requirements"),
    _stamp("created_at"),
    # What the worker's list shows and sorts by, kept by the transactions that change it: counting the open HITs of
    # every group for every look took seconds at some ten thousand of them.
    _count("open_hits"),
    _count("newest_at"),
    _count("last_at"),
    _stamp("median_ms", nullable=True),
    _text("words"),
    sa.UniqueConstraint("requester_id", "key_hash"),
    sa.Index("ix_hit_type_open", "open_hits"),
)

hit_type_requirement = sa.Table(
    "hit_type_requirement",
    metadata,
    sa.Column("hit_type_id", sa.String(64), primary_key=True),
    sa.Column("qualification_type_id", sa.String(64), primary_key=True, index=True),
)

notification_spec = sa.Table(
    "notification_spec",
    metadata,
    sa.Column("hit_type_id", sa.String(64), primary_key=True),
    _text("destination"),
    sa.Column("transport", sa.String(16), nullable=False),
    _text("event_types"),
    _flag("active"),
)

hit = sa.Table(
    "hit",
    metadata,
    _seq(),
    _id(),
    _ref("requester_id"),
    _ref("type_id"),
    _text("question"),
    _ref("layout_id", nullable=True),
    _maybe("annotation"),
    _count("max_assignments"),
    _stamp("created_at"),
    _stamp("expires_at"),
    sa.Column("status", sa.String(16), nullable=False),
    _flag("reviewing"),
    _count("held"),
    _count("submitted"),
    _count("approved"),
    _count("rejected"),
    _flag("touched"),
    _flag("expiry_noted"),
    _count("fee_cents"),
    _count("hold_cents"),
    _stamp("reviewable_at", nullable=True),
    _stamp("disposed_at", nullable=True),
    _maybe("assignment_policy"),
    _maybe("hit_policy"),
    sa.Index("ix_hit_list", "requester_id", "seq"),
    sa.Index("ix_hit_owner", "requester_id", "status", "seq"),
    sa.Index("ix_hit_open", "type_id", "status", "seq"),
    sa.Index("ix_hit_expiry", "expiry_noted", "expires_at"),
    sa.Index("ix_hit_disposal", "status", "reviewable_at"),
)

assignment = sa.Table(
    "assignment",
    metadata,
    _seq(),
    _id(),
    _ref("hit_id"),
    _ref("type_id"),
    _ref("requester_id"),
    _ref("worker_id"),
    sa.Column("state", sa.String(16), nullable=False),
    _stamp("accepted_at"),
    _stamp("deadline"),
    _stamp("submitted_at", nullable=True),
    _stamp("auto_approve_at", nullable=True),
    _stamp("approved_at", nullable=True),
    _stamp("rejected_at", nullable=True),
    _stamp("ended_at", nullable=True),
    _count("reward_cents"),
    _count("fee_cents"),
    _maybe("answer"),
    _maybe("feedback"),
    _maybe("draft"),
    _stamp("draft_at", nullable=True),
    _maybe("appeal"),
    _stamp("appeal_at", nullable=True),
    # Who decided the appeal, never who rejected, and the answer to the worker.
    sa.Column("appeal_by", sa.String(128), nullable=True),
    _maybe("appeal_answer"),
    _stamp("appeal_decided_at", nullable=True),
    # The entry into a study under which a recruited worker took it.
    sa.Column("entry_seq", _SEQ, nullable=True),
    sa.Index("ix_assignment_entry", "entry_seq"),
    sa.Index("ix_assignment_hit", "hit_id", "state", "submitted_at"),
    sa.Index("ix_assignment_worker", "worker_id", "state", "seq"),
    sa.Index("ix_assignment_type", "type_id", "submitted_at"),
    sa.Index("ix_assignment_deadline", "state", "deadline"),
    sa.Index("ix_assignment_auto", "state", "auto_approve_at"),
    # One worker has one assignment of a HIT; what was returned or abandoned may be taken again.
    sa.Index(
        "uq_assignment_once",
        "hit_id",
        "worker_id",
        unique=True,
        sqlite_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
        postgresql_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
    ),
)

late_submission = sa.Table(
    "late_submission",
    metadata,
    _seq(),
    _ref("assignment_id"),
    _ref("worker_id"),
    _stamp("at"),
    _text("fields"),
)

bonus = sa.Table(
    "bonus",
    metadata,
    _seq(),
    _ref("requester_id"),
    _ref("worker_id"),
    sa.Column("assignment_id", sa.String(64), nullable=False, index=True),
    sa.Column("hit_id", sa.String(64), nullable=False, index=True),
    _count("amount_cents"),
    _count("fee_cents"),
    _text("reason"),
    _stamp("granted_at"),
    sa.Index("ix_bonus_worker", "worker_id", "granted_at"),
)

ledger = sa.Table(
    "ledger",
    metadata,
    _seq(),
    _ref("requester_id"),
    _stamp("at"),
    sa.Column("kind", sa.String(16), nullable=False),
    _count("cents"),
    _ref("assignment_id", nullable=True),
    sa.Index("ix_ledger_requester", "requester_id", "seq"),
)

request_token = sa.Table(
    "request_token",
    metadata,
    sa.Column("requester_id", sa.String(64), primary_key=True),
    sa.Column("operation", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(64), primary_key=True),
    _ref("object_id"),
    sa.Column("request_id", sa.String(64), nullable=False),
    _stamp("created_at"),
)

layout = sa.Table(
    "layout",
    metadata,
    _seq(),
    _id(),
    _ref("requester_id"),
    _text("name"),
    _text("html"),
    _stamp("created_at"),
)

worker = sa.Table(
    "worker",
    metadata,
    _seq(),
    _id(),
    sa.Column("name", sa.String(64), nullable=True),
    sa.Column("name_key", sa.String(64), nullable=True, unique=True),
    _text("password"),
    _text("country"),
    _text("subdivision"),
    _flag("masters"),
    _flag("adult"),
    # Where the worker came from: "" by invite, else the name of the panel or class, which keeps them apart.
    sa.Column("source", sa.String(64), nullable=False, server_default=""),
    _stamp("joined_at"),
    _stamp("left_at", nullable=True),
    _count("submitted"),
    _count("approved"),
    _count("rejected"),
    _count("returned"),
    _count("abandoned"),
)

invite = sa.Table(
    "invite",
    metadata,
    _seq(),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    _text("note"),
    _stamp("created_at"),
    _stamp("expires_at"),
    _count("uses_left"),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    _stamp("created_at"),
    _stamp("expires_at"),
)

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    _seq(),
    sa.Column("subject", sa.String(160), nullable=False),
    _stamp("at"),
    sa.Index("ix_sign_in_failure", "subject", "at"),
)

message = sa.Table(
    "message",
    metadata,
    _seq(),
    _id(),
    _ref("worker_id"),
    _text("sender"),
    _text("subject"),
    _text("text"),
    _stamp("sent_at"),
    _stamp("read_at", nullable=True),
    sa.Index("ix_message_worker", "worker_id", "seq"),
)

worker_block = sa.Table(
    "worker_block",
    metadata,
    _seq(),
    _ref("requester_id"),
    sa.Column("worker_id", sa.String(64), nullable=False),
    _text("reason"),
    _stamp("created_at"),
    sa.UniqueConstraint("requester_id", "worker_id"),
)

qualification_type = sa.Table(
    "qualification_type",
    metadata,
    _seq(),
    _id(),
    sa.Column("requester_id", sa.String(64), nullable=False, index=True),
    _text("name"),
    _text("keywords"),
    _text("description"),
    sa.Column("status", sa.String(16), nullable=False),
    _maybe("test"),
    _maybe("answer_key"),
    _stamp("test_duration_s", nullable=True),
    _stamp("retry_delay_s", nullable=True),
    _flag("auto_granted"),
    _stamp("auto_granted_value", nullable=True),
    _stamp("created_at"),
    _stamp("deleted_at", nullable=True),
)

qualification = sa.Table(
    "qualification",
    metadata,
    _seq(),
    _ref("type_id"),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    sa.Column("value", sa.BigInteger(), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    _stamp("granted_at"),
    _text("reason"),
    sa.UniqueConstraint("type_id", "worker_id", name="uq_qualification_holder"),
)

qualification_request = sa.Table(
    "qualification_request",
    metadata,
    _seq(),
    _id(),
    sa.Column("type_id", sa.String(64), nullable=False, index=True),
    _ref("requester_id"),
    _ref("worker_id"),
    sa.Column("state", sa.String(16), nullable=False),
    _maybe("answer"),
    _stamp("begun_at"),
    _stamp("due_at", nullable=True),
    _stamp("submitted_at", nullable=True),
    _text("reason"),
    sa.Index("ix_qualification_request_worker", "worker_id", "type_id", "seq"),
)

review_result = sa.Table(
    "review_result",
    metadata,
    _seq(),
    _ref("hit_id"),
    sa.Column("level", sa.String(16), nullable=False),
    _ref("action_id"),
    _ref("subject_id"),
    sa.Column("subject_type", sa.String(16), nullable=False),
    _maybe("question_id"),
    sa.Column("key", sa.String(64), nullable=False),
    _text("value"),
    sa.Index("ix_review_result_hit", "hit_id", "level", "seq"),
    sa.Index("ix_review_result_subject", "subject_id", "key"),
)

review_action = sa.Table(
    "review_action",
    metadata,
    _seq(),
    _id(),
    _ref("hit_id"),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    _ref("target_id"),
    sa.Column("target_type", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    _stamp("completed_at", nullable=True),
    _text("result"),
    _text("error_code"),
    sa.Index("ix_review_action_hit", "hit_id", "level", "seq"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _seq(),
    _id(),
    _ref("requester_id"),
    _ref("hit_type_id"),
    _text("destination"),
    sa.Column("transport", sa.String(16), nullable=False),
    _text("body"),
    _stamp("created_at"),
    sa.Column("state", sa.String(16), nullable=False),
    _count("attempts"),
    _stamp("next_at"),
    _text("last_error"),
    sa.Index("ix_outbox_due", "state", "next_at"),
)

recruit_study = sa.Table(
    "recruit_study",
    metadata,
    _seq(),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("panel_id", sa.String(64), nullable=False, server_default="", index=True),
    sa.Column("status", sa.String(16), nullable=False),
    # The terms as JSON: written once, never changed, so that everybody who landed agreed to the same.
    _text("terms"),
    _stamp("created_at"),
    _stamp("panel_at", nullable=True),
)

recruit_entry = sa.Table(
    "recruit_entry",
    metadata,
    _seq(),
    sa.Column("study_key", sa.String(64), nullable=False),
    sa.Column("participant", sa.String(128), nullable=False),
    sa.Column("session", sa.String(128), nullable=False, index=True),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    sa.Column("group_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=True),
    sa.Column("code", sa.String(32), nullable=False, server_default=""),
    _stamp("landed_at"),
    _stamp("consented_at"),
    _stamp("finished_at", nullable=True),
    _stamp("redeemed_at", nullable=True),
    sa.Column("panel_state", sa.String(32), nullable=False, server_default=""),
    _stamp("panel_at", nullable=True),
    sa.Index("uq_recruit_entry_person", "study_key", "participant", unique=True),
    sa.Index("uq_recruit_entry_session", "study_key", "session", unique=True),
)

recruit_payment = sa.Table(
    "recruit_payment",
    metadata,
    _seq(),
    sa.Column("study_key", sa.String(64), nullable=False, index=True),
    sa.Column("entry_seq", _SEQ, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    _count("amount_cents"),
    _count("fee_cents"),
    _text("reason"),
    sa.Column("ref", sa.String(64), nullable=False, server_default=""),
    # intent → paying (may have been sent) → done
    sa.Column("status", sa.String(16), nullable=False),
    _stamp("intent_at"),
    _stamp("paying_at", nullable=True),
    _stamp("done_at", nullable=True),
    _count("pay_list"),
    # One reward, one top-up, one refusal for a person, whatever is run again.
    sa.Index("uq_recruit_payment_once", "entry_seq", "kind", unique=True),
)

recruit_event = sa.Table(
    "recruit_event",
    metadata,
    sa.Column("event_id", sa.String(128), primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    _stamp("at"),
    _stamp("received_at"),
)
