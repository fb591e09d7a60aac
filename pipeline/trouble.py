"""What went wrong outside of this program, in a sentence that ends with what to do: disks, rights, databases, texts.

No SQL, no traceback and no number of an error reaches a person; the log has them.
"""

from __future__ import annotations

import errno
import sqlite3
import sys

__all__ = ["is_database", "sentence"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_AGAIN = "Nothing is half written: run the same command again."
_AWAY = f"The workspace's PostgreSQL database went away. Look whether its server runs and can be reached. {_AGAIN}"
_MOVED = "The rows of this workspace are elsewhere now, or a move was cut off. End this program and start it again; if "
_DATABASE = {
    "rows of this workspace move to": f"{_MOVED}that does not help: galloway workspace move --to …",
    "no space left": f"The disk of the database's server is full. Free some space there. {_AGAIN}",
    "lock timeout": f"Another command has been writing to the database for long. Let it finish. {_AGAIN}",
    "server closed the connection": _AWAY,
    "terminating connection": _AWAY,
    "connection is lost": _AWAY,
    "connection is closed": _AWAY,
    "connection failed": _AWAY,
    "connection timeout": _AWAY,
    "consuming input failed": _AWAY,
    "sending query failed": _AWAY,
    "database system is": _AWAY,
    "connection refused": _AWAY,
    "disk is full": f"The disk is full; the workspace's database could not be written. Free some space. {_AGAIN}",
    "disk i/o error": "The disk is full, or it failed, under the workspace's database. Free some space, or look at the "
    f"disk. {_AGAIN}",
    "readonly": f"The workspace's database may only be read. Mend its rights, or copy the workspace. {_AGAIN}",
    "read-only": f"The workspace's database may only be read. Mend its rights, or copy the workspace. {_AGAIN}",
    "unable to open": "A database of the workspace cannot be opened. Check that its folder is there and its rights.",
    "locked": f"Another process has been writing to the database for long. Let it finish. {_AGAIN}",
    "busy": f"Another process has been writing to the database for long. Let it finish. {_AGAIN}",
    "malformed": "A database of the workspace is damaged. Bring a copy back (the workspace's backups/, or your own).",
    "not a database": "A file of the workspace that should be a database is none: galloway.db, market/market.db or "
    "reports/*.sqlite. Bring a copy back; .lock.db and what is under reports/ may simply be deleted.",
    "no such": "A database of the workspace lacks a table. Bring a copy back (the workspace's backups/, or your own).",
}


def sentence(error: BaseException) -> str | None:
    """The sentence for `error`; None where it is a fault of this program, which deserves its traceback."""
    if isinstance(error, sqlite3.Error):
        return _of_database(str(error))
    if is_database(error):
        return _of_database(str(getattr(error, "orig", error)))
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, UnicodeDecodeError):
        return f"A file is not UTF-8 text (byte {error.start + 1}: {error.reason}). Save it as UTF-8, or put it back."
    if isinstance(error, MemoryError):
        return f"The memory is full. End other programs, or give smaller files. {_AGAIN}"
    return None


def is_database(error: BaseException) -> bool:
    """Whether SQLAlchemy passed a database's error on; without SQLAlchemy nothing can have."""
    module = sys.modules.get("sqlalchemy.exc")
    return module is not None and isinstance(error, module.DBAPIError)


def _of_database(text: str) -> str:
    lower = text.lower()
    told = next((words for sign, words in _DATABASE.items() if sign in lower), None)
    return told or f"The database refused: {text.splitlines()[0][:200] if text else 'it says nothing'}. {_AGAIN}"


def _of_system(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return f"The disk is full{where}. Free some space. {_AGAIN}"
    if error.errno == errno.EROFS:
        return f"The disk is mounted read-only{where}. Copy the workspace to one that can be written."
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"The system does not allow it{where}: {error.strerror}. Mend the rights, then run the same command again."
        )
    if error.errno == errno.EADDRINUSE:
        return "The port is taken by another program. Name another one: --port 0 takes a free one."
    return f"{error.strerror or str(error) or type(error).__name__}{where}. Then run the same command again."
