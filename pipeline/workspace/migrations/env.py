"""Alembic's entry: the connection comes from `workspace.schema.migrate`, with its transaction already begun."""

from alembic import context
from galloway.pipeline.workspace.schema import all_metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=all_metadata())
context.run_migrations()
