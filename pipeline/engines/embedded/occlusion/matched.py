"""What people painted on some faces found again on the others of the same person, patch by patch.

Around each pixel of a face the same patch is looked for on the painted faces that are most like it, with what is around
them: among what is painted there, and among what is not. Where one of the two fits far better, and well, the pixel is
known (label transfer by dense matching: Liu, Yuen and Torralba 2011; the local matching of Voigtlaender et al. 2019, on
colours).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from .faces import Faces
from .ground import quartered

__all__ = ["matched"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Masks = NDArray[np.bool_]

_LIKE = 2
"""So many painted faces are looked at for each."""
_WAY, _PATCH, _STILL = 10, 7, 0.5
"""Pixels that a patch may have moved along and down, pixels across it, and what it costs to move by one."""
_WELL, _FAR, _GRAIN = 1000.0, 2.0, 20.0
"""How well a patch must fit, the mean square of what colours, of 255, differ by, and how many times as well as one of
the other kind; and what does not count there."""


def matched(faces: Faces, rows: Numbers, painted: Numbers, stop: Callable[[], bool]) -> tuple[Masks, Masks]:
    """What lies before the faces `rows`, and where that is sure, both bool (len(rows), SIDE, SIDE), by what is marked
    on those `painted`, of the same person. Nothing is sure of faces after `stop()`."""
    images, marks = faces.images, faces.marks
    covered, sure = (np.zeros((len(rows), *marks.shape[1:]), np.bool_) for _ in range(2))
    small = quartered(images)
    for place, row in enumerate(rows):
        if stop():
            break
        apart = np.square(small[painted] - small[row]).mean(axis=(1, 2, 3))
        like = painted[np.argsort(apart, kind="stable")[:_LIKE]]
        bare, thing = _fits(images[row], images[like], marks[like])
        best, other = np.minimum(bare, thing), np.maximum(bare, thing)
        covered[place] = thing < bare
        sure[place] = (best < _WELL) & (other + _GRAIN > _FAR * (best + _GRAIN))
    return covered, sure


def _fits(image: Bytes, others: Bytes, marks: Masks) -> tuple[Floats, Floats]:
    """How badly the patch around each pixel fits the best of what is not marked on other faces, and of what is."""
    size, around = len(image), ((0, 0), (_WAY, _WAY), (_WAY, _WAY))
    wide, what = np.pad(others.astype(np.float32), (*around, (0, 0)), mode="edge"), np.pad(marks, around, mode="edge")
    wanted = image.astype(np.float32)
    bare, thing = (np.full((size, size), np.inf, np.float32) for _ in range(2))
    for down in range(2 * _WAY + 1):
        for along in range(2 * _WAY + 1):
            part = (slice(None), slice(down, down + size), slice(along, along + size))
            off = wide[part] - wanted
            fits = uniform_filter(np.einsum("nijk,nijk->nij", off, off) / np.float32(3), (0, _PATCH, _PATCH))
            fits += np.float32(_STILL * ((down - _WAY) ** 2 + (along - _WAY) ** 2))
            np.minimum(bare, np.where(what[part], np.inf, fits).min(axis=0), out=bare)
            np.minimum(thing, np.where(what[part], fits, np.inf).min(axis=0), out=thing)
    return bare, thing
