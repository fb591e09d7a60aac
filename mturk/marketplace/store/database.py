"""The engine and its two kinds of transaction: reading, and writing one at a time.

SQLite begins a write with BEGIN IMMEDIATE, so that a writer waits at the start instead of failing in the middle.
PostgreSQL takes one advisory lock for the length of a write: the same order of events on both, at the price of one
writer. A marketplace for a team does a few hundred writes a second that way (bench/marketplace.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from ...overwrite import SECURE_DELETE
from .home import database_url

__all__ = ["make_engine", "reading", "writing"]

_WRITER_LOCK = 0x47414C4C
"""Any number of our own; advisory locks are per database."""


def make_engine(url: str) -> sa.Engine:
    """An engine with WAL, full synchronisation and a 30 s busy wait on SQLite."""
    engine = sa.create_engine(database_url(url), pool_size=16, max_overflow=48, pool_timeout=60)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _sqlite_connect)
        sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own: `_sqlite_begin` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "cache_size=-16000", SECURE_DELETE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One consistent view; nothing is written."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One writer at a time; committed at the end, rolled back when an exception leaves the block."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
        yield connection
