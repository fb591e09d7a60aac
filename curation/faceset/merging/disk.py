"""The few things a merge does to the disk, each one a checkpoint where a test may kill it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from ...errors import FacesetError
from ...files import beside, fsync_folder

__all__ = ["Checkpoint", "Disk", "locked"]

Checkpoint = Callable[[str], None]


def _nothing(_step: str) -> None:
    """A checkpoint where nothing happens."""


class Disk:
    """Writes, links, renames and removes; calls `checkpoint` with the step's name before each of them."""

    def __init__(self, checkpoint: Checkpoint = _nothing) -> None:
        self.checkpoint = checkpoint

    def folder(self, path: Path) -> None:
        """Make a folder and its parents."""
        self.checkpoint(f"folder {path.name}")
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, chunks: Iterable[bytes | memoryview], *, durable: bool = True) -> str:
        """Write beside `path` and rename over it; returns the BLAKE2b-128 of the bytes."""
        partial, hashed = beside(path), blake2b(digest_size=16)
        try:
            self.checkpoint(f"write {path.name}")
            with partial.open("wb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
                    hashed.update(chunk)
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            self.checkpoint(f"finish {path.name}")
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        if durable:
            fsync_folder(path.parent)
        return hashed.hexdigest()

    def link(self, source: Path, target: Path) -> None:
        """A second name for `source`; a copy where the file system has no hard links."""
        if target.exists():
            return
        self.checkpoint(f"link {target.name}")
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK, errno.ENOSYS):
                raise
            self.write(target, _blocks(source))

    def rename(self, source: Path, target: Path) -> None:
        """Rename, over `target` if it is there."""
        self.checkpoint(f"rename {source.name} to {target.name}")
        os.replace(source, target)  # noqa: PTH105 - twenty thousand Path objects cost more than the renames

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        self.checkpoint(f"remove {path.name}")
        path.unlink(missing_ok=True)

    def remove_tree(self, folder: Path) -> None:
        """Remove a folder and the files below it, if it is there."""
        if not folder.is_dir():
            return
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                self.checkpoint(f"remove {path.name}")
                path.rmdir()
            else:
                self.remove(path)
        self.checkpoint(f"remove {folder.name}")
        folder.rmdir()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            yield block


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Hold the faceset for one process; the system lets go of it when the process dies.

    Raises FacesetError where another holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("a+b")
    except OSError as error:
        raise FacesetError(f"{folder} cannot be written: {error.strerror}. Mend its rights and run again.") from error
    with stream:
        try:
            _lock(stream.fileno())
        except OSError:
            raise FacesetError(
                f"Another command is at work on this faceset ({folder}). Wait for it, then run the same {doing} again."
            ) from None
        try:
            yield
        finally:
            with suppress(OSError):
                _unlock(stream.fileno())


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
