"""Folder and bucket agree: before a command that needs faces, and after one that changed them.

The list in the bucket is what counts between machines, the folder what counts within a command. Where both changed
since they agreed, nothing is guessed: the person says whose stands, and what the folder loses by it is kept beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ....curation.files import write_atomic
from ...errors import WorkspaceError
from ..settings import Settings
from .objects import CONNECTIONS, DamagedList, Objects, Snapshot
from .record import Record, Seen, kept, listed, look, scan

__all__ = ["Mirror", "State", "agreed"]

Progress = Callable[[str, int, int | None], None]


def _untold(_what: str, _done: int, _total: int | None) -> None:
    return


@dataclass(frozen=True, slots=True)
class State:
    """How folder and bucket stand: files there, files that changed here since they agreed, whether the list there is
    another one than then, and whether the files were released here."""

    place: str
    begun: bool
    files: int
    size: int
    changed_here: int
    changed_there: bool
    released: bool


class Mirror:
    """One workspace's folder and its bucket. The caller holds the workspace's locks, but for `state`."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root, self._id = root, settings.id
        self._objects = Objects(settings.faces)
        self._record = self._remembered()

    @property
    def begun(self) -> bool:
        """Whether folder and bucket ever agreed."""
        return bool(self._record.mark)

    def state(self) -> State:
        """How both stand. Nothing is written."""
        there = self._snapshot()
        files = there.files if there else {}
        mark = there.mark if there else ""
        return State(
            self._objects.place,
            self.begun,
            len(files),
            sum(size for _, size in files.values()),
            len(self._changed(scan(self._root, self._record.files))),
            mark != self._record.mark,
            self._record.released,
        )

    def fetch(self, progress: Progress = _untold, *, theirs: bool = False) -> int:
        """Have every file of the list here, as it is there; how many came. `theirs` gives up what changed here: it is
        moved to `backups/`."""
        self._record = self._remembered()
        if self._record.released or theirs:
            pass
        elif self.begun and self._objects.mark() == self._record.mark:
            self._check_folder()
            return 0
        there = self._snapshot()
        if there is None:
            if self._record.mark:
                raise WorkspaceError(
                    f"{self._objects.place} is empty, and this folder's faces were there. If the bucket was emptied on "
                    "purpose, put them there again: galloway bucket push --ours"
                )
            return 0
        for path in there.files:
            self._inside(path)
        here = scan(self._root, self._record.files)
        lost = [path for path in self._changed(here) if path in here and _differs(here[path], there, path)]
        gone = [path for path in self._changed(here) if path not in here and path in there.files]
        if (lost or gone) and not theirs and there.mark != self._record.mark:
            raise self._apart(lost + gone)
        if theirs:
            self._keep_aside(lost)
        elif there.mark == self._record.mark:  # only what was released comes back; what changed here is the newer
            lost_here = set(lost)
            there = Snapshot(there.mark, there.workspace, {p: f for p, f in there.files.items() if p not in lost_here})
        return self._take(there, here, progress)

    def put(self, progress: Progress = _untold, *, ours: bool = False) -> int:
        """Have every file of the folder there, and nothing else; how many were sent. `ours` replaces what another
        machine put there."""
        self._record = self._remembered()
        if self._record.released:
            raise WorkspaceError(
                f"The faces of this folder were released; they are in {self._objects.place} alone. Fetch them first: "
                "galloway bucket pull"
            )
        files = scan(self._root, self._record.files)
        if self.begun and not ours and not self._record.unswept and not self._changed(files):
            return 0
        try:
            there = self._snapshot()
        except DamagedList:
            if not ours:
                raise
            there = None
        if there is not None and not ours and there.mark != self._record.mark and listed(files) != there.files:
            raise self._apart([path for path, _ in sorted(set(listed(files).items()) ^ set(there.files.items()))])
        before = {digest for digest, _ in there.files.values()} if there else set()
        sweep = ours or self._record.unswept or not self.begun
        self._record = self._record.unfinished(self._root)
        stored = set(self._objects.there()) if sweep else before
        new = {seen.digest: path for path, seen in files.items() if seen.digest not in stored}
        self._each(new.items(), lambda item: self._send(item[0], item[1]), progress)
        mark = self._objects.write(self._id, listed(files))
        self._objects.delete((stored | before) - {seen.digest for seen in files.values()})
        self._remember(mark, files)
        return len(new)

    def release(self) -> int:
        """Delete here what is there; how many bytes that frees. The next command that needs faces fetches them."""
        self.fetch()
        self.put()
        if not self.begun:
            return 0
        self._record = Record(self._objects.place, self._record.mark, self._record.files, released=True)
        self._record.write(self._root)
        for path in self._record.files:
            self._inside(path).unlink(missing_ok=True)
        return sum(seen.size for seen in self._record.files.values())

    def _remembered(self) -> Record:
        """What the folder remembers now: another command may have agreed with the bucket since."""
        found = kept(self._root)
        return found if found is not None and found.place == self._objects.place else Record(self._objects.place)

    def _check_folder(self) -> None:
        """Faces that all lack are a disk that is not there, not what somebody did."""
        if self._record.files and not any((self._root / path).exists() for path in self._record.files):
            raise WorkspaceError(
                f"None of the {len(self._record.files):,} faces and alignments is in {self._root} any more; the bucket "
                "has them. Fetch them: galloway bucket pull --theirs"
            )

    def _snapshot(self) -> Snapshot | None:
        found = self._objects.snapshot()
        if found is not None and found.workspace != self._id:
            raise WorkspaceError(
                f"{self._objects.place} holds the faces of another workspace (id {found.workspace}). Give this one a "
                "prefix of its own: s3_prefix under [faces] in galloway.toml"
            )
        return found

    def _changed(self, here: Mapping[str, Seen]) -> list[str]:
        """The files that are not as folder and bucket agreed on them."""
        before = self._record.files
        gone = [] if self._record.released else [path for path in before if path not in here]
        return gone + [p for p, seen in here.items() if p not in before or before[p].digest != seen.digest]

    def _take(self, there: Snapshot, here: Mapping[str, Seen], progress: Progress) -> int:
        wanted = {p: digest for p, (digest, _) in there.files.items() if p not in here or here[p].digest != digest}
        self._each(wanted.items(), lambda item: self._receive(item[0], item[1]), progress)
        for path in here:
            if path not in there.files and path in self._record.files:  # deleted by another machine
                self._inside(path).unlink(missing_ok=True)
        files = {path: look(self._inside(path), here.get(path)) for path in there.files}
        self._remember(there.mark, files, unswept=self._record.unswept)
        return len(wanted)

    def _remember(self, mark: str, files: Mapping[str, Seen], *, unswept: bool = False) -> None:
        self._record = Record(self._objects.place, mark, files, unswept=unswept)
        self._record.write(self._root)

    def _send(self, digest: str, path: str) -> None:
        body = self._inside(path).read_bytes()
        self._objects.upload(digest, body)

    def _receive(self, path: str, digest: str) -> None:
        body = self._objects.download(digest)
        target = self._inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, [body], durable=False)

    def _each(self, items: Any, do: Callable[[Any], None], progress: Progress) -> None:
        todo = list(items)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                for done, _ in enumerate(pool.map(do, todo), 1):
                    progress("files", done, len(todo))
            finally:
                pool.shutdown(cancel_futures=True)

    def _inside(self, path: str) -> Path:
        """A file of the list below the facesets. Raises WorkspaceError for one that would leave them."""
        plain = PurePosixPath(path)
        bad = (
            plain.is_absolute()
            or ".." in plain.parts
            or "\\" in path
            or "\0" in path
            or plain.parts[:1] != ("facesets",)
        )
        target = self._root / plain
        if bad or not target.resolve().is_relative_to(self._root.resolve()):
            raise WorkspaceError(
                f"The list in {self._objects.place} names a file outside of the workspace, {path[:120]!r}. Nothing was "
                "written there. Do not use this bucket."
            )
        return target

    def _keep_aside(self, paths: list[str]) -> None:
        folder = self._root / "backups" / f"facesets-{datetime.now():%Y%m%d-%H%M%S}"
        for path in paths:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._inside(path).rename(target)

    def _apart(self, some: list[str]) -> WorkspaceError:
        return WorkspaceError(
            f"Faces changed here and in {self._objects.place} since both agreed ({some[0]} is one). Say whose stand: "
            "galloway bucket pull --theirs (what changed here is kept in backups/), or galloway bucket push --ours"
        )


def _differs(seen: Seen, there: Snapshot, path: str) -> bool:
    return path not in there.files or there.files[path][0] != seen.digest


def agreed(root: Path, settings: Settings) -> Mirror | None:
    """The workspace's bucket, once folder and bucket have agreed; None where there is none, or nothing began."""
    if not settings.faces.s3_bucket:
        return None
    mirror = Mirror(root, settings)
    return mirror if mirror.begun else None
