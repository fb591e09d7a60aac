"""The user's own configuration, which no workspace can change: where it is, and the programs that it names."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ..errors import WorkspaceError

__all__ = ["KEYS", "config_dir", "own_engine"]

KEYS = ("faceswap_home", "faceswap_python")
"""The settings that name what is run."""


def config_dir() -> Path:
    """Where the user's own configuration is: GALLOWAY_CONFIG, else the system's place for it."""
    if own := os.environ.get("GALLOWAY_CONFIG"):
        return Path(own)
    if sys.platform == "win32" and (roaming := os.environ.get("APPDATA")):
        return Path(roaming) / "galloway"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "galloway"


def own_engine(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The programs that the user's environment and `config.toml` name; the environment counts more.

    Raises WorkspaceError where `config.toml` cannot be read.
    """
    path = config_dir() / "config.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")).get("engine", {})
    except (FileNotFoundError, NotADirectoryError):
        values = {}
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceError(f"{path} cannot be read: {error}. Mend or delete it.") from error
    found = {key: str(values[key]) for key in KEYS if isinstance(values, dict) and values.get(key)}
    for key in KEYS:
        for name in (f"GALLOWAY_{key.upper()}", f"GALLOWAY_ENGINE__{key.upper()}"):
            if environment.get(name):
                found[key] = environment[name]
    return found
