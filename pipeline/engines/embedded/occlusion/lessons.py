"""What the occlusion net learns from: uncovered faces with made things before them, and covered ones as they are.

Nobody need have said which faces are covered: a face that the net itself sees as covered, though nothing was put before
it, is left out of the uncovered ones and becomes a hard example, before the net has learnt it by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from ...align import transform_points
from ..data import FaceStack
from ..look import choose
from .ground import unlike_others
from .net import SIDE
from .paste import covered

__all__ = ["DOUBTFUL", "Faces", "Lesson", "Lessons", "canvases", "faces_of"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]

MOST = 200
"""So many faces of a side are enough to know what is face."""
DOUBTFUL = 0.04
"""A face of which the net sees more than this share covered is not taken for uncovered."""
_FRESH, _POOL = 6, 400
"""New pasted faces a batch, and how many are kept to be shown again."""
_SIDE_LIT = 0.35
"""How often a face is lit from one side, so that the edge of a shadow is not taken for the edge of a thing."""
_HALF_LIT = 0.2
"""How often only one half of a face is lit: the edge of the shadow runs along brow, nose and lips."""
_BARE = 0.2
"""How often a face is shown with nothing before it."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces as the net sees them: `images` uint8 (n, SIDE, SIDE, 3), `shapes` (n, 68, 2) on them, `names` of files.

    Where `told` (n,) is True people say that the face is covered; `whose` (n,) is the number of its side.
    """

    images: Bytes
    shapes: Doubles
    names: tuple[str, ...]
    told: NDArray[np.bool_]
    whose: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


def faces_of(stacks: Sequence[FaceStack], told: Collection[str]) -> Faces:
    """Faces of both sides, MOST of each spread evenly; `told` are the names of those that people call covered."""
    images, shapes, names, whose = [], [], [], []
    for number, stack in enumerate(stacks):
        few = choose(len(stack.chosen), MOST)
        images.append(canvases(stack.detailed[few]))
        shapes.append(stack.shapes[stack.chosen[few]] * (SIDE / stack.images.shape[1]))
        names += [stack.names[n] for n in stack.chosen[few]]
        whose += [number] * len(few)
    called = np.array([name in told for name in names], bool)
    return Faces(np.concatenate(images), np.concatenate(shapes), tuple(names), called, np.array(whose))


def canvases(images: Sequence[Bytes] | Bytes) -> Bytes:
    """Square pictures of any one size at SIDE, uint8."""
    turned = [np.asarray(Image.fromarray(item).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for item in images]
    return np.stack(turned)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch; see `OcclusionNet.train_on`."""

    planes: Floats
    truth: Floats
    known: Floats


Example = tuple[NDArray[np.float16], NDArray[np.bool_]]
"""What the net sees of one face, and what is covered of it."""


