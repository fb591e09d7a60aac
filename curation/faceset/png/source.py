"""Which frame a face PNG came from, read from the tail of its header alone: all that a merge needs to know.

Landmarks and masks are not parsed here, and NumPy is not imported: `galloway faceset remove-faces` looks at twenty
thousand headers in less time than NumPy takes to load.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FacesetError, FormatError
from ...files import GOOD_NAME, check_name
from ..deflate import crc32
from .chunk import (
    CHUNK_LIMIT,
    HEAD,
    KEYWORD,
    OPEN,
    SIGNATURE,
    find_chunk,
    header_bytes,
    literal,
    no_header,
    text_of,
)

__all__ = ["TAIL", "VERSION", "FaceSource", "parse_source", "read_places", "read_source", "source_of"]

VERSION = 2.4
"""`__meta__.version` and `alignments_version` that both living faceswap lines write."""

TAIL = b"}, 'source': {"
"""Where the half of a header begins that says which frame the face is from."""
_TAIL_BYTES = 2048
_SOURCE = re.compile(
    r"\{'alignments_version': (?P<version>[0-9.]{1,8}), 'original_filename': (?P<original>'[^'\\]*'), "
    r"'face_index': (?P<index>\d{1,6}), 'source_filename': (?P<source>'[^'\\]*'), "
    r"'source_is_video': (?P<video>True|False), 'source_frame_dims': [\[(](?P<h>\d{1,6}), (?P<w>\d{1,6})[\])]\}\}\Z"
)
_PLACE = re.compile(
    rb"\}, 'source': \{'alignments_version': [0-9.]{1,8}, 'original_filename': '" + GOOD_NAME + rb"', 'face_index': "
    rb"(\d{1,6}), 'source_filename': '(" + GOOD_NAME + rb")', 'source_is_video': (?:True|False), 'source_frame_dims': "
    rb"[\[(]\d{1,6}, \d{1,6}[\])]\}\}\Z"
)
"""A tail as faceswap writes it, with names that need no further check (see `files.check_name`)."""
_IHDR = SIGNATURE + b"\0\0\0\rIHDR"
_ITXT = b"iTXt" + KEYWORD


@dataclass(frozen=True, slots=True)
class FaceSource:
    """Which frame a face PNG came from. `source_frame_dims` is (height, width) in pixels.

    faceswap knows a face by `source_filename` (the frame's key) and `face_index` (its place in the frame's list),
    not by the PNG's name.
    """

    original_filename: str
    face_index: int
    source_filename: str
    source_is_video: bool
    source_frame_dims: tuple[int, int]
    alignments_version: float = VERSION


def _dims(value: Any) -> tuple[int, int]:
    height, width = value
    return int(height), int(width)


def source_from(values: Any, path: Path | str) -> FaceSource:
    """The `source` dict of a header as a FaceSource. Raises FormatError and UnsafeFile naming `path`."""
    where = f"The header of {path}"
    try:
        index = int(values["face_index"])
        if not 0 <= index < 1_000_000:
            raise ValueError("face_index")
        return FaceSource(
            original_filename=check_name(values["original_filename"], where=where),
            face_index=index,
            source_filename=check_name(values["source_filename"], where=where),
            source_is_video=bool(values["source_is_video"]),
            source_frame_dims=_dims(values.get("source_frame_dims") or (0, 0)),
            alignments_version=float(values["alignments_version"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{path} has a header without a usable {error}. Extract this face anew.") from None


def parse_source(text: bytes, path: Path | str) -> FaceSource:
    """The `source` half of a header's text; parses the tail alone where it is written as faceswap writes it."""
    start = text.rfind(TAIL, -_TAIL_BYTES)
    if start >= 0:
        match = _SOURCE.match(text[start + len(TAIL) - 1 :].decode("utf-8", "replace"))
        if match:
            where = f"The header of {path}"
            return FaceSource(
                original_filename=check_name(match["original"][1:-1], where=where),
                face_index=int(match["index"]),
                source_filename=check_name(match["source"][1:-1], where=where),
                source_is_video=match["video"] == "True",
                source_frame_dims=(int(match["h"]), int(match["w"])),
                alignments_version=float(match["version"]),
            )
    values = literal(text, path)
    if not isinstance(values, dict) or "source" not in values:
        raise no_header(path)
    return source_from(values["source"], path)


def read_source(path: Path | str) -> FaceSource:
    """Frame and index of a face PNG, without parsing landmarks and masks."""
    return parse_source(header_bytes(path), path)


def source_of(data: bytes, path: Path) -> FaceSource:
    """Frame and index of a face PNG whose bytes are at hand."""
    position, length = find_chunk(data, path)
    return parse_source(text_of(data, position, length, path), path)


def read_places(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, int] | FacesetError]:
    """Frame and index of each PNG in `folder`, in order; the error of one that cannot be used.

    One read of 8 KB a file. The header's checksum is checked; one that is not written or placed as faceswap does it is
    read by `read_source`. `folder` is opened once, so that the system does not look its path up for every file.
    """
    base: int | None = os.open(folder, os.O_RDONLY) if os.open in os.supports_dir_fd else None
    prefix = "" if base is not None else f"{folder}{os.sep}"
    opened, read, close, flags = os.open, os.read, os.close, OPEN
    try:
        for name in names:
            try:
                handle = opened(prefix + name, flags, dir_fd=base)
                try:
                    data = read(handle, HEAD)
                    end = 41 + int.from_bytes(data[33:37], "big")
                    if len(data) == HEAD < end + 4 < CHUNK_LIMIT:
                        data += read(handle, end + 4 - HEAD)
                finally:
                    close(handle)
                place = _place_in(data, end)
            except OSError:
                place = None  # `read_source` meets it again, and words it
            if place is not None:
                yield place
                continue
            try:
                source = read_source(folder / name)
            except FacesetError as error:
                yield error
                continue
            yield source.source_filename, source.face_index
    finally:
        if base is not None:
            close(base)


def _place_in(data: bytes, end: int) -> tuple[str, int] | None:
    """Frame and index out of a PNG whose first chunk after IHDR would end at `end`, where all is as faceswap writes
    it; None: look closer."""
    if not data.startswith(_ITXT, 37) or not data.startswith(_IHDR) or len(data) < end + 4:
        return None
    if crc32(data[37:end]) != int.from_bytes(data[end : end + 4], "big"):
        return None
    start = data.rfind(TAIL, max(0, end - _TAIL_BYTES), end)
    match = _PLACE.match(data, start, end) if start > 0 else None
    return (match[2].decode(), int(match[1])) if match else None
