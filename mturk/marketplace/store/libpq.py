"""Prepared statements that are sent at once and answered in their order: libpq's pipeline mode, by psycopg's wrapper of
libpq (`psycopg.pq`; PostgreSQL's manual, chapter libpq, "Pipeline Mode").

psycopg's cursors know that mode, too, but end it with a Flush behind the Sync. PostgreSQL (15) sets its idle time-out
where it answers a Sync, ends it at the next message, and a Flush sets it no more: a server that freezes would hold its
rows for ever. Here the Sync comes last.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import errors, pq

__all__ = ["Statement", "exchange"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: the name under which it is prepared, its text with $1, $2 …, the names of these values in their
    order, and those of its columns (none where it gives no rows)."""

    name: bytes
    text: bytes
    values: tuple[str, ...]
    columns: tuple[str, ...]


def _as_flag(text: str) -> bool:
    return text == "t"


_READERS: Mapping[int, Callable[[str], Any]] = {
    **dict.fromkeys((20, 21, 23), int),
    **dict.fromkeys((25, 705, 1043, 2278), str),
    16: _as_flag,
}
"""How values are read, by the number of their type in pg_type: whole numbers, texts (also unknown and void), truth."""


def exchange(
    wire: pq.abc.PGconn, prepared: set[bytes], asked: Sequence[tuple[Statement, Mapping[str, Any]]], encoding: str
) -> list[list[dict[str, Any]]]:
    """Send statements with their values (None, bool, int, str), and read the rows of each, columns by name.

    `prepared` are the names that this connection knows; those that it learns come to it. Raises psycopg.Error: of the
    first statement that fails, after which none is done, or where the connection is gone. Where something else is
    raised, the connection is of no use any more.
    """
    texts = [[_as_bytes(values[name], encoding) for name in statement.values] for statement, values in asked]
    wire.enter_pipeline_mode()
    sent: list[Statement | bytes] = []
    for (statement, _), given in zip(asked, texts, strict=True):
        if statement.name not in prepared and statement.name not in sent:
            wire.send_prepare(statement.name, statement.text)
            sent.append(statement.name)
        wire.send_query_prepared(statement.name, given)
        sent.append(statement)
    wire.pipeline_sync()
    results = _results(wire, encoding)
    wire.exit_pipeline_mode()
    found = []
    for item, result in zip(sent, results, strict=True):
        _check(result, encoding)
        if isinstance(item, bytes):
            prepared.add(item)
        else:
            found.append(_rows(result, item.columns, encoding))
    return found


def _results(wire: pq.abc.PGconn, encoding: str) -> list[pq.abc.PGresult]:
    """The result of each command up to the Sync."""
    found: list[pq.abc.PGresult] = []
    while True:
        gone = _wait(wire)
        result = wire.get_result()
        if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
            return found
        if result is not None:
            found.append(result)
        elif gone is not None or wire.status != pq.ConnStatus.OK:  # else it is what stands between two commands
            for item in found:
                _check(item, encoding)  # the server's last words say more
            raise gone or errors.OperationalError("the connection to PostgreSQL ended")


def _wait(wire: pq.abc.PGconn) -> errors.OperationalError | None:
    """Until the next result is there; what is not sent yet is sent meanwhile. Returns how the connection was lost, if
    it was: what came before can be read all the same."""
    try:
        unsent = wire.flush()
        while unsent or wire.is_busy():
            _wait_for_socket(wire.socket, unsent > 0)
            wire.consume_input()
            unsent = wire.flush()
    except errors.OperationalError as gone:
        return gone
    return None


def _wait_for_socket(number: int, writing: bool) -> None:
    if not hasattr(select, "poll"):
        select.select([number], [number] if writing else [], [])
        return
    poller = select.poll()  # select() ends at 1,024 descriptors
    poller.register(number, select.POLLIN | (select.POLLOUT if writing else 0))
    poller.poll()


def _check(result: pq.abc.PGresult, encoding: str) -> None:
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind = errors.lookup(state)
    except KeyError:
        kind = errors.DatabaseError
    raise kind(result.error_message.decode(encoding, "replace").strip())


def _as_bytes(value: object, encoding: str) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    if not isinstance(value, str):
        raise TypeError(f"a value of the type {type(value).__name__} is not sent this way")
    if "\0" in value:
        raise errors.DataError("PostgreSQL's texts cannot hold the character with the number 0")
    return value.encode(encoding)


def _rows(result: pq.abc.PGresult, names: tuple[str, ...], encoding: str) -> list[dict[str, Any]]:
    if not names:
        return []
    columns = [(place, name, _READERS[result.ftype(place)]) for place, name in enumerate(names)]
    rows = []
    for row in range(result.ntuples):
        found = {}
        for place, name, read in columns:
            value = result.get_value(row, place)
            found[name] = None if value is None else read(value.decode(encoding))
        rows.append(found)
    return rows
