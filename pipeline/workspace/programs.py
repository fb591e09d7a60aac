"""Which programs a workspace may have run: those of the user's own configuration, and those that the user allowed.

A workspace is a folder that may come from anybody. What its `galloway.toml` names is a wish, not an order.
"""

from __future__ import annotations

import json
from pathlib import Path

from ...curation.files import write_atomic
from ..engines.base import EngineError
from .own import KEYS, config_dir, own_engine
from .settings import EngineSettings

__all__ = ["allow", "check_allowed", "not_allowed"]

_REMEMBERED = "programs.json"


def not_allowed(engine: EngineSettings) -> tuple[Path, ...]:
    """The programs and checkouts that `engine` names and that nobody on this machine asked for or allowed."""
    own, allowed = own_engine(), _remembered()
    named = {key: path for key in KEYS if (path := getattr(engine, key)) is not None}
    return tuple(
        path for key, path in named.items() if own.get(key) != str(path) and str(path.absolute()) not in allowed
    )


def check_allowed(engine: EngineSettings) -> None:
    """Raise EngineError where the workspace names a program that the user neither configured nor allowed."""
    if found := not_allowed(engine):
        raise EngineError(
            f"The workspace's galloway.toml names {' and '.join(map(str, found))} to be run, and you did not. "
            "Nothing was run. If it is yours: galloway trust (or the variables that galloway doctor names)"
        )


def allow(paths: tuple[Path, ...]) -> None:
    """Remember these by path: they may be run from now on, whichever workspace names them."""
    kept = sorted({*_remembered(), *(str(path.absolute()) for path in paths)})
    config_dir().mkdir(parents=True, exist_ok=True)
    write_atomic(config_dir() / _REMEMBERED, json.dumps({"allowed": kept}, indent=2) + "\n", private=True)


def _remembered() -> frozenset[str]:
    try:
        values = json.loads((config_dir() / _REMEMBERED).read_text(encoding="utf-8"))
        return frozenset(str(item) for item in values["allowed"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()
