"""Alembic's entry: runs the migrations on the engine that `pipeline.schema.migrate` hands over."""

from alembic import context

from pipeline.schema import all_metadata

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=all_metadata(), transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
