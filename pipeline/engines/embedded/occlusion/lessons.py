"""What the occlusion net learns from: uncovered faces with made things before them, and covered ones as they are.

Where people painted what covers a face, that face teaches as it is, and what they painted is put before others, too.
Nobody need have said which faces are covered: a face that the net itself sees as covered, though nothing was put before
it, is left out of the uncovered ones and becomes a hard example, before the net has learnt it by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import binary_dilation

from ...align import transform_points
from .faces import Faces
from .known import Known
from .net import SIDE
from .paste import covered

__all__ = ["Lesson", "Lessons"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FRESH, _POOL = 6, 400
"""New pasted faces a batch, and how many are kept to be shown again."""
_SIDE_LIT = 0.35
"""How often a face is lit from one side, so that the edge of a shadow is not taken for the edge of a thing."""
_HALF_LIT = 0.2
"""How often only one half of a face is lit: the edge of the shadow runs along brow, nose and lips."""
_BARE = 0.2
"""How often a face is shown with nothing before it."""
_RIM = 4
"""Pixels about what is put before a face that are known, too: else where nothing else is known all were covered."""
_LENT = 0.4
"""How often what is put before a face is a thing that people painted, where there is any."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch; see `OcclusionNet.train_on`."""

    planes: Floats
    truth: Floats
    sure: Floats
    known: Floats


Example = tuple[NDArray[np.float16], NDArray[np.bool_], NDArray[np.bool_]]
"""What the net sees of one face, what is covered of it, and where that is sure."""


@dataclass
class Lessons:
    """Makes batches of what `see` makes of pictures, landmarks and whose faces they are."""

    faces: Faces
    chance: np.random.Generator
    see: Callable[[Bytes, Doubles, Numbers], Floats]
    stop: Callable[[], bool] = lambda: False
    knows: Known = field(init=False)
    _pool: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.knows = Known(self.faces, self.stop)

    def batch(self, count: int) -> Lesson:
        """The next `count` faces: an eighth are doubtful ones and an eighth painted ones, where there are any."""
        doubtful, painted = self.knows.hard(), self.faces.painted
        hard, real = (min(len(rows), count // 8) for rows in (doubtful, painted))
        fresh = min(_FRESH, count - hard - real) if self._pool else count - hard - real
        made = [self._made() for _ in range(fresh)]
        made += [self._face(n) for n in (*self._some(painted, real), *self._some(doubtful, hard))]
        fresh += real
        new = self._seen(made)
        self._pool += new[:fresh]
        del self._pool[:-_POOL]
        old = [self._pool[n] for n in self.chance.integers(0, len(self._pool), count - len(new))]
        known = np.array([0.0] * hard + [1.0] * (count - hard), np.float32)
        shown = [_mirrored(one, self.chance) for one in (*new[fresh:], *new[:fresh], *old)]
        planes, truth, sure = (np.stack(part).astype(np.float32) for part in zip(*shown, strict=True))
        return Lesson(planes, truth, sure, known)

    def _seen(self, made: Sequence[Made]) -> list[Example]:
        moved = [_moved(one, self.chance) for one in made]
        planes = self.see(
            np.stack([one.image for one in moved]),
            np.stack([one.shape for one in moved]),
            np.array([one.whose for one in moved]),
        ).astype(np.float16)
        return [(seen, one.truth > 0.5, one.sure > 0.5) for seen, one in zip(planes, moved, strict=True)]

    def _made(self) -> Made:
        row = self._known()
        face = self._face(row)
        if self.chance.random() < _BARE:
            return face
        if len(self.faces.painted) and self.chance.random() < _LENT:
            pasted, more = _lent(face.image, self.faces, int(self.chance.choice(self.faces.painted)), self.chance)
        else:
            pasted, more = covered(face.image, face.shape, self.faces.images, self.chance)
        put = more > 0.5
        beside = binary_dilation(put, iterations=_RIM) & ~self.knows.hidden[row]
        return replace(face, image=pasted, truth=np.maximum(face.truth, more), sure=np.maximum(face.sure, put | beside))

    def _known(self) -> int:
        """One of the faces of which is known what covers them, each person's as often as the other's."""
        rows = self.knows.teaching()
        whose = self.faces.whose[rows]
        return int(self.chance.choice(rows[whose == self.chance.choice(np.unique(whose))]))

    def _some(self, rows: Numbers, count: int) -> Numbers:
        return self.chance.choice(rows, count) if count else rows[:0]

    def _face(self, row: int) -> Made:
        truth, sure = (part[row].astype(np.float32) for part in (self.knows.covered, self.knows.sure))
        return Made(self.faces.images[row], self.faces.shapes[row], truth, sure, int(self.faces.whose[row]))


@dataclass(frozen=True, slots=True)
class Made:
    """A face, its landmarks, what is covered of it, where that is sure, and the number of its side."""

    image: Bytes
    shape: Doubles
    truth: Floats
    sure: Floats
    whose: int


def _lent(image: Bytes, faces: Faces, row: int, chance: np.random.Generator) -> tuple[Bytes, Floats]:
    """A face with what people painted on the face of `row` before it, a little moved, turned and larger or smaller;
    and what is covered now."""
    thing = np.dstack([faces.images[row], faces.marks[row] * np.uint8(255)])
    angle, zoom, (aside, down) = chance.normal(0, 0.15), np.exp(chance.normal(0, 0.1)), chance.normal(0, 0.06 * SIDE, 2)
    (cos, sin), middle = (np.array([np.cos(angle), np.sin(angle)]) / zoom), SIDE / 2
    back = (cos, sin, middle - cos * (middle + aside) - sin * (middle + down),
            -sin, cos, middle + sin * (middle + aside) - cos * (middle + down))  # fmt: skip
    moved = np.asarray(
        Image.fromarray(thing).transform((SIDE, SIDE), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    )
    share = moved[..., 3:].astype(np.float32) / np.float32(255)
    mixed = image + (moved[..., :3].astype(np.float32) - image) * share
    return np.asarray(mixed + 0.5, np.uint8), share[..., 0]


def _mirrored(example: Example, chance: np.random.Generator) -> Example:
    if chance.random() < 0.5:
        return example
    planes, truth, sure = example
    return planes[:, ::-1], truth[:, ::-1], sure[:, ::-1]


def _moved(made: Made, chance: np.random.Generator) -> Made:
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
    picture = Image.fromarray(made.image).transform((SIDE, SIDE), *way)
    if chance.random() < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 1.8)))
    truth, sure = (np.asarray(Image.fromarray(part).transform((SIDE, SIDE), *way)) for part in (made.truth, made.sure))
    points = transform_points(np.column_stack([turn, shift]), made.shape)
    return Made(_relit(np.asarray(picture), points, chance), points, truth, sure, made.whose)


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
