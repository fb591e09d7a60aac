"""How well patches of one picture are found again in others, and pictures small enough to be compared as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

__all__ = ["FITTING", "QUARTER", "patch_fits", "quartered"]

FITTING = 600.0
"""A patch that fits better is taken for the same: the mean square of what colours, of 255, differ by."""
QUARTER = 4
"""Pixels across one of a small picture."""


def quartered(pictures: NDArray[Any]) -> NDArray[np.float32]:
    """Pictures (n, s, s, k) at a quarter of the size."""
    count, size, _, bands = pictures.shape
    cells = (count, size // QUARTER, QUARTER, size // QUARTER, QUARTER, bands)
    return np.asarray(pictures.reshape(cells).mean(axis=(2, 4)), np.float32)


def patch_fits(
    image: NDArray[Any], others: NDArray[Any], way: int, patch: int, still: float
) -> Iterator[tuple[tuple[slice, slice, slice], NDArray[np.float32]]]:
    """How badly patches of `patch` pixels around those of an image (s, s, 3) fit each of the others (n, s, s, 3), moved
    by up to `way` pixels along and down, which costs `still` times its square: the mean square of what colours differ
    by, (n, s, s), for each move, with the part of the others, were they `way` pixels wider on each side, that it is."""
    size = len(image)
    wide = np.pad(others.astype(np.float32), ((0, 0), (way, way), (way, way), (0, 0)), mode="edge")
    wanted = image.astype(np.float32)
    for down in range(2 * way + 1):
        for along in range(2 * way + 1):
            part = (slice(None), slice(down, down + size), slice(along, along + size))
            off = wide[part] - wanted
            fits = uniform_filter(np.einsum("nijk,nijk->nij", off, off) / np.float32(3), (0, patch, patch))
            yield part, fits + np.float32(still * ((down - way) ** 2 + (along - way) ** 2))
