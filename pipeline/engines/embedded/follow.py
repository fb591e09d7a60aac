"""Faces of a film at a fraction of the cost: whole frames are searched now and then, in between faces are looked for
where they must be.

Frames are taken in stretches that begin every `EVERY` frames. The first frame of a stretch and of the next one are
searched whole, then the middle of what lies between: where the same faces are at both ends, and a glance shows no
other, each is looked for there in a small part of the frame around the straight line from one to the other; else the
middle is searched whole. So it goes on until frames that are known lie `NEAR` apart. Between those, who hardly moved is
on the line; who moved is looked for; who is in one of them alone is followed from there until he is lost, and where
that is somebody who was surely there, the frame is searched whole, too. Where somebody comes or goes of whom the
detector is hardly sure, every frame is searched: no part of it shows a faint face as the whole does. What is found in a
stretch depends on its own frames and the next one's first alone, so that a run that was killed finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..frames import Frame
from .detect import OVERLAP, Box, FaceFinder, Found, net_size, overlap, view

__all__ = ["EVERY", "GLANCE", "NEAR", "follow", "stretch_start"]

EVERY = 16
"""Frames from one whole search to the next. At 25 a second, a small face comes and goes within two thirds of one
rarely; others are seen by a glance in the middle."""
NEAR = 4
"""Frames that are known lie at most so far apart."""
GLANCE = 320
"""The long side to which the frame in the middle is shrunk: a quarter of a whole search's cost."""
_SAME = 0.35
"""Boxes of one face in two searched frames overlap at least so much (IoU)."""
_STILL = 0.65
"""Who overlaps so much after NEAR frames is not looked for on the way, if the picture there changes no more half-way
than from end to end."""
_SAMPLES, _NOISE = 16, 4.0
"""So many pixels across a face are compared for that; changes of fewer of 255 steps are none."""
_SURE = 0.35
"""Faces with a lower score are seen in one frame and not in the next by whole searches, and in a part of a frame less
often: of 226 such faces of a crowd 40 were lost by following them, 9 are by searching around them."""
_DEAR = 0.5
"""Looking for each face at more than this share of a whole frame's pixels costs what searching it costs."""


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
    if frames:
        known = {0: first, len(frames): last}
        _Span([*frames, end], known, finder).fill(0, len(frames))
        for place, frame in enumerate(frames):
            yield frame, known[place]


