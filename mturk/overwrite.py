"""SQLite databases in which nothing stays that was deleted: freed pages, old copies of rows, the write-ahead log."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

__all__ = ["SECURE_DELETE", "keep_private", "overwrite_deleted"]

SECURE_DELETE = "secure_delete=ON"
"""A pragma for every connection: what is deleted is overwritten with zeros at once, whatever SQLite was built with."""


def keep_private(path: Path) -> None:
    """Let only the owner of the database at `path` read it, from before its first row on; SQLite's files beside it get
    the same rights. Where the system knows no such rights, nothing changes.

    A database that is there is never opened here: closing any descriptor of a file drops every POSIX lock that this
    process holds on it, those of SQLite's own connections too, and two writers then damage it (sqlite.org, "How To
    Corrupt An SQLite Database File", 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            for file in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))):
                if file.exists():
                    file.chmod(0o600)


def overwrite_deleted(path: Path, *, wait: float = 5.0) -> str:
    """Rewrite the database at `path` without what was ever deleted in it, and empty its write-ahead log.

    "" where that is done (or there is no database), else why it is not, in words for the person: another process reads
    it, or the disk is full. Its rows are untouched either way.
    """
    if not path.is_file():
        return ""
    try:
        with closing(sqlite3.connect(path, timeout=wait, isolation_level=None)) as db:
            db.execute(f"PRAGMA {SECURE_DELETE}")
            # VACUUM copies the rows that are left into new pages; what earlier versions deleted without care goes, too.
            db.execute("VACUUM")
            busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        return f"it is in use or cannot be written ({error}); end galloway serve and market serve and run this again"
    return (
        "its log is being read by another process; end galloway serve and market serve and run this again"
        if busy
        else ""
    )
