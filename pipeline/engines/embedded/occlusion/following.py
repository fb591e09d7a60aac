"""What lies before a face told by the frames before and behind it, too, where they look the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_neighbours"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_FAR, _NEAR = 3, 2.25
"""How many frames away a face may be to count, and after how many it counts 0.6 as much."""
_ALIKE = 12.0
"""Colours, of 255, that differ by so much say 0.6 as much."""
_SAME = 0.6
"""Faces of which less looks alike are another one, or another shot."""


def by_neighbours(likely: Floats, images: Bytes, moments: Numbers) -> Floats:
    """How `likely` pixels of faces are covered (n, s, s), averaged with those of the faces of near frames: each pixel
    the more, the more alike the faces are there (a bilateral filter in time: Tomasi and Manduchi 1998).

    `images` (n, s, s, 3) are the faces, `moments` (n,) the numbers of their frames."""
    told = np.empty_like(likely)
    colours, rows = images.astype(np.float32), np.arange(len(images))
    for row, moment in enumerate(moments):
        near = np.flatnonzero((np.abs(moments - moment) <= _FAR) & ((moments != moment) | (rows == row)))
        apart = np.square(colours[near] - colours[row]).mean(axis=3)
        same = (apart < (2 * _ALIKE) ** 2).mean(axis=(1, 2)) > _SAME
        near, apart = near[same], apart[same]
        away = np.square((moments[near] - moment) / np.float32(_NEAR))[:, None, None]
        weight = np.exp(-(apart / np.float32(_ALIKE**2) + away) / 2).astype(np.float32)
        told[row] = (weight * likely[near]).sum(axis=0) / weight.sum(axis=0)
    return told
