"""Engines for a workspace's rows. Both kinds have one writer at a time and readers that never wait.

SQLite has that by itself. On PostgreSQL a transaction takes an advisory lock before the first row that it writes, so
that what the rows say of order (the newest vote's number, the newest run) is true there, too. Before it writes it looks
whether the database is still this folder's, and whether the command still holds what it locked: after a restart of the
server it may hold nothing, and another command may be at work.
"""

from __future__ import annotations

import select
import sqlite3
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ....mturk.overwrite import SECURE_DELETE
from ....mturk.postgresql import connect_arguments, read_address
from ...errors import WorkspaceError
from ..place import read_only
from .fence import Fence
from .tables import IN_SCHEMA, lock_writers

__all__ = ["address", "connect_to_read", "make_engine"]

_FORM = (
    "Write postgresql://USER@HOST:5432/NAME, with the password in GALLOWAY_WORKSPACE__DATABASE or ~/.pgpass, or leave "
    "it out for galloway.db in the folder."
)
_SETTINGS: dict[str, str | int] = {
    "search_path": IN_SCHEMA,
    "timezone": "UTC",
    # Who holds the writers' lock and says nothing is cut off; who waits for it waits longer than that.
    "idle_in_transaction_session_timeout": 60_000,
    "lock_timeout": 120_000,
    # The server notices, too, that a machine went away, and gives back what it held.
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
}
_WRITES = ("INSERT", "UPDATE", "DELETE")
_WRITING = "galloway_writing"


def address(text: str) -> sa.URL:
    """The address of a workspace's PostgreSQL database. Raises WorkspaceError, which never shows a password."""
    try:
        found = read_address(text, "The workspace's database's")
    except ValueError as error:
        raise WorkspaceError(f"{error} {_FORM}") from None
    if found.get_backend_name() != "postgresql":
        raise WorkspaceError(f"A workspace's rows are in galloway.db or on PostgreSQL, not elsewhere. {_FORM}")
    return found


def make_engine(url: str | sa.URL, fence: Fence | None = None) -> sa.Engine:
    """A SQLAlchemy engine. SQLite gets WAL mode, foreign keys and a 30 s busy wait, and is only read where its disk is
    mounted read-only; PostgreSQL gets the workspace's schema, byte-wise UTC, one writer at a time, and `fence` before
    anything is written."""
    found = sa.make_url(url)
    if found.get_backend_name() == "sqlite":
        file = Path(found.database or "")
        if found.database and read_only(file.parent):
            return sa.create_engine(found, creator=partial(connect_to_read, file))
        engine = sa.create_engine(found)
        sa.event.listen(engine, "connect", _pragmas)
        return engine
    try:
        engine = sa.create_engine(
            found,
            connect_args=connect_arguments(_SETTINGS, silence_ms=30_000),
            hide_parameters=True,  # what people wrote, and names, stay out of logs
            pool_size=8,
            max_overflow=24,
        )
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            'PostgreSQL\'s driver is not here. Install it: pip install "galloway[postgresql]"'
        ) from error
    sa.event.listen(engine, "checkout", _still_there(engine.dialect))
    sa.event.listen(engine, "begin", lambda connection: connection.info.pop(_WRITING, None))
    sa.event.listen(engine, "before_cursor_execute", _before_writing(fence))
    sa.event.listen(engine, "engine_disposed", _close_at_end)
    _close_at_end(engine)
    return engine


def connect_to_read(file: Path) -> sqlite3.Connection:
    """A connection to an SQLite database that only reads. On a disk that is mounted read-only SQLite cannot make the
    files beside the database that it wants even for reading; where there is no log it is told that nothing changes.
    Raises WorkspaceError where there is one that cannot be read so: rows in it would be missed."""
    still, log = read_only(file.parent), file.with_name(f"{file.name}-wal")
    unchanging = still and not log.exists()
    address = f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if unchanging else ''}"
    found = sqlite3.connect(address, uri=True, timeout=60, check_same_thread=False)
    try:
        found.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        found.close()
        if still and not unchanging:
            raise WorkspaceError(
                f"{log} may hold rows that are not in {file.name} yet, and the disk is mounted read-only. Copy the "
                "folder to a disk that can be written, and read it there."
            ) from error
        raise
    return found


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", SECURE_DELETE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _still_there(dialect: sa.Dialect) -> Any:
    """A server that was started again costs nobody an error: a connection on which something came in meanwhile, as its
    end does, is asked. One that lay in silence is not, which saves every look a round trip."""

    def look(connection: Any, _record: Any, _proxy: Any) -> None:
        try:
            heard = select.select([connection.fileno()], [], [], 0)[0]
            if heard and not dialect.do_ping(connection):
                raise sa.exc.DisconnectionError
        except dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error

    return look


def _before_writing(fence: Fence | None) -> Any:
    def wait_for_turn(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _WRITING in connection.info or not statement.lstrip()[:6].upper().startswith(_WRITES):
            return
        connection.info[_WRITING] = True
        lock_writers(connection)
        if fence is not None:
            fence.check(connection)

    return wait_for_turn


def _close_at_end(engine: sa.Engine) -> None:
    """Close the pool's connections when the engine is collected: a server has only so many."""
    weakref.finalize(engine, engine.pool.dispose)
