"""Irises moved to where somebody else's are: B looks where A looks, also where B never did.

Only what lies between an eye's corners moves, sideways, most in its middle; corners and lids stay. Pictures are float32
(n, h, w, 3) in 0 … 255, the landmarks float64 (68, 2) in their pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....curation.screen.gaze import gaze_in

__all__ = ["turned"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_EYES = (slice(36, 42), slice(42, 48))
FURTHEST = 0.5
"""So far an iris is moved at most, in shares of half the eye's width: further, the white would show how it was
stretched."""
_ABOVE = 1.5
"""How far beyond the lids the move fades out, in shares of half the eye's height."""


def turned(pictures: Floats, shape: Doubles, wanted: Doubles) -> None:
    """Move the irises of `pictures` (n, h, w, k), of which the first three bands are colours, all of the landmarks
    `shape`, to where `wanted` (n, 2) says, as `gaze_of` gives it; an eye of which nothing is known stays as it is."""
    for picture, gaze in zip(pictures, wanted, strict=True):
        if np.isnan(gaze).all():
            continue
        colours = picture[..., :3]
        moves = np.clip(gaze - gaze_in(colours, shape), -FURTHEST, FURTHEST)
        for eye, move in zip(_EYES, np.nan_to_num(moves), strict=True):
            if move:
                _turn(colours, shape[eye], float(move))


def _turn(picture: Floats, eye: Doubles, move: float) -> None:
    middle = (eye[0] + eye[3]) / 2
    half = float(np.linalg.norm(eye[3] - eye[0])) / 2
    tall = _ABOVE * float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 4
    height, width = picture.shape[:2]
    reach = np.array([half, tall])
    low = np.maximum(np.floor(middle - reach).astype(int), 0)
    high = np.minimum(np.ceil(middle + reach).astype(int) + 1, (width, height))
    rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    across, down = (columns - middle[0]) / half, (rows - middle[1]) / tall
    share = np.clip(1 - across**2, 0, 1) * np.clip(1 - down**4, 0, 1)
    source = np.clip(columns - move * half * share, 0, width - 1.001)
    at, line = source.astype(int), rows.astype(int)
    part = (source - at)[..., None].astype(np.float32)
    picture[low[1] : high[1], low[0] : high[0]] = picture[line, at] * (1 - part) + picture[line, at + 1] * part
