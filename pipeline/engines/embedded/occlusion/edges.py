"""What was found before a face brought to the edges that the picture has there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

__all__ = ["along_edges"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_AROUND = 6
"""So many pixels on each side of one say what of its colour is covered."""
_GRAIN = 1e-5
"""Colours (in shares of full, squared) that differ by less are the same."""


def along_edges(likely: Floats, images: Bytes) -> Floats:
    """`likely` (n, s, s), 0 … 1, with the edges of `images` (n, s, s, 3): a guided filter (He, Sun and Tang 2010).

    Around each pixel the likelihood is told by the colours (linear regression), so that it changes where they do.
    """
    found = likely.copy()
    for row in np.flatnonzero((likely > 0.5).any(axis=(1, 2))):
        found[row] = _guided(likely[row], images[row] / np.float32(255))
    return found


def _guided(likely: Floats, picture: Floats) -> Floats:
    bands = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
    both, pairs = bands * likely, bands[_ONE] * bands[_OTHER]
    colour, chance, told, spread = np.split(_mean(np.concatenate([bands, likely[None], both, pairs])), (3, 4, 7))
    slope = _solved(spread - colour[_ONE] * colour[_OTHER], told - colour * chance)
    rest = chance - (slope * colour).sum(axis=0)
    lines = _mean(np.concatenate([slope, rest]))
    found = (lines[:3] * bands).sum(axis=0) + lines[3]
    return np.asarray(np.clip(found, 0, 1), np.float32)


_ONE, _OTHER = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]
"""The pairs of three bands."""


def _solved(spread: Floats, told: Floats) -> Floats:
    """The slopes (3, s, s) of each pixel's line: of its symmetric system the six numbers in `spread` (6, s, s), in the
    order of _ONE and _OTHER, and the right side `told` (3, s, s); by its adjugate."""
    a, b, c, d, e, f = spread.astype(np.float64)
    a, d, f = (entry + _GRAIN for entry in (a, d, f))
    adjugate = (d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b)
    whole = a * adjugate[0] + b * adjugate[1] + c * adjugate[2]
    x, y, z = told / whole
    rows = ((0, 1, 2), (1, 3, 4), (2, 4, 5))
    return np.stack([adjugate[i] * x + adjugate[j] * y + adjugate[k] * z for i, j, k in rows]).astype(np.float32)


def _mean(planes: Floats) -> Floats:
    """Each pixel's neighbourhood averaged in planes (k, s, s), the edge repeated outside."""
    size = (1, 2 * _AROUND + 1, 2 * _AROUND + 1)
    return np.asarray(uniform_filter(planes, size, mode="nearest"), np.float32)
