"""What of the frame's own face stays in the drawn one, whose person nobody saw so: an open mouth, shut lids."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..align import Matrix, polygon_mask, warped_picture

__all__ = ["Piece"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


_LIGHT = np.float32(0.6), np.float32(1.6)
"""How much darker and lighter a piece is made, at most."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the frame that stays: how much of it (`share`, 0 … 1) within the `outline` (k, 2) in what is
    drawn, and how far the drawn piece was `moved` (2,) from there, in pixels of what is drawn.

    It ends softly, over the share `soft` of the crop's side; where it is `matched` it gets the colours that the drawn
    face has at its edge.
    """

    share: float
    outline: Doubles
    moved: Doubles
    soft: float
    matched: bool = False

    def scaled(self, share: float) -> Piece:
        """The same in pixels of which there are `share` times as many along a side."""
        return replace(self, outline=(self.outline + 0.5) * share - 0.5, moved=self.moved * share)

    def left_in(self, drawn: Bytes, frame: Bytes, matrix: Matrix) -> Bytes:
        """`drawn` (s, s, 3), the face that `matrix` takes from `frame`, with the frame's piece."""
        size = len(drawn)
        radius = max(0.5, self.soft * size)
        around = max(4, int(3 * radius) + 1)
        low = np.clip(np.floor(self.outline.min(axis=0)).astype(int) - around, 0, size - 1)
        high = np.clip(np.ceil(self.outline.max(axis=0)).astype(int) + around + 1, low + 1, size)
        box = high - low
        there = np.column_stack([matrix[:, :2], matrix[:, 2] + self.moved - low])
        kept = warped_picture(Image.fromarray(frame), there, tuple(box)).astype(np.float32)
        mask = Image.fromarray(polygon_mask(self.outline - low, tuple(box)))
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), np.float32)[..., None] / np.float32(255)
        part = (slice(low[1], high[1]), slice(low[0], high[0]))
        old = drawn[part].astype(np.float32)
        if self.matched:
            edge = soft * (1 - soft)
            lit, wanted = ((edge * one).sum(axis=(0, 1)) + np.float32(1) for one in (kept, old))
            kept *= np.clip(wanted / lit, *_LIGHT)  # as another light would: black lashes stay black
        result = drawn.copy()
        mixed = old + soft * np.float32(self.share) * (kept - old) + np.float32(0.5)
        result[part] = np.clip(mixed, 0, 255).astype(np.uint8)
        return result
