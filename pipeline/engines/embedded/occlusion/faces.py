"""Faces as the occlusion net sees them, with what people said and painted of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...base import EngineError
from ..data import FaceStack
from ..look import choose
from .net import SIDE, hull_plane

__all__ = ["Faces", "canvases", "faces_of", "mask_of"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST = 200
"""So many faces of a side are enough to know what is face."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces as the net sees them: `images` uint8 (n, SIDE, SIDE, 3), `shapes` (n, 68, 2) on them, `names` of files.

    Where `told` (n,) is True people say that the face is covered; `whose` (n,) is the number of its side. `marks` bool
    (n, SIDE, SIDE) is what they painted as covering it, False everywhere for faces on which nobody painted.
    """

    images: Bytes
    shapes: Doubles
    names: tuple[str, ...]
    told: NDArray[np.bool_]
    whose: NDArray[np.int64]
    marks: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def painted(self) -> NDArray[np.int64]:
        """The rows of faces on which people painted."""
        return np.flatnonzero(self.marks.any(axis=(1, 2)))

    def shares(self, found: Floats) -> Floats:
        """How much of each face is covered (n,), by how likely each pixel is `found` to be, (n, SIDE, SIDE)."""
        hulls = np.stack([hull_plane(shape) for shape in self.shapes]) > 0
        covered = (found > 0.5) & hulls
        return np.asarray(covered.sum(axis=(1, 2)) / np.maximum(hulls.sum(axis=(1, 2)), 1), np.float32)


def faces_of(stacks: Sequence[FaceStack], told: Collection[str], painted: Mapping[str, str] | None = None) -> Faces:
    """Faces of both sides, A's first, MOST of each spread evenly and all that are `painted` (see `TrainRequest`).

    `told` are the names of those that people call covered, which painted ones are without being told."""
    marks = {name: mask_of(text) for name, text in (painted or {}).items()}
    images, shapes, names, whose = [], [], [], []
    drawn: list[NDArray[np.bool_]] = []
    nothing = np.zeros((SIDE, SIDE), bool)
    for number, stack in enumerate(stacks):
        own = {} if number else marks
        few = stack.chosen[choose(len(stack.chosen), MOST)]
        more = [n for n, name in enumerate(stack.names) if name in own and n not in few]
        rows = np.sort(np.concatenate([few, np.array(more, np.int64)]))
        place = {int(n): at for at, n in enumerate(stack.chosen)}
        images.append(canvases([stack.detailed[place[n]] if n in place else stack.images[n] for n in rows.tolist()]))
        shapes.append(stack.shapes[rows] * (SIDE / stack.images.shape[1]))
        names += [stack.names[n] for n in rows]
        whose += [number] * len(rows)
        drawn += [own.get(stack.names[n], nothing) for n in rows]
    masks = np.stack(drawn)
    called = np.array([name in told for name in names], bool) | masks.any(axis=(1, 2))
    return Faces(np.concatenate(images), np.concatenate(shapes), tuple(names), called, np.array(whose), masks)


def mask_of(text: str) -> NDArray[np.bool_]:
    """bool (SIDE, SIDE) of a square mask's hexadecimal bits. Raises EngineError for what is none."""
    try:
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    except ValueError:
        bits = np.zeros(0, np.uint8)
    side = math.isqrt(len(bits))
    if not side or side * side != len(bits):
        raise EngineError(
            "What people painted over a face is no square mask. Make the bundle again: galloway bundle make"
        )
    mask = Image.fromarray(bits.reshape(side, side) * np.uint8(255))
    return np.asarray(mask.resize((SIDE, SIDE), Image.Resampling.BILINEAR)) > 127


def canvases(images: Sequence[Bytes] | Bytes) -> Bytes:
    """Square pictures of any one size at SIDE, uint8."""
    turned = [np.asarray(Image.fromarray(item).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for item in images]
    return np.stack(turned)
