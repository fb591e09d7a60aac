"""Faces of a film at a fraction of the cost: whole frames are searched now and then, in between faces are looked for
where they must be.

Frames are taken in stretches that begin every `EVERY` frames. The first frame of a stretch and of the next one are
searched whole. A face that is in both is looked for in between in a small square around the straight line from one to
the other; where it is not found there, or where a face came or went, the frames in between are searched whole, the
middle one first. What is found in a stretch depends on its own frames and the next one's first alone, so that a run
that was killed finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..frames import Frame
from .detect import Box, FaceFinder, Found, overlap

__all__ = ["EVERY", "follow", "stretch_start"]

EVERY = 8
"""Frames from one whole search to the next. At 25 a second, faces come and go within a third of a second rarely."""
_SAME = 0.35
"""Boxes of one face in two searched frames overlap at least so much (IoU)."""
_MOST = 10
"""With more faces than this, searching the frame costs no more than looking for each."""


def stretch_start(place: int) -> int:
    """Where the stretch begins that holds the frame at this place, both from 0 among the frames that are looked at."""
    return place - place % EVERY


def follow(frames: Iterable[Frame], finder: FaceFinder) -> Iterator[tuple[Frame, list[Found]]]:
    """Each frame with the boxes of its faces, in order. `frames` begin where a stretch does."""
    waiting: list[Frame] = []
    first: list[Found] = []
    for frame in frames:
        if len(waiting) == EVERY:
            last = finder.search(frame.image)
            yield from _stretch(waiting, first, last, frame, finder)
            waiting, first = [frame], last
            continue
        if not waiting:
            first = finder.search(frame.image)
        waiting.append(frame)
    if waiting:
        end = waiting[-1]
        last = first if len(waiting) == 1 else finder.search(end.image)
        yield from _stretch(waiting[:-1], first, last, end, finder)
        yield end, last


def _stretch(
    frames: Sequence[Frame], first: list[Found], last: list[Found], end: Frame, finder: FaceFinder
) -> Iterator[tuple[Frame, list[Found]]]:
    """The frames of a stretch, without `end`, the one that follows it."""
    found: dict[int, list[Found]] = {}
    if frames:
        found[0] = first
        _between([*frames, end], 0, len(frames), first, last, found, finder)
    for place, frame in enumerate(frames):
        yield frame, found[place]


def _between(
    frames: Sequence[Frame],
    low: int,
    high: int,
    first: list[Found],
    last: list[Found],
    found: dict[int, list[Found]],
    finder: FaceFinder,
) -> None:
    """Fill `found` for the places between `low` and `high`, whose faces are known."""
    if high - low < 2:
        return
    pairs = _pairs(first, last)
    if pairs is not None and all(
        _look(frames[place], (place - low) / (high - low), pairs, place, found, finder)
        for place in range(low + 1, high)
    ):
        return
    middle = (low + high) // 2
    found[middle] = finder.search(frames[middle].image)
    _between(frames, low, middle, first, found[middle], found, finder)
    _between(frames, middle, high, found[middle], last, found, finder)


def _pairs(first: list[Found], last: list[Found]) -> list[tuple[Box, Box]] | None:
    """The same faces in two frames, None where a face of one is not in the other or there are too many to follow."""
    if len(first) != len(last) or len(first) > _MOST:
        return None
    left = [box for box, _ in last]
    pairs = []
    for box, _ in first:
        best = max(left, key=lambda other: overlap(box, other))
        if overlap(box, best) < _SAME:
            return None
        left.remove(best)
        pairs.append((box, best))
    return pairs


def _look(
    frame: Frame,
    share: float,
    pairs: Sequence[tuple[Box, Box]],
    place: int,
    found: dict[int, list[Found]],
    finder: FaceFinder,
) -> bool:
    """Look for every face `share` of the way from its first box to its last; whether all are there."""
    seen: list[Found] = []
    for first, last in pairs:
        there = np.asarray(first) * (1 - share) + np.asarray(last) * share
        at = finder.look(frame.image, (float(there[0]), float(there[1]), float(there[2]), float(there[3])))
        if at is None or any(overlap(at[0], other) > _SAME for other, _ in seen):
            return False
        seen.append(at)
    found[place] = seen
    return True
