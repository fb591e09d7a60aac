"""What people painted on some faces found again on the others of the same person, patch by patch.

Around each pixel of a face the same patch is looked for on the painted faces that are most like it: among what is
painted there, and among what is not. Where one of the two fits far better, and well, the pixel is known (label
transfer by dense matching: Liu, Yuen and Torralba 2011; the local matching of Voigtlaender et al. 2019, on colours).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .faces import Faces
from .net import hull_plane
from .patches import patch_fits, quartered

__all__ = ["matched"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Masks = NDArray[np.bool_]

_LIKE = 2
"""So many painted faces are looked at for each."""
_WAY, _PATCH, _STILL = 10, 7, 0.5
"""Pixels that a patch may have moved along and down, pixels across it, and what it costs to move by one."""
_THING, _BARE = (1000.0, 2.0), (600.0, 4.0)
"""How badly the patch of a thing and that of a bare face may fit, and how many times better than one of the other kind
it must: what is dark on a face is like much that is dark before it."""
_GRAIN = 20.0
"""What counts for nothing there."""


def matched(faces: Faces, rows: Numbers, painted: Numbers, stop: Callable[[], bool]) -> tuple[Masks, Masks]:
    """What lies before the faces `rows`, and where that is sure, both bool (len(rows), SIDE, SIDE), by what is marked
    on those `painted`, of the same person. Nothing is sure of faces after `stop()`."""
    images, marks = faces.images, faces.marks
    covered, sure = (np.zeros((len(rows), *marks.shape[1:]), np.bool_) for _ in range(2))
    small = quartered(images)
    for place, row in enumerate(rows):
        if stop():
            break
        inside = quartered(hull_plane(faces.shapes[row])[None, ..., None])[0, ..., 0]
        apart = np.square(small[painted] - small[row]).mean(axis=3)
        like = painted[np.argsort((apart * inside).sum(axis=(1, 2)), kind="stable")[:_LIKE]]
        bare, thing = _fits(images[row], images[like], marks[like])
        covered[place] = thing < bare
        sure[place] = np.where(covered[place], _far_better(thing, bare, *_THING), _far_better(bare, thing, *_BARE))
    return covered, sure


def _far_better(best: Floats, other: Floats, least: float, times: float) -> Masks:
    return np.asarray((best < least) & (other + _GRAIN > times * (best + _GRAIN)))


def _fits(image: Bytes, others: Bytes, marks: Masks) -> tuple[Floats, Floats]:
    """How badly the patch around each pixel fits the best of what is not marked on other faces, and of what is."""
    what = np.pad(marks, ((0, 0), (_WAY, _WAY), (_WAY, _WAY)), mode="edge")
    bare, thing = (np.full(image.shape[:2], np.inf, np.float32) for _ in range(2))
    for part, fits in patch_fits(image, others, _WAY, _PATCH, _STILL):
        np.minimum(bare, np.where(what[part], np.inf, fits).min(axis=0), out=bare)
        np.minimum(thing, np.where(what[part], fits, np.inf).min(axis=0), out=thing)
    return bare, thing
