"""Locks that live as long as any process has them open, so that an orphan still holds what it works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Held", "held", "note", "noted"]


class Held(Exception):
    """Somebody else holds the lock."""


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Hold the lock file `path`; yields its descriptor, to be passed on to a child. Raises Held at once."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Held(str(path)) from error
        yield descriptor
    finally:
        os.close(descriptor)


def note(descriptor: int, process: int) -> None:
    """Write into a held lock file whose it is: the number of a process that keeps it open."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{process}\n".encode(), 0)


def noted(path: Path) -> int | None:
    """The process that a lock file names, None where it names none that is alive."""
    try:
        process = int(path.read_text(encoding="ascii"))
        os.kill(process, 0)
    except PermissionError:
        return process  # somebody else's
    except (OSError, ValueError, OverflowError):
        return None
    return process if process > 0 else None
