"""What is in a mouth that somebody was never seen to open: teeth and tongue of the one who opens it there.

Bending closed lips open stretches them over the gap. Where the pictures that a mouth is mixed of are less open than it
is wanted, what shows between the lips is left as it is in the frame, moved to where the drawn lips are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pieces import Piece

__all__ = ["gap_of", "lacking", "mouths_of"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

INNER, LIPS = slice(60, 68), slice(48, 68)
"""The landmarks of the lips' inner edge, and of all of the mouth."""
_LEAST = 0.03
"""Lips nearer to each other than this share of the mean face's side are closed, as far as landmarks tell."""
_LESS, _MUCH_LESS = 0.7, 0.4
"""Of pictures that are open to this share of what is wanted all is B's, of those that are open to that nothing."""
_SOFT = 0.006
"""How softly what is left ends, in shares of the crop's side."""


def gap_of(mouths: Floats | Doubles) -> Doubles:
    """How far the lips of mouths (n, 20, 2) are apart."""
    return np.asarray(np.linalg.norm(mouths[:, 13:16].mean(axis=1) - mouths[:, 17:20].mean(axis=1), axis=1), np.float64)


def lacking(wanted: Doubles, mixed: Doubles) -> Doubles:
    """How much of what is in mouths cannot be drawn (n,), 0 … 1: their lips are to be `wanted` apart, those of the
    pictures they are mixed of are `mixed`, in shares of the mean face's side."""
    has = mixed / np.maximum(wanted, 1e-9)
    less = np.clip((_LESS - has) / (_LESS - _MUCH_LESS), 0, 1)
    return np.asarray(less * np.clip(wanted / _LEAST - 1, 0, 1), np.float64)


def mouths_of(at: Doubles, wanted: Doubles, shares: Doubles, detail: int, edge: int) -> list[Piece]:
    """What is left of mouths with landmarks `at` (n, 68, 2) that are drawn at `wanted`, of the middle of a canvas
    `detail` times as large, `edge` pixels inwards."""
    moved = (wanted[:, LIPS] - at[:, LIPS]).mean(axis=1) * detail
    outlines = (wanted[:, INNER] + 0.5) * detail - 0.5 - edge
    return [
        Piece(float(share), outline, move, _SOFT) for share, outline, move in zip(shares, outlines, moved, strict=True)
    ]
