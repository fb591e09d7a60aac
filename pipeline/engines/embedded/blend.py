"""Put a drawn face into its frame: mask, colour match, soft edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from ..align import Matrix, Points, hull_mask, hull_points, invert, transform_points, warp

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
) -> Picture:
    """`frame` with the face `drawn` (size, size, 3) put where `matrix` took it from.

    `mask` is one of MASKS, `colour` one of COLOURS; `face` (size, size) says how far that is face, 0 … 255: the
    rest of it is never shown. `seen` (size, size) says how far the face in the frame is seen, 0 where something lies
    before it. Pixels outside the mask keep their values.
    """
    size = drawn.shape[0]
    back = invert(matrix)
    side = size * float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
    left, top, right, bottom = _touched(back, size, mask, landmarks, _NEAR, frame.shape)
    # A blur of this radius ends within four; it needs the room, nothing is drawn there.
    wide = _touched(back, size, mask, landmarks, 4 * max(1.0, FEATHER * side) + 2, frame.shape)
    room = ((top - wide[1], wide[3] - bottom), (left - wide[0], wide[2] - right))
    if right - left < 2 or bottom - top < 2:
        return frame
    corner = np.array([left, top])
    into_box, box = np.column_stack([back[:, :2], back[:, 2] - corner]), (right - left, bottom - top)
    under = frame[top:bottom, left:right].astype(np.float32)
    covered = _covered(into_box, size, box, landmarks - corner, mask)
    there = covered == 255
    if face is not None and mask != "none":
        covered = np.minimum(covered, warp(face, into_box, box))
    weight = _weight(mask, landmarks - corner, side, covered, room)
    if seen is not None:
        # Without the softness of the mask's edge: what lies before a face ends sharply.
        weight *= warp(seen, into_box, box).astype(np.float32) / np.float32(255)
    if weight.max() <= 0:
        return frame
    over = warp(drawn, into_box, box).astype(np.float32)
    if not there.all():
        over = np.where(there[..., None], over, under)
    over = COLOURS[colour](over, under, weight)
    np.clip(over, 0, 255, out=over)
    over -= under
    over *= weight[..., None]
    over += under
    over += np.float32(0.5)
    result = frame.copy()
    result[top:bottom, left:right] = np.clip(over, 0, 255, out=over).astype(np.uint8)
    return result


def _touched(
    back: Matrix, size: int, mask: str, landmarks: Points, reach: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The part of the frame within `reach` of the mask, as far as the drawn crop goes: left, top, right, bottom."""
    corners = transform_points(back, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
    if mask != "none":
        points = hull_points(landmarks, extended=mask == "extended")
        low = np.maximum(low, np.floor(points.min(axis=0) - reach))
        high = np.minimum(high, np.ceil(points.max(axis=0) + reach))
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
    blurred = drawn
    for radius in _RADII:
        blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius * drawn.shape[0] / 64)))
        if _gradients(blurred) <= want:
            break
    return blurred


BLURRED = 0.6
"""A face with less than this share of the drawn one's gradients is blurred."""
_RADII = (0.6, 0.9, 1.3, 1.8, 2.5, 3.5, 5.0)


def _gradients(crop: Picture) -> float:
    """Mean absolute difference of neighbouring pixels in the middle of a crop."""
    edge = crop.shape[0] // 5
    grey = crop[edge:-edge, edge:-edge].astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _covered(into_box: Matrix, size: int, box: tuple[int, int], landmarks: Points, mask: str) -> NDArray[np.uint8]:
    """255 where the drawn crop lies, without its outermost pixels, into which the warp mixes what is outside."""
    if mask != "none":
        at = transform_points(invert(into_box), hull_points(landmarks, extended=mask == "extended"))
        if at.min() >= _EDGE and at.max() <= size - 1 - _EDGE:
            return np.full(box[::-1], 255, np.uint8)  # the mask is nowhere near the crop's edge
    inner = np.zeros((size, size), np.uint8)
    inner[1:-1, 1:-1] = 255
    return warp(inner, into_box, box)


_EDGE = 4
"""Pixels of the drawn crop within which its edge may show."""


def _weight(
    mask: str, landmarks: Points, side: float, covered: NDArray[np.uint8], room: tuple[tuple[int, int], tuple[int, int]]
) -> Floats:
    """How much of the drawn face shows, 0 … 1, float32 (height, width); fades inwards from the mask's edge.

    `side` is how many frame pixels a side of the crop takes, `room` how many of them lie around the box, rows first.
    """
    if mask != "none":
        box = (covered.shape[1], covered.shape[0])
        covered = np.minimum(covered, hull_mask(landmarks, box, extended=mask == "extended"))
    radius = max(1.0, FEATHER * side)
    blurred = Image.fromarray(np.pad(covered, room)).filter(ImageFilter.GaussianBlur(radius))
    (above, _), (before, _) = room
    soft = np.asarray(blurred)[above : above + covered.shape[0], before : before + covered.shape[1]]
    return np.asarray(_SHOWN[soft])


_SHOWN = np.clip(np.arange(256, dtype=np.float32) / 255 * 2 - 1, 0, 1)
"""How much shows where the blurred mask has each of its values."""


def _keep(over: Floats, _under: Floats, _weight: Floats) -> Floats:
    return over


def _average(over: Floats, under: Floats, weight: Floats) -> Floats:
    """The drawn face brought to the mean colour of what it covers.

    Each band goes through the power curve that gives the mean: black stays black and white stays white, where a
    shift would tint dark glasses and a gain would burn out the forehead. Both pictures hold whole numbers, so a curve
    is a table.
    """
    inside = np.flatnonzero(weight > 0.5)
    if not len(inside):
        return over
    result = np.empty_like(over)
    levels, wanted = over.astype(np.uint8), under.reshape(-1, 3)[inside].mean(axis=0) / 255
    chosen = levels.reshape(-1, 3)[inside[:: max(1, len(inside) // _SAMPLE)]]
    steps = np.arange(256) / 255
    for band in range(3):
        power = _exponent(np.bincount(chosen[:, band], minlength=256), steps, float(wanted[band]))
        (255 * steps**power).astype(np.float32).take(levels[..., band], out=result[..., band])
    return _met(result, under, weight)


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


_MET_SIDE = 96
_MET_WIDTH, _MET_DEPTH = 0.07, 0.25
"""How widely the difference is averaged and how far in it is met, in shares of the face's size."""


_SAMPLE = 4000
"""How many pixels are enough to find a mean by."""


def _exponent(counts: NDArray[np.int64], steps: NDArray[np.float64], mean: float) -> float:
    """The power, from 1/8 to 8, that brings values to `mean`, by bisection of its logarithm; `counts` says how often
    each of `steps` (0 … 1) is there."""
    low, high, number = -3.0, 3.0, int(counts.sum())
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if float(counts @ steps**2.0**middle) / number > mean else (low, middle)
    return float(2.0 ** ((low + high) / 2))


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
