"""Face PNGs: read, write and change the `faceswap` iTXt header.

The header is one iTXt chunk before the first IDAT: keyword `faceswap`, no compression, and as text a Python literal
(not JSON) of `{"alignments": …, "source": …}`; the same in faceswap v2.3.0 and v3. `read_source` reads its tail only,
which is all that a merge needs.
"""

from __future__ import annotations

import ast
import io
import os
import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curation.errors import FacesetError, FormatError, UnsafeFile
from curation.faceset.files import check_name, read_bounded, write_atomic
from curation.faceset.types import FaceAlignment, FaceHeader, FaceSource, Mask

__all__ = [
    "FaceAlignment",
    "FaceHeader",
    "FaceSource",
    "Mask",
    "decode_pixels",
    "header_text",
    "moved_png",
    "parse_header",
    "parse_png",
    "read_header",
    "read_png",
    "read_source",
    "replace_header",
    "source_of",
    "write_png",
]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"faceswap\0\0\0\0\0"
_HEAD = 8 << 10
_BINARY = getattr(os, "O_BINARY", 0)
_CHUNK_LIMIT = 1 << 20
_FILE_LIMIT = 256 << 20
_PIXEL_LIMIT = 8192 * 8192
_CHUNKS_BEFORE_IDAT = 64
_TAIL = b"}, 'source': {"
_SOURCE = re.compile(
    r"\{'alignments_version': (?P<version>[0-9.]{1,8}), 'original_filename': (?P<original>'[^'\\]*'), "
    r"'face_index': (?P<index>\d{1,6}), 'source_filename': (?P<source>'[^'\\]*'), "
    r"'source_is_video': (?P<video>True|False), 'source_frame_dims': [\[(](?P<h>\d{1,6}), (?P<w>\d{1,6})[\])]\}\}\Z"
)


def _no_header(path: Path | str) -> FormatError:
    return FormatError(
        f"{path} has no faceswap header, so nobody can tell its frame. Extract it anew, or import the folder: "
        "galloway faceset import"
    )


def _find_chunk(data: bytes, path: Path | str) -> tuple[int, int]:
    """Offset and payload length of the `faceswap` iTXt chunk in the first bytes of a PNG.

    The payload may reach past `data`; the caller reads on. Raises FormatError where there is none before IDAT.
    """
    if not data.startswith(SIGNATURE):
        raise FormatError(f"{path} is not a PNG file. Remove it from the folder, or import it: galloway faceset import")
    position = len(SIGNATURE)
    for _ in range(_CHUNKS_BEFORE_IDAT):
        if position + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"iTXt" and data.startswith(_KEYWORD, position + 8):
            if length > _CHUNK_LIMIT:
                raise UnsafeFile(f"{path} claims a header of {length:,} bytes. It was not read; extract it anew.")
            return position, length
        if kind in (b"IDAT", b"IEND"):
            break
        if length > _CHUNK_LIMIT:
            raise UnsafeFile(f"{path} holds a {kind!r} chunk of {length:,} bytes. It was not read.")
        position += 12 + length
    raise _no_header(path)


def _text_of(data: bytes, position: int, length: int, path: Path | str) -> bytes:
    """The header's UTF-8 text; the chunk's CRC is checked."""
    body = data[position + 4 : position + 8 + length]
    crc = data[position + 8 + length : position + 12 + length]
    if len(crc) < 4 or zlib.crc32(body) != int.from_bytes(crc, "big"):
        raise FormatError(f"{path} has a damaged header (checksum). Extract this face anew.")
    return body[4 + len(_KEYWORD) :]


def _header_bytes(path: Path | str) -> bytes:
    """The header's text, reading no more of the file than it needs: one read of 12 KB for nearly all."""
    try:
        handle = os.open(path, os.O_RDONLY | _BINARY)
        try:
            data = os.read(handle, _HEAD)
            try:
                position, length = _find_chunk(data, path)
            except FormatError:
                if len(data) < _HEAD:
                    raise
                data += os.read(handle, 2 * _CHUNK_LIMIT)
                position, length = _find_chunk(data, path)
            missing = position + 12 + length - len(data)
            if missing > 0:
                data += os.read(handle, missing)
        finally:
            os.close(handle)
    except OSError as error:
        raise FacesetError(
            f"{path} cannot be read: {error.strerror}. See what is there: galloway faceset verify"
        ) from error
    return _text_of(data, position, length, path)


