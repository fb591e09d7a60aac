"""The two masks that faceswap v2.3.0 stores with a face, made from its landmarks alone.

v2.3.0 trains and converts only with masks that are stored; the master line makes these two itself and stores none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...curation.faceset.deflate import squeeze
from ...curation.faceset.png.types import FaceAlignment, Mask
from .align import Matrix, hull_mask, mask_matrix, transform_points

__all__ = ["NAMES", "STORED_SIZE", "landmark_masks", "resampling", "with_masks"]

NAMES = ("components", "extended")
STORED_SIZE = 128
_DRAWN_SIZE = 256
"""The pixels across at which v2.3.0 draws these two, before it stores them smaller."""
_CUBIC, _AREA = 2, 3
"""OpenCV's numbers for the two ways of resampling, one of which faceswap stores with a mask."""


def landmark_masks(landmarks: NDArray[np.float32]) -> dict[str, Mask]:
    """Masks by NAMES for 68 landmarks (68, 2) in frame pixels."""
    matrix = mask_matrix(landmarks, STORED_SIZE)
    points = transform_points(matrix, landmarks)
    return {
        name: Mask(
            squeeze(hull_mask(points, (STORED_SIZE, STORED_SIZE), extended=name == "extended").tobytes()),
            matrix,
            resampling(matrix * (_DRAWN_SIZE / STORED_SIZE)),
            STORED_SIZE,
            "face",
        )
        for name in NAMES
    }


def resampling(matrix: Matrix) -> int:
    """The number of the way in which faceswap is to resample from a mask seen through `matrix` (frame to mask) back to
    the frame: by area where the face is smaller there, else cubic. (v2.3.0 `plugins/extract/mask/_base.py`: the inverse
    of the two interpolators, for the size at which the mask was drawn.)"""
    return _AREA if np.linalg.det(matrix[:, :2]) >= 1 else _CUBIC


def with_masks(face: FaceAlignment) -> FaceAlignment:
    """The same face with both masks; masks that it has are kept. Faces without 68 landmarks stay as they are."""
    if all(name in face.masks for name in NAMES) or face.landmarks.shape != (68, 2):
        return face
    return replace(face, masks={**landmark_masks(face.landmarks), **face.masks})
