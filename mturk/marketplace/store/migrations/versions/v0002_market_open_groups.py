"""What the worker's list shows of each HIT type is kept beside it."""

from __future__ import annotations

from statistics import median

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SAMPLE = 51


def upgrade() -> None:
    for name in ("open_hits", "newest_at", "last_at"):
        op.add_column("hit_type", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("hit_type", sa.Column("median_ms", sa.BigInteger(), nullable=True))
    op.add_column("hit_type", sa.Column("words", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_hit_type_open", "hit_type", ["open_hits"], unique=False)
    connection = op.get_bind()
    connection.execute(sa.text(_COUNTS))
    for seq, type_id, *texts in connection.execute(sa.text(_TEXTS)).all():
        times = connection.execute(sa.text(_TIMES), {"type": type_id, "most": _SAMPLE}).scalars().all()
        values = {"seq": seq, "words": " ".join(texts).lower(), "median": round(median(times)) if times else None}
        connection.execute(sa.text("UPDATE hit_type SET words = :words, median_ms = :median WHERE seq = :seq"), values)


_COUNTS = """
UPDATE hit_type SET
  open_hits = (SELECT count(*) FROM hit WHERE hit.type_id = hit_type.id AND hit.status = 'Assignable'),
  newest_at = coalesce((SELECT max(hit.created_at) FROM hit WHERE hit.type_id = hit_type.id), 0),
  last_at = coalesce((SELECT max(hit.expires_at) FROM hit WHERE hit.type_id = hit_type.id), 0)
"""
_TEXTS = """
SELECT hit_type.seq, hit_type.id, title, description, keywords, requester.name
FROM hit_type JOIN requester ON requester.id = hit_type.requester_id
"""
_TIMES = """
SELECT submitted_at - accepted_at FROM assignment
WHERE type_id = :type AND submitted_at IS NOT NULL ORDER BY submitted_at DESC LIMIT :most
"""


def downgrade() -> None:
    op.drop_index("ix_hit_type_open", table_name="hit_type")
    for name in ("open_hits", "newest_at", "last_at", "median_ms", "words"):
        op.drop_column("hit_type", name)
