"""Whether a marketplace keeps accounts is a fact of its database, whichever process looks after it."""

from __future__ import annotations

import sqlalchemy as sa

from .database import reading, writing
from .server_tables import shared_note

__all__ = ["keeps_accounts"]

_NAME = "ledger"
_NOTED = sa.select(shared_note.c.value).where(shared_note.c.name == _NAME)


def keeps_accounts(engine: sa.Engine, *, wanted: bool) -> bool:
    """Whether it does: since a server was first started that `wanted` it, for good. A command that decides an appeal or
    finds work due pays from the same accounts, though it was not told of them."""
    with reading(engine) as connection:
        if connection.scalar(_NOTED):
            return True
    if wanted:
        with writing(engine) as connection:
            connection.execute(shared_note.delete().where(shared_note.c.name == _NAME))
            connection.execute(shared_note.insert().values(name=_NAME, value="kept"))
    return wanted
