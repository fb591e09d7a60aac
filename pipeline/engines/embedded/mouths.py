"""What is in a mouth that somebody was never seen to open: teeth and tongue of the one who opens it there.

Bending closed lips open stretches them over the gap. Where the pictures that a mouth is mixed of are less open than it
is wanted, what shows between the lips is left as it is in the frame, moved to where the drawn lips are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..align import Matrix, polygon_mask, warped_picture

__all__ = ["Mouth", "gap_of", "lacking", "mouths_of"]

Bytes = NDArray[np.uint8]
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


@dataclass(frozen=True, slots=True)
class Mouth:
    """What of a mouth in the frame is left: how much of it (`share`, 0 … 1) within the `outline` (8, 2) of the drawn
    lips' inner edge, and how far the drawn mouth was `moved` (2,) from there, in pixels of what is drawn."""

    share: float
    outline: Doubles
    moved: Doubles

    def scaled(self, share: float) -> Mouth:
        """The same in pixels of which there are `share` times as many along a side."""
        return Mouth(self.share, (self.outline + 0.5) * share - 0.5, self.moved * share)

    def left_in(self, drawn: Bytes, frame: Bytes, matrix: Matrix) -> Bytes:
        """`drawn` (s, s, 3), the face that `matrix` takes from `frame`, with what is left of the frame's mouth."""
        size = len(drawn)
        low = np.clip(np.floor(self.outline.min(axis=0)).astype(int) - 4, 0, size - 1)
        high = np.clip(np.ceil(self.outline.max(axis=0)).astype(int) + 5, low + 1, size)
        box = high - low
        there = np.column_stack([matrix[:, :2], matrix[:, 2] + self.moved - low])
        kept = warped_picture(Image.fromarray(frame), there, tuple(box))
        mask = Image.fromarray(polygon_mask(self.outline - low, tuple(box)))
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(max(0.5, _SOFT * size))), np.float32) / np.float32(255)
        part = (slice(low[1], high[1]), slice(low[0], high[0]))
        result = drawn.copy()
        old = drawn[part].astype(np.float32)
        result[part] = (old + (soft * np.float32(self.share))[..., None] * (kept - old) + 0.5).astype(np.uint8)
        return result


def gap_of(mouths: Floats | Doubles) -> Doubles:
    """How far the lips of mouths (n, 20, 2) are apart."""
    return np.asarray(np.linalg.norm(mouths[:, 13:16].mean(axis=1) - mouths[:, 17:20].mean(axis=1), axis=1), np.float64)


def lacking(wanted: Doubles, mixed: Doubles) -> Doubles:
    """How much of what is in mouths cannot be drawn (n,), 0 … 1: their lips are to be `wanted` apart, those of the
    pictures they are mixed of are `mixed`, in shares of the mean face's side."""
    has = mixed / np.maximum(wanted, 1e-9)
    less = np.clip((_LESS - has) / (_LESS - _MUCH_LESS), 0, 1)
    return np.asarray(less * np.clip(wanted / _LEAST - 1, 0, 1), np.float64)


def mouths_of(at: Doubles, wanted: Doubles, shares: Doubles, detail: int, edge: int) -> list[Mouth]:
    """What is left of mouths with landmarks `at` (n, 68, 2) that are drawn at `wanted`, of the middle of a canvas
    `detail` times as large, `edge` pixels inwards."""
    moved = (wanted[:, LIPS] - at[:, LIPS]).mean(axis=1) * detail
    outlines = (wanted[:, INNER] + 0.5) * detail - 0.5 - edge
    return [Mouth(float(share), outline, move) for share, outline, move in zip(shares, outlines, moved, strict=True)]
