"""HIT types that are one kind of work to a worker are told by a stored key."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXED = [
    "work_kind",
    "open_hits",
    "seq",
    "id",
    "requester_id",
    "reward_cents",
    "duration_s",
    "newest_at",
    "median_ms",
]
_TYPES = sa.text("SELECT seq, requester_id, title, description, reward_cents, duration_s, requirements FROM hit_type")
_STORE = sa.text("UPDATE hit_type SET work_kind = :work_kind WHERE seq = :seq")


def upgrade() -> None:
    op.add_column("hit_type", sa.Column("work_kind", sa.String(32), server_default="", nullable=False))
    connection = op.get_bind()
    for seq, *alike, stored in connection.execute(_TYPES).all():
        requirements = sorted(json.dumps(item, sort_keys=True) for item in json.loads(stored or "[]"))
        kind = hashlib.sha256(json.dumps([*alike, requirements]).encode()).hexdigest()[:32]
        connection.execute(_STORE, {"work_kind": kind, "seq": seq})
    op.create_index("ix_hit_type_kind", "hit_type", _INDEXED, unique=False)


def downgrade() -> None:
    op.drop_index("ix_hit_type_kind", table_name="hit_type")
    op.drop_column("hit_type", "work_kind")
