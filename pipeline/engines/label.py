"""The visible label of a face swap: on which frames it stands, and what it looks like.

The European Union's code of practice on marking AI content (final version of 10 June 2026, for Article 50 of Regulation
(EU) 2024/1689): text beside an icon, unobstructed, such as at the top right, when the changed content is first seen
and again after breaks; "AI" in capitals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .frames import Change, Frame
from .pixels import ALIGNED, cut, is_clear, to_rgb, with_parts

__all__ = ["WORDS", "Shown", "area", "draw", "labelled"]

WORDS = "AI MODIFIED"
SHOWN_SECONDS = 5
"""So long it stands when a swapped face is first seen."""
BREAK_SECONDS = 2
"""After so long without one it is shown again; without a break, once a minute."""
AGAIN_SECONDS = 60
_HEIGHT = 0.055
"""Of the picture's shorter side; at least `_LEAST` pixels, so that it can be read on small films."""
_LEAST = 14

Picture = NDArray[np.uint8]


@dataclass
class Shown:
    """Which of the swapped frames carry the label, asked frame by frame in order, at `rate` frames a second."""

    rate: Fraction
    _start: int = 0
    _last: int | None = None

    def on(self, number: int) -> bool:
        """Whether it stands on the swapped frame `number`."""
        passed = None if self._last is None else number - self._last
        if passed is None or passed > BREAK_SECONDS * self.rate or number - self._start >= AGAIN_SECONDS * self.rate:
            self._start = number
        self._last = number
        return number - self._start < SHOWN_SECONDS * self.rate


def labelled(
    made: Iterator[tuple[Frame, Change]], rate: Fraction, elsewhere: Callable[[int], bool] | None = None
) -> Iterator[tuple[Frame, Change]]:
    """The frames with what becomes of each, and the label on those that shall carry it; frames that stay, stay.
    `elsewhere` says of a frame's number that a swapped face is seen there though nothing becomes of it here."""
    shown = Shown(rate)
    for frame, change in made:
        seen = change is not None or (elsewhere is not None and elsewhere(frame.number))
        if seen and shown.on(frame.number) and change is not None:
            yield frame, _with_label(frame, change)
        else:
            yield frame, change


def _with_label(frame: Frame, change: Change) -> Change:
    if isinstance(change, np.ndarray) and frame.native is not None and is_clear(frame.native):
        change = with_parts(frame.native, [(0, 0, frame.image, change)])
    if isinstance(change, np.ndarray):
        height, width = change.shape[:2]
        left, top, right, bottom = area(width, height)
        picture = change.copy()
        picture[top:bottom, left:right] = draw(change[top:bottom, left:right], width, height)
        return picture
    left, top, right, bottom = area(change.width, change.height)
    before = to_rgb(cut(change, left, top, right, bottom))
    return with_parts(change, [(left, top, before, draw(before, change.width, change.height))], opaque=True)


def area(width: int, height: int) -> tuple[int, int, int, int]:
    """The edges of the label in a picture of that size: left, top, right, bottom; it begins at multiples of ALIGNED."""
    high, wide = _label(min(width, height), width).shape[:2]
    left = max(0, width - wide - high // 2) // ALIGNED * ALIGNED
    top = -(-min(high // 2, max(0, height - high)) // ALIGNED) * ALIGNED
    top = top if top + high <= height else 0
    return left, top, min(left + wide, width), min(top + high, height)


def draw(part: Picture, width: int, height: int) -> Picture:
    """The part of a picture of `width` × `height` that `area` names, with the label on it; the given one stays."""
    label = _label(min(width, height), width)[: part.shape[0], : part.shape[1]].astype(np.float32)
    opaque = label[..., 3:] / 255
    return np.asarray(part * (1 - opaque) + label[..., :3] * opaque + 0.5).astype(np.uint8)


@lru_cache(maxsize=4)
def _label(short: int, width: int) -> NDArray[np.uint8]:
    """The label as RGBA, uint8: a dark plate that is seen on bright and dark pictures, icon, words; even in size."""
    high = max(_LEAST, round(short * _HEIGHT) // 2 * 2)
    while True:
        made = _drawn(high)
        if made.width <= width or high <= 8:
            return np.asarray(made)
        high -= 2


def _drawn(high: int) -> Image.Image:
    scale = 4  # drawn large and made smaller: smooth edges at any size
    large = high * scale
    font = ImageFont.load_default(large * 0.62)
    gap = large // 4
    left, top, right, bottom = font.getbbox(WORDS)
    icon = round(large * 0.56)
    wide = gap + icon + gap + round(right - left) + gap
    wide += -wide % (2 * scale)
    plate = Image.new("RGBA", (wide, large), (0, 0, 0, 0))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((0, 0, wide - 1, large - 1), large // 5, fill=(12, 12, 12, 205))
    pen.rounded_rectangle(
        (scale, scale, wide - 1 - scale, large - 1 - scale), large // 6, outline=(255, 255, 255, 235), width=scale
    )
    _icon(pen, gap, (large - icon) // 2, icon)
    pen.text((2 * gap + icon - left, (large - (bottom - top)) / 2 - top), WORDS, font=font, fill=(255, 255, 255, 255))
    return plate.resize((wide // scale, high), Image.Resampling.LANCZOS)


def _icon(pen: ImageDraw.ImageDraw, x: int, y: int, size: int) -> None:
    """A round face half of which is drawn anew: ours, since the EU's icons are files of others."""
    line = max(2, size // 12)
    white = (255, 255, 255, 255)
    pen.ellipse((x, y, x + size, y + size), outline=white, width=line)
    pen.pieslice((x, y, x + size, y + size), -90, 90, fill=white)
    eye = size // 7
    pen.ellipse((x + size // 4, y + size // 3, x + size // 4 + eye, y + size // 3 + eye), fill=white)
    dark = (12, 12, 12, 255)
    pen.ellipse((x + 3 * size // 4 - eye, y + size // 3, x + 3 * size // 4, y + size // 3 + eye), fill=dark)
