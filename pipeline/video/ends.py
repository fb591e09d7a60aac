"""Whether a file reaches as far as it says itself, read without a decoder.

Most readers stop quietly where a file ends, so a copy that broke off looks like a shorter film. Sources: RFC 8794 and
RFC 9559 (Matroska, WebM), Microsoft's Advanced Systems Format §3.2 (wmv), RFC 3533 §6 (Ogg), SMPTE ST 377-1 §7.1 (MXF),
GIF89a §§18–27. For mp4 and mov see `boxes`. Nothing is trusted: no size is believed that the file does not back.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

__all__ = ["missing_bytes"]

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MXF_HEADER = bytes.fromhex("060e2b34020501010d010201")
_OGG_PAGE = 65_307
"""The most bytes of a page of Ogg."""
_MOST_PARTS = 1000
"""More parts of a header than any file has before the one that is looked for."""


def missing_bytes(path: Path) -> int:
    """How many bytes at least are missing at the end of a Matroska, WebM, wmv, Ogg, MXF or GIF file; 0 where none are,
    where the file does not say how long it is (a recording that was streamed), and for all other files."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(0)
        end = 0
        if head.startswith(_EBML):
            end = _end_of_matroska(file, size)
        elif head == _ASF:
            end = _end_of_asf(file, size)
        elif head.startswith(b"OggS"):
            end = _end_of_ogg(file, size)
        elif head.startswith(_MXF_HEADER):
            end = _end_of_mxf(file)
        elif head.startswith((b"GIF87a", b"GIF89a")):
            end = _end_of_gif(file, size)
    return max(0, end - size)


def _end_of_matroska(file: BinaryIO, size: int) -> int:
    """Where the first segment ends; 0 where that is not told."""
    for _ in range(_MOST_PARTS):
        first = file.read(1)
        if not first:
            return 0
        name = first + file.read(max(0, 8 - first[0].bit_length()))
        length = _vint(file)
        if length is None:
            return 0
        if name == _SEGMENT:
            return file.tell() + length
        if file.tell() + length > size:
            return 0
        file.seek(length, 1)
    return 0


def _vint(file: BinaryIO) -> int | None:
    """An EBML length; None for one that is not told, and for none at all."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(more), "big") & ((1 << 7 * (more + 1)) - 1)
    return None if value == (1 << 7 * (more + 1)) - 1 else value


def _end_of_asf(file: BinaryIO, size: int) -> int:
    """The length that the header tells; 0 for a broadcast, which has none."""
    file.seek(30)
    for _ in range(_MOST_PARTS):
        part = file.read(24)
        length = int.from_bytes(part[16:], "little")
        if len(part) < 24 or length < 24:
            return 0
        if part[:16] == _ASF_PROPERTIES:
            told = file.read(68)
            broadcast = len(told) < 68 or told[64] & 1
            return 0 if broadcast else int.from_bytes(told[16:24], "little")
        if file.tell() + length - 24 > size:
            return 0
        file.seek(length - 24, 1)
    return 0


def _end_of_ogg(file: BinaryIO, size: int) -> int:
    """Where the last page ends."""
    start = max(0, size - _OGG_PAGE)
    file.seek(start)
    tail = file.read(_OGG_PAGE)
    place = tail.rfind(b"OggS\0")
    if place < 0:
        return 0
    page = tail[place:]
    lengths = page[27 : 27 + page[26]] if len(page) > 26 else b""
    return start + place + 27 + (page[26] if len(page) > 26 else 0) + sum(lengths)


def _end_of_mxf(file: BinaryIO) -> int:
    """Just behind where the footer begins, which the first partition names; 0 where it names none."""
    head = file.read(80)
    long = head[16] & 0x7F if head[16:17] and head[16] & 0x80 else 0
    footer = int.from_bytes(head[17 + long + 24 : 17 + long + 32], "big")
    return footer + 1 if footer else 0


def _end_of_gif(file: BinaryIO, size: int) -> int:
    """Just behind the trailer, or one byte behind the end of a file that has none."""
    head = file.read(13)
    if len(head) == 13 and head[10] & 0x80:
        file.seek(3 << (head[10] & 7) + 1, 1)
    while (kind := file.read(1)) in (b"!", b","):
        if kind == b"!":
            file.read(1)
        else:
            described = file.read(9)
            if len(described) == 9 and described[8] & 0x80:
                file.seek(3 << (described[8] & 7) + 1, 1)
            file.read(1)
        while (length := file.read(1)) not in (b"", b"\0"):
            file.seek(length[0], 1)
    return size if kind else size + 1
