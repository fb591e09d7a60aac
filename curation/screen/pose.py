"""Head pose and expression from 68 landmarks, in closed form.

A rigid face of average adult proportions (rounded from L. Farkas, *Anthropometry of the Head and Face*, 1994: widths
between eye corners, nose length and protrusion, mouth width) is fitted by scaled orthography: least squares for the
2x3 camera, then the nearest pair of orthonormal rows (DeMenthon & Davis 1995, first step). No iteration, no OpenCV;
thousands of faces at once. Compared with a perspective solver the angles differ by a few degrees, which is less than
the cells (15 degrees) they are sorted into. Beyond 60 degrees of yaw landmarks themselves stop being trustworthy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expression", "Pose", "expressions", "poses"]

# landmark -> x (to the viewer's right), y (down), z (towards the viewer) in millimetres from between the eyes
_FACE: dict[int, tuple[float, float, float]] = {
    36: (-45, 0, 0),
    39: (-17, 1, 7),
    42: (17, 1, 7),
    45: (45, 0, 0),
    27: (0, -2, 20),
    28: (0, 12, 26),
    29: (0, 26, 34),
    30: (0, 40, 42),
    31: (-16, 47, 18),
    33: (0, 50, 25),
    35: (16, 47, 18),
    48: (-26, 75, 12),
    54: (26, 75, 12),
}
_POINTS = list(_FACE)
_MODEL = np.array(list(_FACE.values()), dtype=np.float64)
_MODEL -= _MODEL.mean(axis=0)
_SOLVE = np.linalg.pinv(_MODEL)


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in degrees, float64 (n,) each.

    `yaw` > 0: the face looks to the viewer's right; `pitch` > 0: up; `roll` > 0: tilted clockwise. `misfit` is the
    landmarks' root-mean-square distance from the rigid face, as a share of the face's size: about 0.05 for a good
    fit, far more where the landmarks are not a face's.
    """

    yaw: NDArray[np.float64]
    pitch: NDArray[np.float64]
    roll: NDArray[np.float64]
    misfit: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expression:
    """Ratios of distances, float64 (n,) each, nearly free of scale and roll.

    `mouth_open`: gap between the inner lips over the nose's length; `eyes_open`: mean height over width of the eyes;
    `smile`: the mouth's width over the distance of the outer eye corners; `brows`: brow height over the nose's length.
    """

    mouth_open: NDArray[np.float64]
    eyes_open: NDArray[np.float64]
    smile: NDArray[np.float64]
    brows: NDArray[np.float64]


def poses(landmarks: NDArray[np.float32]) -> Pose:
    """Fit every face of `landmarks` (n, 68, 2), in pixels of any frame. Faces with unknown points get NaN angles."""
    seen = np.asarray(landmarks, dtype=np.float64)[:, _POINTS, :]
    unknown = np.asarray(~np.isfinite(seen).all(axis=(1, 2)))
    seen = np.where(unknown[:, None, None], 0.0, seen)
    seen = seen - seen.mean(axis=1, keepdims=True)
    camera = np.einsum("kp,npd->ndk", _SOLVE, seen)  # (n, 2, 3): rows are the image's x and y axes
    left, scales, right = np.linalg.svd(camera, full_matrices=False)
    rows = left @ right
    third = np.cross(rows[:, 0], rows[:, 1])
    scale = np.maximum(scales.mean(axis=1), 1e-9)
    drawn = np.einsum("pk,ndk->npd", _MODEL, rows) * scale[:, None, None]
    size = scale * np.sqrt((_MODEL**2).sum(axis=1).mean())
    misfit = np.sqrt(((seen - drawn) ** 2).sum(axis=2).mean(axis=1)) / size
    # In axes x right, y down, z towards the viewer, the face looks along the third column of the rotation.
    yaw = np.degrees(np.arctan2(rows[:, 0, 2], np.abs(third[:, 2]) + 1e-12))
    pitch = np.degrees(np.arcsin(np.clip(-rows[:, 1, 2], -1, 1)))
    roll = np.degrees(np.arctan2(rows[:, 1, 0], rows[:, 0, 0]))
    for values in (yaw, pitch, roll, misfit):
        values[unknown] = np.nan
    return Pose(yaw, pitch, roll, misfit)


def expressions(landmarks: NDArray[np.float32]) -> Expression:
    """Measure every face of `landmarks` (n, 68, 2)."""
    points = np.asarray(landmarks, dtype=np.float64)

    def gap(a: int, b: int) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1))

    nose = np.maximum(gap(27, 33), 1e-6)
    eyes = np.maximum(gap(36, 45), 1e-6)
    left = (gap(37, 41) + gap(38, 40)) / np.maximum(2 * gap(36, 39), 1e-6)
    right = (gap(43, 47) + gap(44, 46)) / np.maximum(2 * gap(42, 45), 1e-6)
    mouth = (gap(61, 67) + gap(62, 66) + gap(63, 65)) / (3 * nose)
    brows = (gap(19, 37) + gap(24, 44)) / (2 * nose)
    return Expression(mouth, (left + right) / 2, gap(48, 54) / eyes, brows)
