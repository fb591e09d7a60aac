"""Writing beside and renaming over, and names that may become paths.

Every file of ours that must not be found in half goes through here, so that a kill leaves either the old file or the
new one, never half of either, and two that start together agree on what was made once.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FacesetError, UnsafeFile

__all__ = [
    "GOOD_NAME",
    "PICTURE_SUFFIXES",
    "TEMPORARY",
    "beside",
    "check_name",
    "fsync_folder",
    "is_temporary",
    "picture_files",
    "put_in_place",
    "read_bounded",
    "replacing",
    "temporary_files",
    "write_atomic",
    "write_once",
]

TEMPORARY = ".galloway-tmp-"
"""Prefix of files that are being written; `recover` sweeps them."""

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jfif")
"""Lower-case endings of the files that count as pictures in a folder of photographs, frames or references."""

Chunks = Iterable[bytes | memoryview] | bytes | str
"""What a file is written from: bytes, pieces of bytes, or a text."""

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


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted; hidden and half-written ones are none. Empty where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


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


def beside(path: Path) -> Path:
    """Where `path` is written before it gets its name: a hidden file beside it, with the same ending.

    One writer at a time; what a killed one left there the next one writes over.
    """
    return path.with_name(f"{TEMPORARY}{path.name}")


def put_in_place(written: Path, path: Path, *, durable: bool = True) -> None:
    """Rename the file that was `written` over `path`; `durable` waits until data and name are on the disk."""
    if durable:
        with written.open("rb+") as stream:
            os.fsync(stream.fileno())
    written.replace(path)
    if durable:
        fsync_folder(path.parent)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """For writers that want a file's name (encoders, copies, SQLite): write to the path given, and it becomes `path`.

    Where the block fails, what was written is removed and `path` is as it was. See `beside` for two writers at once.
    """
    partial = beside(path)
    partial.unlink(missing_ok=True)
    try:
        yield partial
        put_in_place(partial, path, durable=durable)
    finally:
        partial.unlink(missing_ok=True)


def write_atomic(path: Path, chunks: Chunks, *, durable: bool = True, private: bool = False) -> int:
    """Write `chunks` (a text as UTF-8) beside `path` and rename over it; returns the bytes written.

    Of two that write at once the later one stands, whole. On any failure (disk full, read-only folder) the temporary
    file is removed and `path` is as it was. `durable` waits until data and name are on the disk; `private` lets only
    the owner read it.
    """
    with _draft(path) as draft:
        written = _fill(draft, chunks, durable, private)
        draft.replace(path)
    if durable:
        fsync_folder(path.parent)
    return written


def write_once(path: Path, content: Chunks, *, private: bool = True) -> bytes:
    """What `path` holds: `content` where there was no file, else what the first writer wrote; never half of it.

    Of several processes that start together one wins, and all of them read what it wrote. On the disk when it returns.
    """
    if not path.exists():
        with _draft(path) as draft:
            path.parent.mkdir(parents=True, exist_ok=True)
            _fill(draft, content, True, private)
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            except OSError:  # no hard links there (exFAT, some network shares), so no winner at the same instant
                if not path.exists():
                    draft.replace(path)
        fsync_folder(path.parent)
    return path.read_bytes()


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` that no other writer uses; it is gone afterwards, and failing to write says why."""
    draft = path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name[-200:]}")
    try:
        yield draft
    except OSError as error:
        raise FacesetError(
            f"{path} cannot be written: {error.strerror}. It is as it was; free the disk or mend the folder's "
            "rights and run the same command again."
        ) from error
    finally:
        with suppress(OSError):  # the reason is told already
            draft.unlink(missing_ok=True)


def _fill(draft: Path, chunks: Chunks, durable: bool, private: bool) -> int:
    written = 0
    with open(draft, "wb", opener=_private if private else None) as stream:
        for chunk in _pieces(chunks):
            stream.write(chunk)
            written += len(chunk)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    return written


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _pieces(chunks: Chunks) -> Iterable[bytes | memoryview]:
    if isinstance(chunks, str):
        return (chunks.encode(),)
    return (chunks,) if isinstance(chunks, bytes) else chunks
