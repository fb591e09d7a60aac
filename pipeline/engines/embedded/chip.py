"""The head's crop of a face, cut as cheaply as its pixels allow."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..align import head_matrix, invert, transform_points, warp
from ..frames import Frame
from ..scaling import scaled, turned

__all__ = ["head_chip"]

_TAPS = 16
"""Pixels beyond a crop that its warp may look at, as far as it is not shrunk."""
_LEAST = 32
"""Pixels along the side of the smallest crop that is enlarged."""


def head_chip(frame: Frame, landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The head's crop, uint8 (size, size, 3) RGB; of the frame, only what lies around it is turned into RGB.

    Where the crop has more than twice as many pixels across as the frame has there, it is turned at twice the frame's
    and then enlarged: turning costs ten times what enlarging does, and the frame has no more to show.
    """
    matrix = head_matrix(landmarks, size)
    back = invert(matrix)
    step = float(np.hypot(*back[:, 0]))
    corners = transform_points(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    picture, corner = frame.around(corners.min(axis=0) - _TAPS, corners.max(axis=0) + _TAPS)
    there = matrix.copy()
    there[:, 2] += matrix[:, :2] @ np.array(corner)
    if step >= _SHRUNK:
        return warp(picture, there, size)
    side = max(_LEAST, ceil(2 * step * size))
    if side >= size:
        return turned(picture, there, size)
    share = side / size
    # Edges stay where they are, and a pixel's centre has whole coordinates.
    smaller = there * share + np.array([[0, 0, (share - 1) / 2]] * 2)
    return scaled(turned(picture, smaller, side), size, size, smooth=False)


_SHRUNK = 1.9
"""Where so many pixels of the frame become one, whole blocks of them are averaged."""
