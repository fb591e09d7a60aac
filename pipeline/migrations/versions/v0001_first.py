"""The tables of 0.1.0: ledger, faces, votes, decisions, sources, tasks, tiles, facesets."""

from alembic import op

from pipeline.schema import all_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what is not there yet: a workspace killed while it was being made is finished."""
    for tables in all_metadata():
        tables.create_all(op.get_bind(), checkfirst=True)
