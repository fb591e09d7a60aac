"""Lids that somebody was never seen to close: those of the one who closes them there.

Bending an open eye shut leaves iris and white smeared over the lid. Where the eyes of the pictures that a face is mixed
of are much further open than they are wanted, the shut lids are left as they are in the frame, moved to where the drawn
eyes are, in the drawn skin's colours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pieces import Piece
from .shape import EYES

__all__ = ["lids_of", "openness", "shut"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_MORE, _MUCH_MORE = 0.85, 0.6
"""Of eyes wanted open to this share of what the pictures have all is drawn, to that share nothing of the lids."""
_HALF, _SHUT = 0.7, 0.45
"""The same of the frame's own eyes against what is usual with them: half closed ones show whose they are."""
_WIDE, _HIGH = 0.75, 0.42
"""How far what is left reaches aside from an eye's middle, in its widths, and up and down, in the wider one's."""
_SOFT = 0.02
_CORNERS = 16


def openness(eyes: Floats | Doubles) -> Doubles:
    """How high eyes (n, 12, 2) are open, in their own widths, on the average of both (n,)."""
    found = []
    for one in (eyes[:, :6], eyes[:, 6:]):
        high = one[:, 4:6, 1].mean(axis=1) - one[:, 1:3, 1].mean(axis=1)
        found.append(high / np.maximum(np.linalg.norm(one[:, 3] - one[:, 0], axis=1), 1e-9))
    return np.asarray(np.mean(found, axis=0), np.float64)


def shut(own: Doubles, usual: float, wanted: Doubles, mixed: Doubles) -> Doubles:
    """How much of eyes' lids is left (n,), 0 … 1: they are `own` open in the frame and `usual` otherwise, are `wanted`
    so far open, and those of the pictures they are mixed of are `mixed`."""
    lacking = (_MORE - wanted / np.maximum(mixed, 1e-9)) / (_MORE - _MUCH_MORE)
    closed = (_HALF - own / max(usual, 1e-9)) / (_HALF - _SHUT)
    return np.asarray(np.clip(lacking, 0, 1) * np.clip(closed, 0, 1), np.float64)


def lids_of(at: Doubles, wanted: Doubles, shares: Doubles, detail: int, edge: int) -> list[tuple[Piece, Piece]]:
    """What is left of the lids of faces with landmarks `at` (n, 68, 2) that are drawn at `wanted`, of the middle of a
    canvas `detail` times as large, `edge` pixels inwards."""
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    found: list[tuple[Piece, Piece]] = []
    for here, there, share in zip(at, wanted, shares, strict=True):
        both = []
        longs = [(there[eye][3] - there[eye][0]) * detail for eye in EYES]
        widest = max(float(np.linalg.norm(along)) for along in longs)
        for eye, along in zip(EYES, longs, strict=True):
            across = np.array([-along[1], along[0]]) * widest / max(float(np.linalg.norm(along)), 1e-9)
            middle = (there[eye].mean(axis=0) + 0.5) * detail - 0.5 - edge
            outline = middle + _WIDE * np.outer(np.cos(turns), along) + _HIGH * np.outer(np.sin(turns), across)
            moved = (there[eye] - here[eye]).mean(axis=0) * detail
            both.append(Piece(float(share), outline, moved, _SOFT, matched=True))
        found.append((both[0], both[1]))
    return found
