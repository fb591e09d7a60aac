"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_key",
        sa.Column("access_key", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("access_key", name=op.f("pk_access_key")),
    )
    op.create_table(
        "assignment",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("hit_id", sa.String(length=64), nullable=False),
        sa.Column("type_id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("auto_approve_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("rejected_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reward_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("feedback", sa.Text(), nullable=True),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("draft_at", sa.BigInteger(), nullable=True),
        sa.Column("appeal", sa.Text(), nullable=True),
        sa.Column("appeal_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_assignment")),
        sa.UniqueConstraint("id", name=op.f("uq_assignment_id")),
    )
    op.create_index("ix_assignment_auto", "assignment", ["state", "auto_approve_at"], unique=False)
    op.create_index("ix_assignment_deadline", "assignment", ["state", "deadline"], unique=False)
    op.create_index("ix_assignment_hit", "assignment", ["hit_id", "state", "submitted_at"], unique=False)
    op.create_index("ix_assignment_type", "assignment", ["type_id", "submitted_at"], unique=False)
    op.create_index("ix_assignment_worker", "assignment", ["worker_id", "state", "seq"], unique=False)
    op.create_index(
        "uq_assignment_once",
        "assignment",
        ["hit_id", "worker_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
        postgresql_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
    )
    op.create_table(
        "bonus",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=False),
        sa.Column("hit_id", sa.String(length=64), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_bonus")),
    )
    op.create_index(op.f("ix_bonus_assignment_id"), "bonus", ["assignment_id"], unique=False)
    op.create_index(op.f("ix_bonus_hit_id"), "bonus", ["hit_id"], unique=False)
    op.create_index("ix_bonus_worker", "bonus", ["worker_id", "granted_at"], unique=False)
    op.create_table(
        "hit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("type_id", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Text(), server_default="", nullable=False),
        sa.Column("layout_id", sa.String(length=64), nullable=True),
        sa.Column("annotation", sa.Text(), nullable=True),
        sa.Column("max_assignments", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reviewing", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("submitted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("approved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("touched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("expiry_noted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hold_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reviewable_at", sa.BigInteger(), nullable=True),
        sa.Column("disposed_at", sa.BigInteger(), nullable=True),
        sa.Column("assignment_policy", sa.Text(), nullable=True),
        sa.Column("hit_policy", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hit")),
        sa.UniqueConstraint("id", name=op.f("uq_hit_id")),
    )
    op.create_index("ix_hit_disposal", "hit", ["status", "reviewable_at"], unique=False)
    op.create_index("ix_hit_expiry", "hit", ["expiry_noted", "expires_at"], unique=False)
    op.create_index("ix_hit_list", "hit", ["requester_id", "seq"], unique=False)
    op.create_index("ix_hit_open", "hit", ["type_id", "status", "seq"], unique=False)
    op.create_index("ix_hit_owner", "hit", ["requester_id", "status", "seq"], unique=False)
    op.create_table(
        "hit_type",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("keywords", sa.Text(), server_default="", nullable=False),
        sa.Column("reward_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("auto_approval_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("requirements", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hit_type")),
        sa.UniqueConstraint("group_id", name=op.f("uq_hit_type_group_id")),
        sa.UniqueConstraint("id", name=op.f("uq_hit_type_id")),
        sa.UniqueConstraint("requester_id", "key_hash", name=op.f("uq_hit_type_requester_id")),
    )
    op.create_table(
        "hit_type_requirement",
        sa.Column("hit_type_id", sa.String(length=64), nullable=False),
        sa.Column("qualification_type_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("hit_type_id", "qualification_type_id", name=op.f("pk_hit_type_requirement")),
    )
    op.create_index(
        op.f("ix_hit_type_requirement_qualification_type_id"),
        "hit_type_requirement",
        ["qualification_type_id"],
        unique=False,
    )
    op.create_table(
        "invite",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("uses_left", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_invite")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invite_token_hash")),
    )
    op.create_table(
        "late_submission",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("fields", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_late_submission")),
    )
    op.create_table(
        "layout",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("html", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_layout")),
        sa.UniqueConstraint("id", name=op.f("uq_layout_id")),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("assignment_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
    )
    op.create_index("ix_ledger_requester", "ledger", ["requester_id", "seq"], unique=False)
    op.create_table(
        "message",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_message")),
        sa.UniqueConstraint("id", name=op.f("uq_message_id")),
    )
    op.create_index("ix_message_worker", "message", ["worker_id", "seq"], unique=False)
    op.create_table(
        "notification_spec",
        sa.Column("hit_type_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), server_default="", nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("event_types", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("hit_type_id", name=op.f("pk_notification_spec")),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("hit_type_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), server_default="", nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "next_at"], unique=False)
    op.create_table(
        "qualification",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("type_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_qualification")),
        sa.UniqueConstraint("type_id", "worker_id", name="uq_qualification_holder"),
    )
    op.create_index(op.f("ix_qualification_worker_id"), "qualification", ["worker_id"], unique=False)
    op.create_table(
        "qualification_request",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("type_id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_qualification_request")),
        sa.UniqueConstraint("id", name=op.f("uq_qualification_request_id")),
    )
    op.create_index(op.f("ix_qualification_request_type_id"), "qualification_request", ["type_id"], unique=False)
    op.create_index(
        "ix_qualification_request_worker", "qualification_request", ["worker_id", "type_id", "seq"], unique=False
    )
    op.create_table(
        "qualification_type",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("keywords", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("test", sa.Text(), nullable=True),
        sa.Column("answer_key", sa.Text(), nullable=True),
        sa.Column("test_duration_s", sa.BigInteger(), nullable=True),
        sa.Column("retry_delay_s", sa.BigInteger(), nullable=True),
        sa.Column("auto_granted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("auto_granted_value", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_qualification_type")),
        sa.UniqueConstraint("id", name=op.f("uq_qualification_type_id")),
    )
    op.create_index(op.f("ix_qualification_type_requester_id"), "qualification_type", ["requester_id"], unique=False)
    op.create_table(
        "request_token",
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("requester_id", "operation", "token", name=op.f("pk_request_token")),
    )
    op.create_table(
        "requester",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("balance_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hold_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("approved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_requester")),
        sa.UniqueConstraint("id", name=op.f("uq_requester_id")),
        sa.UniqueConstraint("name", name=op.f("uq_requester_name")),
    )
    op.create_table(
        "review_action",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("hit_id", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.Column("target_type", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("error_code", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_review_action")),
        sa.UniqueConstraint("id", name=op.f("uq_review_action_id")),
    )
    op.create_index("ix_review_action_hit", "review_action", ["hit_id", "level", "seq"], unique=False)
    op.create_table(
        "review_result",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("hit_id", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("subject_type", sa.String(length=16), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_review_result")),
    )
    op.create_index("ix_review_result_hit", "review_result", ["hit_id", "level", "seq"], unique=False)
    op.create_index("ix_review_result_subject", "review_result", ["subject_id", "key"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_worker_id"), "session", ["worker_id"], unique=False)
    op.create_table(
        "sign_in_failure",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure", "sign_in_failure", ["subject", "at"], unique=False)
    op.create_table(
        "worker",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("name_key", sa.String(length=64), nullable=True),
        sa.Column("password", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("subdivision", sa.Text(), server_default="", nullable=False),
        sa.Column("masters", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("adult", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("submitted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("approved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("abandoned", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_worker")),
        sa.UniqueConstraint("id", name=op.f("uq_worker_id")),
        sa.UniqueConstraint("name_key", name=op.f("uq_worker_name_key")),
    )
    op.create_table(
        "worker_block",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("requester_id", sa.String(length=64), nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_worker_block")),
        sa.UniqueConstraint("requester_id", "worker_id", name=op.f("uq_worker_block_requester_id")),
    )


def downgrade() -> None:
    op.drop_table("worker_block")
    op.drop_table("worker")
    op.drop_index("ix_sign_in_failure", table_name="sign_in_failure")
    op.drop_table("sign_in_failure")
    op.drop_index(op.f("ix_session_worker_id"), table_name="session")
    op.drop_table("session")
    op.drop_index("ix_review_result_subject", table_name="review_result")
    op.drop_index("ix_review_result_hit", table_name="review_result")
    op.drop_table("review_result")
    op.drop_index("ix_review_action_hit", table_name="review_action")
    op.drop_table("review_action")
    op.drop_table("requester")
    op.drop_table("request_token")
    op.drop_index(op.f("ix_qualification_type_requester_id"), table_name="qualification_type")
    op.drop_table("qualification_type")
    op.drop_index("ix_qualification_request_worker", table_name="qualification_request")
    op.drop_index(op.f("ix_qualification_request_type_id"), table_name="qualification_request")
    op.drop_table("qualification_request")
    op.drop_index(op.f("ix_qualification_worker_id"), table_name="qualification")
    op.drop_table("qualification")
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("notification_spec")
    op.drop_index("ix_message_worker", table_name="message")
    op.drop_table("message")
    op.drop_index("ix_ledger_requester", table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("layout")
    op.drop_table("late_submission")
    op.drop_table("invite")
    op.drop_index(op.f("ix_hit_type_requirement_qualification_type_id"), table_name="hit_type_requirement")
    op.drop_table("hit_type_requirement")
    op.drop_table("hit_type")
    op.drop_index("ix_hit_owner", table_name="hit")
    op.drop_index("ix_hit_open", table_name="hit")
    op.drop_index("ix_hit_list", table_name="hit")
    op.drop_index("ix_hit_expiry", table_name="hit")
    op.drop_index("ix_hit_disposal", table_name="hit")
    op.drop_table("hit")
    op.drop_index("ix_bonus_worker", table_name="bonus")
    op.drop_index(op.f("ix_bonus_hit_id"), table_name="bonus")
    op.drop_index(op.f("ix_bonus_assignment_id"), table_name="bonus")
    op.drop_table("bonus")
    op.drop_index(
        "uq_assignment_once",
        table_name="assignment",
        sqlite_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
        postgresql_where=sa.text("state IN ('Accepted', 'Submitted', 'Approved', 'Rejected')"),
    )
    op.drop_index("ix_assignment_worker", table_name="assignment")
    op.drop_index("ix_assignment_type", table_name="assignment")
    op.drop_index("ix_assignment_hit", table_name="assignment")
    op.drop_index("ix_assignment_deadline", table_name="assignment")
    op.drop_index("ix_assignment_auto", table_name="assignment")
    op.drop_table("assignment")
    op.drop_table("access_key")
