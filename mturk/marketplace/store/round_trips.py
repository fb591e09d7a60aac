"""`RoundTrips`: the statements of one transaction on PostgreSQL, in as few round trips as their answers allow.

Of an assignment that was taken or handed in more time went by on the way to the database and back than in it, and rows
were held meanwhile. What is asked at once goes at once (PostgreSQL's manual, chapter libpq, "Pipeline Mode"), and
changes that nobody reads back go with what is asked next, at the latest with the COMMIT. The statements are compiled
once and handed to the driver: SQLAlchemy takes as long over one of them as the driver does.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as dialects
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from .libpq import Statement

__all__ = ["FORGOTTEN", "Asked", "Ripe", "RoundTrips", "Row", "sent"]

FORGOTTEN = "26000"
"""SQLSTATE of a prepared statement that is not there: psycopg has all forgotten (DEALLOCATE ALL) after a rollback."""

Row = dict[str, Any]
Asked = tuple[sa.Executable, Mapping[str, Any]]
"""A statement that is made once for the whole program (how it is written is remembered), and its values."""
_BEGIN, _COMMIT, _ROLLBACK = ((sa.text(word), dict[str, Any]()) for word in ("BEGIN", "COMMIT", "ROLLBACK"))
_DIALECT: sa.Dialect = dialects.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_NUMBERS = count(1)


class Ripe(Exception):
    """Something is due: nothing was changed; that happens first, and the work begins anew."""


@lru_cache(maxsize=512)
def _written(statement: sa.Executable, names: tuple[str, ...]) -> tuple[Statement, Mapping[str, Any]]:
    """(The statement as PostgreSQL reads it, the values that it brings itself.)"""
    from .libpq import Statement  # needs psycopg, which who works with SQLite need not have

    columns = tuple(statement.selected_columns.keys()) if isinstance(statement, sa.Select) else ()
    assert isinstance(statement, sa.ClauseElement)
    compiled = statement.compile(dialect=_DIALECT, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)
    written = compiled.construct_expanded_state(dict.fromkeys(names))  # lists of values that it brings itself
    name = f"galloway_{next(_NUMBERS)}".encode()
    values = tuple(written.positiontup or ())
    return Statement(name, written.statement.encode(), values, columns), written.parameters


class RoundTrips:
    """One transaction, which begins with the first thing that is asked.

    With that goes the question whether something is due; where it is, `Ripe` is raised. Errors of the database are
    SQLAlchemy's, as those of any other statement.
    """

    def __init__(self, connection: sa.Connection, due: Asked) -> None:
        """`connection` is in autocommit mode: the driver begins nothing by itself. The answer to `due` begins with
        true where something is due."""
        self._connection, self._due = connection, due
        self._begun = False
        self._told: list[Asked] = []

    def ask(self, *asked: Asked) -> list[list[Row]]:
        """The rows of each statement; each sees what was told and asked before it."""
        if not self._begun:
            # What changes something waits until it is known that nothing is due.
            found = self._begin(() if self._told else asked)
            if not self._told:
                return found
        told, self._told = self._told, []
        return self._sent(*told, *asked)[len(told) :]

    def _begin(self, asked: tuple[Asked, ...]) -> list[list[Row]]:
        self._begun = True
        _, (ripe,), *found = self._sent(_BEGIN, self._due, *asked)
        if next(iter(ripe.values())):
            raise Ripe
        return found

    def tell(self, statement: sa.Executable, values: Mapping[str, Any]) -> None:
        """A change of which nothing is read back; what is wrong with it is raised by what comes next."""
        self._told.append((statement, values))

    def flush(self) -> None:
        """Begin, and send what was told: for a statement that goes another way and comes after it."""
        if self._told or not self._begun:
            self.ask()

    def commit(self) -> None:
        """End the transaction, where there is one."""
        if self._told and not self._begun:
            self._begin(())
        if self._begun:
            self._sent(*self._told, _COMMIT)
            self._begun = False

    def rollback(self) -> None:
        """Undo the transaction, where there is one. Not by the driver, which forgets all that is prepared then."""
        if self._begun and not self._connection.invalidated:
            self._begun = False
            with suppress(sa.exc.DBAPIError):  # then the end of the connection undoes it
                self._sent(_ROLLBACK)

    def _sent(self, *asked: Asked) -> list[list[Row]]:
        return sent(self._connection, *asked)


def sent(connection: sa.Connection, *asked: Asked) -> list[list[Row]]:
    """The rows of each statement, all sent at once over a connection in autocommit mode. Errors of the database are
    SQLAlchemy's."""
    from .libpq import exchange

    driver: Any = connection.connection.driver_connection
    kept = connection.info
    encoding = kept.setdefault("encoding", driver.info.encoding)
    prepared = kept.setdefault("prepared", set[bytes]())
    written = []
    for statement, values in asked:
        text, own = _written(statement, tuple(sorted(values)))
        written.append((text, {**own, **values}))
    try:
        return exchange(driver.pgconn, prepared, written, encoding)
    except connection.dialect.loaded_dbapi.Error as error:
        if getattr(error, "sqlstate", None) == FORGOTTEN:
            prepared.clear()
        raise _told_by(connection, error) from error
    except BaseException as error:  # with answers on the way, the connection is of no use
        connection.invalidate(error)
        raise


def _told_by(connection: sa.Connection, failed: Exception) -> sa.exc.DBAPIError:
    """The driver's error as SQLAlchemy raises it. A connection that is gone takes the idle ones with it: they went to
    the same server."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(failed, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if gone:
        connection.invalidate(failed)
        connection.engine.dispose()
    error = sa.exc.DBAPIError.instance(
        "statements of one round trip", None, failed, dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=gone, dialect=dialect,
    )  # fmt: skip
    assert isinstance(error, sa.exc.DBAPIError)
    return error
