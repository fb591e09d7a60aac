"""A face PNG whose face got another place in its frame's list: the same bytes but for two numbers of its header."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .chunk import find_chunk, text_of, with_text
from .headers import header_text, parse_header
from .source import TAIL, parse_source
from .types import FaceHeader

__all__ = ["moved_png"]


def moved_png(data: bytes, path: Path, *, name: str, face_index: int) -> bytes:
    """The PNG of `path` (its bytes in `data`) as faceswap rewrites it when a face gets a new index.

    Only `original_filename` and `face_index` change. v3 writes the frame's size as a list then, v2.3.0 as a tuple;
    which line wrote the header shows in the order of x, y, w, h.
    """
    position, length = find_chunk(data, path)
    text = text_of(data, position, length, path)
    source = replace(parse_source(text, path), original_filename=name, face_index=face_index)
    start = text.rfind(TAIL)
    if start < 0:
        return with_text(data, header_text(FaceHeader(parse_header(text, path).alignment, source)), path)
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
    return with_text(data, text[: start + len(TAIL) - 1] + f"{tail}}}".encode(), path)
