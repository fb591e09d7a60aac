"""Training runs as their records say: one folder each under `runs/`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .state import read_state

if TYPE_CHECKING:
    from .folder import Workspace

__all__ = ["AWAY", "RECORD", "Run", "runs"]

RECORD = "run.json"
"""In the folder of each run: what it was begun with, and how it ended."""

AWAY = "away.json"
"""In the folder of a run that is on another machine: which, and what was sent."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run: its folder, its record (JSON) and where it stands. `last`: no other began after it. `held`:
    some command holds the workspace's faces, as a training here does to its end."""

    id: str
    folder: Path
    record: dict[str, Any]
    last: bool = True
    held: bool = True

    @property
    def finished(self) -> bool:
        return bool(self.record.get("result"))

    @property
    def state(self) -> str:
        """done, interrupted or time as the engine ended; failed; killed; open while it may be running; away while it is
        open on another machine.

        A training here holds the workspace's faces, one at a time: a run after which another began was killed, and so
        was the last one where nobody holds them. Of a bundle that was taken elsewhere nobody here knows.
        """
        if self.finished:
            return str(self.record["result"]["stopped"])
        if "failed" in self.record:
            return "failed"
        if (self.folder / AWAY).is_file():
            return "away"
        return "open" if self.elsewhere or (self.last and self.held) else "killed"

    @property
    def elsewhere(self) -> bool:
        """Whether it was begun for another machine."""
        return "on" in self.record


def runs(workspace: Workspace) -> list[Run]:
    """All training runs, oldest first."""
    paths = sorted((workspace.root / "runs").glob(f"train-*/{RECORD}"))
    found = []
    for path in paths:
        remedy = f"Delete the folder {path.parent}: its model stays, and the run is forgotten."
        record = read_state(path, remedy, needs=("engine", "model", "model_dir", "facesets", "options", "started_at"))
        found.append(Run(path.parent.name, path.parent, record, last=path == paths[-1]))
    if found and found[-1].state == "open" and not found[-1].elsewhere and not workspace.faces_held():
        found[-1] = replace(found[-1], held=False)
    return found
