"""A workspace: `galloway.toml`, one database and folders. Nothing in it holds an absolute path, so it can be moved.

galloway.toml            settings
bucket.json              what the folder and its S3 bucket agreed on last
galloway.db              ledger, faces, votes, decisions, runs; or database.json, the PostgreSQL database that has them
market/                  the embedded marketplace's own database, keys and late submissions
sources/<side>/          footage: videos and folders of photographs, with `<name>.source.json` (who, on what basis)
facesets/<side>/faces/   face PNGs               facesets/<side>/alignments/   one .fsa per source
facesets/<side>/merges/  manifests               facesets/<side>/rejected/     rejected faces, by merge
references/<side>/       reference photographs of the person
consent/                 one consent record a person
privacy.json             what the retention clock said that goes, and what went
projects/<name>/         other labelling: project.toml, template.html, sheets/ (tables that were given), batches/ (sent)
media/                   pictures, sound and films that other labelling shows, and which batch shows which
models/  runs/  reports/  results/
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ...curation.types import Side
from ..errors import WorkspaceError
from ..wording import typed
from .database.engine import make_engine
from .held import FACES_LOCK, LOCK, LOCKS, held, is_held
from .settings import Settings, load_settings

if TYPE_CHECKING:
    from .database.home import Opened

__all__ = ["CONFIG_NAME", "Workspace", "make_engine"]

CONFIG_NAME = "galloway.toml"


@dataclass(frozen=True)
class Workspace:
    """An open workspace. `root` is absolute."""

    root: Path
    settings: Settings
    patience: float = 0.0
    """Seconds that a command waits for another one to end, where it says nothing else."""

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open the workspace at `root`. Raises WorkspaceError if there is none."""
        root = root.resolve()
        config = root / CONFIG_NAME
        if not config.is_file():
            raise WorkspaceError(f"{root} is not a workspace (no {CONFIG_NAME}). Make one: galloway init {typed(root)}")
        return cls(root, load_settings(config))

    @classmethod
    def find(cls, start: str | os.PathLike[str] | None = None) -> Workspace:
        """Open the workspace that holds `start` (default: the current folder)."""
        here = Path(start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG_NAME).is_file():
                return cls.open(folder)
        raise WorkspaceError(f"No workspace at or above {here}. Make one: galloway init NAME")

    @cached_property
    def rows(self) -> Opened:
        """Where the workspace's rows are, with tables of the newest schema."""
        from .database.home import open_database

        return open_database(self.root, self.settings)

    @cached_property
    def db(self) -> sa.Engine:
        """The workspace's database, migrated to the newest schema."""
        return self.rows.engine

    def database_answers(self) -> bool:
        """Whether the database can be read just now."""
        try:
            with self.db.connect() as connection:
                return bool(sa.inspect(connection).get_table_names())
        except (sa.exc.SQLAlchemyError, OSError, WorkspaceError):  # the last: opened for the first time, or moved
            return False

    @contextmanager
    def lock(
        self, doing: str, *, wait: float | None = None, faces: bool = False, agreeing: bool = True
    ) -> Iterator[None]:
        """Let one command at a time change the workspace; with `faces`, also its face PNGs or alignments, which a
        training or a conversion may be reading. The locks go with the process, however it ends. Faces that are in a
        bucket, too, agree with it before and after, but where `agreeing` says that the command does so itself.

        Raises WorkspaceBusy where another command still holds it after `wait` seconds (default: `patience`).
        """
        wait = self.patience if wait is None else wait
        with self._held(LOCK, doing, wait):
            if not faces:
                yield
                return
            with self._held(FACES_LOCK, doing, wait), self._agreeing() if agreeing else nullcontext():
                yield

    @contextmanager
    def _agreeing(self) -> Iterator[None]:
        """Have the faces of the bucket here before, and those of the folder there after; where a command fails, the
        next one that ends well brings them there."""
        from .bucket.mirror import agreed

        mirror = agreed(self.root, self.settings)
        if mirror is not None:
            mirror.fetch()
        yield
        if mirror is not None:
            mirror.put()

    @contextmanager
    def reading_faces(self, doing: str, *, wait: float | None = None) -> Iterator[None]:
        """Keep the face PNGs and alignments as they are, for hours if need be, while the rest of the workspace goes on:
        votes are collected, people decide, rounds are published. One such reader at a time.

        Raises WorkspaceBusy as `lock` does.
        """
        from .bucket.mirror import agreed

        wait = self.patience if wait is None else wait
        with ExitStack() as reader:
            with self._held(LOCK, doing, wait):  # nobody is half through a merge
                reader.enter_context(self._held(FACES_LOCK, doing, wait))
                if (mirror := agreed(self.root, self.settings)) is not None:
                    mirror.fetch()
            yield

    def faces_held(self) -> bool:
        """Whether a command holds the face PNGs and alignments just now: a training, a conversion, or what changes
        them. Nothing is taken or made."""
        if is_held(self.root / FACES_LOCK):
            return True
        if not self.settings.workspace.database or self.rows.fence is None:
            return False
        from .database.locked import is_locked

        return is_locked(self.db, LOCKS.index(FACES_LOCK))

    @contextmanager
    def _held(self, name: str, doing: str, wait: float) -> Iterator[None]:
        """Hold a lock among the commands of this folder and, where the rows are on PostgreSQL, of all machines."""
        until = time.monotonic() + wait
        with ExitStack() as locks:
            locks.enter_context(held(self.root, name, doing, wait))
            if self.settings.workspace.database and self.rows.fence is not None:
                from .database.locked import locked

                left = max(0.0, until - time.monotonic())
                url, number = self.db.url, LOCKS.index(name)
                locks.enter_context(locked(url, self.rows.fence, name, number, doing, left))
            yield

    def relative(self, path: Path) -> str:
        """A path as it is stored: relative to the root, with forward slashes."""
        return path.resolve().relative_to(self.root).as_posix()

    def inside(self, *parts: str) -> Path:
        """The path of what a row or a file of the workspace names, relative to its root. The one place where such a
        name becomes a path.

        Raises WorkspaceError where it would leave the workspace: absolute, with `..` or NUL, or through a link.
        """
        text = "/".join(parts)
        plain = PurePosixPath(text)
        bad = plain.is_absolute() or ".." in plain.parts or "\0" in text or "\\" in text or PureWindowsPath(text).drive
        path = self.root / plain
        try:
            if not bad and plain.parts and path.resolve().is_relative_to(self.root):
                return path
        except (OSError, RuntimeError):  # a circle of links
            pass
        raise self._outside(text)

    def _outside(self, text: str) -> WorkspaceError:
        return WorkspaceError(
            f"The workspace {self.root} names a file outside of itself, {text[:120]!r}. Nothing was read or changed "
            "there. Do not use this workspace, or bring its galloway.db back from a copy that you trust."
        )

    def _named(self, *parts: str, name: str, ending: str = "") -> Path:
        """The path of one file in a folder, whose name stands in a row: a name, not a path."""
        if not name or "/" in name or name in (".", ".."):
            raise self._outside(name)
        return self.inside(*parts, f"{name}{ending}")

    def face_path(self, side: Side, name: str) -> Path:
        """Where a face's PNG stands. Raises WorkspaceError for a name that is none."""
        return self._named("facesets", side.value, "faces", name=name)

    def source_record(self, side: Side, name: str) -> Path:
        """Who is in a source, and on what basis. Raises WorkspaceError for a name that is none."""
        return self._named("sources", side.value, name=name, ending=".source.json")

    def path(self, *parts: str) -> Path:
        """A path below the root; the parent folder is made."""
        result = self.root.joinpath(*parts)
        result.parent.mkdir(parents=True, exist_ok=True)
        return result

    def sources_dir(self, side: Side) -> Path:
        return self.root / "sources" / side.value

    def faces_dir(self, side: Side) -> Path:
        return self.root / "facesets" / side.value / "faces"

    def alignments_dir(self, side: Side) -> Path:
        return self.root / "facesets" / side.value / "alignments"

    def merges_dir(self, side: Side) -> Path:
        return self.root / "facesets" / side.value / "merges"

    def rejected_dir(self, side: Side) -> Path:
        return self.root / "facesets" / side.value / "rejected"

    def references_dir(self, side: Side) -> Path:
        return self.root / "references" / side.value
