"""The engine and its kinds of transaction: reading, writing alone, and writing together.

SQLite begins a write with BEGIN IMMEDIATE, so that a writer waits at the start instead of failing in the middle: it has
one writer, whatever is asked. On PostgreSQL what is done all day (taking, handing in, giving back, publishing,
deciding) locks the rows that it changes and goes on beside others; what is done seldom and touches much (the clock,
accounts, policies) takes the whole database. Both by one advisory lock, shared or not, for a transaction's length.

A server that freezes while it holds locks is cut off by PostgreSQL (idle_in_transaction_session_timeout), and its
transaction undone; who waits for a lock waits longer than that, but not for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from ...overwrite import SECURE_DELETE
from ...postgresql import connect_arguments
from .home import database_url
from .round_trips import FORGOTTEN

__all__ = ["TOGETHER", "in_round_trips", "is_conflict", "make_engine", "reading", "writing"]

_WRITERS_LOCK = 0x47414C4C
"""Any number of our own; advisory locks are per database."""
_ALONE = sa.text(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
TOGETHER = sa.func.pg_advisory_xact_lock_shared(sa.literal_column(str(_WRITERS_LOCK)))
"""What a transaction that writes beside others selects first."""
_CONFLICTS = ("40001", "40P01", FORGOTTEN)
"""SQLSTATE of a serialization failure, of a deadlock, and of a statement that has to be prepared anew: nothing
happened, and a second try may do."""


def make_engine(url: str, patience: float = 10) -> sa.Engine:
    """An engine with WAL, full synchronisation and a 30 s busy wait on SQLite.

    On PostgreSQL whoever holds locks and says nothing for `patience` seconds is cut off, a lock is waited for twice as
    long, and a statement may take six times as long.
    """
    found = database_url(url)
    options: dict[str, Any] = {"hide_parameters": True}  # answers and names stay out of logs
    if found.get_backend_name() == "postgresql":
        options["connect_args"] = _postgresql(patience)
    # The connection that was used last is used next: it knows the statements, and few are asked much.
    engine = sa.create_engine(found, pool_size=16, max_overflow=48, pool_timeout=60, pool_use_lifo=True, **options)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _sqlite_connect)
        sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


def _postgresql(patience: float) -> dict[str, Any]:
    ms = round(1000 * patience)
    limits = {"idle_in_transaction_session_timeout": ms, "lock_timeout": 2 * ms, "statement_timeout": 6 * ms}
    return connect_arguments(limits, silence_ms=3 * ms)


def is_conflict(error: sa.exc.DBAPIError) -> bool:
    """Whether this transaction was undone for what another try does not meet again."""
    return getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own: `_sqlite_begin` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "cache_size=-16000", SECURE_DELETE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # SQLite's own knows A to Z only.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else str(text).lower()


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
    """One writer, alone; committed at the end, rolled back when an exception leaves the block."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(_ALONE)
        yield connection


@contextmanager
def in_round_trips(engine: sa.Engine) -> Iterator[sa.Connection]:
    """On PostgreSQL: for one statement that is sent alone, or for one of several writers, each of whom begins and ends
    a transaction (`RoundTrips`), selects `TOGETHER` in it and locks the rows that it changes. What an exception leaves
    unfinished is rolled back."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection, connection.begin():
        yield connection
