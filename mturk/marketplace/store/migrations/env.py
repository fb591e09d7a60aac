"""Alembic's entry: the connection comes from `migrate`, with its transaction already begun."""

from __future__ import annotations

from alembic import context
from galloway.mturk.marketplace.store.columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="marketplace_version",
)
context.run_migrations()
