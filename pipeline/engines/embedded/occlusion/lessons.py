"""What the occlusion net learns from: uncovered faces with made things before them, and covered ones as they are.

Nobody need have said which faces are covered: a face that the net itself sees as covered, though nothing was put before
it, is left out of the uncovered ones and becomes a hard example, before the net has learnt it by heart.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ...align import transform_points
from ..data import FaceStack
from ..look import choose
from .net import SIDE, hull_plane
from .paste import covered

__all__ = ["DOUBTFUL", "Faces", "Lesson", "Lessons", "canvases", "faces_of"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST = 200
"""So many faces of a side are enough to know what is face."""
DOUBTFUL = 0.04
"""A face of which the net sees more than this share covered is not taken for uncovered."""
_FRESH, _POOL = 5, 240
"""New pasted faces a batch, and how many are kept to be shown again, turned and relit anew."""
_SIDE_LIT = 0.35
"""How often a face is lit from one side, so that the edge of a shadow is not taken for the edge of a thing."""
_BARE = 0.2
"""How often a face is shown with nothing before it."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces as the net sees them: `images` uint8 (n, SIDE, SIDE, 3), `shapes` (n, 68, 2) on them, `names` of files.

    Where `told` (n,) is True people say that the face is covered.
    """

    images: Bytes
    shapes: Doubles
    names: tuple[str, ...]
    told: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)


def faces_of(stacks: Sequence[FaceStack], told: Collection[str]) -> Faces:
    """Faces of both sides, MOST of each spread evenly; `told` are the names of those that people call covered."""
    images, shapes, names = [], [], []
    for stack in stacks:
        few = choose(len(stack.chosen), MOST)
        images.append(canvases(stack.detailed[few]))
        shapes.append(stack.shapes[stack.chosen[few]] * (SIDE / stack.images.shape[1]))
        names += [stack.names[n] for n in stack.chosen[few]]
    called = np.array([name in told for name in names], bool)
    return Faces(np.concatenate(images), np.concatenate(shapes), tuple(names), called)


def canvases(images: Sequence[Bytes] | Bytes) -> Bytes:
    """Square pictures of any one size at SIDE, uint8."""
    turned = [np.asarray(Image.fromarray(item).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for item in images]
    return np.stack(turned)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch; see `OcclusionNet.train_on`."""

    images: Bytes
    hulls: Floats
    truth: Floats
    known: Floats


@dataclass
class Lessons:
    """Makes batches. `doubtful` are the faces that are not taken for uncovered, told or found."""

    faces: Faces
    chance: np.random.Generator
    doubtful: NDArray[np.bool_] = field(init=False)
    _pool: list[tuple[Bytes, Doubles, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.doubtful = self.faces.told.copy()

    @property
    def doubts(self) -> int:
        """How many faces are doubtful."""
        return int(self.doubtful.sum())

    def doubt(self, shares: Floats) -> None:
        """Take note of how much of each face the net sees covered. Never doubts more than half of those that people do
        not call covered: then it is the net that is wrong."""
        untold = ~self.faces.told
        limit = max(DOUBTFUL, float(np.median(shares[untold])) if untold.any() else DOUBTFUL)
        self.doubtful = self.faces.told | (shares > limit)

    def batch(self, count: int) -> Lesson:
        """The next `count` faces, of which an eighth are doubtful ones where there are any."""
        for _ in range(_FRESH if self._pool else count):
            self._pool.append(self._made())
        del self._pool[:-_POOL]
        doubtful = np.flatnonzero(self.doubtful)
        hard = min(len(doubtful), count // 8)
        rows = [self._pool[n] for n in self.chance.integers(0, len(self._pool), count - hard)]
        nothing = np.zeros((SIDE, SIDE), np.float32)
        rows += (
            [(self.faces.images[n], self.faces.shapes[n], nothing) for n in self.chance.choice(doubtful, hard)]
            if hard
            else []
        )
        moved = [_moved(image, shape, where, self.chance) for image, shape, where in rows]
        known = np.array([1.0] * (count - hard) + [0.0] * hard, np.float32)
        images, hulls, truth = (np.stack(part) for part in zip(*moved, strict=True))
        return Lesson(images, hulls, truth, known)

    def _made(self) -> tuple[Bytes, Doubles, Floats]:
        clean = np.flatnonzero(~self.doubtful)
        clean = clean if len(clean) else np.arange(len(self.faces))
        row = int(self.chance.choice(clean))
        image, shape = self.faces.images[row], self.faces.shapes[row]
        if self.chance.random() < _BARE:
            return image, shape, np.zeros((SIDE, SIDE), np.float32)
        pasted, truth = covered(image, shape, self.faces.images, self.chance)
        return pasted, shape, truth


def _moved(image: Bytes, shape: Doubles, truth: Floats, chance: np.random.Generator) -> tuple[Bytes, Floats, Floats]:
    """A face turned, moved, mirrored, relit and blurred a little; image, hull and truth."""
    angle, zoom = chance.normal(0, 0.06), float(np.exp(chance.normal(0, 0.04)))
    mirror = -1.0 if chance.random() < 0.5 else 1.0
    middle = np.array([(SIDE - 1) / 2] * 2)
    turn = zoom * np.array([[np.cos(angle) * mirror, -np.sin(angle)], [np.sin(angle) * mirror, np.cos(angle)]])
    shift = middle - turn @ middle + chance.normal(0, 0.016 * SIDE, 2)
    back = np.linalg.inv(turn)
    from_ = -back @ shift
    corner = from_ + 0.5 - back.sum(axis=1) / 2
    numbers = (*back[0], corner[0], *back[1], corner[1])
    way = (Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR)
    picture = Image.fromarray(image).transform((SIDE, SIDE), *way)
    if chance.random() < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 2.0)))
    where = np.asarray(Image.fromarray(truth).transform((SIDE, SIDE), *way))
    hull = hull_plane(transform_points(np.column_stack([turn, shift]), shape))
    return _relit(np.asarray(picture), chance), hull, (where > 0.5).astype(np.float32)


def _relit(image: Bytes, chance: np.random.Generator) -> Bytes:
    lit = image.astype(np.float32) * (chance.uniform(0.75, 1.25) * chance.uniform(0.94, 1.06, 3))
    if chance.random() < _SIDE_LIT:
        lit *= _side_light(chance)[..., None]
    lit += chance.uniform(-15, 15) + chance.normal(0, chance.uniform(0, 4), image.shape)
    return np.clip(lit + 0.5, 0, 255).astype(np.uint8)


def _side_light(chance: np.random.Generator) -> Floats:
    """Gains (SIDE, SIDE) of a lamp on one side of the face, whose shadow ends softly or sharply across it."""
    angle, edge = chance.uniform(0, 2 * np.pi), chance.normal(0, 0.25)
    axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
    along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None] - edge
    bent = along + chance.uniform(-0.4, 0.4) * (axis[None, :] ** 2 - axis[:, None] ** 2)
    return np.asarray(1 + chance.uniform(0.1, 0.6) * np.tanh(bent * np.exp(chance.uniform(0.5, 3.0))), np.float32)
