"""Pictures bent so that points of theirs come to lie elsewhere, and looked up between pixels.

Shapes are float64 (68, 2) in pixels of the canvas (x, y); pictures are squares of canvas pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["flattened", "places_of", "sample"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

STIFFNESS = 0.005
"""How far a bend may pass by the landmarks to stay smooth: dlib's points tremble."""
_GRID = 21
"""Displacements are worked out on 21 x 21 points and interpolated between them."""


def places_of(shape: Doubles, wanted: Doubles, size: int, middle: int) -> Floats:
    """Where each pixel of pictures of `size` comes from, all of the landmarks `shape`, so that these lie at `wanted`
    (n, 68, 2): (n, middle, middle, 2) as y, x, for so many pixels of the `middle` only."""
    return _everywhere(_displacements(wanted, shape - wanted, size), size, middle)


def flattened(images: Bytes, shapes: Doubles, mean: Doubles) -> Floats:
    """Faces bent to the shape `mean`, float32."""
    size = images.shape[1]
    return sample(images, _everywhere(_displacements(mean[None], shapes - mean, size), size, size))


def _displacements(at: Doubles, moves: Doubles, size: int) -> Doubles:
    """Thin plate splines (Bookstein 1989) that move the points `at` (n, p, 2) by `moves`, the border by nothing.

    Returns displacements (n, _GRID, _GRID, 2) as x, y. With one set of points for all moves, (1, p, 2), one system is
    solved for all.
    """
    sets, count = len(at), len(moves)
    border = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])
    points = np.concatenate([at / size, np.broadcast_to(border, (sets, *border.shape))], axis=1)
    number = points.shape[1]
    matrix = np.zeros((sets, number + 3, number + 3))
    matrix[:, :number, :number] = _bending(points, points) + STIFFNESS * np.eye(number)
    matrix[:, :number, number:] = _affine(points)
    matrix[:, number:, :number] = _affine(points).transpose(0, 2, 1)
    wanted = np.zeros((count, number + 3, 2))
    wanted[:, : moves.shape[1]] = moves
    if sets < count:
        wanted = np.moveaxis(wanted, 0, 1).reshape(1, number + 3, -1)
    weights = np.linalg.solve(matrix, wanted)
    axis = np.linspace(0, 1, _GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(1, -1, 2)
    # With half the digits, which takes a fifth of the time: what is drawn moves by less than a thousandth of a pixel.
    bent = _bending(grid.astype(np.float32), points.astype(np.float32)) @ weights[:, :number].astype(np.float32)
    moved = (bent + _affine(grid) @ weights[:, number:]).reshape(sets, _GRID**2, -1, 2)
    return np.asarray(np.moveaxis(moved, 2, 1).reshape(count, _GRID, _GRID, 2), np.float64)


def _bending(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    squared = sum((one[:, :, None, axis] - other[:, None, :, axis]) ** 2 for axis in (0, 1))
    return np.asarray(0.5 * squared * np.log(squared + 1e-12), one.dtype)


def _affine(points: Doubles) -> Doubles:
    return np.concatenate([np.ones((*points.shape[:2], 1)), points], axis=2)


def _everywhere(coarse: Doubles, size: int, middle: int) -> Floats:
    """Where each pixel of the `middle` comes from, (n, middle, middle, 2) as y, x, from displacements on the coarse
    grid of a picture of `size`."""
    edge = (size - middle) // 2
    at = np.linspace(0, _GRID - 1, size)[edge : edge + middle]
    between = np.clip(1 - np.abs(at[:, None] - np.arange(_GRID)[None]), 0, None).astype(np.float32)
    planes = np.moveaxis(coarse[..., ::-1], -1, 1).astype(np.float32)
    moves = between @ planes @ between.T
    axis = np.arange(edge, edge + middle, dtype=np.float32)
    moves[:, 0] += axis[:, None]
    moves[:, 1] += axis
    return np.moveaxis(moves, 1, -1)


def sample(images: Bytes | Floats, at: Floats) -> Floats:
    """Bilinear samples of `images` (n, c, c, k) at `at` (n, s, s, 2) as y, x, the edge repeated outside."""
    bands = images.shape[3]
    made = np.empty((len(at), at.shape[1] * at.shape[2], bands), np.float32)
    for image, places, target in zip(images, at, made, strict=True):
        picture, spots = np.ascontiguousarray(image, np.float32), places.reshape(-1, 2)
        # Some pixels at a time, all their bands at once: what is worked on stays in the processor's cache.
        for start in range(0, len(spots), _PIXELS):
            part = slice(start, start + _PIXELS)
            target[part] = _sampled(picture, spots[part])
    return made.reshape(*at.shape[:3], bands)


_PIXELS = 4096


def _sampled(picture: Floats, spots: Floats) -> Floats:
    """Bilinear samples (n, k) of a picture (h, w, k) at `spots` (n, 2)."""
    height, width, bands = picture.shape
    down = np.clip(spots[:, 0], 0, np.float32(height - 1.001))
    right = np.clip(spots[:, 1], 0, np.float32(width - 1.001))
    row, column = down.astype(np.int32), right.astype(np.int32)
    down -= row.astype(np.float32)
    right -= column.astype(np.float32)
    base, flat = (row * width + column).astype(np.intp), picture.reshape(-1, bands)
    # No place lies outside: a mode other than "raise" spares the look whether any does.
    corners: list[Floats] = [flat.take(base + step, axis=0, mode="clip") for step in (0, 1, width, width + 1)]
    upper, other, lower, last = corners
    across, along = (np.repeat(part, bands).reshape(-1, bands) for part in (right, down))
    for near, far, share in ((upper, other, across), (lower, last, across), (upper, lower, along)):
        far -= near
        far *= share
        near += far
    return upper
