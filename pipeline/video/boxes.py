"""The boxes of an mp4 or mov file, read without a decoder: is the index there, is the file whole, is it edited.

Source: ISO/IEC 14496-12 (boxes §4.2, `hdlr` §8.4.3, `elst` §8.6.6). Nothing is trusted: sizes are checked against the
file, and an index larger than 64 MB is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from
from typing import BinaryIO

__all__ = ["Boxes", "Edit", "read_boxes"]

_INDEX_LIMIT = 64 * 1024 * 1024
_BRANDED = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of a video track's edit list. `media_time` is -1 for an empty edit (nothing is shown)."""

    duration: int
    media_time: int


@dataclass(frozen=True, slots=True)
class Boxes:
    """What the boxes say. `missing_bytes` is how far the last box reaches beyond the end of the file."""

    has_index: bool
    missing_bytes: int
    edits: tuple[Edit, ...]


def read_boxes(path: Path) -> Boxes | None:
    """The boxes of `path`, None where it is no mp4 or mov file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8 or head[4:8] not in _BRANDED:
            return None
        has_index, missing = False, 0
        edits: tuple[Edit, ...] = ()
        for kind, start, end in _top_level(file, size):
            if kind == b"moov":
                has_index = end <= size
                if has_index and end - start <= _INDEX_LIMIT:
                    file.seek(start)
                    edits = _video_edits(file.read(end - start))
            missing = max(missing, end - size)
        return Boxes(has_index, missing, edits)


def _top_level(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of payload, end) of each box; stops at the first that cannot be one."""
    offset = 0
    while offset + 8 <= size:
        file.seek(offset)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        start = offset + 8
        if length == 1 and len(header) == 16:
            length, start = int.from_bytes(header[8:16], "big"), offset + 16
        elif length == 0:
            length = size - offset
        if length < start - offset:
            return
        yield header[4:8], start, offset + length
        offset += length


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, payload) of the boxes inside a box held in memory."""
    offset = 0
    while offset + 8 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        if length < 8 or offset + length > len(data):
            return
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + length]
        offset += length


def _video_edits(index: bytes) -> tuple[Edit, ...]:
    """The edit list of the first video track, empty where there is none."""
    for kind, track in _children(index):
        if kind != b"trak":
            continue
        parts = dict(_children(track))
        handler = dict(_children(parts.get(b"mdia", b""))).get(b"hdlr", b"")
        if handler[8:12] == b"vide":
            return _edits(dict(_children(parts.get(b"edts", b""))).get(b"elst", b""))
    return ()


def _edits(payload: bytes) -> tuple[Edit, ...]:
    if len(payload) < 8:
        return ()
    form, step = (">Qq", 20) if payload[0] == 1 else (">Ii", 12)
    count = min(int.from_bytes(payload[4:8], "big"), (len(payload) - 8) // step)
    return tuple(Edit(*unpack_from(form, payload, 8 + index * step)) for index in range(count))
