"""The tables. Times are milliseconds since 1970 (UTC), money is whole cents, JSON is text.

`seq` columns give the order of arrival and are what page cursors remember. Of what one requester or worker lists, a
larger `seq` never becomes visible before a smaller one: writers are serialised (see `database`), or, where they write
together, hold the requester (HITs) or the HIT (assignments, which are listed by the time that is taken then).
"""

from __future__ import annotations

import sqlalchemy as sa

from .columns import SEQ, count, flag, maybe_text, metadata, own_id, ref, seq, stamp, text

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
    "notification_spec",
    "outbox",
    "qualification",
    "qualification_request",
    "qualification_type",
    "request_token",
    "requester",
    "review_action",
    "review_result",
    "session",
    "sign_in_failure",
    "worker",
    "worker_block",
]

HOLDING = ("Accepted", "Submitted", "Approved", "Rejected")
"""Assignment states in which a worker has had their one assignment of a HIT."""

requester = sa.Table(
    "requester",
    metadata,
    seq(),
    own_id(),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    stamp("created_at"),
    stamp("revoked_at", nullable=True),
    count("balance_cents"),
    count("hold_cents"),
    count("approved"),
    count("rejected"),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("access_key", sa.String(64), primary_key=True),
    ref("requester_id"),
    sa.Column("secret", sa.String(128), nullable=False),
    stamp("created_at"),
    stamp("revoked_at", nullable=True),
)

KIND_COLUMNS = (
    "work_kind",
    "open_hits",
    "seq",
    "id",
    "requester_id",
    "reward_cents",
    "duration_s",
    "newest_at",
    "median_ms",
)
hit_type = sa.Table(
    "hit_type",
    metadata,
    seq(),
    own_id(),
    sa.Column("group_id", sa.String(64), nullable=False, unique=True),
    ref("requester_id"),
    sa.Column("key_hash", sa.String(64), nullable=False),
    text("title"),
    text("description"),
    text("keywords"),
    count("reward_cents"),
    count("duration_s"),
    count("auto_approval_s"),
    text("requirements"),
    stamp("created_at"),
    # What the worker's list shows and sorts by, kept by the transactions that change it: counting the open HITs of
    # every group for every look took seconds at some ten thousand of them.
    count("open_hits"),
    count("newest_at"),
    count("last_at"),
    stamp("median_ms", nullable=True),
    text("words"),
    # Types that are one kind of work to a worker, see rules.hittypes.HitTypeSpec.work_kind.
    sa.Column("work_kind", sa.String(32), nullable=False, server_default=""),
    sa.UniqueConstraint("requester_id", "key_hash"),
    sa.Index("ix_hit_type_open", "open_hits"),
    # All that the list of work is sorted by, so that a look reads no whole row but those that it shows.
    sa.Index("ix_hit_type_kind", *KIND_COLUMNS),
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
    text("destination"),
    sa.Column("transport", sa.String(16), nullable=False),
    text("event_types"),
    flag("active"),
)

hit = sa.Table(
    "hit",
    metadata,
    seq(),
    own_id(),
    ref("requester_id"),
    ref("type_id"),
    text("question"),
    ref("layout_id", nullable=True),
    maybe_text("annotation"),
    count("max_assignments"),
    stamp("created_at"),
    stamp("expires_at"),
    sa.Column("status", sa.String(16), nullable=False),
    flag("reviewing"),
    count("held"),
    count("submitted"),
    count("approved"),
    count("rejected"),
    flag("touched"),
    flag("expiry_noted"),
    count("fee_cents"),
    count("hold_cents"),
    stamp("reviewable_at", nullable=True),
    stamp("disposed_at", nullable=True),
    maybe_text("assignment_policy"),
    maybe_text("hit_policy"),
    sa.Index("ix_hit_list", "requester_id", "seq"),
    sa.Index("ix_hit_owner", "requester_id", "status", "seq"),
    sa.Index("ix_hit_open", "type_id", "status", "seq"),
    sa.Index("ix_hit_expiry", "expiry_noted", "expires_at"),
    sa.Index("ix_hit_disposal", "status", "reviewable_at"),
)

assignment = sa.Table(
    "assignment",
    metadata,
    seq(),
    own_id(),
    ref("hit_id"),
    ref("type_id"),
    ref("requester_id"),
    ref("worker_id"),
    sa.Column("state", sa.String(16), nullable=False),
    stamp("accepted_at"),
    stamp("deadline"),
    stamp("submitted_at", nullable=True),
    stamp("auto_approve_at", nullable=True),
    stamp("approved_at", nullable=True),
    stamp("rejected_at", nullable=True),
    stamp("ended_at", nullable=True),
    count("reward_cents"),
    count("fee_cents"),
    maybe_text("answer"),
    maybe_text("feedback"),
    maybe_text("draft"),
    stamp("draft_at", nullable=True),
    maybe_text("appeal"),
    stamp("appeal_at", nullable=True),
    # Who decided the appeal, never who rejected, and the answer to the worker.
    sa.Column("appeal_by", sa.String(128), nullable=True),
    maybe_text("appeal_answer"),
    stamp("appeal_decided_at", nullable=True),
    # The entry into a study under which a recruited worker took it.
    sa.Column("entry_seq", SEQ, nullable=True),
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
    seq(),
    ref("assignment_id"),
    ref("worker_id"),
    stamp("at"),
    text("fields"),
)

