"""Where each eye looks, told from where its iris lies between its corners.

An iris is dark with lighter on both sides of it; corners, lashes and shadows are dark with lighter on one side at most.
So the place is taken at which a window as wide as an iris is darkest against what is beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["gaze_in", "gaze_of"]

Doubles = NDArray[np.float64]

_EYES = (slice(36, 42), slice(42, 48))
_ACROSS = np.linspace(-0.85, 0.85, 49)
_DOWN = np.linspace(-0.4, 0.4, 9)
_FURTHEST = 0.65
"""An iris further out than this share of the way to a corner is half hidden and cannot be told."""
_CLOSED = 0.2
"""An eye less open than this (height over half its width) shows no iris."""
_IRIS, _BESIDE = 17, 8
"""Width of an iris and of what is looked at on each side of it, in steps of _ACROSS."""
_AROUND = 4
"""Pixels around the eyes that are looked at with them."""
_WINDOW = np.concatenate(
    [np.full(_BESIDE, -0.5 / _BESIDE), np.full(_IRIS, 1 / _IRIS), np.full(_BESIDE, -0.5 / _BESIDE)]
)


def gaze_in(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> Doubles:
    """`gaze_of` a face in a picture (h, w, 3) of which only the eyes are looked at; NaN where they are not in it."""
    low = np.maximum(np.floor(landmarks[36:48].min(axis=0)).astype(int) - _AROUND, 0)
    high = np.maximum(np.ceil(landmarks[36:48].max(axis=0)).astype(int) + _AROUND, 0)
    eyes = picture[low[1] : high[1], low[0] : high[0]]
    if min(eyes.shape[:2]) < 2:
        return np.full(2, np.nan)
    return gaze_of(eyes.mean(axis=2), landmarks - low)


def gaze_of(grey: Doubles, landmarks: NDArray[np.floating]) -> Doubles:
    """Where the left and the right eye of a face look, as the viewer has them: -1 to 1 from the left corner to the
    right one, (2,); NaN for a closed eye. `grey` (h, w) is any picture of it, `landmarks` (68, 2) lie in its pixels.
    """
    return np.array([_iris(grey, np.asarray(landmarks[eye], np.float64)) for eye in _EYES])


def _iris(grey: Doubles, eye: Doubles) -> float:
    left, right = eye[0], eye[3]
    half = float(np.linalg.norm(right - left)) / 2
    tall = float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 2
    if not np.isfinite(half) or half < 1 or tall < _CLOSED * half:
        return float("nan")
    along = (right - left) / (2 * half)
    # Lids come together at the corners: the lens between them is looked at.
    high = tall * np.sqrt(1 - _ACROSS**2)
    places = (left + right) / 2 + (_ACROSS * half)[:, None] * along
    places = places[None] + (_DOWN[:, None] * high)[..., None] * np.array([-along[1], along[0]])
    column = _sampled(grey, places).mean(axis=0)
    edge = len(_WINDOW) // 2
    dark = np.convolve(np.pad(column, edge, mode="edge"), _WINDOW, "valid")
    inner = np.flatnonzero(np.abs(_ACROSS) <= _FURTHEST)
    at = int(inner[dark[inner].argmin()])
    before, here, after = dark[at - 1 : at + 2]
    bend = before - 2 * here + after
    part = 0.5 * (before - after) / bend if bend > 1e-9 else 0.0
    return float(_ACROSS[at] + np.clip(part, -0.5, 0.5) * (_ACROSS[1] - _ACROSS[0]))


def _sampled(grey: Doubles, places: Doubles) -> Doubles:
    """Bilinear samples at `places` (…, 2) as x, y; the edge is repeated outside."""
    x = np.clip(places[..., 0], 0, grey.shape[1] - 1.001)
    y = np.clip(places[..., 1], 0, grey.shape[0] - 1.001)
    column, row = x.astype(int), y.astype(int)
    right, down = x - column, y - row
    upper = grey[row, column] * (1 - right) + grey[row, column + 1] * right
    lower = grey[row + 1, column] * (1 - right) + grey[row + 1, column + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float64)
