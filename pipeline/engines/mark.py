"""The mark in the pixels of swapped frames: forty bits that outlive tags and signatures when a film is encoded anew.

It is a tile of chips (`mark_code`) repeated over the picture, added to its brightness: by one or two of 255 steps where
the picture is smooth, more where it is rough and nobody sees it. Frames without a swapped face stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .frames import Change, Frame
from .mark_code import tile
from .pixels import Samples, brightened

__all__ = ["chip_size", "marked"]

_LEAST, _SLOPE, _MOST = 1.0, 0.15, 2.6
"""Steps of 255: in a smooth picture, more for each step of standard deviation around, and the most."""
_BLOCK = 8
"""Pixels along the edge of the blocks in which roughness is measured."""


def chip_size(width: int, height: int) -> int:
    """Pixels along a chip's edge in a picture of that size: it survives being made a half smaller."""
    return max(4, round(min(width, height) / 180))


def marked(made: Iterator[tuple[Frame, Change]], payload: int) -> Iterator[tuple[Frame, Change]]:
    """The frames with what becomes of each, those that change with the mark; frames that stay, stay."""
    for frame, change in made:
        yield frame, change if change is None else _with_mark(change, payload)


def _with_mark(change: Change, payload: int) -> Change:
    if isinstance(change, np.ndarray):
        # Rounded up or down for all three colours alike, so that no hue moves.
        steps = _steps(change.mean(axis=2), payload, 1)
        return np.clip(change + steps[..., None], 0, 255).astype(np.uint8)
    return brightened(change, lambda samples, scale: _steps(samples, payload, scale))


def _steps(brightness: Samples | NDArray[np.float64], payload: int, scale: int) -> NDArray[np.int8] | NDArray[np.int16]:
    """What to add to the samples of a picture's brightness, of which `scale` make a step of 255."""
    height, width = brightness.shape
    pattern = _pattern(payload, width, height)
    bears = _strength(brightness, scale).repeat(_BLOCK, axis=1)[:, None]
    # A pattern of mean square 1 is never so strong that a step of 255 adds more than a byte holds.
    added = np.empty(pattern.shape, np.int8 if scale == 1 else np.int16)
    for some in _strips(len(pattern)):
        steps = pattern[some] * bears[some]
        added[some] = np.rint(steps, out=steps)
    return added.reshape(len(pattern) * _BLOCK, -1)[:height, :width]


def _strips(rows: int) -> Iterator[slice]:
    """Rows of blocks, a few at a time: what is worked on stays in the processor's cache."""
    return (slice(start, start + _AT_ONCE) for start in range(0, rows, _AT_ONCE))


_AT_ONCE = 8


def _strength(brightness: Samples | NDArray[np.float64], scale: int) -> NDArray[np.float32]:
    """How much the picture bears in each block (rows, columns), in samples; from the roughness of it and its
    neighbours."""
    height, width = brightness.shape
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    more = ((0, rows * _BLOCK - height), (0, columns * _BLOCK - width))
    padded = np.pad(brightness, more, mode="edge") if more != ((0, 0), (0, 0)) else brightness
    lines = padded.reshape(rows, _BLOCK, columns * _BLOCK)
    rough = np.empty((rows, columns), np.float32)
    for some in _strips(rows):
        values = lines[some].astype(np.float32)
        mean, square = (_block_means(part) for part in (values, values * values))
        rough[some] = np.sqrt(np.maximum(square - mean**2, 0)) / scale
    # The calmest of the neighbours: beside an edge lies a smooth wall, on which it would be seen.
    rough = ndimage.minimum_filter(rough, 3)
    return np.asarray(np.clip(_LEAST + _SLOPE * rough, _LEAST, _MOST) * scale, np.float32)


def _block_means(lines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of blocks, (rows, columns), from lines (rows, _BLOCK, columns * _BLOCK)."""
    # Products with ones are the quickest sums; of eight bits they are whole numbers, exact in any order.
    added = (_ONES @ lines).reshape(len(lines), -1, _BLOCK) @ _ONES
    return np.asarray(added / np.float32(_BLOCK**2), np.float32)


_ONES = np.ones(_BLOCK, np.float32)


@lru_cache(maxsize=2)
def _pattern(payload: int, width: int, height: int) -> NDArray[np.float32]:
    """The tiles over a whole picture in rows of blocks, (rows, _BLOCK, columns * _BLOCK), soft at their chips' edges,
    of mean square 1."""
    size = chip_size(width, height)
    large = np.kron(tile(payload), np.ones((size, size)))
    soft = ndimage.gaussian_filter(large, size / 4, mode="wrap")
    soft /= np.sqrt((soft**2).mean())
    high, wide = -(-height // _BLOCK) * _BLOCK, -(-width // _BLOCK) * _BLOCK
    tiles = np.tile(soft.astype(np.float32), (-(-high // len(soft)), -(-wide // len(soft))))
    return np.ascontiguousarray(tiles[:high, :wide]).reshape(-1, _BLOCK, wide)
