"""Groups: which faces stand together, because one look can judge them. Pure; a group is a guess and never an answer.

Together are the faces of a track (the same place in frames that follow one another) and the near-copies that screening
found. A cut between two faces at the same place joins them wrongly: pages of groups ask to mark the odd ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from ...curation.types import Face, FaceId

__all__ = ["overlap", "stand_together"]

Box = tuple[int, int, int, int]

OVERLAP = 0.5
"""Boxes of two following frames that share so much of their union are one face moving; a head that crosses a third of
its width between frames has less, and then begins a track of its own."""
REACH = 2
"""A track may miss a frame: a face is looked for this many usual steps back."""


def stand_together(faces: Sequence[Face], twins: Mapping[FaceId, FaceId]) -> dict[FaceId, FaceId]:
    """Face → the first face of its group; every face has one, often itself. `twins` are near-copies → what they copy.

    Whatever the order of `faces`, the groups are the same.
    """
    known = {face.face_id for face in faces}
    parent = {face.face_id: face.face_id for face in faces}

    def root(one: FaceId) -> FaceId:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    pairs = [*_steps(faces), *((copy, leader) for copy, leader in twins.items() if copy in known and leader in known)]
    for one, two in pairs:
        first, second = sorted((root(one), root(two)))
        parent[second] = first
    return {face.face_id: root(face.face_id) for face in faces}


def _steps(faces: Iterable[Face]) -> Iterable[tuple[FaceId, FaceId]]:
    """Pairs of faces that are one face in following frames of a source."""
    sources: dict[tuple[str, str], list[Face]] = defaultdict(list)
    for face in faces:
        if face.frame_number is not None:
            sources[face.side.value, face.source].append(face)
    for members in sources.values():
        members.sort(key=lambda face: (face.frame_number or 0, face.face_index))
        frames = [(number, list(found)) for number, found in groupby(members, key=lambda face: face.frame_number or 0)]
        gaps = sorted(after[0] - before[0] for before, after in pairwise(frames))
        usual = gaps[len(gaps) // 2] if gaps else 1
        yield from _follow(frames, REACH * usual)


def _follow(frames: Sequence[tuple[int, list[Face]]], reach: int) -> Iterable[tuple[FaceId, FaceId]]:
    """The best fits first, each face with one before it and one after it at most."""
    last: list[Face] = []
    for number, found in frames:
        last = [face for face in last if number - (face.frame_number or 0) <= reach]
        fits = sorted(
            ((overlap(before.box, face.box), before.face_id, face.face_id) for before in last for face in found),
            key=lambda fit: (-fit[0], fit[1], fit[2]),
        )
        used: set[FaceId] = set()
        for share, before, face in fits:
            if share >= OVERLAP and before not in used and face not in used:
                used |= {before, face}
                yield before, face
        last = [face for face in last if face.face_id not in used] + found


def overlap(one: Box, two: Box) -> float:
    """The share of two boxes' union that both hold, 0 to 1; boxes are x, y, width, height."""
    width = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    height = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + two[2] * two[3] - both)
