"""Extraction in parts, which workers do side by side; the same PNGs and lines of the journal as in one piece.

A part of a film begins where a stretch of `follow` does and is looked at together with the frame after it: what is
found in a stretch depends on its own frames and the next one's first alone, so that no cut shows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ....curation.files import picture_files
from ....curation.spread import Spread
from ....curation.types import Progress
from ..base import ExtractRequest
from ..frames import Frame, Source, distinct_stems, load_picture
from ..spans import Span, Uncounted, frame_ticks, read_span
from .detect import FaceFinder
from .follow import EVERY, follow
from .journal import Done, Journal
from .writing import write_frame

__all__ = ["Part", "extract_part", "spread_frames"]

_LEAST, _MOST = 2 * EVERY, 8 * EVERY
"""Frames of a part: a worker that is lost loses so much at most; and each part costs decoding from the key frame before
it and searching the frame after it, which short ones are not worth."""
_PARTS = 2
"""Parts for each worker, where that makes none too short: the last one to end is not waited for long."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a worker is given: frames of a film by their `span`, the frame after them included, or `pictures` of a
    folder with the stems of their faces' names. The frames that are `done` are not written."""

    request: ExtractRequest
    source: Source
    threshold: float
    done: frozenset[int]
    last: int
    span: Span | None = None
    pictures: tuple[tuple[int, str, str], ...] = ()


def spread_frames(
    request: ExtractRequest, source: Source, journal: Journal, threshold: float, progress: Progress, spread: Spread
) -> Iterator[Done]:
    """Frames that the journal does not have yet, as their parts end, their PNGs written.

    Raises Uncounted where a film does not say when each of its frames is shown.
    """
    parts, total = _parts(request, source, journal, threshold, spread.workers)
    seen = len(journal.done)
    progress(f"extract {source.path.name}", seen, total)
    for _, lines in spread.as_they_end(extract_part, parts):
        yield from map(Done.from_json, lines)
        seen += len(lines)
        progress(f"extract {source.path.name}", seen, total)


def _parts(
    request: ExtractRequest, source: Source, journal: Journal, threshold: float, workers: int
) -> tuple[list[Part], int]:
    """The parts in which something is not done, and how many frames are looked at in all."""
    done = frozenset(journal.done)
    if source.is_video:
        ticks = frame_ticks(source.path)
        if not ticks:
            raise Uncounted(f"{source.path.name} does not say when each of its frames is shown.")
        every, size = request.every_nth, _size(-(-len(ticks) // request.every_nth), workers)
        frames = range(1, len(ticks) + 1, every)
        cuts = [frames[place : place + size + 1] for place in range(0, len(frames), size)]
        parts = [_stretch(request, source, threshold, done, ticks, cut, size) for cut in cuts]
    else:
        names = [path.name for path in picture_files(source.path)]
        stems = distinct_stems(names)
        pictures = list(enumerate(names, 1))[:: request.every_nth]
        size, frames = _size(len(pictures), workers), range(1, len(names) + 1, request.every_nth)
        parts = [
            Part(
                request,
                source,
                threshold,
                done.intersection(n for n, _ in cut),
                cut[-1][0],
                pictures=tuple((n, name, stems[name]) for n, name in cut),
            )
            for cut in (pictures[place : place + size] for place in range(0, len(pictures), size))
        ]
    return [part for part in parts if not set(_numbers(part)) <= done], len(frames)


def _size(frames: int, workers: int) -> int:
    """How many frames a part has: whole stretches."""
    return max(_LEAST, min(_MOST, EVERY * -(-frames // (EVERY * _PARTS * workers))))


def _stretch(
    request: ExtractRequest,
    source: Source,
    threshold: float,
    done: frozenset[int],
    ticks: tuple[int, ...],
    cut: range,
    size: int,
) -> Part:
    """The part of a film that looks at the frames of `cut`, of which the last belongs to the next part where there are
    more than `size`."""
    ends = len(cut) <= size
    until = len(ticks) if ends else cut[-1]
    own = frozenset(cut[:size]) & done
    return Part(request, source, threshold, own, cut[:size][-1], Span(cut[0], ticks[cut[0] - 1 : until], ends))


def _numbers(part: Part) -> Iterator[int]:
    if part.span is None:
        return (number for number, _, _ in part.pictures)
    return iter(range(part.span.first, part.last + 1, part.request.every_nth))


def extract_part(part: Part) -> list[str]:
    """Write the faces of a part; gives the journal's lines of its frames."""
    part.source.path.stat()  # a worker that does not see the footage says so, and another one may
    finder, every = _finder(part.threshold), part.request.every_nth
    if part.span is None:
        lines = []
        for number, name, stem in part.pictures:
            if number not in part.done:
                frame = Frame(number, name, partial(load_picture, part.source.path / name))
                found = finder.search(frame.image)
                lines.append(write_frame(part.request, part.source, frame, finder, found, stem).to_json())
        return lines
    frames = (f for f in read_span(part.source, part.span) if (f.number - part.span.first) % every == 0)
    return [
        write_frame(
            part.request, part.source, frame, finder, found, f"{part.source.path.stem}_{frame.number:06d}"
        ).to_json()
        for frame, found in follow(frames, finder)
        if frame.number <= part.last and frame.number not in part.done
    ]


_HERE = threading.local()


def _finder(threshold: float) -> FaceFinder:
    """This worker's own, loaded once."""
    found: FaceFinder | None = getattr(_HERE, "finder", None)
    if found is None or _HERE.threshold != threshold:
        found = _HERE.finder = FaceFinder(threshold=threshold, threads=1)
        _HERE.threshold = threshold
    return found
