"""Several servers of one marketplace: each has a row of its own, and what they have in common is noted once."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ..config import Addresses
from .server_tables import server, shared_note
from .transactions import Row, Tx, one, rows

__all__ = ["SEEN_MS", "Server", "alive", "enlist", "leave", "read_note", "renew", "write_note"]

SEEN_MS = 60_000
"""A server that was not seen for so long is gone; each says three times as often that it is there."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers: on which machine, and where."""

    id: str
    machine: str
    pid: int
    addresses: Addresses
    started_at: int


def enlist(tx: Tx, mine: Server) -> None:
    """Note a server that begins, and forget those that were killed long ago."""
    tx.conn.execute(server.delete().where(server.c.seen_at < tx.now - 60 * SEEN_MS))
    about = {"api": mine.addresses.api, "worker": mine.addresses.worker, "frames": mine.addresses.frames}
    values = {"id": mine.id, "machine": mine.machine, "pid": mine.pid, **about}
    tx.conn.execute(server.insert().values(**values, started_at=mine.started_at, seen_at=tx.now))


def renew(tx: Tx, server_id: str) -> None:
    """It is still there."""
    tx.conn.execute(server.update().where(server.c.id == server_id).values(seen_at=tx.now))


def leave(tx: Tx, server_id: str) -> None:
    """Take away this server's own record, and no other's."""
    tx.conn.execute(server.delete().where(server.c.id == server_id))


def alive(tx: Tx) -> tuple[Server, ...]:
    """Those that were seen lately, the newest first."""
    lately = sa.select(server).where(server.c.seen_at >= tx.now - SEEN_MS).order_by(server.c.started_at.desc())
    return tuple(_server(row) for row in rows(tx, lately))


def _server(row: Row) -> Server:
    addresses = Addresses(row["api"], row["worker"], row["frames"])
    return Server(row["id"], row["machine"], row["pid"], addresses, row["started_at"])


def read_note(tx: Tx, name: str) -> str | None:
    """What all servers have in common under a name, or None."""
    row = one(tx, sa.select(shared_note.c.value).where(shared_note.c.name == name))
    return None if row is None else str(row["value"])


def write_note(tx: Tx, name: str, value: str) -> None:
    """Note it, in place of what stood there."""
    tx.conn.execute(shared_note.delete().where(shared_note.c.name == name))
    tx.conn.execute(shared_note.insert().values(name=name, value=value))
