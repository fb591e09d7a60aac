"""Two drawn eyes whose irises are where they are told to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HALF", "eyes"]

HALF = 24.0
"""Half an eye's width in pixels."""
_LIDS = ((-1.0, 0.0), (-0.4, -0.42), (0.4, -0.42), (1.0, 0.0), (0.4, 0.42), (-0.4, 0.42))


def eyes(gazes: tuple[float, float], *, angle: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A grey picture (120, 200) of two eyes and 68 landmarks, all but the eyes' at its middle."""
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = np.full((68, 2), (100.0, 60.0))
    picture = np.full((120, 200), 180.0)
    rows, columns = np.mgrid[:120, :200].astype(float)
    for start, side, gaze in ((36, -1, gazes[0]), (42, 1, gazes[1])):
        middle = np.array([100.0, 60.0]) + np.array([side * 45.0, 0.0]) @ axes
        points[start : start + 6] = middle + HALF * np.array(_LIDS) @ axes
        along = ((columns - middle[0]) * axes[0, 0] + (rows - middle[1]) * axes[0, 1]) / HALF
        down = ((columns - middle[0]) * axes[1, 0] + (rows - middle[1]) * axes[1, 1]) / HALF
        white = np.abs(down) < 0.45 * np.sqrt(np.clip(1 - along**2, 0, 1))
        picture[white] = 230
        picture[white & (np.hypot(along - gaze, down) < 0.3)] = 70
    return picture, points
