"""How far a mouth is pulled aside, told by its picture: a detector's landmarks lie on a mouth that is pulled to one
cheek nearly as on a straight one, for it knows few such faces.

Of somebody who pulls faces the pictures nearest to a straight mouth by landmarks alone were pulled ones, and a straight
mouth was drawn awry. Left and right of a mouth that is bent to the mean shape differ as it is pulled, as the light
falls, and as the head is turned; the last two are usual with a person and are taken off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bending import sample

__all__ = ["NUMBERS", "aside_of", "usual_aside"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_CELLS, _STEPS = 3, 4
"""Each half of the mouth is told by 3 x 3 means of 4 x 4 places."""
NUMBERS = _CELLS**2
"""How many numbers tell how far a mouth is pulled aside."""
_OUTER, _MIDLINE = slice(48, 60), (8, 27, 28, 29, 30, 33, 51, 57)
"""The landmarks of the lips' outer edge, and those between the halves of a face."""
_WIDER, _ABOVE, _BELOW = 1.25, 0.25, 0.35
"""How far the picture of a mouth reaches: times its half width, and of its height above and below."""
_FLAT = 4.0
"""Contrast, in levels, that is taken for none."""
_FURTHEST = 1.0
"""No number lies further from the usual: what is more is a hand before half a mouth."""
_DOUBT = 0.3
"""Ridge: as much belief as thirty heads turned by a tenth that turning changes nothing."""


def aside_of(flat: Floats, mean: Doubles, turned: Doubles, usual: Floats) -> Floats:
    """How far the mouths of faces `flat` (n, c, c, 3), bent to the shape `mean` (68, 2), are pulled aside, (n, 9).

    That is the right half's light less the mirrored left half's, cell by cell, in contrasts of the mouth's picture, as
    it differs from what is `usual` with the person whose heads are `turned` (n, 2) like that.
    """
    found = _halves_apart(flat, mean) - _with_one(turned) @ usual
    return np.asarray(np.clip(found, -_FURTHEST, _FURTHEST), np.float32)


def usual_aside(flat: Floats, mean: Doubles, turned: Doubles) -> Floats:
    """What is usual with a person, (3, 9): the middle one of all faces, and what turning the head adds to it."""
    found, way = _halves_apart(flat, mean), turned - turned.mean(axis=0)
    slopes = np.linalg.solve(way.T @ way + _DOUBT * np.eye(2), way.T @ (found - found.mean(axis=0)))
    return np.asarray(np.vstack([np.median(found - turned @ slopes, axis=0), slopes]), np.float32)


def _with_one(turned: Doubles) -> Doubles:
    return np.column_stack([np.ones(len(turned)), turned])


def _halves_apart(flat: Floats, mean: Doubles) -> Doubles:
    lips, middle = mean[_OUTER], mean[_MIDLINE, 0].mean()
    half = _WIDER * float(np.abs(lips[:, 0] - middle).max())
    top, bottom = lips[:, 1].min(), lips[:, 1].max()
    high, count = bottom - top, _CELLS * _STEPS
    down = np.linspace(top - _ABOVE * high, bottom + _BELOW * high, count)
    across = np.linspace(half / (2 * count), half, count)
    right, left = (_seen(flat, down, middle + way * across) for way in (1, -1))
    both = np.concatenate([right, left], axis=2).reshape(len(flat), -1)
    apart = (right - left) / (both.std(axis=1) + _FLAT)[:, None, None]
    cells = apart.reshape(-1, _CELLS, _STEPS, _CELLS, _STEPS).mean(axis=(2, 4))
    return np.asarray(cells.reshape(len(flat), -1), np.float64)


def _seen(flat: Floats, down: Doubles, across: Doubles) -> Doubles:
    """The light of pictures at these rows and columns, (n, rows, columns)."""
    places = np.stack(np.meshgrid(down, across, indexing="ij"), axis=-1).astype(np.float32)
    found = sample(flat, np.broadcast_to(places, (len(flat), *places.shape)))
    return np.asarray(found.mean(axis=3), np.float64)
