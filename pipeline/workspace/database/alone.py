"""One transaction in which nobody else writes, on either kind of database: for changing tables and moving rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from .engine import make_engine
from .tables import IN_SCHEMA, lock_writers, standing

__all__ = ["alone", "as_sqlite_has_them"]


@contextmanager
def alone(url: sa.URL) -> Iterator[sa.Connection]:
    """A connection whose one transaction holds changes of tables, too. On SQLite keys are not checked."""
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", _plain_connection)
        sa.event.listen(engine, "begin", lambda db: db.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        engine = make_engine(url)
        _make_room(engine)
    try:
        with engine.connect() as db, db.begin():
            if db.dialect.name == "postgresql":
                lock_writers(db)
                # A large table takes the time that it takes.
                db.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield db
    finally:
        engine.dispose()


def _plain_connection(connection: Any, _record: Any) -> None:
    """SQLite as it is: transactions that hold table changes too, and keys that are checked at the end."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF", "busy_timeout=60000"):
        connection.execute(f"PRAGMA {pragma}")


def _make_room(engine: sa.Engine) -> None:
    """Make the schema in which everything lies, where it is not there."""
    with engine.begin() as db:
        lock_writers(db)
        # IF NOT EXISTS would want the right to make one even where there is one.
        if db.exec_driver_sql(f"SELECT to_regnamespace('{IN_SCHEMA}')").scalar() is None:
            db.exec_driver_sql(f"CREATE SCHEMA {IN_SCHEMA}")


def as_sqlite_has_them(db: sa.Connection) -> None:
    """Make what the tables hold behave as in SQLite: texts of any length, in the order of their bytes whatever language
    the database was made with; and the tables that only PostgreSQL needs."""
    standing.create_all(db)
    texts = db.exec_driver_sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
    )
    columns = defaultdict(list)
    for table, column in texts:
        columns[table].append(f'ALTER COLUMN "{column}" TYPE text COLLATE "C"')
    for table, changes in columns.items():
        db.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(changes)}')
