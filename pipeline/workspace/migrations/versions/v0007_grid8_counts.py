"""Indexes that hold all that counts of the ledger read, so that no question or answer is read to count it."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing but indexes."""
    hit = ["batch_key", "state_key", "hit_key", "hit_id", "group_id", "status", "expires_at", "max_assignments"]
    op.create_index("hit_counts", "hit", hit)
    op.create_index("assignment_counts", "assignment", ["state_key", "batch_key", "hit_key", "status"])
    op.create_index("payment_sums", "payment", ["status", "state_key", "batch_key", "kind", "amount", "fee"])
    op.create_index("payment_by_worker", "payment", ["status", "worker_id", "amount"])
