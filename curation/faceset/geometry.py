"""From 68 landmarks to the crop that faceswap cuts around a head.

faceswap cuts a *head* crop: the 51 inner landmarks are brought onto a mean face by the similarity transform of least
squares (Umeyama 1991), the mean face's unit square then spans 37.5 % of the crop, and the crop is moved by the head's
pose. The mean face is dlib's (`image_transforms/interpolation.h`, Boost licence); scale, angle and the linear rule
for the pose's offset were measured on 108 crops that faceswap v2.3.0 and v3 wrote: scale and angle agree to 0.001 and
0.001 degrees, the offset to 0.8 % of the crop (root mean square; at most 4 %, on a head turned far).

Matrices are float64 (2, 3) and take frame pixels to crop pixels; pixel centres have whole coordinates, as in OpenCV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HEAD_SPAN",
    "MEAN_FACE",
    "Matrix",
    "Points",
    "crop_matrix",
    "head_matrix",
    "head_offset",
    "invert",
    "normalising_matrix",
    "similarity",
    "transform_points",
]

Matrix = NDArray[np.float64]
Points = NDArray[np.float64] | NDArray[np.float32]

# fmt: off
MEAN_FACE: Matrix = np.array([
    [0.000213256, 0.106454], [0.0752622, 0.038915], [0.18113, 0.0187482], [0.29077, 0.0344891],
    [0.393397, 0.0773906], [0.586856, 0.0773906], [0.689483, 0.0344891], [0.799124, 0.0187482],
    [0.904991, 0.038915], [0.98004, 0.106454], [0.490127, 0.203352], [0.490127, 0.307009],
    [0.490127, 0.409805], [0.490127, 0.515625], [0.36688, 0.587326], [0.426036, 0.609345],
    [0.490127, 0.628106], [0.554217, 0.609345], [0.613373, 0.587326], [0.121737, 0.216423],
    [0.187122, 0.178758], [0.265825, 0.179852], [0.334606, 0.231733], [0.260918, 0.245099],
    [0.182743, 0.244077], [0.645647, 0.231733], [0.714428, 0.179852], [0.793132, 0.178758],
    [0.858516, 0.216423], [0.79751, 0.244077], [0.719335, 0.245099], [0.254149, 0.780233],
    [0.340985, 0.745405], [0.428858, 0.727388], [0.490127, 0.742578], [0.551395, 0.727388],
    [0.639268, 0.745405], [0.726104, 0.780233], [0.642159, 0.864805], [0.556721, 0.902192],
    [0.490127, 0.909281], [0.423532, 0.902192], [0.338094, 0.864805], [0.290379, 0.784792],
    [0.428096, 0.778746], [0.490127, 0.785343], [0.552157, 0.778746], [0.689874, 0.784792],
    [0.553364, 0.824182], [0.490127, 0.831803], [0.42689, 0.824182],
])
# fmt: on
"""Landmarks 17 to 67 of the mean face (brows, nose, eyes, mouth) in a unit square, float64 (51, 2)."""
HEAD_SPAN = 0.375
"""Share of a head crop's side that the mean face's unit square takes."""


def similarity(source: Points, target: Points) -> Matrix:
    """The rotation, scale and shift that bring `source` (n, 2) onto `target` with the least squared error.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991; written with
    complex numbers, which in the plane need no decomposition and hold no mirror image.
    """
    source64, target64 = np.asarray(source, np.float64), np.asarray(target, np.float64)
    centre_source, centre_target = source64.mean(axis=0), target64.mean(axis=0)
    one = (source64 - centre_source) @ (1, 1j)
    other = (target64 - centre_target) @ (1, 1j)
    spread = float(np.real(np.vdot(one, one)))
    turn = complex(np.vdot(one, other)) / spread if spread > 0 else 1 + 0j
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, centre_target - linear @ centre_source])


def normalising_matrix(landmarks: Points) -> Matrix:
    """From frame pixels to the mean face's unit square, by landmarks 17 to 67 of (68, 2)."""
    return similarity(landmarks[17:], MEAN_FACE)


def transform_points(matrix: Matrix, points: Points) -> Matrix:
    """`points` (n, 2) taken through `matrix`."""
    moved: Matrix = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved


def invert(matrix: Matrix) -> Matrix:
    """The way back."""
    (a, b, x), (c, d, y) = matrix.tolist()
    size = a * d - b * c
    if size == 0:
        raise np.linalg.LinAlgError("Singular matrix")
    # Written out: a library's inverse of two by two numbers takes five times as long.
    back = ((d / size, -b / size), (-c / size, a / size))
    return np.array([[one, other, -one * x - other * y] for one, other in back])


def crop_matrix(normalising: Matrix, size: int, span: float, offset: NDArray[np.float64]) -> Matrix:
    """From frame pixels to a crop of `size` pixels in which the unit square takes the share `span` of a side.

    `offset` moves the mean face, x and y in shares of the crop's side.
    """
    scaled: Matrix = normalising * (span * size)
    shift = scaled[:, 2] + size / 2 - span * size / 2 + offset * size
    return np.column_stack([scaled[:, :2], shift])


def head_offset(normalised: Matrix) -> NDArray[np.float64]:
    """How far faceswap moves a head crop against the mean face, x and y in shares of the crop's side.

    `normalised` are all 68 landmarks in the unit square. A turned head shows in the nose and the jaw moving sideways
    against the eyes, a nod in the heights of nose, mouth and jaw below them; the coefficients are a fit to real crops.
    """
    eyes = normalised[36:48].mean(axis=0)
    outer_eyes = (normalised[36] + normalised[45]) / 2
    jaw = normalised[:17].mean(axis=0)
    nose, mouth = normalised[30], normalised[48:68].mean(axis=0)
    across = 0.240 * (nose[0] - outer_eyes[0]) - 0.318 * (jaw[0] - eyes[0])
    down = 0.086 - 0.465 * (jaw[1] - eyes[1]) + 0.521 * (nose[1] - eyes[1]) + 0.332 * (mouth[1] - nose[1])
    return np.array([min(max(across, -0.2), 0.2), min(max(down, -0.2), 0.2)])


def head_matrix(landmarks: Points, size: int) -> Matrix:
    """From frame pixels to a head crop of `size` pixels, as faceswap extracts it."""
    normalising = normalising_matrix(landmarks)
    offset = head_offset(transform_points(normalising, landmarks))
    return crop_matrix(normalising, size, HEAD_SPAN, offset)
