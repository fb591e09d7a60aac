"""A PostgreSQL server that cannot be used: in a sentence that names it, says why and what to do, without a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ....mturk.postgresql import bare_address
from ...errors import WorkspaceError

__all__ = ["reached", "why_not"]

_PASSWORD = "Put the right one into GALLOWAY_WORKSPACE__DATABASE or ~/.pgpass."
_WHY = {
    "password authentication failed": "does not take the password of {user}. " + _PASSWORD,
    "no password supplied": "wants a password of {user}. " + _PASSWORD,
    "no pg_hba.conf entry": "does not let {user} in from this machine: its pg_hba.conf has no line for that. Add one.",
    "authentication failed": "does not let {user} in. " + _PASSWORD,
    "role": "knows no user {user}. Make it: createuser {user}   or name another one in the address.",
    "database": "has no database of that name. Make it: createdb -h {host} {name}",
    "too many clients": "has no connection free. End programs that hold some, or raise its max_connections.",
    "remaining connection slots": "has no connection free. End programs that hold some, or raise max_connections.",
    "permission denied": "does not let {user} make tables. As its owner: GRANT CREATE ON DATABASE {name} TO {user}",
    "read-only": "may only be read: it is a standby, or set so. Name the server that is written to.",
    "translate host name": "is not known by that name. Mend the address.",
    "name or service not known": "is not known by that name. Mend the address.",
    "connection refused": "does not answer: no server runs there. Start it, or mend the address.",
    "timeout": "does not answer in time. Look whether it runs and whether a wall stands between.",
}
_MISSING = ("role", "database")


@contextmanager
def reached(url: sa.URL) -> Iterator[None]:
    """For what is done with a database when it is opened. Raises WorkspaceError where the server does not let it."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.ProgrammingError) as error:
        raise WorkspaceError(f"{bare_address(url)} {why_not(str(error.orig), url)}") from error


def why_not(text: str, url: sa.URL) -> str:
    """What is in the way and what to do, from the server's or the driver's words."""
    lower = text.lower()
    words = {"user": url.username or "this account", "host": url.host or "localhost", "name": url.database}
    for sign, told in _WHY.items():
        if sign in lower and (sign not in _MISSING or (f'{sign} "' in lower and "does not exist" in lower)):
            return told.format(**words)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"cannot be used: {lines[-1][:200] if lines else 'it says nothing'}. Look at the server, then run it again."
