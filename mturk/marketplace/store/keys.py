"""One key for all servers of a marketplace.

The key is not in the database, so that who has the database alone signs nothing (see `sealed`); its fingerprint is, so
that a server with another key is told, instead of serving links and secrets that its fellows cannot read.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

import sqlalchemy as sa

from ..errors import OperatorError
from .database import reading, writing
from .home import write_once
from .server_tables import shared_note

__all__ = ["agree_on_key", "folder_key"]

_NOTED = sa.select(shared_note.c.value).where(shared_note.c.name == "key")


def folder_key(engine: sa.Engine, folder: Path) -> bytes:
    """The key in `market.key`, made where there is none. Raises OperatorError for a folder without one where the
    servers of a PostgreSQL database have one: a key that is made now would be another."""
    path = folder / "market.key"
    if engine.dialect.name == "postgresql" and not path.exists():
        with engine.connect() as connection:
            if sa.inspect(connection).has_table(shared_note.name) and connection.scalar(_NOTED):
                raise OperatorError(_other_key(folder))
    return write_once(path, secrets.token_bytes(32))


def agree_on_key(engine: sa.Engine, key: bytes, folder: Path) -> None:
    """Note whose key it is, the first time; later hold every server to it. Raises OperatorError.

    On SQLite database and key lie in one folder: there a lost key is replaced, and requesters get new ones."""
    mine = hmac.digest(key, b"fingerprint", "sha256").hex()
    with reading(engine) as connection:
        if connection.scalar(_NOTED) == mine:
            return
    with writing(engine) as connection:
        noted = connection.scalar(_NOTED)
        if noted not in (None, mine) and engine.dialect.name == "postgresql":
            raise OperatorError(_other_key(folder))
        connection.execute(shared_note.delete().where(shared_note.c.name == "key"))
        connection.execute(shared_note.insert().values(name="key", value=mine))


def _other_key(folder: Path) -> str:
    return (
        f"{folder} does not hold the market.key that this database's marketplace began with: links and requesters' "
        "keys of one server would mean nothing to the other. Copy market.key from the first server's folder to "
        f"{folder}. Where it is lost for good, delete the row 'key' of shared_note; requesters then need new keys."
    )