def _literal(text: str, path: Path | str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise FormatError(f"{path} has a header that is no Python literal. Extract this face anew.") from None


def _dims(value: Any) -> tuple[int, int]:
    height, width = value
    return int(height), int(width)


def _source_from(values: Any, path: Path | str) -> FaceSource:
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
    start = text.rfind(_TAIL, -2048)
    if start >= 0:
        match = _SOURCE.match(text[start + len(_TAIL) - 1 :].decode("utf-8", "replace"))
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
    values = _literal(_decode(text, path), path)
    if not isinstance(values, dict) or "source" not in values:
        raise _no_header(path)
    return _source_from(values["source"], path)


def _decode(text: bytes, path: Path | str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} has a header that is no UTF-8. Extract this face anew.") from None


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
    values = _literal(_decode(text, path), path)
    if not isinstance(values, dict) or not {"alignments", "source"} <= values.keys():
        raise _no_header(path)
    return FaceHeader(alignment_from(values["alignments"], str(path)), _source_from(values["source"], path))


def read_header(path: Path) -> FaceHeader:
    """The whole header of a face PNG. Raises FormatError where there is none, UnsafeFile for absurd ones."""
    return parse_header(_header_bytes(path), path)


def read_source(path: Path | str) -> FaceSource:
    """Frame and index of a face PNG, without parsing landmarks and masks."""
    return parse_source(_header_bytes(path), path)


def source_of(data: bytes, path: Path) -> FaceSource:
    """Frame and index of a face PNG whose bytes are at hand."""
    position, length = _find_chunk(data, path)
    return parse_source(_text_of(data, position, length, path), path)


def parse_png(data: bytes, path: Path) -> FaceHeader | None:
    """The whole header of a PNG whose bytes are at hand; None for another picture or a PNG without one."""
    if not data.startswith(SIGNATURE):
        return None
    try:
        position, length = _find_chunk(data, path)
    except UnsafeFile:
        raise
    except FormatError:
        return None
    return parse_header(_text_of(data, position, length, path), path)


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


def _chunk(text: bytes) -> bytes:
    body = b"iTXt" + _KEYWORD + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _with_text(data: bytes, text: bytes, path: Path) -> bytes:
    """The PNG with its header chunk replaced, or put after IHDR where there was none."""
    try:
        position, length = _find_chunk(data, path)
        end = position + 12 + length
    except UnsafeFile:
        raise
    except FormatError:
        if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
            raise
        position = end = 33
    return b"".join((data[:position], _chunk(text), data[end:]))


def moved_png(data: bytes, path: Path, *, name: str, face_index: int) -> bytes:
    """The PNG of `path` (its bytes in `data`) as faceswap rewrites it when a face gets a new index.

    Only `original_filename` and `face_index` change. v3 writes the frame's size as a list then, v2.3.0 as a tuple;
    which line wrote the header shows in the order of x, y, w, h.
    """
    position, length = _find_chunk(data, path)
    text = _text_of(data, position, length, path)
    source = replace(parse_source(text, path), original_filename=name, face_index=face_index)
    start = text.rfind(_TAIL)
    if start < 0:
        header = FaceHeader(parse_header(text, path).alignment, source)
        return _with_text(data, header_text(header), path)
    dims: list[int] | tuple[int, ...] = source.source_frame_dims
    if re.match(rb"\{'alignments': \{'x': -?\d+, 'y'", text):
        dims = list(dims)
    tail = {
        "alignments_version": source.alignments_version,
        "original_filename": source.original_filename,
        "face_index": source.face_index,
        "source_filename": source.source_filename,
        "source_is_video": source.source_is_video,
        "source_frame_dims": dims,
    }
    return _with_text(data, text[: start + len(_TAIL) - 1] + f"{tail}}}".encode(), path)


def write_png(path: Path, image: Image.Image, header: FaceHeader, *, dialect: str = "v2.3") -> None:
    """Write a face PNG (8-bit RGB) with its header, atomically.

    `header.source.original_filename` should be the PNG's name; it is not changed here.
    """
    stream = io.BytesIO()
    image.convert("RGB").save(stream, format="PNG", compress_level=3)
    write_atomic(path, _with_text(stream.getvalue(), header_text(header, dialect), path), durable=False)


def replace_header(path: Path, header: FaceHeader, *, dialect: str = "v2.3") -> None:
    """Put `header` into an existing face PNG, atomically; its pixels keep their bytes."""
    data = read_bounded(path, _FILE_LIMIT)
    write_atomic(path, _with_text(data, header_text(header, dialect), path), durable=False)


def decode_pixels(data: bytes, path: Path) -> NDArray[np.uint8]:
    """The pixels of a PNG or JPEG as uint8 (height, width, 3) RGB. Raises UnsafeFile for absurd sizes before
    decoding, FormatError for damaged files."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height > _PIXEL_LIMIT:
                raise UnsafeFile(f"{path} claims {width} x {height} pixels. It was not decoded.")
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, struct.error, EOFError) as error:
        raise FormatError(f"{path} cannot be decoded ({error}). Extract this face anew.") from None


def read_png(path: Path) -> tuple[FaceHeader, NDArray[np.uint8]]:
    """Header and decoded RGB pixels of a face PNG, in one read."""
    data = read_bounded(path, _FILE_LIMIT)
    position, length = _find_chunk(data, path)
    return parse_header(_text_of(data, position, length, path), path), decode_pixels(data, path)
