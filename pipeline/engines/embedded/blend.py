"""Put a drawn face into its frame: mask, colour match, soft edge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from ..align import Matrix, Points, hull, invert, polygon_mask, transform_points, warp, warped_picture

__all__ = ["COLOURS", "MASKS", "blend", "match_sharpness"]

MASKS = ("extended", "components", "none")
FEATHER = 0.05
"""Softness of the mask's edge, in shares of the crop's side."""
_MEMBRANE_SIDE = 96
"""Side of the grid on which the seamless clone is solved; what it adds is smooth and can be enlarged."""

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
    under: Picture | None = None,
) -> Picture:
    """`frame` with the face `drawn` (size, size, 3) put where `matrix` took it from.

    `mask` is one of MASKS, `colour` one of COLOURS; `face` (size, size) says how far that is face, 0 … 255: the
    rest of it is never shown. `seen` (size, size) says how far the face in the frame is seen, 0 where something lies
    before it. `under` is the frame through `matrix`, where it is known. Pixels outside the mask keep their values.
    """
    outline = None if mask == "none" else hull(landmarks, extended=mask == "extended")
    left, top, right, bottom = _touched(invert(matrix), len(drawn), outline, frame.shape)
    if right - left < 2 or bottom - top < 2:
        return frame
    under = warp(frame, matrix, len(drawn)) if under is None else under
    crop = _Crop(matrix, drawn, under, None if mask == "none" else face, seen).small()
    weight = crop.weight(outline)
    inside = weight * _within(crop.matrix, len(weight), frame.shape)
    if inside.max() <= 0:
        return frame
    over = COLOURS[colour](crop.drawn.astype(np.float32), crop.under.astype(np.float32), inside)
    box, corner = (right - left, bottom - top), np.array([left, top])
    new, share = _through(_onto(invert(crop.matrix), corner), box, _bytes(over), _bytes(weight * 255))
    if outline is not None:
        share = np.minimum(share, polygon_mask(outline - corner, box))
    result = frame.copy()
    result[top:bottom, left:right] = _laid(new, result[top:bottom, left:right], share)
    return result


@dataclass(frozen=True, slots=True)
class _Crop:
    """A face as `matrix` sees it, all (size, size): as it was drawn and as the frame has it, how far it is `face` and
    how far it is `seen`. What shows of it is worked out here: in the frame it may be many times as large, and no finer.
    """

    matrix: Matrix
    drawn: Picture
    under: Picture
    face: Picture | None
    seen: Picture | None

    def small(self) -> _Crop:
        """The same with no more pixels than the frame has there."""
        size = len(self.drawn)
        side = max(_LEAST, int(np.ceil(size / _scale(self.matrix))))
        if side >= size:
            return self
        share = side / size
        matrix = self.matrix * share + np.array([[0, 0, (share - 1) / 2]])
        face, seen = (None if one is None else _resampled(one, side) for one in (self.face, self.seen))
        return _Crop(matrix, _resampled(self.drawn, side), _resampled(self.under, side), face, seen)

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
        # At least a pixel of the frame.
        radius = max(_scale(self.matrix), FEATHER * size)
        around = int(4 * radius) + 2
        blurred = Image.fromarray(np.pad(covered, around)).filter(ImageFilter.GaussianBlur(radius))
        shown = np.asarray(_SHOWN[np.asarray(blurred)[around:-around, around:-around]])
        # Without the softness of the mask's edge: what lies before a face ends sharply.
        return shown if self.seen is None else shown * (self.seen.astype(np.float32) / np.float32(255))


_LEAST = 32
"""Pixels along the side of the smallest crop."""
_SHOWN = np.clip(np.arange(256, dtype=np.float32) / 255 * 2 - 1, 0, 1)
"""How much shows where the blurred mask has each of its values."""


def _scale(matrix: Matrix) -> float:
    """How many pixels of the crop a pixel of the frame takes along its side."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _resampled(picture: Picture, side: int) -> Picture:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def _onto(matrix: Matrix, corner: NDArray[np.int64]) -> Matrix:
    """`matrix` into a part that begins at this corner."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] - corner])


def _bytes(values: Floats) -> Picture:
    return np.asarray(np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8))


def _within(matrix: Matrix, size: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels of the crop lie in a frame of that shape, (size, size)."""
    back, (height, width) = invert(matrix), shape[:2]
    down, across = np.arange(size)[:, None], np.arange(size)
    x, y = (row[0] * across + row[1] * down + row[2] for row in back)
    return np.asarray((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1))


