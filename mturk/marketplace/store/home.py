"""Which database a marketplace's folder belongs to: read from a URL, noted once, and refused where two differ."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from ...overwrite import keep_private
from ...postgresql import bare_address, read_address
from ..errors import OperatorError

__all__ = ["check_database", "database_url", "write_once"]

_FORM = "Write postgresql://USER:PASSWORD@HOST:5432/NAME, or leave it out for SQLite in the marketplace's folder."


def database_url(text: str) -> sa.URL:
    """The URL of a database with the driver that is used for it. Raises OperatorError, which never shows a password."""
    try:
        return read_address(text, "The database's")
    except ValueError as error:
        raise OperatorError(f"{error} {_FORM}") from None


def check_database(folder: Path, url: str) -> None:
    """Note with which database the marketplace in `folder` works, the first time; later, hold everybody to it.

    Two programs of one marketplace that read different databases would each see half of its HITs and workers. Who signs
    in there, and with which password, is not noted. Raises OperatorError where `url` names another one, and where the
    one in the folder is gone: an empty one in its place would know nobody, and nothing that is owed.
    """
    path, file, now = folder / "database", folder / "market.db", _place(folder, url)
    known = path.exists()
    first = "SQLite" if not known and file.exists() else now
    if first == now == "SQLite" and not known:
        keep_private(file)  # before the note, so that killed between the two it is not taken for lost
    noted = write_once(path, first.encode()).decode("utf-8", "replace").strip()
    if noted != now:
        raise OperatorError(
            f"The marketplace in {folder} works with {noted}, and {now} was named here: its HITs and workers would be "
            "missing. Name the same everywhere (market.database in a workspace's galloway.toml, else --database or "
            f"GALLOWAY_MARKET_DATABASE). To begin anew with the other one, delete {path}."
        )
    if now == "SQLite" and not file.exists():
        raise OperatorError(
            f"{file} is gone: HITs, workers and what they are owed were in it. Bring it back from a backup (galloway "
            f"restore), or, to begin anew without all that, delete {path}."
        )


def _place(folder: Path, text: str) -> str:
    url = database_url(text)
    if url.get_backend_name() == "sqlite":
        return "SQLite" if url.database == str(folder / "market.db") else f"SQLite at {url.database}"
    return bare_address(url)


def write_once(path: Path, content: bytes) -> bytes:
    """What the file holds; it is made with `content`, readable for the owner only, if there is none.

    The few files that the marketplace makes by itself, and the reason that it needs no other package to write files.
    """
    if not path.exists():
        # Written beside and linked, so that of two starting processes one wins and neither reads half a secret.
        draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()
