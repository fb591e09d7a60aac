"""A workspace's locks on PostgreSQL: advisory ones, held by a connection of their own, so that they go with it; and a
row that tells the others, on whatever machine, who it is."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import sqlalchemy as sa

from ....curation.tables import reading
from ...errors import WorkspaceBusy
from .engine import make_engine
from .fence import Fence
from .reached import reached
from .tables import holder_table

__all__ = ["is_locked", "locked"]

_LOOK = 0.25
"""Seconds between two looks at a lock that another command has."""
_CLASS = 0x474B


@contextmanager
def locked(url: sa.URL, fence: Fence, name: str, number: int, doing: str, wait: float) -> Iterator[None]:
    """Hold the lock `name`, the `number`th, of the workspace whose rows are at `url`. Raises WorkspaceBusy, naming the
    holder and its machine, where another command still has it after `wait` seconds."""
    until = time.monotonic() + wait
    engine = make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as holder:
            with reached(url):
                while not holder.scalar(sa.select(sa.func.pg_try_advisory_lock(_CLASS, number))):
                    if time.monotonic() >= until:
                        raise WorkspaceBusy(_busy(holder, name, doing))
                    time.sleep(_LOOK)
                token = _tell(holder, name, doing)
            fence.holding[name] = token
            try:
                yield
            finally:
                del fence.holding[name]
                with suppress(sa.exc.DBAPIError):  # without a server there is nothing to give back
                    holder.execute(holder_table.delete().where(holder_table.c.token == token))
                    # At once: a server that has much to do ends a connection some time after it was left.
                    holder.scalar(sa.select(sa.func.pg_advisory_unlock(_CLASS, number)))
    finally:
        engine.dispose()  # the lock goes with the connection


def is_locked(db: sa.Engine, number: int) -> bool:
    """Whether a command, on whatever machine, has the `number`th lock of the workspace whose rows are in `db`."""
    held = sa.text(
        "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = :kind AND objid = :number "
        "AND datname = current_database())"
    )
    with reading(db) as connection:
        return bool(connection.scalar(held, {"kind": _CLASS, "number": number}))


def _tell(holder: sa.Connection, name: str, doing: str) -> str:
    token = secrets.token_hex(16)
    row = {
        "lock": name, "token": token, "doing": doing, "machine": platform.node(), "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    holder.execute(holder_table.delete().where(holder_table.c.lock == name))
    holder.execute(holder_table.insert().values(row))
    return token


def _busy(holder: sa.Connection, name: str, doing: str) -> str:
    who = "Another galloway command is"
    row = holder.execute(sa.select(holder_table).where(holder_table.c.lock == name)).one_or_none()
    if row is not None:
        since = datetime.fromisoformat(row.since).astimezone()
        who = (
            f"Another galloway command ({row.doing}, since {since:%d %b %H:%M}, process {row.pid} on {row.machine}) is"
        )
    return (
        f"{who} at work in this workspace, and {doing} does not wait. Let it finish and run this again, or have it "
        "waited for: galloway --wait 600 …"
    )
