"""What a folder remembers of its bucket: which list it agreed with last, and the files as they were then."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....curation.files import write_atomic
from ..state import read_state
from .objects import Files

__all__ = ["RECORD", "Record", "Seen", "kept", "listed", "look", "scan"]

RECORD = "bucket.json"
_FOLDER = "facesets"
_ANEW = "Delete it, then: galloway bucket push, or galloway bucket pull"


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it stood: bytes, time of its last change in nanoseconds, SHA-256."""

    size: int
    changed_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """`mark` is the list's ETag. With `released` the files were deleted here on purpose, and what lacks is no deletion.
    With `unswept` contents may lie in the bucket that no list names: a command was stopped."""

    place: str = ""
    mark: str = ""
    files: Mapping[str, Seen] = field(default_factory=dict)
    released: bool = False
    unswept: bool = False

    def write(self, root: Path) -> None:
        """Remember it."""
        files = {path: [seen.size, seen.changed_ns, seen.digest] for path, seen in sorted(self.files.items())}
        told = {"place": self.place, "mark": self.mark, "released": self.released, "unswept": self.unswept}
        write_atomic(root / RECORD, json.dumps(told | {"files": files}), private=True)

    def unfinished(self, root: Path) -> Record:
        """The same, with contents on their way."""
        found = replace(self, unswept=True)
        found.write(root)
        return found


def kept(root: Path) -> Record | None:
    """What the folder remembers; None where it never met a bucket. Raises WorkspaceError for a damaged file."""
    if not (root / RECORD).exists():
        return None
    told = read_state(root / RECORD, _ANEW, needs=("place", "mark", "files", "released", "unswept"))
    files = {path: Seen(*seen) for path, seen in told["files"].items()}
    return Record(told["place"], told["mark"], files, bool(told["released"]), bool(told["unswept"]))


def look(path: Path, before: Seen | None) -> Seen:
    """The file as it stands; read only where size or time changed."""
    stat = path.stat()
    if before is not None and (before.size, before.changed_ns) == (stat.st_size, stat.st_mtime_ns):
        return before
    with path.open("rb") as file:
        return Seen(stat.st_size, stat.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())


def scan(root: Path, before: Mapping[str, Seen]) -> dict[str, Seen]:
    """Every file of the workspace's facesets as it stands: faces, alignments, manifests, rejected faces."""
    return {name: look(path, before.get(name)) for name, path in _found(root)}


def _found(root: Path) -> Iterator[tuple[str, Path]]:
    for folder, below, names in os.walk(root / _FOLDER):
        below.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix(), path


def listed(files: Mapping[str, Seen]) -> Files:
    """What the bucket's list says of these files."""
    return {path: (seen.digest, seen.size) for path, seen in files.items()}
