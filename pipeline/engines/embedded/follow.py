"""Faces of a film at a fraction of the cost: whole frames are searched now and then, in between faces are looked for
where they must be.

Frames are taken in stretches that begin every `EVERY` frames. The first frame of a stretch and of the next one are
searched whole, the one in the middle at a glance, for faces that are at neither end. A face that is in both is looked
for in between in a small square around the straight line from one to the other; where it is not found there, or where
a face came or went, the frames in between are searched whole, the middle one first. What is found in a stretch depends
on its own frames and the next one's first alone, so that a run that was killed finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..frames import Frame
from .detect import OVERLAP, Box, FaceFinder, Found, looked_at, overlap

__all__ = ["EVERY", "GLANCE", "follow", "stretch_start"]

EVERY = 16
"""Frames from one whole search to the next. At 25 a second, a small face comes and goes within two thirds of one
rarely; others are seen by a glance in the middle."""
GLANCE = 320
"""The long side to which the frame in the middle is shrunk: a quarter of a whole search's cost."""
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
    pairs, middle = _pairs(first, last), (low + high) // 2
    if (
        pairs is not None
        and (high - low <= EVERY // 2 or not _stranger(frames[middle], (middle - low) / (high - low), pairs, finder))
        and all(
            _look(frames[place], (place - low) / (high - low), pairs, place, found, finder)
            for place in range(low + 1, high)
        )
    ):
        return
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
    for there in _underway(pairs, share):
        corner, side = looked_at(there)
        picture, (x, y) = frame.around(corner, corner + side)
        at = finder.look(picture, _moved(there, -x, -y))
        if at is None or any(overlap(_moved(at[0], x, y), other) > _SAME for other, _ in seen):
            return False
        seen.append((_moved(at[0], x, y), at[1]))
    found[place] = seen
    return True


def _stranger(frame: Frame, share: float, pairs: Sequence[tuple[Box, Box]], finder: FaceFinder) -> bool:
    """Whether a glance shows a face that is none of these."""
    expected = _underway(pairs, share)
    glanced = finder.search(frame.image, GLANCE)
    return any(all(overlap(box, there) <= OVERLAP for there in expected) for box, _ in glanced)


def _underway(pairs: Sequence[tuple[Box, Box]], share: float) -> list[Box]:
    """Each box `share` of the way from its first place to its last."""
    boxes = (np.asarray(first) * (1 - share) + np.asarray(last) * share for first, last in pairs)
    return [(float(box[0]), float(box[1]), float(box[2]), float(box[3])) for box in boxes]


def _moved(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y
