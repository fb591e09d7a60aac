"""Brows put where a face's picture shows them: a detector's landmarks stay low when somebody raises them high.

Then brows stand in a person's mean picture as broad shadows, and who is drawn does not raise them. But a person's brows
look alike in all pictures: each brow, with what is around it, is looked for a little higher and lower in the face bent
to the mean shape (normalised cross correlation, Lewis 1995). What it looks like is learnt from the faces themselves:
as in one of them to which the others are most alike, then as in most of them (congealing, Learned-Miller 2006).

Shapes are float64 (n, 68, 2) in pixels of a canvas of c; pictures are uint8 (n, c, c, 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evenly import evenly
from .bending import flattened

__all__ = ["brow_moves", "settle_brows"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

_BROWS = (slice(17, 22), slice(22, 27))
_UP, _DOWN = 0.08, 0.02
"""How much higher and lower than its landmarks a brow is looked for, in canvas sides: the lids are below it."""
_ABOVE, _BELOW, _BESIDE = 0.05, 0.035, 0.015
"""What of the face around a brow's landmarks is compared, in canvas sides."""
_HARDLY, _PLAINLY = 0.02, 0.08
"""So much more alike it must be elsewhere, as a correlation, before landmarks begin to move, and move all the way."""
_CANDIDATES, _ROUNDS = 9, 2
_FAR = 0.25
"""What a correlation is worth against brows that lie far from their landmarks, in canvas sides."""


def settle_brows(images: Bytes, shapes: Doubles) -> Doubles:
    """Landmarks of one person's faces, with brows where they are seen."""
    mean = shapes.mean(axis=0)
    flat = _grey(flattened(images, shapes, mean))
    template = flat.mean(axis=0)
    for brow in _BROWS:
        where = _Window.around(mean[brow], len(template))
        template[where.rows, where.columns] = _common(flat, where)
    moved = shapes + _moves(flat, template, mean)
    return moved + _moves(_grey(flattened(images, moved, mean)), template, mean)


def brow_moves(flat: Floats, template: Floats, mean: Doubles) -> Doubles:
    """How landmarks must move (n, 68, 2) so that brows are where they are seen, of faces bent to the shape `mean`
    (68, 2), `flat` (n, c, c, 3), of somebody who looks like `template` (c, c, 3) there."""
    return _moves(_grey(flat), _grey(template), mean)


def _grey(pictures: Floats) -> Floats:
    return np.asarray(pictures.mean(axis=-1), np.float32)


def _moves(flat: Floats, template: Floats, mean: Doubles) -> Doubles:
    moves = np.zeros((len(flat), *mean.shape))
    for brow in _BROWS:
        where = _Window.around(mean[brow], len(template))
        further, _ = _found(flat, template[where.rows, where.columns], where)
        moves[:, brow, 1] = further[:, None]
    return moves


@dataclass(frozen=True, slots=True)
class _Window:
    """The `rows` and `columns` of a brow and what is around it, and the steps `up` and `down` that it may be moved."""

    rows: slice
    columns: slice
    up: int
    down: int

    @classmethod
    def around(cls, brow: Doubles, size: int) -> _Window:
        low = brow.min(axis=0) - size * np.array([_BESIDE, _ABOVE])
        high = brow.max(axis=0) + size * np.array([_BESIDE, _BELOW])
        left, top = np.clip(low, 0, size - 2).astype(int)
        right, bottom = np.clip(np.ceil(high), 1, size - 1).astype(int) + 1
        up, down = min(round(_UP * size), top), min(round(_DOWN * size), size - bottom)
        return cls(slice(top, bottom), slice(left, right), up, down)

    def parts(self, flat: Floats, step: int) -> Floats:
        """What lies there, `step` rows further down, in pictures (n, c, c)."""
        return flat[:, self.rows.start + step : self.rows.stop + step, self.columns]


def _common(flat: Floats, where: _Window) -> Floats:
    """What one person's brow looks like: as in that picture to which the others are most alike with the least moves,
    and then as in most of them."""
    size = flat.shape[1]
    best, template = -np.inf, flat[0, where.rows, where.columns]
    for number in evenly(len(flat), _CANDIDATES):
        candidate = flat[number, where.rows, where.columns]
        further, alike = _found(flat, candidate, where)
        worth = float(np.mean(alike) - np.mean(np.abs(further)) / (_FAR * size))
        if worth > best:
            best, template = worth, candidate
    for _ in range(_ROUNDS):
        further, _ = _found(flat, template, where)
        steps = np.rint(further).astype(int)
        parts = [where.parts(flat[row : row + 1], int(step))[0] for row, step in enumerate(steps)]
        template = np.median(parts, axis=0).astype(np.float32)
    return template


def _found(flat: Floats, wanted: Floats, where: _Window) -> tuple[Doubles, Floats]:
    """How many pixels further down than in the mean shape a brow that looks as `wanted` lies in each face (n,), and how
    alike it is there (n,)."""
    steps = range(-where.up, where.down + 1)
    scores = np.stack([_alike(where.parts(flat, step), wanted) for step in steps], axis=1)
    best, rows = scores.argmax(axis=1), np.arange(len(flat))
    inner = np.clip(best, 1, scores.shape[1] - 2)
    before, at, after = (scores[rows, inner + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    beside = np.where((inner == best) & (bend < 0), (before - after) / np.where(bend < 0, 2 * bend, 1), 0)
    share = np.clip((scores[rows, best] - scores[rows, where.up] - _HARDLY) / (_PLAINLY - _HARDLY), 0, 1)
    return np.asarray(share * (best - where.up + beside), np.float64), scores[rows, best]


def _alike(parts: Floats, wanted: Floats) -> Floats:
    """The correlation of each part (n, h, w) with what is wanted (h, w)."""
    parts, wanted = parts.reshape(len(parts), -1), wanted.ravel()
    parts, wanted = parts - parts.mean(axis=1, keepdims=True), wanted - wanted.mean()
    lengths = np.linalg.norm(parts, axis=1) * np.linalg.norm(wanted)
    return np.asarray(parts @ wanted / np.maximum(lengths, 1e-6), np.float32)
