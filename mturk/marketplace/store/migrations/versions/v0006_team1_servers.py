"""Which servers answer for the marketplace, and what they have in common."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "server",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False, server_default=""),
        sa.Column("pid", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("api", sa.Text(), nullable=False, server_default=""),
        sa.Column("worker", sa.Text(), nullable=False, server_default=""),
        sa.Column("frames", sa.Text(), nullable=False, server_default=""),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_server"),
    )
    op.create_table(
        "shared_note",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("name", name="pk_shared_note"),
    )


def downgrade() -> None:
    for name in ("shared_note", "server"):
        op.drop_table(name)
