"""Small JSON files that commands leave for one another, read as what they should be or refused by name."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import WorkspaceError

__all__ = ["forget_own", "json_object", "read_state"]


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object in `text`; None where it is none, whatever else it is."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def read_state(path: Path, remedy: str, *, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON object in a file of the workspace, with the keys in `needs`. Raises WorkspaceError that names the file
    and ends with `remedy`."""
    try:
        values = json_object(path.read_bytes())
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    missing = [key for key in needs if key not in values] if values is not None else []
    if values is None or missing:
        lacks = f"it has no {missing[0]}" if missing else "it holds something else"
        raise WorkspaceError(f"{path} is damaged ({lacks}). {remedy}")
    return values


def forget_own(path: Path) -> None:
    """Delete the record in `path` where its `pid` is this process; another one's, written meanwhile, stays."""
    with suppress(OSError):
        if (json_object(path.read_bytes()) or {}).get("pid") == os.getpid():
            path.unlink(missing_ok=True)
