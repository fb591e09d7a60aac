"""Pictures out of a folder, a zip archive or a `faceset.pak`, each as (name, bytes); tricks are refused."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ...errors import FacesetError, FormatError, UnsafeFile
from ...files import PICTURE_SUFFIXES, check_name, is_temporary, read_bounded
from ..subfolders import folders_of_faces
from .dfl import pak_pictures

__all__ = ["pictures_in"]

_LIMIT = 256 << 20
_TOTAL = 64 << 30
_RATIO = 200
_ENTRIES = 2_000_000


def pictures_in(source: Path) -> Iterator[tuple[str, bytes]]:
    """Every picture in `source`, by name; those in folders below a folder as `good/clip_000001_0.png`.

    Raises UnsafeFile for archives with `..`, absolute or doubled names, links, encryption or bombs, and for symbolic
    links in a folder; FormatError for damaged ones.
    """
    if source.is_dir():
        return _folder(source)
    if source.suffix.lower() == ".pak":
        return pak_pictures(source)
    if source.suffix.lower() == ".zip":
        return _zip(source)
    raise FormatError(f"{source} is no folder, .zip or .pak of pictures. Name one, or an alignments file.")


def _folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for place in folders_of_faces(folder):
        for path in sorted(place.iterdir()):
            if path.suffix.lower() not in PICTURE_SUFFIXES or is_temporary(path.name):
                continue
            if path.is_symlink():
                raise UnsafeFile(f"{path} is a symbolic link. Nothing was imported; put the real file there.")
            if not path.is_file():
                continue
            yield path.relative_to(folder).as_posix(), read_bounded(path, _LIMIT)


def _zip(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [info for info in archive.infolist() if not info.is_dir()]
            chosen = _checked(path, entries)
            for name, info in sorted(chosen.items()):
                with archive.open(info) as stream:
                    data = stream.read(_LIMIT + 1)
                if len(data) > _LIMIT:
                    raise UnsafeFile(f"{path} holds {name}, which unpacks to more than {_LIMIT >> 20} MB.")
                yield name, data
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise FormatError(f"{path} is damaged or no zip archive ({error}). Fetch it again.") from None
    except OSError as error:
        raise FacesetError(f"{path} cannot be read: {error.strerror or error}.") from error


def _checked(path: Path, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """File name → entry, for pictures; every entry is checked before the first is unpacked."""
    if len(entries) > _ENTRIES:
        raise UnsafeFile(f"{path} holds {len(entries):,} files. It was not unpacked.")
    chosen: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in entries:
        parts = info.filename.replace("\\", "/").split("/")
        for part in parts:
            check_name(part, where=str(path))
        if stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1:
            raise UnsafeFile(f"{path} holds a link or an encrypted file, {info.filename[:80]!r}. It was not unpacked.")
        total += info.file_size
        if info.file_size > _LIMIT or total > _TOTAL or info.file_size > max(1 << 20, info.compress_size * _RATIO):
            raise UnsafeFile(f"{path} holds {info.filename[:80]!r} of {info.file_size:,} bytes: a bomb. Not unpacked.")
        if not parts[-1].lower().endswith(PICTURE_SUFFIXES):
            continue
        if parts[-1] in chosen:
            raise UnsafeFile(f"{path} holds {parts[-1]!r} twice, in two folders. Unpack it by hand, one folder each.")
        chosen[parts[-1]] = info
    return chosen
