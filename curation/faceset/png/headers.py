"""Face PNGs: read, write and change the `faceswap` iTXt header.

Where the chunk lies is known to `chunk`, which frame it names to `source`; here are its numbers: box, landmarks, masks.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import FormatError, UnsafeFile
from ...files import read_bounded, write_atomic
from ...pictures import FACE_PIXELS, picture_pixels
from ..deflate import crc32, squeeze
from .chunk import SIGNATURE, find_chunk, header_bytes, literal, no_header, text_of, with_text
from .source import source_from
from .types import FaceAlignment, FaceHeader, FaceSource, Mask

__all__ = [
    "SIGNATURE",
    "FaceAlignment",
    "FaceHeader",
    "FaceSource",
    "Mask",
    "decode_pixels",
    "header_text",
    "parse_header",
    "parse_png",
    "read_header",
    "read_png",
    "replace_header",
    "write_png",
]

_FILE_LIMIT = 256 << 20


def _landmarks(value: Any) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a number too large for float32 becomes infinite, and is refused below
        points = np.asarray(value, dtype=np.float32)
    if points.ndim != 2 or points.shape[1] != 2 or not 0 < points.shape[0] <= 512:
        raise ValueError("landmarks_xy")
    if not np.isfinite(points).all():
        raise ValueError("landmarks_xy")
    return points


def _vector(value: Any) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        vector = np.asarray(value, dtype=np.float32).reshape(-1)
    if not np.isfinite(vector).all():
        raise ValueError("identity")
    return vector


def _mask(value: Any) -> Mask:
    matrix = np.asarray(value["affine_matrix"], dtype=np.float64)
    size = int(value["stored_size"])
    if matrix.shape != (2, 3) or not 0 < size <= 4096 or not isinstance(value["mask"], bytes | bytearray):
        raise ValueError("mask")
    return Mask(
        bytes(value["mask"]), matrix, int(value["interpolator"]), size, str(value.get("stored_centering", "face"))
    )


def alignment_from(values: Any, name: str) -> FaceAlignment:
    """A face dict, from a header or an alignments file, as a FaceAlignment. Raises FormatError naming `name`."""
    try:
        landmarks = values["landmarks_xy"] if "landmarks_xy" in values else values["landmarksXY"]
        x, y, w, h = (int(values[key]) for key in "xywh")
        if max(abs(x), abs(y), abs(w), abs(h)) > 1 << 20:
            raise ValueError("box")
        return FaceAlignment(
            x,
            y,
            w,
            h,
            _landmarks(landmarks),
            masks={str(key): _mask(value) for key, value in (values.get("mask") or {}).items()},
            identity={str(key): _vector(value) for key, value in (values.get("identity") or {}).items()},
            thumb=_thumb(values.get("thumb")),
            pixel_hash=values.get("hash") if isinstance(values.get("hash"), str) else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(f"{name} holds a face without a usable {error}. Restore it or extract anew.") from None


def _thumb(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, np.ndarray):
        return value.astype(np.uint8).tobytes()
    return bytes(value)


def parse_header(text: bytes, path: Path | str) -> FaceHeader:
    """A header's text as values. Raises FormatError or UnsafeFile naming `path`."""
    values = literal(text, path)
    if not isinstance(values, dict) or not {"alignments", "source"} <= values.keys():
        raise no_header(path)
    return FaceHeader(alignment_from(values["alignments"], str(path)), source_from(values["source"], path))


def read_header(path: Path) -> FaceHeader:
    """The whole header of a face PNG. Raises FormatError where there is none, UnsafeFile for absurd ones."""
    return parse_header(header_bytes(path), path)


def parse_png(data: bytes, path: Path) -> FaceHeader | None:
    """The whole header of a PNG whose bytes are at hand; None for another picture or a PNG without one."""
    if not data.startswith(SIGNATURE):
        return None
    try:
        position, length = find_chunk(data, path)
    except UnsafeFile:
        raise
    except FormatError:
        return None
    return parse_header(text_of(data, position, length, path), path)


def _plain_alignment(face: FaceAlignment, dialect: str) -> dict[str, Any]:
    boxes = (
        {"x": face.x, "y": face.y, "w": face.w, "h": face.h}
        if dialect == "v3"
        else {"x": face.x, "w": face.w, "y": face.y, "h": face.h}
    )
    return {
        **boxes,
        "landmarks_xy": face.landmarks.tolist(),
        "mask": {
            name: {
                "mask": mask.data,
                "affine_matrix": mask.affine_matrix.tolist(),
                "interpolator": mask.interpolator,
                "stored_size": mask.stored_size,
                "stored_centering": mask.stored_centering,
            }
            for name, mask in face.masks.items()
        },
        "identity": {name: vector.tolist() for name, vector in face.identity.items()},
    }


def header_text(header: FaceHeader, dialect: str = "v2.3") -> bytes:
    """The header as faceswap writes it; `dialect` decides the order of x, y, w, h only."""
    source = header.source
    return str(
        {
            "alignments": _plain_alignment(header.alignment, dialect),
            "source": {
                "alignments_version": source.alignments_version,
                "original_filename": source.original_filename,
                "face_index": source.face_index,
                "source_filename": source.source_filename,
                "source_is_video": source.source_is_video,
                "source_frame_dims": source.source_frame_dims,
            },
        }
    ).encode("utf-8")


def write_png(path: Path, image: Image.Image, header: FaceHeader, *, dialect: str = "v2.3") -> None:
    """Write a face PNG (8-bit RGB) with its header, atomically.

    `header.source.original_filename` should be the PNG's name; it is not changed here.
    """
    data = _encoded(np.asarray(image.convert("RGB")))
    write_atomic(path, with_text(data, header_text(header, dialect), path), durable=False)


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of RGB pixels, every row as its difference from the one above: a tenth of the time of Pillow's choice among
    filters, for as many bytes as its fastest level."""
    height, width = pixels.shape[:2]
    flat = pixels.reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", size) + _chunk(b"IDAT", squeeze(rows.tobytes())) + _chunk(b"IEND", b"")


_UP = 2
"""PNG's number of the filter that subtracts the row above."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def replace_header(path: Path, header: FaceHeader, *, dialect: str = "v2.3") -> None:
    """Put `header` into an existing face PNG, atomically; its pixels keep their bytes."""
    data = read_bounded(path, _FILE_LIMIT)
    write_atomic(path, with_text(data, header_text(header, dialect), path), durable=False)


def decode_pixels(data: bytes, path: Path) -> NDArray[np.uint8]:
    """The pixels of a face's picture as uint8 (height, width, 3) RGB. Raises UnsafeFile for absurd sizes before
    decoding and for what is no picture, FormatError for damaged files."""
    return picture_pixels(data, name=str(path), pixels=FACE_PIXELS, remedy="Extract this face anew.")


def read_png(path: Path) -> tuple[FaceHeader, NDArray[np.uint8]]:
    """Header and decoded RGB pixels of a face PNG, in one read."""
    data = read_bounded(path, _FILE_LIMIT)
    position, length = find_chunk(data, path)
    return parse_header(text_of(data, position, length, path), path), decode_pixels(data, path)
