"""Faces as training data: aligned once, then turned, moved, relit and warped anew for every batch.

The model is shown a distorted face and asked for the undistorted one, so that what it learns is the person and not the
picture; both are cut from the same randomly moved crop. Everything is NumPy and a function of the generator given.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....curation.errors import FacesetError
from ....curation.faceset.png.headers import read_png
from ..align import (
    FACE_SPAN,
    Matrix,
    Points,
    face_matrix,
    head_matrix,
    hull_mask,
    invert,
    transform_points,
    warp,
)
from ..base import EngineError
from .bending import sample
from .detail import DETAIL
from .look import Look, choose, fit

__all__ = [
    "MARGIN",
    "Batch",
    "FaceStack",
    "canvas_matrix",
    "centre_crops",
    "composed",
    "load_faces",
    "make_batch",
    "side_of",
]

MARGIN = 1.25
"""Faces are kept a quarter larger than the model sees them, so that moving a crop does not run out of picture."""
_MEASURED = 40
"""So many faces, spread evenly, say how large a person's are."""
_GRID = 5
"""The warp is given on 5 x 5 points and interpolated between them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceStack:
    """The faces of one side on canvases of c = MARGIN * size pixels.

    `images` are uint8 (n, c, c, 3) RGB, `masks` uint8 (n, c, c), 0 or 255, `shapes` float64 (n, 68, 2) the landmarks.
    The faces `chosen` stand in `detailed` a second time, on canvases DETAIL or more times as large.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    shapes: NDArray[np.float64]
    detailed: NDArray[np.uint8]
    chosen: NDArray[np.int64]
    size: int
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def digest(self) -> str:
        """What the faces are, whatever their names: of their pictures and landmarks."""
        found = hashlib.blake2b(self.images.tobytes(), digest_size=16)
        found.update(self.shapes.tobytes())
        return found.hexdigest()

    def look(self) -> Look:
        """What the person looks like."""
        return fit(self.images[self.chosen], self.detailed, self.shapes[self.chosen])

    def kept_as(self, look: Look) -> NDArray[np.int64]:
        """For each face (n,), which of the pictures that their look keeps it is itself, -1 for most."""
        found = np.full(len(self), -1, np.int64)
        found[self.chosen[look.kept]] = np.arange(len(look.kept))
        return found


@dataclass(frozen=True, slots=True)
class Batch:
    """`inputs`, `bases` and `targets` are float32 (n, size, size, 3) in 0 … 1, `masks` float32 (n, size, size, 1).

    `bases` are what the person's look makes of the faces, `targets` the faces themselves."""

    inputs: Floats
    bases: Floats
    targets: Floats
    masks: Floats


def load_faces(folder: Path, size: int, detail: int = DETAIL) -> FaceStack:
    """Read every face PNG of a folder, some of them also in `detail` times the canvas. Raises EngineError where there
    is none or one cannot be read."""
    paths = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not paths:
        raise EngineError(f"{folder} holds no faces. Approve some first: galloway status")
    canvas, chosen = round(size * MARGIN), choose(len(paths))
    images, shapes, detailed = [], [], []
    for number, path in enumerate(paths):
        landmarks, pixels = _read(path)
        images.append(_on_canvas(pixels, landmarks, canvas))
        shapes.append(transform_points(canvas_matrix(landmarks, canvas), landmarks))
        if number in chosen:
            detailed.append(_on_canvas(pixels, landmarks, canvas * detail))
    masks = [hull_mask(shape, (canvas, canvas), extended=True) for shape in shapes]
    names = tuple(path.name for path in paths)
    return FaceStack(np.stack(images), np.stack(masks), np.stack(shapes), np.stack(detailed), chosen, size, names)


def side_of(folder: Path) -> float:
    """How many pixels wide, as a rule, what the model sees of a folder's faces is in their frames, or in their pictures
    where these are smaller. Raises EngineError where one cannot be read."""
    paths = sorted(folder.glob("*.png")) if folder.is_dir() else []
    found = []
    for number in choose(len(paths), _MEASURED) if paths else ():
        landmarks, pixels = _read(paths[number])
        scales = [_scale(face_matrix(landmarks, 1)), _scale(head_matrix(landmarks, pixels.shape[0]))]
        found.append(min(1.0, scales[1]) / max(scales[0], 1e-9))
    return float(np.median(found)) if found else 0.0


def _scale(matrix: Matrix) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def canvas_matrix(landmarks: Points, canvas: int) -> Matrix:
    """From frame pixels to a face's canvas."""
    return face_matrix(landmarks, canvas, FACE_SPAN / MARGIN)


