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


def _steps(brightness: Samples | NDArray[np.float64], payload: int, scale: int) -> NDArray[np.int16]:
    """What to add to the samples of a picture's brightness, of which `scale` make a step of 255."""
    height, width = brightness.shape
    added = _pattern(payload, width, height) * _strength(brightness, scale)
    return np.asarray(np.rint(added), np.int16)


def _strength(brightness: Samples | NDArray[np.float64], scale: int) -> NDArray[np.float32]:
    """How much the picture bears at each pixel, in samples; from the roughness of blocks and their neighbours."""
    height, width = brightness.shape
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    padded = np.pad(brightness, ((0, rows * _BLOCK - height), (0, columns * _BLOCK - width)), mode="edge")
    blocks = padded.reshape(rows, _BLOCK, columns, _BLOCK).astype(np.float32)
    mean, square = blocks.mean(axis=(1, 3)), np.einsum("abcd,abcd->ac", blocks, blocks) / _BLOCK**2
    rough = np.sqrt(np.maximum(square - mean**2, 0)) / scale
    # The calmest of the neighbours: beside an edge lies a smooth wall, on which it would be seen.
    rough = ndimage.minimum_filter(rough, 3)
    bears = np.clip(_LEAST + _SLOPE * rough, _LEAST, _MOST).astype(np.float32) * scale
    return np.asarray(bears.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)[:height, :width], np.float32)


@lru_cache(maxsize=2)
def _pattern(payload: int, width: int, height: int) -> NDArray[np.float32]:
    """The tiles over a whole picture, soft at their chips' edges, of mean square 1."""
    size = chip_size(width, height)
    large = np.kron(tile(payload), np.ones((size, size)))
    soft = ndimage.gaussian_filter(large, size / 4, mode="wrap")
    soft /= np.sqrt((soft**2).mean())
    times = -(-height // len(soft)), -(-width // len(soft))
    return np.tile(soft.astype(np.float32), times)[:height, :width]
