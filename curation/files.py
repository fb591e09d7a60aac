"""Writing beside and renaming over, and names that may become paths.

Everything in `curation.faceset` that touches a user's file goes through here, so that a kill leaves either the old
file or the new one, never half of either.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from .errors import FacesetError, UnsafeFile

__all__ = [
    "GOOD_NAME",
    "TEMPORARY",
    "check_name",
    "fsync_folder",
    "is_temporary",
    "read_bounded",
    "temporary_files",
    "write_atomic",
]

TEMPORARY = ".galloway-tmp-"
"""Prefix of files that are being written; `recover` sweeps them."""

GOOD_NAME = rb"(?!(?i:con|prn|aux|nul|com|lpt))[A-Za-z0-9][A-Za-z0-9_-]{3,200}\.[a-z0-9]{1,4}"
"""A regular expression for names that `check_name` passes without a closer look; nearly every name is one."""
_GOOD_NAME = re.compile(GOOD_NAME.decode(), re.ASCII)
_BAD_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$")


def check_name(name: object, *, where: str) -> str:
    """`name` if it is one plain file name. Raises UnsafeFile for paths, `..`, NUL, drive and device names.

    `where` says in whose text the name was found, for the message.
    """
    if isinstance(name, str) and _GOOD_NAME.fullmatch(name):
        return name
    if not isinstance(name, str) or not name or len(name) > 255:
        raise UnsafeFile(f"{where} names a file {str(name)[:60]!r}, which is not a file name. Nothing was written.")
    if _BAD_NAME.search(name) or name in {".", ".."} or ":" in name or _RESERVED.match(name):
        raise UnsafeFile(
            f"{where} names a file {name[:80]!r}, which could leave its folder. Nothing was written. "
            "Do not use this file, or make it anew from its source."
        )
    return name


def is_temporary(name: str) -> bool:
    """Whether `name` is one of our half-written files."""
    return name.startswith(TEMPORARY)


def temporary_files(folder: Path) -> list[str]:
    """Names of our half-written files in `folder`, sorted; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.startswith(TEMPORARY))
    except FileNotFoundError:
        return []


def _open(path: str, flags: int) -> int:
    """Open for reading without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_bounded(path: Path, limit: int) -> bytes:
    """The whole file. Raises UnsafeFile if it is larger than `limit` bytes, FacesetError if it cannot be read."""
    try:
        with open(path, "rb", opener=_open) as stream:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read(min(size, limit) + 1)  # asking for `limit` at once would reserve that much
            if len(data) > size:
                data += stream.read(limit + 1 - len(data))
    except OSError as error:
        raise FacesetError(f"{path} cannot be read: {error.strerror}. Check the path and its rights.") from error
    if len(data) > limit:
        raise UnsafeFile(f"{path} is larger than {limit:,} bytes, far more than such a file holds. It was not read.")
    return data


def fsync_folder(folder: Path) -> None:
    """Make renames in `folder` durable; where the system cannot (Windows), do nothing."""
    flags = getattr(os, "O_DIRECTORY", None)
    if flags is None:
        return
    handle = os.open(folder, os.O_RDONLY | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, chunks: Iterable[bytes | memoryview] | bytes, *, durable: bool = True) -> int:
    """Write `chunks` beside `path` and rename over it; returns the bytes written.

    On any failure (disk full, read-only folder) the temporary file is removed and `path` is as it was.
    `durable` waits until data and name are on the disk.
    """
    beside = path.with_name(f"{TEMPORARY}{path.name}")
    written = 0
    try:
        with beside.open("wb") as stream:
            for chunk in (chunks,) if isinstance(chunks, bytes) else chunks:
                stream.write(chunk)
                written += len(chunk)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FacesetError(
            f"{path} cannot be written: {error.strerror}. It is as it was; free the disk or mend the folder's "
            "rights and run the same command again."
        ) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if durable:
        fsync_folder(path.parent)
    return written
