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
_GRAIN = 1e-4
"""Colours (in shares of full, squared) that differ by less are the same."""
_FIRMER = 0.8
"""What the neighbourhood mixes into it weakens what was found; this exponent gives that back (made things)."""


def along_edges(likely: Floats, images: Bytes) -> Floats:
    """`likely` (n, s, s), 0 … 1, with the edges of `images` (n, s, s, 3): a guided filter (He, Sun and Tang 2010).

    Around each pixel the likelihood is told by the colours (linear regression), so that it changes where they do.
    """
    found = likely.copy()
    for row in np.flatnonzero((likely > 0.5).any(axis=(1, 2))):
        found[row] = _guided(likely[row], images[row] / np.float32(255))
    return found


def _guided(likely: Floats, picture: Floats) -> Floats:
    colour, chance = _mean(picture), _mean(likely)
    both = _mean(picture * likely[..., None]) - colour * chance[..., None]
    spread = _mean(picture[..., :, None] * picture[..., None, :]) - colour[..., :, None] * colour[..., None, :]
    slope = np.linalg.solve(spread + _GRAIN * np.eye(3, dtype=np.float32), both[..., None])[..., 0]
    rest = chance - (slope * colour).sum(axis=2)
    told = (_mean(slope) * picture).sum(axis=2) + _mean(rest)
    return np.asarray(np.clip(told, 0, 1) ** _FIRMER, np.float32)


def _mean(planes: Floats) -> Floats:
    """Each pixel's neighbourhood averaged, the edge repeated outside."""
    size = (2 * _AROUND + 1, 2 * _AROUND + 1, *(1 for _ in planes.shape[2:]))
    return np.asarray(uniform_filter(planes, size, mode="nearest"), np.float32)
