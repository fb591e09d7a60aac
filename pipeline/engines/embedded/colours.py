"""The colours of a drawn face brought to those of what it covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from ..align import Matrix, warp

__all__ = ["COLOURS", "Under", "in_bytes", "span"]

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Under:
    """What lies under a drawn face: the frame as `matrix` sees it."""

    frame: Picture
    matrix: Matrix

    def every(self, step: int, size: int) -> Floats:
        """Every `step`th row and column of a crop of `size`, with what lies around each averaged: float32."""
        return warp(self.frame, self.matrix / step, -(-size // step)).astype(np.float32)


def in_bytes(values: Floats | NDArray[np.float64]) -> Picture:
    """The values rounded, within 0 … 255."""
    return np.asarray(np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8))


def span(used: NDArray[np.bool_], axis: int) -> slice:
    """From the first row (`axis` 0) or column (1) that is used to the last."""
    found = np.flatnonzero(used.any(axis=1 - axis))
    return slice(int(found[0]), int(found[-1]) + 1)


def _keep(over: Picture, _under: Under, _weight: Floats) -> Picture:
    return over


def _average(over: Picture, under: Under, weight: Floats) -> Picture:
    """The drawn face brought to the mean colour of what it covers.

    Each band that must be brighter goes through the power curve that gives the mean: black stays black and white stays
    white, where a shift would tint dark glasses and a gain would burn out the forehead. What is fine keeps most of its
    contrast: a dark face brought to a light one by the curve alone has brows and nostrils of half the strength. Along
    the mask's edge nothing is stronger than the curve has it, or the edge would show; there it meets the colours around
    it. A band that must be darker gets less light: the curve would give a pale face brows of ink and lips of paint.

    All but the curves is smooth, so it is worked out on a grid of _MET_SIDE points across the face.
    """
    shown = weight > 0
    side = float(np.sqrt(np.count_nonzero(shown)))
    step = max(1, int(side / _MET_SIDE))
    levels, inside = over[::step, ::step], shown[::step, ::step]
    most = weight[::step, ::step] > 0.5
    if not most.any():
        return over
    behind = under.every(step, len(over))
    wanted = behind[most].mean(axis=0) / 255
    powers = _exponents(np.stack([np.bincount(band, minlength=256) for band in levels[most].T]), wanted)
    darker, powers = powers > 1, np.minimum(powers, 1)
    fine = powers + _CONTRAST * (1 - powers)
    plain, tables = ((255 * _STEPS ** power[:, None]).astype(np.float32) for power in (powers, fine))
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1].astype(np.float32) * np.float32(step / side)
    gain = (_coarse(levels, inside, side / step) / np.float32(255)) ** (powers - fine).astype(np.float32)
    usual, made = (np.stack([table[k].take(levels[..., k]) for k in range(3)], axis=2) for table in (plain, tables))
    made *= gain
    scale = 255 * wanted / np.maximum(made[most].mean(axis=0), 1)
    inner = np.maximum(np.clip(depth / np.float32(_RIM), 0, 1)[..., None], darker.astype(np.float32))
    share = gain * (scale * inner)
    met = _met(np.clip(usual * (1 - inner) + made * scale * inner, 0, 255), behind, inside, depth, side / step)
    coarse = np.concatenate([1 - inner, share, met], axis=2).astype(np.float32)
    return _curved(over, shown, step, (plain, tables), np.moveaxis(coarse, 2, 0))


def _curved(
    over: Picture, shown: NDArray[np.bool_], step: int, tables: tuple[Floats, Floats], coarse: Floats
) -> Picture:
    """`over` where it is shown through two tables a band, (3, 256) each: as much of them as `coarse` (9, h, w) says,
    which holds every `step`th point: for each band one plane for the first table, then for each one for the second,
    then for each what to add."""
    rows, columns = (_with_more(span(shown, axis), len(over)) for axis in (0, 1))
    ways = [_between(part, step, size) for part, size in zip((rows, columns), coarse.shape[1:], strict=True)]
    usual, shares, added = (ways[0] @ coarse @ ways[1].T).reshape(3, 3, rows.stop - rows.start, -1)
    result = over.copy()
    for band in range(3):
        levels = over[rows, columns, band].astype(np.intp)
        # No level is outside the tables: a mode other than "raise" spares the look whether any is.
        plain, made = (table[band].take(levels, mode="clip") for table in tables)
        made *= shares[band]
        plain *= usual[band]
        made += plain
        np.clip(made, 0, 255, out=made)
        made += added[band]
        made += np.float32(0.5)
        result[rows, columns, band] = np.clip(made, 0, 255, out=made)
    return result


def _with_more(part: slice, size: int) -> slice:
    """With what a bicubic enlargement mixes into its edge."""
    return slice(max(0, part.start - _MORE), min(size, part.stop + _MORE))


_MORE = 3


def _between(part: slice, step: int, size: int) -> Floats:
    """(length of the part, size) weights that interpolate every `step`th pixel of a row."""
    at = np.minimum(np.arange(part.start, part.stop) / step, size - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(size)), 0, None), np.float32)


_CONTRAST = 0.7
"""How much of its contrast what is fine keeps under the curve: 0 as the curve has it, 1 all."""
_RIM = 0.4
"""As far from the mask's edge, in shares of the face's size, does what is fine keep its contrast."""
_COARSE_WIDTH, _DARKEST = 0.1, 12.0
"""How widely a face is averaged to tell what is coarse in it, in shares of its size; it is taken for no darker than
this."""


def _coarse(levels: Picture, inside: NDArray[np.bool_], side: float) -> Floats:
    """What is left of the drawn face (h, w, 3) without anything fine; outside of it as at its edge. `side` is the
    face's size on that grid."""
    share = inside.astype(np.float32) + np.float32(1e-4)
    planes = np.concatenate([levels * share[..., None], share[..., None]], axis=2)
    blurred = _blurred(planes, max(_COARSE_WIDTH * side, 0.5))
    return np.clip(blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-9), _DARKEST, 255)