bonus = sa.Table(
    "bonus",
    metadata,
    seq(),
    ref("requester_id"),
    ref("worker_id"),
    sa.Column("assignment_id", sa.String(64), nullable=False, index=True),
    sa.Column("hit_id", sa.String(64), nullable=False, index=True),
    count("amount_cents"),
    count("fee_cents"),
    text("reason"),
    stamp("granted_at"),
    sa.Index("ix_bonus_worker", "worker_id", "granted_at"),
)

ledger = sa.Table(
    "ledger",
    metadata,
    seq(),
    ref("requester_id"),
    stamp("at"),
    sa.Column("kind", sa.String(16), nullable=False),
    count("cents"),
    ref("assignment_id", nullable=True),
    sa.Index("ix_ledger_requester", "requester_id", "seq"),
)

request_token = sa.Table(
    "request_token",
    metadata,
    sa.Column("requester_id", sa.String(64), primary_key=True),
    sa.Column("operation", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(64), primary_key=True),
    ref("object_id"),
    sa.Column("request_id", sa.String(64), nullable=False),
    stamp("created_at"),
)

layout = sa.Table(
    "layout",
    metadata,
    seq(),
    own_id(),
    ref("requester_id"),
    text("name"),
    text("html"),
    stamp("created_at"),
)

worker = sa.Table(
    "worker",
    metadata,
    seq(),
    own_id(),
    sa.Column("name", sa.String(64), nullable=True),
    sa.Column("name_key", sa.String(64), nullable=True, unique=True),
    text("password"),
    text("country"),
    text("subdivision"),
    flag("masters"),
    flag("adult"),
    # Where the worker came from: "" by invite, else the name of the panel or class, which keeps them apart.
    sa.Column("source", sa.String(64), nullable=False, server_default=""),
    stamp("joined_at"),
    stamp("left_at", nullable=True),
    count("submitted"),
    count("approved"),
    count("rejected"),
    count("returned"),
    count("abandoned"),
)

invite = sa.Table(
    "invite",
    metadata,
    seq(),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    text("note"),
    stamp("created_at"),
    stamp("expires_at"),
    count("uses_left"),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    stamp("created_at"),
    stamp("expires_at"),
)

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    seq(),
    sa.Column("subject", sa.String(160), nullable=False),
    stamp("at"),
    sa.Index("ix_sign_in_failure", "subject", "at"),
)

message = sa.Table(
    "message",
    metadata,
    seq(),
    own_id(),
    ref("worker_id"),
    text("sender"),
    text("subject"),
    text("text"),
    stamp("sent_at"),
    stamp("read_at", nullable=True),
    sa.Index("ix_message_worker", "worker_id", "seq"),
)

worker_block = sa.Table(
    "worker_block",
    metadata,
    seq(),
    ref("requester_id"),
    sa.Column("worker_id", sa.String(64), nullable=False),
    text("reason"),
    stamp("created_at"),
    sa.UniqueConstraint("requester_id", "worker_id"),
)

qualification_type = sa.Table(
    "qualification_type",
    metadata,
    seq(),
    own_id(),
    sa.Column("requester_id", sa.String(64), nullable=False, index=True),
    text("name"),
    text("keywords"),
    text("description"),
    sa.Column("status", sa.String(16), nullable=False),
    maybe_text("test"),
    maybe_text("answer_key"),
    stamp("test_duration_s", nullable=True),
    stamp("retry_delay_s", nullable=True),
    flag("auto_granted"),
    stamp("auto_granted_value", nullable=True),
    stamp("created_at"),
    stamp("deleted_at", nullable=True),
)

qualification = sa.Table(
    "qualification",
    metadata,
    seq(),
    ref("type_id"),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    sa.Column("value", sa.BigInteger(), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    stamp("granted_at"),
    text("reason"),
    sa.UniqueConstraint("type_id", "worker_id", name="uq_qualification_holder"),
)

qualification_request = sa.Table(
    "qualification_request",
    metadata,
    seq(),
    own_id(),
    sa.Column("type_id", sa.String(64), nullable=False, index=True),
    ref("requester_id"),
    ref("worker_id"),
    sa.Column("state", sa.String(16), nullable=False),
    maybe_text("answer"),
    stamp("begun_at"),
    stamp("due_at", nullable=True),
    stamp("submitted_at", nullable=True),
    text("reason"),
    sa.Index("ix_qualification_request_worker", "worker_id", "type_id", "seq"),
)

review_result = sa.Table(
    "review_result",
    metadata,
    seq(),
    ref("hit_id"),
    sa.Column("level", sa.String(16), nullable=False),
    ref("action_id"),
    ref("subject_id"),
    sa.Column("subject_type", sa.String(16), nullable=False),
    maybe_text("question_id"),
    sa.Column("key", sa.String(64), nullable=False),
    text("value"),
    sa.Index("ix_review_result_hit", "hit_id", "level", "seq"),
    sa.Index("ix_review_result_subject", "subject_id", "key"),
)

review_action = sa.Table(
    "review_action",
    metadata,
    seq(),
    own_id(),
    ref("hit_id"),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    ref("target_id"),
    sa.Column("target_type", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    stamp("completed_at", nullable=True),
    text("result"),
    text("error_code"),
    sa.Index("ix_review_action_hit", "hit_id", "level", "seq"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    seq(),
    own_id(),
    ref("requester_id"),
    ref("hit_type_id"),
    text("destination"),
    sa.Column("transport", sa.String(16), nullable=False),
    text("body"),
    stamp("created_at"),
    sa.Column("state", sa.String(16), nullable=False),
    count("attempts"),
    stamp("next_at"),
    text("last_error"),
    sa.Index("ix_outbox_due", "state", "next_at"),
)