def _read(path: Path) -> tuple[Points, NDArray[np.uint8]]:
    try:
        header, pixels = read_png(path)
    except FacesetError as error:
        raise EngineError(
            f"{path.name} cannot be trained on: {error} Look at the folder with: galloway faceset verify"
        ) from error
    landmarks = header.alignment.landmarks
    if landmarks.shape != (68, 2):
        raise EngineError(f"{path.name} has {len(landmarks)} landmarks, not 68. Extract it again or remove it.")
    return landmarks, pixels


def _on_canvas(pixels: NDArray[np.uint8], landmarks: Points, canvas: int) -> NDArray[np.uint8]:
    """A head crop, turned and shrunk to a canvas."""
    back = invert(head_matrix(landmarks, pixels.shape[0]))
    return warp(pixels, composed(canvas_matrix(landmarks, canvas), back), canvas)


def composed(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that does `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def centre_crops(images: NDArray[np.uint8] | Floats, size: int) -> Floats:
    """The middle of canvases (n, c, c, k), as the model sees faces: float32 (n, size, size, k) in 0 … 1."""
    edge = (images.shape[1] - size) // 2
    return np.asarray(images[:, edge : edge + size, edge : edge + size], np.float32) / np.float32(255)


def make_batch(
    stack: FaceStack, bases: NDArray[np.uint8], count: int, chance: np.random.Generator, *, mirror: bool = False
) -> Batch:
    """`count` faces drawn with replacement and distorted; `mirror` shows half of them as in a mirror.

    `bases` (n, c, c, 3) belong to `stack`'s images.
    """
    picked = chance.integers(0, len(stack), count)
    size, canvas = stack.size, stack.images.shape[1]
    targets_at = _moved_grids(count, size, canvas, chance, 0.5 if mirror else 0.0)
    inputs_at = targets_at + _warps(count, size, chance)
    images, masks = stack.images[picked], stack.masks[picked]
    relight = _relights(count, chance)
    inside = sample(masks[..., None], targets_at) / np.float32(255)
    drawn = sample(bases[picked], targets_at) / np.float32(255)
    return Batch(_relit(images, inputs_at, relight), drawn, _relit(images, targets_at, relight), inside)


def _relit(images: NDArray[np.uint8], at: Floats, relight: tuple[Floats, Floats]) -> Floats:
    lit = sample(images, at) * (relight[0] / 255) + relight[1]
    return np.asarray(np.clip(lit, 0, 1), np.float32)


def _moved_grids(count: int, size: int, canvas: int, chance: np.random.Generator, mirrored: float) -> Floats:
    """Where in the canvas each pixel of a crop comes from: turned, zoomed, moved and mirrored, (n, s, s, 2) as y, x."""
    middle = (canvas - 1) / 2
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    # Little: crops are aligned when converting too, and what moves more is learnt as a blur first.
    angle = np.deg2rad(chance.uniform(-2.5, 2.5, count))
    zoom = chance.uniform(0.98, 1.02, count)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    mirror = np.where(chance.random(count) < mirrored, -1.0, 1.0)
    shift = chance.uniform(-0.012, 0.012, (2, count)) * size
    flipped = x[None] * mirror[:, None, None]
    rows = sin[:, None, None] * flipped + cos[:, None, None] * y[None] + shift[0][:, None, None]
    columns = cos[:, None, None] * flipped - sin[:, None, None] * y[None] + shift[1][:, None, None]
    return (np.stack([rows, columns], axis=-1) + middle).astype(np.float32)


def _warps(count: int, size: int, chance: np.random.Generator) -> Floats:
    """Smooth displacements in pixels, (n, s, s, 2): half the strength for half of the faces."""
    strength = np.where(chance.random(count) < 0.5, 0.5, 1.0) * size / 64 * 2.4
    points = chance.normal(0, 1, (count, _GRID, _GRID, 2)) * strength[:, None, None, None]
    between = _interpolation(size)
    return np.asarray(np.einsum("ia,nabk,jb->nijk", between, points, between, optimize=True), np.float32)


def _interpolation(size: int) -> NDArray[np.float64]:
    """(size, _GRID) weights of linear interpolation along one axis."""
    at = np.linspace(0, _GRID - 1, size)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(_GRID)[None]), 0, None))


def _relights(count: int, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Gain and offset per face and colour band, each (n, 1, 1, 3)."""
    light = chance.uniform(0.88, 1.12, (count, 1, 1, 1)) * chance.uniform(0.96, 1.04, (count, 1, 1, 3))
    offset = chance.uniform(-0.04, 0.04, (count, 1, 1, 1)) * np.ones(3)
    return light.astype(np.float32), offset.astype(np.float32)
