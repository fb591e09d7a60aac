"""The head's crop of a face, cut as cheaply as its pixels allow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..align import Matrix, enlarged, head_matrix, invert, transform_points, warp
from ..frames import Frame

__all__ = ["head_chip"]

_TAPS, _FEW = 16, 4
"""Pixels beyond a crop that its warp may look at, as far as it is not shrunk; and where it is enlarged twofold."""


def head_chip(frame: Frame, landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The head's crop, uint8 (size, size, 3) RGB; of the frame, only what lies around it is turned into RGB."""
    matrix = head_matrix(landmarks, size)
    back = invert(matrix)
    corners = transform_points(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    taps = _FEW if np.hypot(*back[:, 0]) < 0.5 else _TAPS
    picture, corner = frame.around(corners.min(axis=0) - taps, corners.max(axis=0) + taps)
    there = matrix.copy()
    there[:, 2] += matrix[:, :2] @ np.array(corner)
    quick = _by_dlib(picture, there, size)
    return warp(picture, there, size) if quick is None else quick


def _by_dlib(picture: NDArray[np.uint8], matrix: Matrix, size: int) -> NDArray[np.uint8] | None:
    """What `align.warp` makes of a picture that it doubles first, in three fifths of the time; None where it does not,
    and where the crop reaches beyond the picture, whose last half pixel the two treat differently."""
    doubled = enlarged(Image.fromarray(picture), invert(matrix), (size, size))
    if doubled is None:
        return None
    large, back = doubled
    reach = transform_points(back, np.array([[-1, -1], [size, -1], [-1, size], [size, size]], float))
    if reach.min() < 0 or (reach.max(axis=0) > np.array(large.size) - 1).any():
        return None
    import dlib

    middle = transform_points(back, np.full((1, 2), (size - 1) / 2))[0]
    half = float(np.hypot(*back[:, 0])) * (size - 1) / 2
    square = dlib.drectangle(*(middle - half), *(middle + half))
    turn = float(np.arctan2(back[1, 0], back[0, 0]))
    details = dlib.chip_details(square, dlib.chip_dims(size, size), turn)
    return np.asarray(dlib.extract_image_chip(np.asarray(large), details))
