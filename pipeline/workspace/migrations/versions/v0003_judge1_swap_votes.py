"""What people say of a swapped film: its moments, the pages that ask about them, the votes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Four tables of their own; nothing else changes."""
    op.create_table(
        "swap_moment",
        sa.Column("film", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("why", sa.String(24), nullable=False),
    )
    op.create_table(
        "swap_batch",
        sa.Column("batch_key", sa.String(64), primary_key=True),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("film", sa.String(64), nullable=False),
        sa.Column("page", sa.String(12), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("votes", sa.Integer, nullable=False),
        sa.Column("reward", sa.String(16), nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("excluded", sa.Text, nullable=False),
        sa.Column("links_until", sa.String(40), nullable=False),
        sa.Column("planned_at", sa.String(40), nullable=False),
        sa.Column("published_at", sa.String(40)),
    )
    op.create_table(
        "swap_tile",
        sa.Column("batch_key", sa.String(64), sa.ForeignKey("swap_batch.batch_key"), primary_key=True),
        sa.Column("hit_key", sa.String(64), primary_key=True),
        sa.Column("tile_key", sa.String(32), primary_key=True),
        sa.Column("moment", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("media", sa.Text, nullable=False),
    )
    op.create_table(
        "swap_vote",
        sa.Column("assignment_id", sa.String(64), primary_key=True),
        sa.Column("tile_key", sa.String(32), primary_key=True),
        sa.Column("hit_key", sa.String(64), nullable=False),
        sa.Column("film", sa.String(64), nullable=False, index=True),
        sa.Column("moment", sa.Integer, nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("mask", sa.Text, nullable=False),
        sa.Column("worker_id", sa.String(64), nullable=False),
        sa.Column("submitted_at", sa.String(40), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
    )
