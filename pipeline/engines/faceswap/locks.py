"""Locks that live as long as any process has them open, so that an orphan still holds what it works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Held", "held"]


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
