"""A person's face as it is with nothing before it, laid under a picture: what differs from it lies before the face.

A person's uncovered faces are bent to their mean shape. Their mean there, the ways in which they differ most
(eigenfaces: Turk and Pentland 1991) and light from any side are fitted to a picture so that what does not fit counts
for less each time (iteratively reweighted least squares). What is left is told in shares of what is usually left there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from ...align import hull_mask
from ..bending import flattened, places_of, sample

__all__ = ["Ground", "apart", "ground_of", "quartered", "unlike_others"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

WAYS = 24
"""So many ways in which a person's faces differ are followed."""
_COARSE = 4
"""A face is fitted in every fourth pixel."""
_ROOM = (6.0, 4.0, 2.5, 1.7, 1.7, 1.7)
"""How far beside it, in what is usual, a pixel may lie before it counts for little, step by step."""
_ALIKE = 1 / 6
"""What a pixel counts for: its neighbours say much the same."""
_LIGHT = (0.25, 0.25, 0.15, 0.15)
"""How much light there may be more: everywhere, from one side, from above, and on one half of the face."""
_LEAST, _UNKNOWN = 0.015, 0.06
"""What is usually left, in shares of full, at least; and where there are too few faces to know."""
_PARTS, _FEW = 5, 4
"""Each fifth of the faces is compared with what the rest says, for what is held before a face is there in faces that
follow each other; fewer faces than _FEW a part tell nothing."""
_PLACE, _FAR, _SUSPECT = 9, 2.0, 0.05
"""Pixels across a place, how strange it is on the average (as `apart` has it) where something lies before the face, and
the share of the face that must be."""
_TOUCHED, _FILLED = 64, 3
"""From which share (of 255) on a pixel of a bent face is hidden, and how often hidden ones are filled."""
_RUN = 12
"""Faces that follow each other are alike: what is left is measured on other runs of so many than are known."""


@dataclass(frozen=True)
class Ground:
    """One person's uncovered face on a canvas of s pixels, in shares of full.

    `shape` (68, 2) are its landmarks, `mean` (s, s, 3) is the face there, `ways` (k, s, s, 3) are what it may have more
    of, each as much as is usual, and `left` (s, s, 3) is what is usually left when it has been fitted.
    """

    shape: Doubles
    mean: Floats
    ways: Floats
    left: Floats

    @cached_property
    def thumbs(self) -> _Thumbs:
        """What is fitted, worked out when it is first asked for."""
        return _thumbs_of(self)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The parts by name, to be saved; `ways` at half the precision, which is finer than pictures are."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**arrays, "ways": self.ways.astype(np.float16)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Ground:
        """What `to_arrays` gave. Raises KeyError where a part is missing."""
        shape, *rest = (arrays[field.name] for field in fields(cls))
        return cls(np.asarray(shape, np.float64), *(np.asarray(part, np.float32) for part in rest))


