"""Pictures at several times the canvas: made smaller and larger, and how many times a person's faces are worth.

What a look is drawn at costs no training, only seconds when it is made and when a film is converted. `detail` is a
power of two, DETAIL at least.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["DETAIL", "MOST_DETAIL", "Cut", "enlarge", "enlarge_cut", "enlarging", "fitting", "shrink"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Cut = tuple[slice, slice]
"""Rows and columns of a picture."""

DETAIL = 2
"""A look is drawn twice as large as the network sees faces at least."""
MOST_DETAIL = 4
_WORTH = 1.2
"""Faces this many times as large as they are drawn are worth drawing twice as large."""


def fitting(sides: Sequence[float], size: int) -> int:
    """The detail for faces of which each person's are `sides` pixels wide as a rule, with a network of `size`: more
    than DETAIL where they are plainly larger than what they would be drawn at."""
    return MOST_DETAIL if min(sides) >= _WORTH * DETAIL * size else DETAIL


def shrink(pictures: Bytes | NDArray[np.int8] | Floats, detail: int = DETAIL) -> Floats:
    """Pictures (n, detail * c, detail * c, 3) at c: pixel i lies at detail * i."""
    x: Floats = np.asarray(pictures, np.float32)
    while detail > 1:
        x, detail = _halved(x), detail // 2
    return x


def _halved(pictures: Floats) -> Floats:
    x: Floats = np.pad(pictures, ((0, 0), (1, 0), (1, 0), (0, 0)), mode="edge")
    rows = x[:, 0:-1:2] / 4 + x[:, 1::2] / 2 + x[:, 2::2] / 4
    return np.asarray(rows[:, :, 0:-1:2] / 4 + rows[:, :, 1::2] / 2 + rows[:, :, 2::2] / 4, np.float32)


def enlarging(size: int, detail: int = DETAIL) -> Floats:
    """(detail * size, size) weights of linear interpolation: pixel i goes to detail * i."""
    at = np.minimum(np.arange(detail * size) / detail, size - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(size)[None]), 0, None), np.float32)


def enlarge(pictures: Floats, detail: int = DETAIL) -> Floats:
    """Pictures (n, c, c, 3) at `detail` times the size, as `enlarging` says."""
    while detail > 1:
        pictures, detail = _doubled(_doubled(pictures, 1), 2), detail // 2
    return pictures


def enlarge_cut(pictures: Floats, detail: int, cut: Cut) -> Floats:
    """The rows and columns of `cut` of what `enlarge` makes of pictures (n, c, c, 3)."""
    count, size = pictures.shape[:2]
    weights = enlarging(size, detail)
    # Products of large matrices: columns first, while there are few rows.
    columns = np.ascontiguousarray(pictures.transpose(0, 2, 1, 3)).reshape(count, size, -1)
    wide = (weights[cut[1]] @ columns).reshape(count, -1, size, 3)
    rows = np.ascontiguousarray(wide.transpose(0, 2, 1, 3)).reshape(count, size, -1)
    return np.asarray((weights[cut[0]] @ rows).reshape(count, -1, wide.shape[1], 3), np.float32)


def _doubled(pictures: Floats, axis: int) -> Floats:
    """Every second row (or column) halfway between its neighbours; the last one is repeated."""
    x = np.moveaxis(pictures, axis, 1)
    wide = np.empty((len(x), 2 * x.shape[1], *x.shape[2:]), np.float32)
    wide[:, ::2] = x
    wide[:, 1:-1:2] = (x[:, :-1] + x[:, 1:]) / 2
    wide[:, -1] = x[:, -1]
    return np.moveaxis(wide, 1, axis)
