"""Locks of a workspace: one holder at a time, gone with its process, and a note for the others of who it is.

SQLite's own file lock: the same on every system. The note is for people only; nothing is decided by it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ...curation.errors import FacesetError
from ...curation.files import write_atomic
from ..errors import WorkspaceBusy, WorkspaceError
from ..trouble import sentence
from .place import read_only
from .state import forget_own, json_object

__all__ = ["FACES_LOCK", "LOCK", "LOCKS", "held", "is_held"]

LOCK = ".lock.db"
"""Who holds it changes the workspace."""
FACES_LOCK = ".faces.lock.db"
"""Who holds it reads or changes the face PNGs and alignments."""
LOCKS = (LOCK, FACES_LOCK)
_LOOK = 0.25
"""Seconds between two looks at a lock that another process has, so that Ctrl-C ends the waiting."""


@contextmanager
def held(root: Path, name: str, doing: str, wait: float) -> Iterator[None]:
    """Hold the lock `name` of the workspace at `root`. Raises WorkspaceBusy, naming the holder, where another one still
    has it after `wait` seconds, and WorkspaceError where the lock's file cannot be used."""
    note = root / f"{name.removesuffix('.db')}.json"
    until = time.monotonic() + wait
    if read_only(root):
        raise WorkspaceError(
            f"{root} lies on a disk that is mounted read-only; {doing} would write there. Copy it to one that can be "
            "written."
        )
    with closing(sqlite3.connect(root / name, timeout=min(wait, _LOOK), isolation_level=None)) as holder:
        while not _taken(holder, root):
            if time.monotonic() >= until:
                raise WorkspaceBusy(_busy(root, note, doing))
        told = {"doing": doing, "pid": os.getpid(), "since": datetime.now().astimezone().isoformat(timespec="seconds")}
        with suppress(OSError, FacesetError):  # a disk that is full or cannot be written: the command will say so
            write_atomic(note, json.dumps(told), durable=False, private=True)
        try:
            yield
        finally:
            forget_own(note)


def is_held(lock: Path) -> bool:
    """Whether a process holds a lock. It is only asked: the file is not made, and nothing in it changes."""
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"{lock.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as asked,
    ):
        try:
            asked.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
    return False


def _taken(holder: sqlite3.Connection, root: Path) -> bool:
    try:
        holder.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if "locked" not in str(error):  # a full or read-only disk, a damaged file: no other command
            raise WorkspaceError(f"{sentence(error)} (in {root})") from error
        return False
    return True


def _busy(root: Path, note: Path, doing: str) -> str:
    """Who holds it since when, and what to do."""
    who = "Another galloway command is"
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json_object(note.read_bytes()) or {}
        since = datetime.fromisoformat(found["since"]).astimezone()
        who = f"Another galloway command ({found['doing']}, since {since:%d %b %H:%M}, process {int(found['pid'])}) is"
    return (
        f"{who} at work in {root}, and {doing} does not wait. Let it finish and run this again, or have it waited "
        "for: galloway --wait 600 …"
    )
