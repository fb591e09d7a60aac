"""zlib streams, made and unpacked as cheaply as they can be.

Alignments are half JPEG thumbnails, which do not shrink: zlib's level 6, which faceswap uses, spends eight CPU
seconds on twenty thousand faces of the v3 line where ISA-L's igzip spends half a second for the same size. Where igzip
is not installed, zlib's level 1 is taken, or none where a sample shows that nothing is to be gained.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from curation.errors import FormatError, UnsafeFile

__all__ = ["deflate", "inflate"]

_RATIO, _RATIO_FREE = 300, 64 << 20
_SAMPLE, _WORTH = 1 << 18, 0.97


def _igzip() -> ModuleType | None:
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


def _compressor(sample: bytes) -> Any:
    """igzip at its best level; else zlib at level 1, or 0 where the sample does not shrink by 3 %."""
    igzip = _igzip()
    if igzip is not None:
        return igzip.compressobj(2)
    shrinks = len(zlib.compress(sample, 1)) < _WORTH * len(sample)
    return zlib.compressobj(1 if shrinks or len(sample) < 1024 else 0)


def deflate(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """zlib-compress a stream of chunks; any zlib reads the result."""
    engine, waiting, held = None, [], 0
    for chunk in chunks:
        if engine is None:
            waiting.append(chunk)
            held += len(chunk)
            if held < _SAMPLE:
                continue
            first = b"".join(waiting)
            engine, chunk = _compressor(first[:_SAMPLE]), first
        packed = engine.compress(chunk)
        if packed:
            yield packed
    if engine is None:
        first = b"".join(waiting)
        engine = _compressor(first)
        yield engine.compress(first)
    yield engine.flush()


def inflate(data: bytes, *, name: str, limit: int = 2 << 30) -> bytes:
    """zlib-decompress `data`, never to more than `limit` bytes. Raises UnsafeFile for a bomb, FormatError for damage.

    Past 64 MB a ratio over 300 is taken for a bomb: real alignments, which hold JPEG thumbnails, stay under 10.
    """
    allowed = min(limit, max(_RATIO_FREE, len(data) * _RATIO))
    igzip = _igzip()
    engine: Any = igzip.decompressobj() if igzip is not None else zlib.decompressobj()
    error: type[Exception] = igzip.error if igzip is not None else zlib.error
    try:
        raw: bytes = engine.decompress(data, allowed + 1)
    except error as problem:
        raise FormatError(f"{name} is damaged or no zlib file ({problem}). Restore it from its backup.") from None
    if len(raw) > allowed:
        raise UnsafeFile(f"{name} unpacks {len(data):,} bytes to more than {allowed:,}: a bomb. It was not loaded.")
    if not engine.eof:
        raise FormatError(f"{name} is cut short. Restore it from its backup.")
    return raw
