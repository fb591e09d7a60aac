"""What is known of pictures before workers see them: how likely they are sexual, what the requester said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One table of its own; nothing else changes."""
    op.create_table(
        "gate_picture",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("word", sa.String(8), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("said_at", sa.String(40)),
    )
