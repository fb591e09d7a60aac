"""The `faceswap` chunk of a face PNG as bytes: found, checked, replaced; what it says is for `source` and `headers`.

The header is one iTXt chunk before the first IDAT: keyword `faceswap`, no compression, and as text a Python literal
(not JSON) of `{"alignments": …, "source": …}`; the same in faceswap v2.3.0 and v3.
"""

from __future__ import annotations

import ast
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from ...errors import FacesetError, FormatError, UnsafeFile

__all__ = ["OPEN", "SIGNATURE", "find_chunk", "header_bytes", "literal", "no_header", "text_of", "with_text"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"faceswap\0\0\0\0\0"
OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""How a picture is opened: a pipe with a picture's name must not make us wait for its other end."""
HEAD = 8 << 10
"""Bytes that hold nearly every header: one read."""
CHUNK_LIMIT = 1 << 20
_CHUNKS_BEFORE_IDAT = 64
_AFTER_IHDR = 33


def no_header(path: Path | str) -> FormatError:
    """The error for a PNG without a header."""
    return FormatError(
        f"{path} has no faceswap header, so nobody can tell its frame. Extract it anew, or import the folder: "
        "galloway faceset import"
    )


def find_chunk(data: bytes, path: Path | str) -> tuple[int, int]:
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
        if kind == b"iTXt" and data.startswith(KEYWORD, position + 8):
            if length > CHUNK_LIMIT:
                raise UnsafeFile(f"{path} claims a header of {length:,} bytes. It was not read; extract it anew.")
            return position, length
        if kind in (b"IDAT", b"IEND"):
            break
        if length > CHUNK_LIMIT:
            raise UnsafeFile(f"{path} holds a {kind!r} chunk of {length:,} bytes. It was not read.")
        position += 12 + length
    raise no_header(path)


def text_of(data: bytes, position: int, length: int, path: Path | str) -> bytes:
    """The header's UTF-8 text; the chunk's CRC is checked."""
    body = data[position + 4 : position + 8 + length]
    crc = data[position + 8 + length : position + 12 + length]
    if len(crc) < 4 or zlib.crc32(body) != int.from_bytes(crc, "big"):
        raise FormatError(f"{path} has a damaged header (checksum). Extract this face anew.")
    return body[4 + len(KEYWORD) :]


def header_bytes(path: Path | str) -> bytes:
    """The header's text, reading no more of the file than it needs: one read of 8 KB for nearly all."""
    try:
        handle = os.open(path, OPEN)
        try:
            data = os.read(handle, HEAD)
            try:
                position, length = find_chunk(data, path)
            except FormatError:
                if len(data) < HEAD:
                    raise
                data += os.read(handle, 2 * CHUNK_LIMIT)
                position, length = find_chunk(data, path)
            missing = position + 12 + length - len(data)
            if missing > 0:
                data += os.read(handle, missing)
        finally:
            os.close(handle)
    except OSError as error:
        raise FacesetError(
            f"{path} cannot be read: {error.strerror}. See what is there: galloway faceset verify"
        ) from error
    return text_of(data, position, length, path)


def decoded(text: bytes, path: Path | str) -> str:
    """A header's text as str. Raises FormatError."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} has a header that is no UTF-8. Extract this face anew.") from None


def literal(text: bytes, path: Path | str) -> Any:
    """A header's text as Python values. Raises FormatError."""
    try:
        return ast.literal_eval(decoded(text, path))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise FormatError(f"{path} has a header that is no Python literal. Extract this face anew.") from None


def with_text(data: bytes, text: bytes, path: Path | str) -> bytes:
    """The PNG with its header chunk replaced, or put after IHDR where there was none."""
    try:
        position, length = find_chunk(data, path)
        end = position + 12 + length
    except UnsafeFile:
        raise
    except FormatError:
        if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
            raise
        position = end = _AFTER_IHDR
    body = b"iTXt" + KEYWORD + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return b"".join((data[:position], chunk, data[end:]))