def _met(over: Floats, behind: Floats, inside: NDArray[np.bool_], depth: Floats, side: float) -> Floats:
    """What to add so that the drawn face meets the colours around it along the mask's edge, less the further in.

    That is the difference of the two, averaged so widely that no feature is in it.
    """
    share = inside.astype(np.float32)
    apart = (behind - over) * share[..., None]
    blurred = _blurred(np.concatenate([apart, share[..., None]], axis=2), _MET_WIDTH * side)
    fade = np.clip(1 - depth / np.float32(_MET_DEPTH), 0, 1) * share / np.maximum(blurred[..., 3], 1e-3)
    return np.asarray(blurred[..., :3] * fade[..., None], np.float32)


def _blurred(planes: Floats, sigma: float) -> Floats:
    """Square planes (s, s, k) under a Gaussian, with nothing around them: scipy's, as two products of matrices."""
    size, _, bands = planes.shape
    bell = _gaussian(size, sigma)
    rows = bell @ planes.reshape(size, -1)
    return np.asarray(np.matmul(bell, rows.reshape(size, size, bands)), np.float32)


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


def _histogram(over: Picture, under: Under, weight: Floats) -> Picture:
    """The drawn face given the distribution of values of what it covers, per colour band."""
    inside = weight > 0.5
    if not inside.any():
        return over
    result, behind = over.copy(), under.every(1, len(over))
    for band in range(3):
        have, want = np.sort(over[..., band][inside]), np.sort(behind[..., band][inside])
        result[..., band] = in_bytes(np.interp(over[..., band], have, want))
    return result


def _seamless(over: Picture, under: Under, weight: Floats) -> Picture:
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
    apart = under.every(1, len(over)) - over
    difference = np.stack([_resized(apart[..., band], grid) for band in range(3)], axis=-1)
    membrane = _harmonic(difference, inside)
    enlarged = np.stack([_resized(membrane[..., band], (width, height)) for band in range(3)], axis=-1)
    return in_bytes(over + enlarged)


def _resized(plane: Floats, size: tuple[int, int]) -> Floats:
    picture = Image.fromarray(np.ascontiguousarray(plane, np.float32), mode=None)
    return np.array(picture.resize(size, Image.Resampling.BILINEAR), np.float32)


_MEMBRANE_SIDE = 96
"""Side of the grid on which the seamless clone is solved; what it adds is smooth and can be enlarged."""


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


COLOURS: dict[str, Callable[[Picture, Under, Floats], Picture]] = {
    "avg-color": _average,
    "match-hist": _histogram,
    "seamless-clone": _seamless,
    "none": _keep,
}
"""Colour matches by faceswap's names; each takes the drawn face, what lies under it, and the mask's weight."""