@dataclass
class Lessons:
    """Makes batches of what `see` makes of pictures, landmarks and whose faces they are. `doubtful` are the faces that
    are not taken for uncovered, told or found."""

    faces: Faces
    chance: np.random.Generator
    see: Callable[[Bytes, Doubles, Numbers], Floats]
    doubtful: NDArray[np.bool_] = field(init=False)
    _pool: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.doubtful = self.faces.told.copy()
        # Until the net can say: what lies before faces that nobody called covered must not be learnt as theirs.
        for number in np.unique(self.faces.whose):
            rows = np.flatnonzero((self.faces.whose == number) & ~self.faces.told)
            self.doubtful[rows] = unlike_others(self.faces.images[rows], self.faces.shapes[rows])

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

    def clean(self) -> NDArray[np.int64]:
        """The faces that are taken for uncovered: all where none is."""
        rows = np.flatnonzero(~self.doubtful)
        return rows if len(rows) else np.arange(len(self.faces))

    def batch(self, count: int) -> Lesson:
        """The next `count` faces, of which an eighth are doubtful ones where there are any."""
        doubtful = np.flatnonzero(self.doubtful)
        hard = min(len(doubtful), count // 8)
        fresh = min(_FRESH, count - hard) if self._pool else count - hard
        made = [self._made() for _ in range(fresh)]
        nothing = np.zeros((SIDE, SIDE), np.float32)
        made += [self._face(n, nothing) for n in self.chance.choice(doubtful, hard)]
        new = self._seen(made)
        self._pool += new[:fresh]
        del self._pool[:-_POOL]
        old = [self._pool[n] for n in self.chance.integers(0, len(self._pool), count - len(new))]
        known = np.array([0.0] * hard + [1.0] * (count - hard), np.float32)
        shown = [_mirrored(one, self.chance) for one in (*new[fresh:], *new[:fresh], *old)]
        planes, truth = (np.stack(part).astype(np.float32) for part in zip(*shown, strict=True))
        return Lesson(planes, truth, known)

    def _seen(self, made: Sequence[Made]) -> list[Example]:
        moved = [_moved(*one, self.chance) for one in made]
        images, shapes, truth, whose = (np.stack(part) for part in zip(*moved, strict=True))
        planes = self.see(images, shapes, whose).astype(np.float16)
        return list(zip(planes, truth > 0.5, strict=True))

    def _made(self) -> Made:
        image, shape, truth, whose = self._face(
            int(self.chance.choice(self.clean())), np.zeros((SIDE, SIDE), np.float32)
        )
        if self.chance.random() < _BARE:
            return image, shape, truth, whose
        pasted, truth = covered(image, shape, self.faces.images, self.chance)
        return pasted, shape, truth, whose

    def _face(self, row: int, truth: Floats) -> Made:
        return self.faces.images[row], self.faces.shapes[row], truth, int(self.faces.whose[row])


Made = tuple[Bytes, Doubles, Floats, int]
"""A face, its landmarks, what is covered of it, and the number of its side."""


def _mirrored(example: Example, chance: np.random.Generator) -> Example:
    planes, truth = example
    return (planes[:, ::-1], truth[:, ::-1]) if chance.random() < 0.5 else example


def _moved(image: Bytes, shape: Doubles, truth: Floats, whose: int, chance: np.random.Generator) -> Made:
    """A face turned, moved, relit and blurred a little."""
    angle, zoom = chance.normal(0, 0.06), float(np.exp(chance.normal(0, 0.04)))
    middle = np.array([(SIDE - 1) / 2] * 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = middle - turn @ middle + chance.normal(0, 0.016 * SIDE, 2)
    back = np.linalg.inv(turn)
    from_ = -back @ shift
    corner = from_ + 0.5 - back.sum(axis=1) / 2
    numbers = (*back[0], corner[0], *back[1], corner[1])
    way = (Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR)
    picture = Image.fromarray(image).transform((SIDE, SIDE), *way)
    if chance.random() < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 1.8)))
    where = np.asarray(Image.fromarray(truth).transform((SIDE, SIDE), *way))
    points = transform_points(np.column_stack([turn, shift]), shape)
    return _relit(np.asarray(picture), points, chance), points, where, whose


def _relit(image: Bytes, shape: Doubles, chance: np.random.Generator) -> Bytes:
    lit = image.astype(np.float32) * (chance.uniform(0.75, 1.25) * chance.uniform(0.94, 1.06, 3))
    if chance.random() < _SIDE_LIT:
        lit *= _side_light(chance)[..., None]
    if chance.random() < _HALF_LIT:
        lit *= _half_light(shape, chance)
    lit += chance.uniform(-15, 15) + chance.normal(0, chance.uniform(0, 4), image.shape)
    return np.clip(lit + 0.5, 0, 255).astype(np.uint8)


def _side_light(chance: np.random.Generator) -> Floats:
    """Gains (SIDE, SIDE) of a lamp on one side of the face, whose shadow ends softly or sharply across it."""
    angle, edge = chance.uniform(0, 2 * np.pi), chance.normal(0, 0.25)
    axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
    along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None] - edge
    bent = along + chance.uniform(-0.4, 0.4) * (axis[None, :] ** 2 - axis[:, None] ** 2)
    return np.asarray(1 + chance.uniform(0.1, 0.6) * np.tanh(bent * np.exp(chance.uniform(0.5, 3.0))), np.float32)


def _half_light(shape: Doubles, chance: np.random.Generator) -> Floats:
    """Light that one half of the face gets less of, (s, s, 3)."""
    ridge = shape[[27, 29, 30, 33, 51, 57, 8]] + [chance.normal(0, 0.05 * SIDE), 0]
    ridge[2] += chance.normal(0, 0.02 * SIDE, 2)
    down = ridge[-1] - ridge[0]
    left = chance.random() < 0.5
    beyond = -SIDE if left else 2 * SIDE
    outline = [ridge[0] - down, *ridge, ridge[-1] + down, (beyond, 2 * SIDE), (beyond, -SIDE)]
    canvas = Image.new("L", (SIDE, SIDE), 0)
    pen = ImageDraw.Draw(canvas)
    pen.polygon([(float(x), float(y)) for x, y in outline], fill=255)
    if chance.random() < 0.5:
        lit = shape[42:48] if left else shape[36:42]
        (x, y), width = lit.mean(axis=0), float(np.ptp(lit[:, 0])) * chance.uniform(0.6, 1)
        pen.ellipse((x - width, y - 0.6 * width, x + width, y + 0.6 * width), fill=255)
    shadow = np.asarray(canvas.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 5))), np.float32)[..., None] / 255
    dark, bright = chance.uniform(0.1, 0.7) * chance.uniform(0.9, 1.1, 3), chance.uniform(1, 1.6)
    return np.asarray(bright * (1 - shadow * (1 - dark)), np.float32)