def _through(matrix: Matrix, box: tuple[int, int], colours: Picture, share: Picture) -> tuple[Picture, Picture]:
    """Colours (size, size, 3) and how much of them shows (size, size), both through `matrix` into a box (width,
    height)."""
    # As CMYK, for Pillow multiplies RGBA by its last band first, which would lose what little shows at the edge.
    four = Image.frombytes("CMYK", (len(share), len(share)), np.dstack([colours, share]).tobytes())
    warped = warped_picture(four, matrix, box)
    return warped[..., :3], warped[..., 3]


def _laid(new: Picture, old: Picture, share: Picture) -> Picture:
    """`share` of 255 of the new picture over the rest of the old one."""
    over, under = (Image.fromarray(np.ascontiguousarray(part)) for part in (new, old))
    return np.asarray(Image.composite(over, under, Image.fromarray(share)))


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


def match_sharpness(drawn: Picture, original: Picture) -> Picture:
    """`drawn` blurred as far as `original` (both crops of one size) clearly is; else the same picture.

    A face out of focus has a fraction of the gradients of a drawn one; faces as such differ less than that.
    """
    want = _gradients(original)
    if want >= BLURRED * _gradients(drawn):
        return drawn
    picture = Image.fromarray(drawn)

    def blurred(radius: float) -> Picture:
        return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius * drawn.shape[0] / 64)))

    # More blur never has more gradients, so the least that is enough is found by halving.
    found = bisect_left(_RADII[:-1], True, key=lambda radius: _gradients(blurred(radius)) <= want)
    return blurred(_RADII[found])


BLURRED = 0.6
"""A face with less than this share of the drawn one's gradients is blurred."""
_RADII = (0.6, 0.9, 1.3, 1.8, 2.5, 3.5, 5.0)


def _gradients(crop: Picture) -> float:
    """Mean absolute difference of neighbouring pixels in the middle of a crop."""
    edge = crop.shape[0] // 5
    middle = crop[edge:-edge, edge:-edge].astype(np.float32)
    grey = (middle[..., 0] + middle[..., 1] + middle[..., 2]) / np.float32(3)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _keep(over: Floats, _under: Floats, _weight: Floats) -> Floats:
    return over


