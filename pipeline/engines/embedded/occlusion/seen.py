"""How far each face of a picture is seen, for blending and for faceswap's files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...align import Points, face_matrix, hull_mask, transform_points, warp
from ..data import MARGIN, canvas_matrix
from .following import by_neighbours
from .net import SIDE, OcclusionNet

__all__ = ["mostly_hidden", "seen_of", "seen_on_canvases"]

Picture = NDArray[np.uint8]

MOST = 2 / 3
"""A face that is hidden by more than this share is mostly hidden: what is left of it is nobody's likeness."""
_SURELY, _HARDLY = 0.7, 0.3
"""From which likelihood on a pixel is covered, and below which it is seen; between the two it fades."""


def seen_on_canvases(
    net: OcclusionNet, pictures: Sequence[Picture], marks: Sequence[Sequence[Points]], whose: int | None = None,
    moments: Sequence[int] | None = None,
) -> Picture:  # fmt: skip
    """How far faces are seen, uint8 (n, SIDE, SIDE), 0 where something lies before them.

    `marks` are the landmarks of each picture's faces, in its pixels; n counts all of them in order. `whose` is the
    number of the side that they all are of, None where that is not known. Where `moments` are the numbers of the frames
    that the pictures are of, near frames have a say.
    """
    onto = [[canvas_matrix(points, SIDE) for points in group] for group in marks]
    images = [warp(picture, m, SIDE) for picture, group in zip(pictures, onto, strict=True) for m in group]
    if not images:
        return np.zeros((0, SIDE, SIDE), np.uint8)
    shapes = [
        transform_points(m, points)
        for group, matrices in zip(marks, onto, strict=True)
        for points, m in zip(group, matrices, strict=True)
    ]
    persons = None if whose is None else np.full(len(images), whose)
    seen = np.stack(images)
    likely = net.predict(seen, np.stack(shapes), persons)
    if moments is not None:
        likely = by_neighbours(likely, seen, np.repeat(moments, [len(group) for group in marks]))
    return np.asarray(255 * np.clip((_SURELY - likely) / (_SURELY - _HARDLY), 0, 1) + 0.5, np.uint8)


def seen_of(
    net: OcclusionNet | None, pictures: Sequence[Picture], marks: Sequence[Sequence[Points]], size: int, whose: int,
    moments: Sequence[int] | None = None,
) -> list[Picture | None]:  # fmt: skip
    """The same on the crops of `size` pixels that the model draws; None for each face where there is no net."""
    if net is None:
        return [None for group in marks for _ in group]
    inner = round(SIDE / MARGIN)
    edge = (SIDE - inner) // 2
    crops = seen_on_canvases(net, pictures, marks, whose, moments)[:, edge : edge + inner, edge : edge + inner]
    return [np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BILINEAR)) for crop in crops]


def mostly_hidden(seen: Sequence[Picture | None], marks: Sequence[Sequence[Points]]) -> list[bool]:
    """Whether a picture has a face of which hardly anything is seen: `seen` is what `seen_of` says of faces with
    landmarks `marks`."""
    crops = iter(seen)
    faces = [[(next(crops), points) for points in group] for group in marks]
    return [any(crop is not None and _hidden(crop, points) for crop, points in group) for group in faces]


def _hidden(crop: Picture, points: Points) -> bool:
    shape = transform_points(face_matrix(points, len(crop)), points)
    hull = hull_mask(shape, crop.shape, extended=True) > 0
    return bool(hull.any()) and float(crop[hull].mean()) < 255 * (1 - MOST)
