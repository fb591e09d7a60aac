"""The embedded engine's crops, masks and warps, in the geometry of faceswap's extracted faces.

Head crops and the mean face are `curation.faceset.geometry`'s, which says how well they agree with faceswap's.
Matrices are float64 (2, 3) and take frame pixels to crop pixels; pixel centres have whole coordinates, as in OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...curation.faceset.geometry import (
    HEAD_SPAN,
    MEAN_FACE,
    Matrix,
    Points,
    crop_matrix,
    head_matrix,
    head_offset,
    invert,
    normalising_matrix,
    similarity,
    transform_points,
)

__all__ = [
    "FACE_SPAN",
    "HEAD_SPAN",
    "MEAN_FACE",
    "Matrix",
    "Points",
    "Warp",
    "enlarged",
    "face_matrix",
    "face_outline",
    "head_matrix",
    "hull",
    "hull_mask",
    "invert",
    "mask_matrix",
    "normalising_matrix",
    "polygon_mask",
    "similarity",
    "transform_points",
    "warp",
    "warped_picture",
]

MASK_SPAN = 0.5
"""Share of a side that the mean face's unit square takes in the crops that faceswap's stored masks cover."""
FACE_SPAN = 0.62
"""The same for the crop that the model sees: from above the brows to below the chin."""
_FACE_SHIFT = np.array([0.0, -0.04])
"""Moves the mean face up in the model's crop, so that brows and chin keep the same distance from its edges."""


def mask_matrix(landmarks: Points, size: int) -> Matrix:
    """From frame pixels to the crop in which faceswap stores its masks (its "face" centring).

    Span exact, offset by a line through the head's offset, measured on 28 faces (0.3 % of the crop).
    """
    normalising = normalising_matrix(landmarks)
    across, down = head_offset(transform_points(normalising, landmarks))
    offset = np.array([0.261 * across + 0.0036, 0.239 * down + 0.0613])
    return crop_matrix(normalising, size, MASK_SPAN, offset)


def face_matrix(landmarks: Points, size: int, span: float = FACE_SPAN) -> Matrix:
    """From frame pixels to the crop of `size` pixels that the model is trained on.

    A smaller span leaves a margin around the very same crop.
    """
    return crop_matrix(normalising_matrix(landmarks), size, span, _FACE_SHIFT * (span / FACE_SPAN))


def warp(image: NDArray[np.uint8], matrix: Matrix, size: int | tuple[int, int]) -> NDArray[np.uint8]:
    """`image` seen through `matrix`, black where it ends; `size` is one side or (width, height).

    Shrinking averages whole blocks of pixels first, so that fine patterns do not turn into noise.
    """
    return warped_picture(Image.fromarray(image), matrix, (size, size) if isinstance(size, int) else size)


def warped_picture(picture: Image.Image, matrix: Matrix, size: tuple[int, int]) -> NDArray[np.uint8]:
    """`warp` of a Pillow picture of any mode."""
    return Warp.of(picture, matrix, size).part(0, 0, *size)


@dataclass(frozen=True, slots=True)
class Warp:
    """A picture that is to be seen through a matrix, made ready once, whatever parts of it are asked for; `back` goes
    to it from what is seen."""

    picture: Image.Image
    back: Matrix
    resampling: Image.Resampling

    @classmethod
    def of(cls, picture: Image.Image, matrix: Matrix, size: tuple[int, int]) -> Warp:
        """The picture through `matrix`, of which a part of `size` (width, height) is wanted."""
        back, resampling = invert(matrix), Image.Resampling.BICUBIC
        step = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
        factor = max(1, int(step))
        if factor > 1:
            picture = picture.reduce(factor)
            # Reducing puts the centre of block k at factor * k + (factor - 1) / 2.
            back = np.column_stack([back[:, :2], back[:, 2] - (factor - 1) / 2]) / factor
        elif (doubled := enlarged(picture, back, size)) is not None:
            (picture, back), resampling = doubled, Image.Resampling.BILINEAR
        return cls(picture, back, resampling)

    def part(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """`seen` as an array."""
        return np.asarray(self.seen(left, top, right, bottom))

    def seen(self, left: int, top: int, right: int, bottom: int) -> Image.Image:
        """What is seen between these edges, black where the picture ends."""
        # Pillow counts from a pixel's corner, the matrix from its centre.
        turn, corner = self.back[:, :2], np.array([left, top])
        shift = self.back[:, 2] + turn @ corner + 0.5 - turn.sum(axis=1) / 2
        coefficients = (*turn[0], shift[0], *turn[1], shift[1])
        size, way = (right - left, bottom - top), Image.Transform.AFFINE
        return self.picture.transform(size, way, coefficients, self.resampling, fillcolor=0)


def enlarged(picture: Image.Image, back: Matrix, size: tuple[int, int]) -> tuple[Image.Image, Matrix] | None:
    """The picture doubled, and the way `back` to it, where so much is made of it that a pixel takes a third of the time
    from a doubled one, which looks the same; None elsewhere."""
    if np.linalg.det(back[:, :2]) >= 1 or size[0] * size[1] <= _LARGER * picture.width * picture.height:
        return None
    large = picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)
    return large, np.column_stack([2 * back[:, :2], 2 * back[:, 2] + 0.5])


