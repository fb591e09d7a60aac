"""Where faceswap is, and which line it is: told by its files, nothing of it is imported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base import EngineError

__all__ = ["BACKENDS", "MODELS", "Home", "Line", "backend_of", "find_home", "model_name"]

Line = Literal["v2.3.0", "master"]

BACKENDS: dict[Line, tuple[str, ...]] = {
    "v2.3.0": ("cpu", "nvidia", "directml", "rocm", "apple_silicon"),
    "master": ("cpu", "nvidia", "rocm", "apple_silicon"),
}
MODELS = (
    "original",
    "lightweight",
    "dfaker",
    "dfl-h128",
    "dfl-sae",
    "dlight",
    "iae",
    "phaze-a",
    "realface",
    "unbalanced",
    "villain",
)
"""The models that both lines know."""


@dataclass(frozen=True, slots=True)
class Home:
    """A faceswap folder. `version` is git's description where there is a repository, else the line's name."""

    root: Path
    line: Line
    version: str

    @property
    def weights(self) -> Path:
        """Where downloaded detector and aligner weights are: the checkout's own cache if it has one, else the user's.

        Nothing is written into a checkout that has none.
        """
        own = self.root / ".fs_cache"
        if own.is_dir():
            return own
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "galloway" / f"faceswap-{self.line}"


def find_home(root: Path) -> Home:
    """Recognise the faceswap folder at `root`. Raises EngineError with the remedy where it is none."""
    remedy = "Set GALLOWAY_FACESWAP_HOME to the folder that holds faceswap.py."
    if not (root / "faceswap.py").is_file():
        raise EngineError(f"{root} is not a faceswap folder (no faceswap.py in it). {remedy}")
    if (root / "scripts" / "fs_media.py").is_file() and (root / "lib" / "infer").is_dir():
        line: Line = "master"
    elif (root / "scripts" / "fsmedia.py").is_file() and (root / "lib" / "cli" / "launcher.py").is_file():
        line = "v2.3.0"
    else:
        raise EngineError(
            f"{root} is a faceswap of a line that is not known (v2.3.0 and master are). Check one of them out there."
        )
    return Home(root.resolve(), line, _version(root) or line)


def _version(root: Path) -> str:
    """git's description of the checkout, empty where there is no git or no repository."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return ""
    # A checkout's own configuration can name programs: a file-system monitor, hooks, transports, and filters, which
    # `--dirty` would run. None of them is asked.
    off = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "protocol.allow=never", "core.pager=cat")
    command = [git, "--no-pager", *(part for setting in off for part in ("-c", setting)), "-C", str(root)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    safe = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        run = subprocess.run(
            [*command, "describe", "--tags", "--always"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=30,
            env={**kept, **safe, "GIT_ALLOW_PROTOCOL": ""},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def backend_of(home: Home, wanted: str | None) -> str:
    """The backend to run with: `wanted`, else FACESWAP_BACKEND, else the user's own setting, else cpu.

    It is always handed over by environment: without one, faceswap asks at a prompt.
    """
    backend = wanted or os.environ.get("FACESWAP_BACKEND") or _configured(home) or "cpu"
    if backend not in BACKENDS[home.line]:
        known = ", ".join(BACKENDS[home.line])
        raise EngineError(f"faceswap {home.line} has no backend {backend!r}. Set FACESWAP_BACKEND to one of: {known}.")
    return backend


def _configured(home: Home) -> str:
    try:
        value = json.loads((home.root / "config" / ".faceswap").read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(value)


def model_name(name: str) -> str:
    """The model as both lines spell it. Raises EngineError with the list where it is unknown."""
    spelled = name.strip().lower().replace("_", "-")
    if spelled not in MODELS:
        raise EngineError(f"faceswap has no model {name!r}. Choose one of: {', '.join(MODELS)}.")
    return spelled
