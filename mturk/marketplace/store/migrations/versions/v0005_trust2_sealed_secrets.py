"""Requesters' secret keys are sealed with the key beside the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from galloway.mturk.marketplace.store.sealed import seal, unseal

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEYS = sa.text("SELECT access_key, secret FROM access_key")
_STORE = sa.text("UPDATE access_key SET secret = :secret WHERE access_key = :name")


def upgrade() -> None:
    key, connection = context.config.attributes["key"], op.get_bind()
    for name, secret in connection.execute(_KEYS).all():
        connection.execute(_STORE, {"name": name, "secret": seal(key, name, secret)})


def downgrade() -> None:
    key, connection = context.config.attributes["key"], op.get_bind()
    for name, stored in connection.execute(_KEYS).all():
        connection.execute(_STORE, {"name": name, "secret": unseal(key, name, stored)})