_LARGER = 2
"""So many times as many pixels as a picture has are made of a doubled one."""


def hull_mask(landmarks: Points, size: tuple[int, int], *, extended: bool) -> NDArray[np.uint8]:
    """255 inside the convex hull of the landmarks, uint8 (height, width) for `size` (width, height).

    `extended` raises the brows' points by a quarter of the face's height, so that the forehead is in.
    """
    return polygon_mask(hull(landmarks, extended=extended), size)


def hull(landmarks: Points, *, extended: bool) -> Points:
    """The corners (n, 2) of `hull_mask`, one after the other."""
    return np.array(_hull(_hull_points(landmarks, extended=extended)))


def face_outline(landmarks: Points) -> Points:
    """The corners (n, 2) of what a swap may change of a face, one after the other: `hull` with the forehead and so much
    of the temples that a mask that fades inwards from there has both brows in it to their ends."""
    points = _hull_points(landmarks, extended=True)
    brows = np.stack([points[end] - points[start] for start, end in _BROWS])
    long = np.linalg.norm(brows, axis=1, keepdims=True)
    # A brow seen from its end is short, and behind it no temple is seen.
    further = _TEMPLE * brows * long / max(float(long.max()), 1e-9)
    # The brows' points stand a second time behind all others, raised.
    ends, raised = [end for _, end in _BROWS], [len(landmarks), -1]
    return np.array(_hull(np.concatenate([points, points[ends] + further, points[raised] + further])))


_BROWS = ((21, 17), (22, 26))
"""Where each brow starts beside the nose and where it ends."""
_TEMPLE = 0.2
"""How far beyond its end a brow's temple reaches, in lengths of the brow."""


def polygon_mask(corners: Points, size: tuple[int, int]) -> NDArray[np.uint8]:
    """255 inside the corners (n, 2), uint8 (height, width) for `size` (width, height)."""
    canvas = Image.new("L", size, 0)
    ImageDraw.Draw(canvas).polygon(corners.ravel().tolist(), fill=255)
    return np.asarray(canvas)


def _hull_points(landmarks: Points, *, extended: bool) -> Matrix:
    """The points whose hull is the mask: the landmarks, and with `extended` the brows' once more, raised."""
    points = np.asarray(landmarks, np.float64)
    if not extended:
        return points
    up = points[17:27].mean(axis=0) - points[48:68].mean(axis=0)
    return np.concatenate([points, points[17:27] + 0.25 * up])


def _hull(points: Matrix) -> list[tuple[float, float]]:
    """The convex hull, by Andrew's monotone chain: no failure on points in a line, as qhull has."""
    ordered = sorted(map(tuple, _outer(points).tolist()))

    def half(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for point in sequence:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        return chain

    return half(ordered)[:-1] + half(ordered[::-1])


def _outer(points: Matrix) -> Matrix:
    """The points without those inside the four that reach furthest left, up, right and down: most of a face's."""
    corners = points[[points[:, 0].argmin(), points[:, 1].argmin(), points[:, 0].argmax(), points[:, 1].argmax()]]
    sides = np.roll(corners, -1, axis=0) - corners
    to = points[:, None] - corners
    inside = (sides[:, 0] * to[..., 1] - sides[:, 1] * to[..., 0] > 0).all(axis=1)
    return np.asarray(points[~inside])


def _turn(one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]) -> float:
    return (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])
