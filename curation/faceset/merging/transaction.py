"""One merge as files: what is staged, what is moved, and how a killed run goes on.

Everything of merge M lives in two places. Beside the manifest: `M.journal` (the plan, written once) and `M.state` (one
word). Below `rejected/M/`: the rejected PNGs themselves, `old/` (PNGs as they were before their header changed),
`alignments/` (alignments as they were), `new/` (what is staged to come in).

    state      what holds                                             a killed run is
    (none)     only copies and staged files exist                     rolled back
    out        faces are leaving the folder                           rolled forward
    back       the disk said no: faces go back under their old names  rolled back
    in         all have left; new headers and alignments come in      rolled forward
    undo-out   an undo takes the changed files out                    rolled forward
    undo-in    the old ones come back                                 rolled forward

Every step can be repeated: a rename whose source is gone and whose target is there is done.

Before the first face moves, a file of the size of what is still to be written (states, manifest) is put beside the
manifest and deleted when that is due. A disk that is too full says so while nothing has been touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import FacesetError, FormatError
from ...files import TEMPORARY, check_name, is_temporary
from ..index import FacesetPaths
from .disk import Disk
from .plan import MergePlan, plan_from_json

__all__ = ["Manifest", "Transaction", "begun", "manifests", "pending"]

_VERSION = 1
_RESERVE = 48 << 10
"""Room for the states, and what a small manifest says beyond its journal."""
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Transaction:
    """The files of merge `merge_id`."""

    paths: FacesetPaths
    merge_id: str
    disk: Disk

    @property
    def journal(self) -> Path:
        return self.paths.merges_dir / f"{self.merge_id}.journal"

    @property
    def state_file(self) -> Path:
        return self.paths.merges_dir / f"{self.merge_id}.state"

    @property
    def manifest_file(self) -> Path:
        return self.paths.merges_dir / f"{self.merge_id}.json"

    @property
    def hold(self) -> Path:
        return self.paths.rejected_dir / self.merge_id

    @property
    def reserve_file(self) -> Path:
        return self.paths.merges_dir / f"{TEMPORARY}{self.merge_id}.reserve"

    def reserve(self, record: Path) -> None:
        """Take room for a manifest somewhat longer than `record`, and for states. Raises OSError where there is
        none."""
        self.disk.checkpoint("reserve")
        with self.reserve_file.open("wb") as stream:
            stream.write(os.urandom(_RESERVE + 3 * record.stat().st_size // 2))
            stream.flush()
            os.fsync(stream.fileno())

    def release(self) -> None:
        """Give the room back, to write into it what it was for."""
        if self.reserve_file.exists():
            self.disk.remove(self.reserve_file)

    def place(self, kind: str, name: str = "") -> Path:
        """A file in `old/`, `new/` or `alignments/`; the folder itself without a name."""
        return self.hold / kind / name if name else self.hold / kind

    def alignments_path(self, name: str) -> Path:
        """Where the alignments file `name` belongs."""
        file = self.paths.alignments_file
        return file if file is not None else self.paths.alignments_dir / name

    def check_place(self, rows: Iterable[tuple[str, str]]) -> None:
        """Raises FacesetError where the alignments that this merge changes, as (file, folder), are not those that
        `paths` names: then a recovery or undo would put them elsewhere."""
        for file, folder in rows:
            path = self.alignments_path(file)
            if path.name != file or self.paths.relative(path.parent) != folder:
                raise FacesetError(
                    f"Merge {self.merge_id} changed {file} in {self.paths.merges_dir / folder}. Name that file: "
                    "--alignments FILE"
                )

    def state(self) -> str:
        """The state's word; empty before the merge is committed."""
        try:
            return self.state_file.read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def enter(self, state: str) -> None:
        """Make `state` durable."""
        self.disk.write(self.state_file, (state.encode(),))

    def write_journal(self, plan: MergePlan) -> None:
        self.disk.write(self.journal, (json.dumps(plan.to_json()).encode(),))

    def read_journal(self) -> MergePlan:
        """The plan of a merge under way. Raises FormatError where it is damaged."""
        return plan_from_json(_checked(_read(self.journal), self.journal), self.paths)

    def write_manifest(self, manifest: Manifest) -> None:
        self.disk.write(self.manifest_file, (json.dumps(manifest).encode(),))

    def close(self) -> None:
        """Forget journal and state: the merge is what its manifest says."""
        self.release()
        self.disk.remove_tree(self.place("new"))
        self.disk.remove(self.journal)
        self.disk.remove(self.state_file)

    def roll_back(self) -> None:
        """Take away what was staged; the faceset itself was not touched yet."""
        self.release()
        for kind in ("new", "old", "alignments"):
            self.disk.remove_tree(self.place(kind))
        if self.hold.is_dir():
            for path in self.hold.iterdir():
                if is_temporary(path.name):
                    self.disk.remove(path)
            if not any(self.hold.iterdir()):
                self.disk.checkpoint("remove hold")
                self.hold.rmdir()
        self.disk.remove(self.journal)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} cannot be used ({error}). See what there is: galloway faceset verify") from None
    if not isinstance(values, dict):
        raise FormatError(f"{path} is no manifest. See what there is: galloway faceset verify")
    return values


def _checked(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """Every name in a journal or manifest as a plain file name: it may have come with a stranger's workspace."""
    for row in (*values.get("removals", ()), *values.get("moves", ())):
        for key in ("name", "new_name"):
            if key in row:
                check_name(row[key], where=str(path))
    for row in values.get("rewrites", ()):
        check_name(row["file"], where=str(path))
    check_name(values.get("merge_id"), where=str(path))
    return values


def read_checked(path: Path) -> dict[str, Any]:
    """A manifest whose names are plain file names. Raises FormatError and UnsafeFile."""
    return _checked(_read(path), path)


def pending(paths: FacesetPaths) -> list[str]:
    """Ids of merges that were begun and not ended, oldest first."""
    if not paths.merges_dir.is_dir():
        return []
    names = (path for path in paths.merges_dir.iterdir() if not path.name.startswith("."))
    return sorted({path.stem for path in names if path.suffix in (".journal", ".state")})


def begun(paths: FacesetPaths) -> Literal["", "merge", "undo"]:
    """What was begun in the folder and not ended: taking a merge back, else a merge; "" where nothing was."""
    ids = pending(paths)
    states = [Transaction(paths, merge_id, Disk()).state() for merge_id in ids]
    return "undo" if any(state.startswith("undo") for state in states) else "merge" if ids else ""


def manifests(paths: FacesetPaths) -> Iterator[Manifest]:
    """The manifests of ended merges, oldest first."""
    if paths.merges_dir.is_dir():
        for path in sorted(paths.merges_dir.glob("*.json")):
            if not path.name.startswith("."):
                yield read_checked(path)
