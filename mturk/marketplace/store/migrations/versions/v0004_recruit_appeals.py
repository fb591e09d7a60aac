"""Appeals are decided: by whom, with what answer, when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assignment", sa.Column("appeal_by", sa.String(128), nullable=True))
    op.add_column("assignment", sa.Column("appeal_answer", sa.Text(), nullable=True))
    op.add_column("assignment", sa.Column("appeal_decided_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("appeal_decided_at", "appeal_answer", "appeal_by"):
        op.drop_column("assignment", name)