def _average(over: Floats, under: Floats, weight: Floats) -> Floats:
    """The drawn face brought to the mean colour of what it covers.

    Each band goes through the power curve that gives the mean: black stays black and white stays white, where a
    shift would tint dark glasses and a gain would burn out the forehead. What is fine keeps most of its contrast: a
    dark face brought to a light one by the curve alone has brows and nostrils of half the strength. Along the mask's
    edge nothing is stronger than the curve has it, or the edge would show. Both pictures hold whole numbers, so a curve
    is a table.
    """
    inside = np.flatnonzero(weight > 0.5)
    if not len(inside):
        return over
    result = np.empty_like(over)
    levels, wanted = over.astype(np.uint8), under.reshape(-1, 3)[inside].mean(axis=0) / 255
    chosen = levels.reshape(-1, 3)[inside[:: max(1, len(inside) // _SAMPLE)]]
    powers = _exponents(np.stack([np.bincount(band, minlength=256) for band in chosen.T]), wanted)
    fine = powers + _CONTRAST * (1 - powers)
    plain, tables = ((255 * _STEPS ** power[:, None]).astype(np.float32) for power in (powers, fine))
    coarse, inner = _coarse(over, weight > 0) / np.float32(255), _inner(weight > 0)
    for band in range(3):
        gain = _resized(coarse[..., band] ** np.float32(powers[band] - fine[band]), weight.shape[::-1])
        made = tables[band].take(levels[..., band]) * gain
        scale = 255 * wanted[band] / max(float(made.reshape(-1)[inside].mean()), 1.0)
        usual = plain[band].take(levels[..., band])
        result[..., band] = np.clip(usual + (made * np.float32(scale) - usual) * inner, 0, 255)
    return _met(result, under, weight)


_CONTRAST = 0.7
"""How much of its contrast what is fine keeps under the curve: 0 as the curve has it, 1 all."""
_RIM = 0.4
"""As far from the mask's edge, in shares of the face's size, does what is fine keep its contrast."""
_COARSE_WIDTH, _DARKEST = 0.1, 12.0
"""How widely a face is averaged to tell what is coarse in it, in shares of its size; it is taken for no darker than
this."""


def _inner(inside: NDArray[np.bool_]) -> Floats:
    """How far within the mask a pixel lies: 0 at its edge, 1 from _RIM of the face's size on."""
    side = float(np.sqrt(np.count_nonzero(inside)))
    step = max(1, int(side / _MET_SIDE))
    depth = distance_transform_edt(np.pad(inside[::step, ::step], 1))[1:-1, 1:-1].astype(np.float32)
    return _resized(np.clip(depth * np.float32(step / (_RIM * side)), 0, 1), inside.shape[::-1])


def _coarse(over: Floats, inside: NDArray[np.bool_]) -> Floats:
    """What is left of the drawn face without anything fine, on a small grid (h, w, 3); outside of it as at its edge."""
    side = float(np.sqrt(np.count_nonzero(inside)))
    step = max(1, int(side / _MET_SIDE))
    share = inside[::step, ::step].astype(np.float32) + np.float32(1e-4)
    planes = np.concatenate([over[::step, ::step] * share[..., None], share[..., None]], axis=2)
    blurred = _blurred(planes, max(_COARSE_WIDTH * side / step, 0.5))
    return np.clip(blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-9), _DARKEST, 255)


def _met(over: Floats, under: Floats, weight: Floats) -> Floats:
    """The drawn face brought to the colours around it along the mask's edge, less the further in.

    What is added is the difference of the two, averaged so widely that no feature is in it.
    """
    inside = weight > 0
    side = float(np.sqrt(np.count_nonzero(inside)))
    step = max(1, int(side / _MET_SIDE))
    small = inside[::step, ::step]
    share = small.astype(np.float32)
    apart = (under[::step, ::step] - over[::step, ::step]) * share[..., None]
    blurred = _blurred(np.concatenate([apart, share[..., None]], axis=2), _MET_WIDTH * side / step)
    depth = distance_transform_edt(small).astype(np.float32) * np.float32(step / (_MET_DEPTH * side))
    fade = np.clip(1 - depth, 0, 1) * share / np.maximum(blurred[..., 3], 1e-3)
    height, width = weight.shape
    for band in range(3):
        over[..., band] += _resized(blurred[..., band] * fade, (width, height)) * inside
    return over


def _blurred(planes: Floats, sigma: float) -> Floats:
    """Planes (h, w, k) under a Gaussian, with nothing around them: scipy's, as two products of matrices."""
    height, width, bands = planes.shape
    rows = _gaussian(height, sigma) @ planes.reshape(height, -1)
    return np.asarray(np.matmul(_gaussian(width, sigma), rows.reshape(height, width, bands)), np.float32)


def _gaussian(size: int, sigma: float) -> Floats:
    """(size, size) weights of a Gaussian that ends after four deviations."""
    reach = int(4 * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(size + reach) / sigma) ** 2)
    bell[reach + 1 :] = 0
    bell /= 2 * bell.sum() - 1
    apart = np.abs(np.arange(size)[:, None] - np.arange(size))
    return np.asarray(bell.astype(np.float32)[apart])


_MET_SIDE = 40
_MET_WIDTH, _MET_DEPTH = 0.07, 0.25
"""How widely the difference is averaged and how far in it is met, in shares of the face's size."""


_SAMPLE = 4000
"""How many pixels are enough to find a mean by."""


_STEPS = np.arange(256) / 255


def _exponents(counts: NDArray[np.int64], means: Floats) -> NDArray[np.float64]:
    """The powers, from 1/8 to 8, that bring the values of bands (n) to `means`, by bisection of their logarithms;
    `counts` (n, 256) says how often each of _STEPS is there."""
    low, high = np.full(len(counts), -3.0), np.full(len(counts), 3.0)
    shares = counts / counts.sum(axis=1, keepdims=True)
    for _ in range(16):
        middle = (low + high) / 2
        brighter = (shares * _STEPS**2.0 ** middle[:, None]).sum(axis=1) > means
        low, high = np.where(brighter, middle, low), np.where(brighter, high, middle)
    return np.asarray(2.0 ** ((low + high) / 2), np.float64)


def _histogram(over: Floats, under: Floats, weight: Floats) -> Floats:
    """The drawn face given the distribution of values of what it covers, per colour band."""
    inside = weight > 0.5
    if not inside.any():
        return over
    result = over.copy()
    for band in range(3):
        have, want = np.sort(over[..., band][inside]), np.sort(under[..., band][inside])
        result[..., band] = np.interp(over[..., band], have, want)
    return result


def _seamless(over: Floats, under: Floats, weight: Floats) -> Floats:
    """Poisson cloning (Pérez et al. 2003): the drawn face plus the smoothest function that meets its surroundings.

    That function is harmonic inside the mask and equals the difference on its edge; it is solved on a small grid.
    """
    height, width = weight.shape
    scale = min(1.0, _MEMBRANE_SIDE / max(height, width))
    grid = (max(3, round(width * scale)), max(3, round(height * scale)))
    inside = _resized(weight, grid) > 0.02
    inside[[0, -1], :] = inside[:, [0, -1]] = False
    if not inside.any():
        return over
    difference = np.stack([_resized((under - over)[..., band], grid) for band in range(3)], axis=-1)
    membrane = _harmonic(difference, inside)
    enlarged = np.stack([_resized(membrane[..., band], (width, height)) for band in range(3)], axis=-1)
    return over + enlarged


def _resized(plane: Floats, size: tuple[int, int]) -> Floats:
    picture = Image.fromarray(np.ascontiguousarray(plane, np.float32), mode=None)
    return np.array(picture.resize(size, Image.Resampling.BILINEAR), np.float32)


def _harmonic(values: Floats, inside: NDArray[np.bool_]) -> Floats:
    """`values` (h, w, 3) with those inside replaced by the solution of Laplace's equation; the border is outside."""
    count = int(inside.sum())
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(count)
    rows, columns = np.nonzero(inside)
    right = np.zeros((count, values.shape[-1]))
    entries = [(np.arange(count), np.arange(count), np.full(count, 4.0))]
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        neighbour = number[rows + dy, columns + dx]
        free = neighbour >= 0
        entries.append((np.flatnonzero(free), neighbour[free], np.full(int(free.sum()), -1.0)))
        right[~free] += values[rows + dy, columns + dx][~free]
    i, j, v = (np.concatenate(part) for part in zip(*entries, strict=True))
    solved = spsolve(csr_matrix((v, (i, j)), shape=(count, count)).tocsc(), right)
    result = values.copy()
    result[inside] = solved.reshape(count, -1)
    return result


COLOURS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "avg-color": _average,
    "match-hist": _histogram,
    "seamless-clone": _seamless,
    "none": _keep,
}
"""Colour matches by faceswap's names; each takes the drawn face, what it covers, and the mask's weight."""
