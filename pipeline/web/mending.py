"""What the machine can mend of the doctor's findings by itself: an extra of ours that is not installed. Nothing is done
as another user, and nothing but what the extra names is fetched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any

from ...extras import requirements
from ..errors import StageError, WorkspaceBusy

__all__ = ["Mending"]

_TAIL = 12


def _pip(wanted: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--", *wanted]


@dataclass
class Mending:
    """One installation at a time, in a process that outlives the server; what it says is kept in `folder`."""

    folder: Path
    command: Callable[[Sequence[str]], list[str]] = _pip
    extra: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _guard: Any = field(default_factory=Lock)

    @property
    def can(self) -> bool:
        """Whether there is a pip here to install with."""
        try:
            version("pip")
        except PackageNotFoundError:
            return False
        return True

    @property
    def state(self) -> str:
        """running, done, failed; "" where nothing was begun by this server."""
        if self._process is None:
            return ""
        code = self._process.poll()
        return "running" if code is None else "failed" if code else "done"

    def lines(self) -> list[str]:
        """The end of what it said."""
        path = self.folder / "install.log"
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:] if path.is_file() else []

    def start(self, extra: str) -> None:
        """Install what an extra brings. Raises WorkspaceBusy while another one is, StageError where there is nothing to
        install or no pip."""
        wanted = requirements(extra)
        if not wanted or not self.can:
            raise StageError(f"{extra[:40]!r} cannot be installed from here: galloway doctor says how.")
        with self._guard:
            if self.state == "running":
                raise WorkspaceBusy(f"{self.extra} is being installed. Let it finish, then try again.")
            self.folder.mkdir(parents=True, exist_ok=True)
            self.extra = extra
            with (self.folder / "install.log").open("wb") as log:
                self._process = subprocess.Popen(
                    self.command(wanted), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
