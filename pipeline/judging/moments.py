"""A film's measures → the moments that people are asked about. Pure functions of values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from ..workspace.judged import Moment
from .verdicts import Page

__all__ = ["FrameDoubt", "beside", "cut", "page_of", "sampled"]

LONGEST = 2
"""Seconds of a moment at most: a loop of so long can be kept in mind."""
SHORTEST = Fraction(1, 4)
"""Seconds of a suspicious moment at least; a shorter one is seen as a blink only."""
ROOM = Fraction(1, 8)
"""Seconds by which a suspicious moment is longer on both sides: a measure sees a fault a little late, and a few bad
frames that were left in a calm moment would make two seconds of it fail."""
_STILL = frozenset({"identity", "border colour", "border edge", "colour", "pose error"})
"""Measures whose fault a still picture shows; the others need movement."""


@dataclass(frozen=True, slots=True)
class FrameDoubt:
    """A swapped frame's worst measure, and its value in shares of what is noticeable."""

    frame: int
    measure: str
    doubt: float


def cut(frames: Sequence[FrameDoubt], rate: Fraction) -> list[Moment]:
    """The film's swapped frames as moments, each frame in one: suspicious stretches by what makes them so, the rest in
    calm pieces of equal length. `frames` are in order."""
    said = [item.measure if item.doubt > 1 else "" for item in frames]
    kinds = _steady(_wider(said, round(rate * ROOM)), max(1, round(rate * SHORTEST)))
    spans: list[tuple[int, int, str]] = []
    for item, why in zip(frames, kinds, strict=True):
        if spans and spans[-1][2] == why and item.frame == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], item.frame, why)
        else:
            spans.append((item.frame, item.frame, why))
    pieces = [piece for span in spans for piece in _pieces(*span, most=max(1, int(rate * LONGEST)))]
    return [Moment(number, first, last, why) for number, (first, last, why) in enumerate(pieces, 1)]


def _wider(kinds: Sequence[str], by: int) -> list[str]:
    """The same with suspicious runs that reach `by` further on both sides, where it is calm."""
    grown = list(kinds)
    for at, kind in enumerate(kinds):
        if kind:
            for near in (*range(max(0, at - by), at), *range(at + 1, min(len(kinds), at + by + 1))):
                grown[near] = grown[near] or kind
    return grown


def _steady(kinds: Sequence[str], least: int) -> list[str]:
    """The same with runs shorter than `least` given to a neighbour: a suspicious one rather than a calm one."""
    runs: list[list[str]] = []
    for kind in kinds:
        if runs and runs[-1][0] == kind:
            runs[-1].append(kind)
        else:
            runs.append([kind])
    while len(runs) > 1 and min(map(len, runs)) < least:
        place = min(range(len(runs)), key=lambda at: len(runs[at]))
        near = [at for at in (place - 1, place + 1) if 0 <= at < len(runs)]
        other = max(near, key=lambda at: (bool(runs[at][0]), len(runs[at])))
        size = len(runs[place]) + len(runs[other])
        runs[min(place, other) : max(place, other) + 1] = [[runs[other][0] or runs[place][0]] * size]
        runs = _joined(runs)
    return [kind for run in runs for kind in run]


def _joined(runs: list[list[str]]) -> list[list[str]]:
    joined: list[list[str]] = []
    for run in runs:
        if joined and joined[-1][0] == run[0]:
            joined[-1] = joined[-1] + run
        else:
            joined.append(run)
    return joined


def _pieces(first: int, last: int, why: str, *, most: int) -> list[tuple[int, int, str]]:
    size = last - first + 1
    count = ceil(size / most)
    edges = [first + size * step // count for step in range(count + 1)]
    return [(one, other - 1, why) for one, other in pairwise(edges)]


def sampled(moments: Sequence[Moment], film: str, share: float, least: int = 2) -> list[Moment]:
    """The calm moments that are asked all the same, to find out what the measures do not see: drawn by a hash that
    nobody can choose and that stays from round to round."""
    calm = [moment for moment in moments if not moment.why]
    drawn = sorted(calm, key=lambda item: hashlib.sha256(f"{film}|{item.first}".encode()).digest())
    return sorted(drawn[: max(least, ceil(len(calm) * share))], key=lambda item: item.number)


def beside(moments: Sequence[Moment], broken: Mapping[int, bool]) -> list[Moment]:
    """The moments next to calm ones that do not hold, which nobody was asked about: a fault that the measures do not
    see seldom ends where a moment does. `broken` says of those that were asked, by number, whether it is so."""
    wanted = {number + step for number, fails in broken.items() if fails for step in (-1, 1)}
    return [moment for moment in moments if moment.number in wanted and moment.number not in broken]


def page_of(moment: Moment) -> Page:
    """How the moment is shown: faults of one picture as two pictures, all else moving."""
    return Page.COMPARE if moment.why in _STILL else Page.CLIP
