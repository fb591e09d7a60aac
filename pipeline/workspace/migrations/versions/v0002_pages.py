"""Kinds of pages, groups on them, what one person reviewed alone, and with which other votes a vote was given."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Pages of before asked one question each and are named like it."""
    op.add_column("batch_plan", sa.Column("page", sa.String(12), nullable=False, server_default="usable"))
    op.execute("UPDATE batch_plan SET page = question")
    op.add_column("hit_tile", sa.Column("group_number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("vote", sa.Column("look", sa.String(24), nullable=False, server_default=""))
    op.create_table(
        "reviewed_page",
        sa.Column("hit_key", sa.String(64), primary_key=True),
        sa.Column("batch_key", sa.String(64), sa.ForeignKey("batch_plan.batch_key"), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("submitted_at", sa.String(40), nullable=False),
    )
