"""An alignments file with some faces taken out, in the dialect it was written in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import FormatError
from ...files import read_bounded
from ..deflate import deflate, inflate
from ..png.source import VERSION
from .outline import Outline, UnusualPickle, cut, outline

__all__ = ["Unpacked", "frame_counts", "without_faces"]

_FILE_LIMIT = 1 << 30
Removed = Mapping[str, set[int]]


@dataclass(slots=True)
class Unpacked:
    """Alignments that a plan has unpacked and the apply right after it need not unpack again: file name → (size,
    modification time), the pickle and its outline. Holds tens of megabytes: let it go after use."""

    files: dict[str, tuple[tuple[int, int], bytes, Outline]] = field(default_factory=dict)

    def keep(self, path: Path, raw: bytes, found: Outline) -> None:
        stat = path.stat()
        self.files[path.name] = (stat.st_size, stat.st_mtime_ns), raw, found

    def take(self, path: Path) -> tuple[bytes, Outline] | None:
        """What was kept of `path`, once, if the file is as it was then."""
        kept = self.files.pop(path.name, None)
        stat = path.stat()
        if kept is None or kept[0] != (stat.st_size, stat.st_mtime_ns):
            return None
        return kept[1], kept[2]


def frame_counts(path: Path, unpacked: Unpacked | None = None) -> dict[str, int]:
    """Frame key → number of faces, without loading them where the file is laid out as faceswap lays it out."""
    data = read_bounded(path, _FILE_LIMIT)
    if data[:1] == b"\x78":
        try:
            raw = inflate(data, name=str(path))
            del data
            found = outline(raw, name=str(path))
            if unpacked is not None:
                unpacked.keep(path, raw, found)
            return {name: len(spans) for name, spans in found.frames.items()}
        except UnusualPickle:
            pass
    from .alignments import read_alignments

    return {name: len(frame.faces) for name, frame in read_alignments(path).frames.items()}


def without_faces(path: Path, removed: Removed, unpacked: Unpacked | None = None) -> Iterator[bytes | memoryview]:
    """The bytes of the alignments file at `path` without the faces `removed` (frame key → places).

    `.fsa` 2.x keeps every other byte of its pickle's values; v0.9's JSON stays JSON; a v1 `.fsa` becomes 2.4. Frames
    stay, emptied or not. Raises FormatError where a place is not there.
    """
    kept = unpacked.take(path) if unpacked is not None else None
    try:
        if kept is not None:
            raw, found = kept
        else:
            data = read_bounded(path, _FILE_LIMIT)
            if data.lstrip()[:1] == b"{":
                return iter((_json_without(data, path, removed),))
            raw = inflate(data, name=str(path))
            del data
            found = outline(raw, name=str(path))
        for name, places in removed.items():
            _check(path, name, places, len(found.frames.get(name, ())))
        return deflate(cut(raw, found, removed))
    except UnusualPickle:
        return _loaded_without(path, removed)


def _check(path: Path, name: str, places: set[int], count: int) -> None:
    if places and max(places) >= count:
        raise FormatError(
            f"{path} has {count} faces in {name}, so face {max(places)} cannot be removed. "
            "Look: galloway faceset verify"
        )


def _loaded_without(path: Path, removed: Removed) -> Iterator[bytes | memoryview]:
    from .alignments import read_alignments
    from .emit import pickle_chunks

    alignments = read_alignments(path)
    for name, places in removed.items():
        frame = alignments.frames.get(name)
        _check(path, name, places, len(frame.faces) if frame else 0)
        if frame:
            frame.faces[:] = [face for index, face in enumerate(frame.faces) if index not in places]
    alignments.version = max(alignments.version, VERSION)
    return deflate(pickle_chunks(alignments, alignments.dialect))


def _json_without(data: bytes, path: Path, removed: Removed) -> bytes:
    from .alignments import read_alignments

    read_alignments(path)
    values: dict[str, Any] = json.loads(data)
    for name, places in removed.items():
        frame = values.get(name)
        faces = frame["faces"] if isinstance(frame, dict) else frame or []
        _check(path, name, places, len(faces))
        faces[:] = [face for index, face in enumerate(faces) if index not in places]
    return json.dumps(values, indent=2).encode()