@dataclass(frozen=True, slots=True)
class _Span:
    """Frames of a stretch and the faces of those that are known, by place."""

    frames: Sequence[Frame]
    known: dict[int, list[Found]]
    finder: FaceFinder

    def fill(self, low: int, high: int) -> None:
        """Find the faces of the frames between two that are known."""
        if high - low < 2:
            return
        pairs, gone, come = _matched(self.known[low], self.known[high])
        middle = (low + high) // 2
        sudden = not self._calm(low, high, (0, 0, *self.frames[low].size))
        flickers = any(score < _SURE for _, score in [*gone, *come])
        if high - low <= NEAR and not sudden and not flickers:
            self._walk(low, high, pairs, gone, come)
            return
        share = (middle - low) / (high - low)
        strange = gone or come or sudden
        seen = None if strange else self._looked(middle, _underway(pairs, share), high - low)
        self.known[middle] = self.finder.search(self.frames[middle].image) if seen is None else seen
        self.fill(low, middle)
        self.fill(middle, high)

    def _looked(self, place: int, expected: list[Box], span: int) -> list[Found] | None:
        """The expected faces, each looked for; None where one is not there, another is, or searching is no dearer."""
        frame = self.frames[place]
        net = net_size(frame.size)
        shown = [view(box, frame.size).net for box in expected]
        if sum(wide * high for wide, high in shown) > _DEAR * net[0] * net[1]:
            return None
        if span > EVERY // 2 and self._stranger(frame, expected):
            return None
        seen: list[Found] = []
        for box in expected:
            at = self._look(place, box)
            if at is None or any(overlap(at[0], other) > _SAME for other, _ in seen):
                return None
            seen.append(at)
        return seen

    def _look(self, place: int, near: Box) -> Found | None:
        frame = self.frames[place]
        seen = view(near, frame.size)
        (left, top), (wide, high) = seen.corner, seen.extent
        picture, (x, y) = frame.around((left, top), (left + wide, top + high))
        at = self.finder.look(picture, _moved(near, -x, -y), seen.moved(-x, -y))
        return None if at is None else (_moved(at[0], x, y), at[1])

    def _stranger(self, frame: Frame, expected: list[Box]) -> bool:
        """Whether a glance shows a face that is none of these."""
        glanced = self.finder.search(frame.image, GLANCE)
        return any(all(overlap(box, there) <= OVERLAP for there in expected) for box, _ in glanced)

    def _walk(
        self, low: int, high: int, pairs: Sequence[tuple[Found, Found]], gone: list[Found], come: list[Found]
    ) -> None:
        """Fill the few frames between two: faces of both are on the line, others are followed until they are lost. The
        frame in which one is lost that was surely there is searched whole, and what is before and after it anew."""
        for place in range(low + 1, high):
            self.known[place] = []
        lost = [self._accompany(low, high, first, last) for first, last in pairs]
        lost += [self._follow(face, range(low + 1, high)) for face in gone]
        lost += [self._follow(face, range(high - 1, low, -1)) for face in come]
        doubtful = next((place for place in lost if place is not None), None)
        if doubtful is not None:
            self.known[doubtful] = self.finder.search(self.frames[doubtful].image)
            self.fill(low, doubtful)
            self.fill(doubtful, high)

    def _accompany(self, low: int, high: int, first: Found, last: Found) -> int | None:
        """Add a face between two frames that show it: looked for half-way, until what is left is hardly any way. The
        place where it should be and is not, None where there is none."""
        if high - low < 2:
            return None
        if overlap(first[0], last[0]) >= _STILL and self._calm(low, high, first[0], last[0]):
            for place in range(low + 1, high):
                (box,) = _underway([(first, last)], (place - low) / (high - low))
                self._add(place, (box, min(first[1], last[1])))
            return None
        middle = (low + high) // 2
        (box,) = _underway([(first, last)], (middle - low) / (high - low))
        at = self._look(middle, box)
        if at is None:
            return middle
        self._add(middle, at)
        before, after = self._accompany(low, middle, first, at), self._accompany(middle, high, at, last)
        return after if before is None else before

    def _calm(self, low: int, high: int, *boxes: Box) -> bool:
        """Whether nothing happens in some boxes half-way that is undone at the end: a nod, a hand, another shot."""
        edges = np.array(boxes)
        corner, other = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
        step = max(1, int((other - corner).min() / _SAMPLES))
        before, middle, after = (
            self.frames[place].light(corner, other, step) for place in (low, (low + high) // 2, high)
        )
        apart = float(np.abs(before - after).mean())
        return min(float(np.abs(middle - end).mean()) for end in (before, after)) <= apart + _NOISE

    def _follow(self, face: Found, places: Iterable[int]) -> int | None:
        """Add a face from frame to frame until it is lost, or where another is known to be; the place where it was lost
        although it was surely there, None where there is none."""
        box, step = face[0], np.zeros(4)
        for place in places:
            left, top, right, bottom = np.asarray(box) + step
            at = self._look(place, (left, top, right, bottom))
            if at is None:
                return place if face[1] >= _SURE else None
            if not self._add(place, at):
                return None
            step, box = np.asarray(at[0]) - np.asarray(box), at[0]
        return None

    def _add(self, place: int, face: Found | None) -> bool:
        """Add a face where none is known yet; whether that was so."""
        faces = self.known[place]
        if face is None or any(overlap(face[0], other) > OVERLAP for other, _ in faces):
            return False
        faces.append(face)
        return True


def _matched(first: list[Found], last: list[Found]) -> tuple[list[tuple[Found, Found]], list[Found], list[Found]]:
    """The faces that are the same in two frames, those that are in the first alone, and those in the last alone."""
    alike = sorted(
        ((overlap(one[0], two[0]), left, right) for left, one in enumerate(first) for right, two in enumerate(last)),
        key=lambda found: (-found[0], found[1:]),
    )
    before, after = dict(enumerate(first)), dict(enumerate(last))
    pairs = []
    for share, left, right in alike:
        if share >= _SAME and left in before and right in after:
            pairs.append((before.pop(left), after.pop(right)))
    return pairs, list(before.values()), list(after.values())


def _underway(pairs: Sequence[tuple[Found, Found]], share: float) -> list[Box]:
    """Each box `share` of the way from its first place to its last."""
    boxes = (np.asarray(first) * (1 - share) + np.asarray(last) * share for (first, _), (last, _) in pairs)
    return [(float(box[0]), float(box[1]), float(box[2]), float(box[3])) for box in boxes]


def _moved(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y
