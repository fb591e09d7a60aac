"""zlib streams, made and unpacked as cheaply as they can be.

Alignments of v2.3.0 are thumbnails and masks that are compressed already, beside float32 noise: zlib's level 6, which
faceswap uses, makes them a tenth smaller for 1.8 CPU seconds per twenty thousand faces, and every later load pays
for unpacking them. Where a sample shrinks by less than an eighth, the stream is stored. The rest (v3's lists of
numbers shrink to half) goes through ISA-L's igzip, which takes a tenth of zlib's time; where that is not installed,
through zlib's level 1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from types import ModuleType
from typing import Any

from ..errors import FormatError, UnsafeFile

try:
    from isal import isal_zlib
except ImportError:
    _igzip: ModuleType | None = None
else:
    _igzip = isal_zlib

__all__ = ["crc32", "deflate", "inflate", "squeeze"]

crc32: Callable[..., int] = zlib.crc32 if _igzip is None else _igzip.crc32
"""PNG's and zlib's checksum, by whichever library is quicker."""

_RATIO, _RATIO_FREE = 50, 64 << 20
_SAMPLE, _WORTH = 1 << 18, 7 / 8
_STORED = (1 << 16) - 1


def _stored(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """A zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4)."""
    adler32 = zlib.adler32 if _igzip is None else _igzip.adler32
    check = 1
    yield b"\x78\x01"
    for chunk in chunks:
        check = adler32(chunk, check)
        for start in range(0, len(chunk), _STORED):
            part = chunk[start : start + _STORED]
            yield b"\0" + len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little")
            yield part
    yield b"\1\0\0\xff\xff" + check.to_bytes(4, "big")


def _compressed(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    engine: Any = zlib.compressobj(1) if _igzip is None else _igzip.compressobj(2)
    for chunk in chunks:
        packed = engine.compress(chunk)
        if packed:
            yield packed
    yield engine.flush()


def deflate(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """zlib-compress a stream of chunks, or store it where compression gains little; any zlib reads the result."""
    rest = iter(chunks)
    first: list[bytes | memoryview] = []
    held = 0
    for chunk in rest:
        first.append(chunk)
        held += len(chunk)
        if held >= _SAMPLE:
            break
    sample = b"".join(first)[:_SAMPLE]
    if len(zlib.compress(sample, 1)) < _WORTH * len(sample):
        yield from _compressed(chain(first, rest))
    else:
        yield from _stored(chain(first, rest))


def squeeze(data: bytes) -> bytes:
    """zlib-compress one piece that is known to shrink, quickly."""
    return zlib.compress(data, 1) if _igzip is None else bytes(_igzip.compress(data, 2))


def inflate(data: bytes, *, name: str, limit: int = 2 << 30) -> bytes:
    """zlib-decompress `data`, never to more than `limit` bytes. Raises UnsafeFile for a bomb, FormatError for damage.

    Past 64 MB a ratio over 50 is taken for a bomb: real alignments, which hold JPEG thumbnails, stay under 10.
    """
    allowed = min(limit, max(_RATIO_FREE, len(data) * _RATIO))
    engine: Any = zlib.decompressobj() if _igzip is None else _igzip.decompressobj()
    error: type[Exception] = zlib.error if _igzip is None else _igzip.error
    try:
        raw: bytes = engine.decompress(data, allowed + 1)
    except error as problem:
        raise FormatError(f"{name} is damaged or no zlib file ({problem}). Restore it from its backup.") from None
    if len(raw) > allowed:
        raise UnsafeFile(f"{name} unpacks {len(data):,} bytes to more than {allowed:,}: a bomb. It was not loaded.")
    if not engine.eof:
        raise FormatError(f"{name} is cut short. Restore it from its backup.")
    return raw
