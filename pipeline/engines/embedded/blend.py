"""Put a drawn face into its frame: mask, colour match, soft edge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from ..align import Matrix, Points, Warp, face_outline, hull, invert, polygon_mask, transform_points, warped_picture
from ..scaling import scaled
from .colours import COLOURS, Under, in_bytes, span
from .pieces import Piece

__all__ = ["MASKS", "blend", "match_sharpness"]

MASKS = ("extended", "components", "none")
FEATHER = 0.05
"""Softness of the mask's edge, in shares of the crop's side."""

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


def blend(
    frame: Picture,
    drawn: Picture,
    matrix: Matrix,
    landmarks: Points,
    *,
    mask: str,
    colour: str,
    face: NDArray[np.uint8] | None = None,
    seen: NDArray[np.uint8] | None = None,
    pieces: Sequence[Piece] = (),
    sharp_as: Picture | None = None,
) -> Picture:
    """`frame` with the face `drawn` (size, size, 3) put where `matrix` took it from.

    `mask` is one of MASKS, `colour` one of COLOURS; `face` (size, size) says how far that is face, 0 … 255: the
    rest of it is never shown. `seen` (size, size) says how far the face in the frame is seen, 0 where something lies
    before it, `pieces` what of it stays. `sharp_as` is the frame as it was, where the drawn face is to be no
    sharper than what it covers there.
    Pixels outside the mask keep their values.
    """
    left, top, right, bottom = near = _touched(invert(matrix), len(drawn), None, frame.shape)
    if right - left < 2 or bottom - top < 2:
        return frame
    before = frame[top:bottom, left:right]
    like = None if sharp_as is None else sharp_as[top:bottom, left:right]
    face = None if mask == "none" else face
    corner = np.array([left, top])
    there = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ corner])
    crop = _Crop(there, drawn, face, seen, tuple(pieces)).small()
    after = _blended(before, crop, landmarks - corner, mask, colour, like)
    if after is before:
        return frame
    result = frame.copy()
    result[near[1] : near[3], near[0] : near[2]] = after
    return result


def _blended(
    frame: Picture, crop: _Crop, landmarks: Points, mask: str, colour: str, sharp_as: Picture | None
) -> Picture:
    """`blend` in the part of a frame that a crop touches; the part itself where nothing of it shows."""
    outline = _outline(landmarks, mask)
    left, top, right, bottom = _touched(invert(crop.matrix), len(crop.drawn), outline, frame.shape)
    if right - left < 2 or bottom - top < 2:
        return frame
    weight = crop.weight(outline)
    inside = weight * _within(crop.matrix, len(weight), frame.shape)
    if inside.max() <= 0:
        return frame
    drawn = crop.drawn if sharp_as is None else match_sharpness(crop.drawn, sharp_as, crop.matrix)
    over = COLOURS[colour](drawn, Under(frame, crop.matrix), inside)
    for piece in crop.pieces:
        if piece.share > 0:
            over = piece.left_in(over, frame, crop.matrix)
    box, corner = (right - left, bottom - top), np.array([left, top])
    there = _through(_onto(invert(crop.matrix), corner), box, over, in_bytes(weight * 255))
    covered = np.full(box[::-1], 255, np.uint8) if outline is None else polygon_mask(outline - corner, box)
    result = frame.copy()
    result[top:bottom, left:right] = _laid(there, covered, result[top:bottom, left:right])
    return result


def _outline(landmarks: Points, mask: str) -> Points | None:
    """The corners (n, 2) of a mask in the picture of the landmarks, None where it is the whole crop."""
    if mask == "none":
        return None
    return face_outline(landmarks) if mask == "extended" else hull(landmarks, extended=False)


def _laid(over: Warp, covered: Picture, old: Picture) -> Picture:
    """The old picture (h, w, 3) with the one that is seen through a warp, of four bands, laid over it: as much of it as
    its last band says, and no more than `covered` (h, w) does."""
    picture, most = Image.fromarray(np.ascontiguousarray(old)), Image.fromarray(covered)
    for rows, columns in _strips(covered):
        edges = columns.start, rows.start, columns.stop, rows.stop
        new = over.seen(*edges)
        picture.paste(new, edges, ImageChops.darker(new.getchannel(3), most.crop(edges)))
    return np.asarray(picture)


def _strips(covered: Picture) -> Iterator[tuple[slice, slice]]:
    """Some rows at a time and from them the columns that are covered: a face leaves a quarter of the box around it
    empty."""
    for top in range(0, len(covered), _ROWS):
        rows = slice(top, min(top + _ROWS, len(covered)))
        if covered[rows].any():
            yield rows, span(covered[rows] > 0, 1)


_ROWS = 64


@dataclass(frozen=True, slots=True)
class _Crop:
    """A face as `matrix` sees it, all (size, size): as it was drawn, how far it is `face` and how far it is
    `seen`. What shows of it is worked out here: in the frame it may be many times as large, and no finer.
    """

    matrix: Matrix
    drawn: Picture
    face: Picture | None
    seen: Picture | None
    pieces: tuple[Piece, ...]

    def small(self) -> _Crop:
        """The same with no more pixels than the frame has there."""
        size = len(self.drawn)
        side = max(_LEAST, int(np.ceil(size / _scale(self.matrix))))
        if side >= size:
            return self
        share = side / size
        matrix = self.matrix * share + np.array([[0, 0, (share - 1) / 2]])
        face, seen = (
            None if one is None else scaled(one[..., None], side, side)[..., 0] for one in (self.face, self.seen)
        )
        pieces = tuple(piece.scaled(share) for piece in self.pieces)
        return _Crop(matrix, scaled(self.drawn, side, side), face, seen, pieces)

    def weight(self, outline: Points | None) -> Floats:
        """How much of the drawn face shows, 0 … 1, float32 (size, size); fades inwards from the mask's edge and from
        the crop's. `outline` is the mask's, in the frame."""
        size = len(self.drawn)
        covered = np.zeros((size, size), np.uint8)
        covered[1:-1, 1:-1] = 255
        if outline is not None:
            covered = np.minimum(covered, polygon_mask(transform_points(self.matrix, outline), (size, size)))
        if self.face is not None:
            covered = np.minimum(covered, self.face)
        if not covered.any():
            return np.zeros((size, size), np.float32)
        # At least a pixel of the frame.
        radius = max(_scale(self.matrix), FEATHER * size)
        # Of three means after each other, each no wider than twice the radius, the last sees what two have spread.
        around = int(2 * radius) + 4
        rows, columns = span(covered > 0, 0), span(covered > 0, 1)
        blurred = Image.fromarray(np.pad(covered[rows, columns], around)).filter(ImageFilter.GaussianBlur(radius))
        shown = np.zeros((size, size), np.float32)
        shown[rows, columns] = _SHOWN[np.asarray(blurred)[around:-around, around:-around]]
        # Without the softness of the mask's edge: what lies before a face ends sharply.
        return shown if self.seen is None else shown * (self.seen.astype(np.float32) / np.float32(255))


_LEAST = 32
"""Pixels along the side of the smallest crop."""
_SHOWN = np.clip(np.arange(256, dtype=np.float32) / 255 * 2 - 1, 0, 1)
"""How much shows where the blurred mask has each of its values."""


def _scale(matrix: Matrix) -> float:
    """How many pixels of the crop a pixel of the frame takes along its side."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _onto(matrix: Matrix, corner: NDArray[np.int64]) -> Matrix:
    """`matrix` into a part that begins at this corner."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] - corner])


def _within(matrix: Matrix, size: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels of the crop lie in a frame of that shape, (size, size)."""
    back, (height, width) = invert(matrix), shape[:2]
    corners = transform_points(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    if corners.min() >= 0 and (corners <= (width - 1, height - 1)).all():
        return np.ones((size, size), np.bool_)
    down, across = np.arange(size)[:, None], np.arange(size)
    x, y = (row[0] * across + row[1] * down + row[2] for row in back)
    return np.asarray((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))


def _through(matrix: Matrix, box: tuple[int, int], colours: Picture, share: Picture) -> Warp:
    """Colours (size, size, 3) and how much of them shows (size, size), as four bands seen through `matrix` in a box
    (width, height)."""
    bands = np.empty((*share.shape, 4), np.uint8)
    bands[..., :3], bands[..., 3] = colours, share
    # As RGBa, for Pillow multiplies RGBA by its last band first, which would lose what little shows at the edge.
    return Warp.of(Image.frombytes("RGBa", share.shape, bands.data, "raw", "RGBa"), matrix, box)


def _touched(back: Matrix, size: int, outline: Points | None, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of the frame around the mask, as far as the drawn crop goes: left, top, right, bottom."""
    corners = transform_points(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
    if outline is not None:
        low = np.maximum(low, np.floor(outline.min(axis=0) - _NEAR))
        high = np.minimum(high, np.ceil(outline.max(axis=0) + _NEAR))
    low, high = np.maximum(low, 0), np.minimum(high, (shape[1], shape[0]))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


_NEAR = 2
"""Pixels around the mask within which rounding may still show it."""


def match_sharpness(drawn: Picture, frame: Picture, matrix: Matrix) -> Picture:
    """`drawn` (size, size, 3) blurred as far as what `matrix` takes from the frame clearly is; else the same picture.

    A face out of focus has a fraction of the gradients of a drawn one; faces as such differ less than that.
    """
    size = len(drawn)
    edge = size // 5
    grey = warped_picture(Image.fromarray(frame).convert("L"), _onto(matrix, np.full(2, edge)), (size - 2 * edge,) * 2)
    want, picture = _gradients(grey), Image.fromarray(drawn)
    light = picture.convert("L")

    def has(made: Image.Image) -> float:
        return _gradients(np.asarray(made)[edge:-edge, edge:-edge])

    if want >= BLURRED * has(light):
        return drawn
    blurs = [ImageFilter.GaussianBlur(radius * size / 64) for radius in _RADII]
    # More blur never has more gradients, so the least that is enough is found by halving.
    found = bisect_left(blurs[:-1], True, key=lambda blur: has(light.filter(blur)) <= want)
    return np.asarray(picture.filter(blurs[found]))


BLURRED = 0.6
"""A face with less than this share of the drawn one's gradients is blurred."""
_RADII = (0.6, 0.9, 1.3, 1.8, 2.5, 3.5, 5.0)


def _gradients(grey: Picture) -> float:
    """Mean absolute difference of neighbouring pixels."""
    return float(_apart(grey[1:], grey[:-1]).mean() + _apart(grey[:, 1:], grey[:, :-1]).mean())


def _apart(one: Picture, other: Picture) -> Picture:
    return np.maximum(one, other) - np.minimum(one, other)
