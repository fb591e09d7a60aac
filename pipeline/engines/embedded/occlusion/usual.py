"""How a face usually looks there: what lies before it is what differs, and a net learns that in fewer minutes.

The usual faces of a workspace are medians of faces that follow each other, so that what passes before one for a moment
is not in them; each picture is compared with the one that is most like it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_USUAL", "nearest_usual", "usual_faces"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

MOST_USUAL = 32
"""So many usual faces of both people."""
_COARSE = 4
"""Likeness is looked at in every fourth pixel."""
_STRANGE = 40.0
"""A difference beyond this, in 0 … 255, says no more than this: it is something before the face."""


def usual_faces(images: Bytes) -> Bytes:
    """At most MOST_USUAL medians (k, s, s, 3) of runs of `images` (n, s, s, 3), which come in their order."""
    runs = np.array_split(np.arange(len(images)), min(MOST_USUAL, max(1, len(images) // 3)))
    return np.stack([np.median(images[run], axis=0) for run in runs]).astype(np.uint8)


def nearest_usual(usual: Bytes, images: Bytes, hulls: Floats) -> Floats:
    """For each of `images` (n, s, s, 3) the usual face that is most like it where `hulls` (n, s, s) says face, in the
    same light; float32 (n, s, s, 3) in 0 … 255."""
    step = slice(None, None, _COARSE)
    faces, known = images[:, step, step].astype(np.float32), usual[:, step, step].astype(np.float32)
    weights = hulls[:, step, step, None] / np.maximum(hulls[:, step, step].sum(axis=(1, 2))[:, None, None, None], 1)
    have = np.einsum("nyxc,nyxo->nc", faces, weights)
    found = np.empty(images.shape, np.float32)
    for row, (face, weight) in enumerate(zip(faces, weights, strict=True)):
        gains = np.clip(have[row] / np.maximum((known * weight).sum(axis=(1, 2)), 1), 0.4, 2.5)
        apart = np.minimum(np.abs(known * gains[:, None, None] - face), _STRANGE)
        best = int((apart * weight).sum(axis=(1, 2, 3)).argmin())
        found[row] = usual[best] * gains[best]
    return found
