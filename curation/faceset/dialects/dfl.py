"""DeepFaceLab's pictures and `faceset.pak`: read only, and without executing their pickles.

JPG: segment APP15 holds the pickle of a dict. PNG (until 2020-03-15): chunk `fcWp` holds it. `faceset.pak` version 1:
two little-endian uint64 (version, length), a pickle of a list of dicts, count + 1 uint64 offsets relative to the data,
the files back to back; the last file ends where the pack ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FormatError, UnsafeFile
from ...files import check_name
from ..fsa.opcodes import SMALL_BOUNDS, Bounds
from ..fsa.pickles import load_pickle, plain

__all__ = ["DflFace", "dfl_face", "pak_pictures"]

_PAK_LIMIT = 16 << 30
_PICKLE_LIMIT = 1 << 30
_PICTURES = 10_000_000
_PAK_BOUNDS = Bounds(raw=_PICKLE_LIMIT, objects=4 << 30)


@dataclass(frozen=True, slots=True)
class DflFace:
    """What DeepFaceLab knows of a face.

    `source_rect` is left, top, right, bottom and `source_landmarks` float32 (68, 2), both in pixels of the frame
    `source_filename`; `landmarks` are the same points in pixels of the crop. `mask` and `polygons` say whether XSeg
    left any: faceswap has no place for what DeepFaceLab's own crops are masked with.
    """

    face_type: str
    source_filename: str
    source_rect: tuple[int, int, int, int]
    source_landmarks: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    mask: bool = False
    polygons: bool = False


def _jpg_payload(data: bytes) -> bytes | None:
    """The pickle in the first APP15 segment, or None."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xDA, 0xD9):
            return None
        if marker == 0x01 or 0xD0 <= marker <= 0xD8 or marker == 0xFF:
            position += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2 or position + 2 + length > len(data):
            return None
        if marker == 0xEF:
            return data[position + 4 : position + 2 + length]
        position += 2 + length
    return None


def _png_payload(data: bytes) -> bytes | None:
    """The pickle in the `fcWp` chunk, or None."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if position + 12 + length > len(data):
            return None
        if kind == b"fcWp":
            return data[position + 8 : position + 8 + length]
        if kind == b"IEND":
            return None
        position += 12 + length
    return None


def _points(value: Any) -> NDArray[np.float32]:
    points = np.asarray(plain(value), dtype=np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all() or np.abs(points).max() > 1 << 20:
        raise ValueError("landmarks")
    return points.astype(np.float32)


def _has_any(value: Any) -> bool:
    """Whether there is something: an array of a mask, or polygons, which since 2020 lie in a dict as `polys`."""
    found = value.get("polys") if isinstance(value, dict) else value
    return bool(found) if isinstance(found, (bytes, list, tuple)) else found is not None


def dfl_face(data: bytes, name: str) -> DflFace | None:
    """The DeepFaceLab metadata in a picture's bytes; None where it has none.

    `name` is for messages. Raises UnsafeFile for a pickle that would run something, FormatError for damaged metadata.
    """
    if data[:2] == b"\xff\xd8":
        payload = _jpg_payload(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        payload = _png_payload(data)
    else:
        return None
    if payload is None or payload[:1] != b"\x80":
        return None
    values = load_pickle(payload, name=name, bounds=SMALL_BOUNDS)
    if not isinstance(values, dict) or "source_landmarks" not in values:
        return None
    try:
        rect = [int(number) for number in np.asarray(plain(values["source_rect"])).reshape(4).tolist()]
        if max(map(abs, rect)) > 1 << 20:
            raise ValueError("source_rect")
        return DflFace(
            face_type=str(values.get("face_type", ""))[:40],
            source_filename=check_name(values["source_filename"], where=name),
            source_rect=(rect[0], rect[1], rect[2], rect[3]),
            source_landmarks=_points(values["source_landmarks"]),
            landmarks=_points(values["landmarks"]),
            mask=_has_any(values.get("xseg_mask")),
            polygons=_has_any(values.get("seg_ie_polys")),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{name} has DeepFaceLab metadata without a usable {error}. Extract this face anew."
        ) from None


def _integers(data: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}Q", data[: 8 * count])


def pak_pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every picture in a `faceset.pak`.

    Raises FormatError for another version or a damaged pack, UnsafeFile for names that leave the folder and for
    absurd sizes; nothing is executed.
    """
    size = path.stat().st_size
    if size > _PAK_LIMIT:
        raise UnsafeFile(f"{path} is larger than {_PAK_LIMIT >> 30} GB. It was not read.")
    with path.open("rb") as stream:
        head = stream.read(16)
        if len(head) < 16:
            raise FormatError(f"{path} is no faceset.pak: it is cut short.")
        version, length = _integers(head, 2)
        if version != 1:
            raise FormatError(f"{path} is a faceset.pak of version {version}; only version 1 is known.")
        if length > min(size, _PICKLE_LIMIT):
            raise UnsafeFile(f"{path} claims an index of {length:,} bytes. It was not read.")
        samples = load_pickle(stream.read(length), name=str(path), bounds=_PAK_BOUNDS)
        if not isinstance(samples, list) or not 0 < len(samples) <= _PICTURES:
            raise FormatError(f"{path} holds no list of pictures.")
        table = stream.read(8 * (len(samples) + 1))
        if len(table) < 8 * (len(samples) + 1):
            raise FormatError(f"{path} is cut short.")
        offsets, start = _integers(table, len(samples) + 1), stream.tell()
        seen: set[str] = set()
        for number, sample in enumerate(samples):
            name = check_name(sample.get("filename") if isinstance(sample, dict) else None, where=str(path))
            end = offsets[number + 1] if number + 1 < len(samples) else size - start
            if name in seen or not 0 <= offsets[number] <= end <= size - start:
                raise UnsafeFile(f"{path} holds {name!r} twice or beyond its end. It was not unpacked.")
            seen.add(name)
            stream.seek(start + offsets[number])
            yield name, stream.read(end - offsets[number])
