"""The swapped face's pixels beside those it replaced: colour and edges along the mask's border, colour as a whole.

Both faces are cut to one crop by A's landmarks, and compared in CIELAB (CIE 1976, D65). The border is a band along the
landmarks' hull with forehead and temples, in which a swap shows first: it is cut into sectors around the face, and the
worst sector counts, for a slab in one cheek is no less a fault because the other is whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..engines.align import face_matrix, face_outline, polygon_mask, transform_points, warp
from .values import Doubles, Surface

__all__ = ["CROP", "lab", "surface"]

CROP = 128
SECTORS = 16
DEPTH = 0.14
"""How far inwards the border's band reaches, in shares of the crop."""
OUTSIDE = 0.02
_SMOOTH = 1.2
"""Pixels by which grain is smoothed away before edges are looked for."""
_TOLERANCE = 5
"""An edge of A's within so many pixels excuses one of the swap's."""

Picture = NDArray[np.uint8]
Bools = NDArray[np.bool_]
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def surface(before: Picture, after: Picture, landmarks: Doubles) -> Surface:
    """Compare a frame before and after (H, W, 3) around the face with these landmarks (68, 2) of the frame before."""
    matrix = face_matrix(landmarks, CROP)
    points = transform_points(matrix, landmarks)
    inside = polygon_mask(face_outline(points), (CROP, CROP)) > 0
    one, other = (lab(warp(frame, matrix, CROP)) for frame in (before, after))
    sectors = _sectors(inside, points)
    inner = ndimage.distance_transform_edt(inside) > DEPTH * CROP
    inner = inner if inner.any() else inside
    shade = other[inner].mean(axis=0) - one[inner].mean(axis=0)
    return Surface(_colour(one, other, sectors), _edge(one[..., 0], other[..., 0], sectors), shade)


def lab(picture: Picture) -> Doubles:
    """sRGB uint8 (..., 3) as CIELAB, float64."""
    value = picture / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = (bent[..., band] for band in range(3))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _sectors(inside: Bools, points: Doubles) -> list[Bools]:
    """The border's band, cut into SECTORS around the face's middle; sectors of a few pixels are left out."""
    far_in = ndimage.distance_transform_edt(inside)
    far_out = ndimage.distance_transform_edt(~inside)
    band = (far_in <= DEPTH * CROP) & (far_out <= OUTSIDE * CROP)
    centre = points[27:36].mean(axis=0)
    rows, columns = np.mgrid[:CROP, :CROP]
    turn = np.arctan2(rows - centre[1], columns - centre[0])
    number = np.floor((turn + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    cut = [band & (number == sector) for sector in range(SECTORS)]
    return [sector for sector in cut if sector.sum() >= 20]


def _colour(one: Doubles, other: Doubles, sectors: list[Bools]) -> float:
    apart = [float(np.linalg.norm(other[sector].mean(axis=0) - one[sector].mean(axis=0))) for sector in sectors]
    return max(apart, default=0.0)


def _edge(one: Doubles, other: Doubles, sectors: list[Bools]) -> float:
    """The strongest tenth of each sector's steps that are not the other picture's, their mean, the worst sector."""
    known = ndimage.maximum_filter(_steps(one), _TOLERANCE)
    more = np.clip(_steps(other) - known, 0, None)
    worst = 0.0
    for sector in sectors:
        values = np.sort(more[sector])
        worst = max(worst, float(values[-max(1, len(values) // 10) :].mean()))
    return worst


def _steps(plane: Doubles) -> Doubles:
    return np.asarray(ndimage.gaussian_gradient_magnitude(plane, _SMOOTH), np.float64)