def ground_of(images: Bytes, shapes: Doubles, hidden: NDArray[np.bool_] | None = None) -> Ground:
    """The ground of one person's faces (n, s, s, 3) with landmarks (n, 68, 2), which come in their order; what is
    `hidden` (n, s, s) of them is told from the others."""
    shape = shapes.mean(axis=0)
    flat = flattened(images, shapes, shape) / np.float32(255)
    if hidden is not None and hidden.any():
        lids = np.broadcast_to(hidden[..., None], images.shape) * np.uint8(255)
        flat = _filled(flat, flattened(lids, shapes, shape) > _TOUCHED, shape)
    runs = np.array_split(np.arange(len(flat)), max(2, len(flat) // _RUN))
    known, others = (flat[np.concatenate(runs[first::2])] for first in (0, 1))
    unknown = np.full(flat.shape[1:], _UNKNOWN, np.float32)
    if not len(others):
        return _built(flat, shape, unknown)
    found = np.abs(others - _fitted(_built(known, shape, unknown), others)[0])
    # Two thirds of what is left are below this, also where a fifth of the faces is covered and nobody said so.
    usual = np.quantile(found, 0.68, axis=0).astype(np.float32)
    return _built(flat, shape, np.maximum(_smoothed(usual), np.float32(_LEAST)))


def _filled(flat: Floats, hidden: NDArray[np.bool_], shape: Doubles) -> Floats:
    """Faces (n, s, s, 3) of one shape with what the others say in place of what is `hidden` (n, s, s, 3) of them: the
    mean at first, then what a ground of the faces as they were filled last lays there."""
    seen = ~hidden
    count = seen.sum(axis=0)
    mean = np.where(count > 0, (flat * seen).sum(axis=0) / np.maximum(count, 1), flat.mean(axis=0))
    filled = np.where(hidden, mean, flat).astype(np.float32)
    for _ in range(_FILLED):
        laid, _ = _fitted(_built(filled, shape, np.full(flat.shape[1:], _UNKNOWN, np.float32)), filled)
        filled = np.where(hidden, laid, flat)
    return filled


def apart(grounds: Sequence[Ground], images: Bytes, shapes: Doubles, whose: NDArray[np.int64] | None = None) -> Floats:
    """How far pictures (n, s, s, 3) with landmarks (n, 68, 2) differ from the grounds whose numbers `whose` (n,) says,
    None: from that which fits each best; float32, in shares of what is usual, and beyond that like its logarithm."""
    best = np.full(len(images), np.inf, np.float32)
    found = np.zeros(images.shape, np.float32)
    for number, ground in enumerate(grounds):
        rows = np.arange(len(images)) if whose is None else np.flatnonzero(whose == number)
        if not len(rows):
            continue
        laid, misfit = _fitted(ground, flattened(images[rows], shapes[rows], ground.shape) / np.float32(255))
        better = misfit < best[rows]
        rows, laid = rows[better], laid[better]
        if len(rows):
            best[rows] = misfit[better]
            found[rows] = _beside(ground, laid, images[rows], shapes[rows])
    return np.arcsinh(found)


def unlike_others(images: Bytes, shapes: Doubles) -> NDArray[np.bool_]:
    """Which of one person's faces, which come in their order, differ in one place from what all others say (n,): there
    may be something before them, though nobody said so. Never more than half; none where there are few faces."""
    parts = np.array_split(np.arange(len(images)), _PARTS)
    if len(parts[-1]) < _FEW:
        return np.zeros(len(images), np.bool_)
    shares = np.empty(len(images), np.float32)
    for part in parts:
        others = np.setdiff1d(np.arange(len(images)), part)
        strange = np.abs(apart((ground_of(images[others], shapes[others]),), images[part], shapes[part])).mean(axis=3)
        size = images.shape[1]
        hulls = np.stack([hull_mask(shape, (size, size), extended=True) for shape in shapes[part]]) > 0
        far = uniform_filter(strange, (1, _PLACE, _PLACE)) > _FAR
        shares[part] = (far & hulls).sum(axis=(1, 2)) / np.maximum(hulls.sum(axis=(1, 2)), 1)
    return np.asarray(shares > max(_SUSPECT, 2 * float(np.median(shares))))


def _beside(ground: Ground, laid: Floats, images: Bytes, shapes: Doubles) -> Floats:
    """What pictures have more than what was `laid` under them in the ground's shape, in shares of what is usual."""
    size = images.shape[1]
    both = np.concatenate([laid, np.broadcast_to(ground.left, laid.shape)], axis=3)
    under = sample(both, places_of(ground.shape, shapes, size, size))
    return np.asarray((images / np.float32(255) - under[..., :3]) / under[..., 3:], np.float32)


def _built(flat: Floats, shape: Doubles, left: Floats) -> Ground:
    mean = flat.mean(axis=0)
    moved = (flat - mean).reshape(len(flat), -1)
    values, rows = np.linalg.eigh(moved @ moved.T)
    most = np.argsort(values)[::-1][: min(WAYS, len(flat) - 1)]
    most = most[values[most] > 1e-4]
    # Of length one they would be rows.T @ moved / sqrt(values); a usual amount is sqrt(values / n) of that.
    ways = (rows[:, most].T @ moved / np.sqrt(len(flat))).reshape(-1, *mean.shape)
    return Ground(shape, mean, np.concatenate([ways, _lights(mean)]).astype(np.float32), left)


def _lights(mean: Floats) -> Floats:
    """More light of each colour on a face: everywhere, from the right, from below, and on one half only."""
    axis = np.linspace(-1, 1, len(mean), dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    lights = []
    for strength, light in zip(_LIGHT, (np.ones_like(x), x, y, np.tanh(6 * x)), strict=True):
        for band in range(3):
            more = np.zeros_like(mean)
            more[..., band] = strength * light * mean[..., band]
            lights.append(more)
    return np.stack(lights)


@dataclass(frozen=True, slots=True)
class _Thumbs:
    """A ground in the p numbers, a quarter of the size, that lie in the face: which of all they are (`used`), how far
    each is `face`, the `mean`, what is usually `left`, and the ways (k, p) in shares of that (`known`)."""

    used: NDArray[np.bool_]
    face: Floats
    mean: Floats
    left: Floats
    known: Floats


def _thumbs_of(ground: Ground) -> _Thumbs:
    size = len(ground.mean)
    hull = np.asarray(hull_mask(ground.shape, (size, size), extended=True), np.float32) / np.float32(255)
    face = np.repeat(quartered(hull[None, ..., None]).ravel(), 3)
    used = face > 0
    left = quartered(ground.left[None]).ravel()[used]
    known = quartered(ground.ways).reshape(len(ground.ways), -1)[:, used] / left
    return _Thumbs(used, face[used], quartered(ground.mean[None]).ravel(), left, known)


def _fitted(ground: Ground, flat: Floats) -> tuple[Floats, Floats]:
    """What of a ground lies under faces (n, s, s, 3) of its shape, and how badly it fits each (n,)."""
    small = ground.thumbs
    face, known = small.face, small.known
    wanted = (quartered(flat).reshape(len(flat), -1) - small.mean)[:, small.used] / small.left
    amounts = np.zeros((len(flat), len(known)), np.float32)
    for room in _ROOM:
        strange = ((wanted - amounts @ known) ** 2).reshape(len(flat), -1, 3).mean(axis=2)
        trust = np.repeat((1 + strange / room**2) ** -2, 3, axis=1) * face * np.float32(_ALIKE)
        weighted = known * trust[:, None]
        system = weighted @ known.T + np.eye(len(known), dtype=np.float32)
        amounts = np.linalg.solve(system, weighted @ wanted[..., None])[..., 0]
    misfit = np.minimum(np.abs(wanted - amounts @ known), 4) @ face / max(float(face.sum()), 1.0)
    laid = ground.mean + (amounts @ ground.ways.reshape(len(known), -1)).reshape(flat.shape)
    return laid.astype(np.float32), misfit.astype(np.float32)


def quartered(pictures: NDArray[Any]) -> Floats:
    """Pictures (n, s, s, k) at a quarter of the size."""
    count, size, _, bands = pictures.shape
    cells = (count, size // _COARSE, _COARSE, size // _COARSE, _COARSE, bands)
    return np.asarray(pictures.reshape(cells).mean(axis=(2, 4)), np.float32)


def _smoothed(left: Floats) -> Floats:
    """Without what a single pixel's chance makes of it."""
    size = len(left)
    bands = [
        Image.fromarray(np.ascontiguousarray(left[..., band]))
        .resize((size // _COARSE, size // _COARSE), Image.Resampling.BOX)
        .resize((size, size), Image.Resampling.BILINEAR)
        for band in range(3)
    ]
    return np.stack([np.asarray(band, np.float32) for band in bands], axis=2)
