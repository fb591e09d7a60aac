"""How far a job is, told by the command inside it to a file that pages read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["PROGRESS", "tell_to", "told", "told_dashboard"]

PROGRESS = "progress.json"
_EVERY = 0.5
_to: list[Callable[[str, int, int | None, str], None]] = []
"""Who listens in this process: the job that it is, or nobody."""
_dashboards: list[str] = []
"""Where the cluster that works for this process shows itself, the newest last."""


def told_dashboard(address: str) -> None:
    """Called where a command has a cluster work for it: pages link to it."""
    _dashboards.append(address)


def told(what: str, done: int, total: int | None, pace: str) -> None:
    """Called wherever a command says how far it is."""
    for listener in _to:
        listener(what, done, total, pace)


def tell_to(path: Path) -> None:
    """Write what is told to `path` from now on, twice a second at most and at the end of every stretch."""
    from ...curation.errors import FacesetError
    from ...curation.files import write_atomic

    last = 0.0

    def write(what: str, done: int, total: int | None, pace: str) -> None:
        nonlocal last
        if time.monotonic() - last < _EVERY and done != total:
            return
        last = time.monotonic()
        with suppress(OSError, FacesetError):  # a full disk: the command itself will say so
            said: dict[str, object] = {"what": what, "done": done, "total": total, "pace": pace}
            text = json.dumps(said | {"dashboard": _dashboards[-1]} if _dashboards else said)
            write_atomic(path, text, durable=False, private=True)

    _to.append(write)
