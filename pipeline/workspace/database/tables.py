"""What a PostgreSQL database holds beside the workspace's rows: whose it is, and which command holds which lock."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["IN_SCHEMA", "holder_table", "home_table", "lock_writers", "standing"]

IN_SCHEMA = "workspace"
"""All of it lies in a schema of its own, so that a market may have the same database: both have a table `hit`."""
_WRITERS = 0x47574B53
"""Any number of our own; advisory locks are per database."""

standing = sa.MetaData()

home_table = sa.Table(
    "home",
    standing,
    # One row: whose rows these are.
    sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),  # 1
    sa.Column("token", sa.String(64), nullable=False),  # what the folder's database.json says, too
    sa.Column("workspace", sa.String(64), nullable=False),  # the workspace's id in its settings
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    # begun: rows are being brought in, and the folder's own still count | here | left: they went elsewhere
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("since", sa.String(40), nullable=False),
)

holder_table = sa.Table(
    "holder",
    standing,
    # Who holds a lock, for the others to read; the lock itself is an advisory one, which goes with its connection.
    sa.Column("lock", sa.String(32), primary_key=True),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("doing", sa.Text, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("since", sa.String(40), nullable=False),
)


def lock_writers(connection: sa.Connection) -> None:
    """Wait until nobody else writes; nobody does until this transaction ends."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
