"""Which parts of a frame are looked at and drawn into when its faces are swapped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....curation.faceset.png.types import FaceAlignment
from ..align import FACE_SPAN, face_matrix, invert, transform_points
from ..pixels import ALIGNED
from .data import MARGIN

__all__ = ["Area", "areas"]

_AROUND = 8
"""Pixels around what is needed: colours at a part's very edge may differ from the whole picture's."""

Area = tuple[int, int, int, int]
"""Left, top, right, bottom in frame pixels; left and top are multiples of ALIGNED."""


def areas(faces: Sequence[FaceAlignment], size: tuple[int, int]) -> list[tuple[Area, list[FaceAlignment]]]:
    """Parts of a frame of `size` (width, height) that do not overlap, each with its faces in their order."""
    found: list[tuple[Area, list[int]]] = []
    for number, face in enumerate(faces):
        area, members = _area(face, size), [number]
        if area is None:
            continue
        while near := [item for item in found if _overlap(item[0], area)]:
            found = [item for item in found if item not in near]
            area = _around([area, *(item[0] for item in near)])
            members = sorted([*members, *(member for item in near for member in item[1])])
        found.append((area, members))
    return [(area, [faces[member] for member in members]) for area, members in found]


def _area(face: FaceAlignment, size: tuple[int, int]) -> Area | None:
    """Where the face's canvas lies, None for one outside the frame."""
    back = invert(face_matrix(face.landmarks, 1, FACE_SPAN / MARGIN))
    corners = transform_points(back, np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float))
    low, high = np.floor(corners.min(axis=0)) - _AROUND, np.ceil(corners.max(axis=0)) + _AROUND
    left, top = (int(max(0.0, edge)) // ALIGNED * ALIGNED for edge in low)
    right, bottom = (int(min(edge // ALIGNED * ALIGNED + ALIGNED, most)) for edge, most in zip(high, size, strict=True))
    return (left, top, right, bottom) if right - left >= 2 and bottom - top >= 2 else None


def _overlap(one: Area, two: Area) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _around(several: Sequence[Area]) -> Area:
    return (
        min(area[0] for area in several),
        min(area[1] for area in several),
        max(area[2] for area in several),
        max(area[3] for area in several),
    )
