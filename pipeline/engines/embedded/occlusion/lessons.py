"""What the occlusion net learns from: uncovered faces with made things before them, and covered ones as they are.

Where people painted what covers a face, that face teaches as it is, and what they painted is put before others, too.
Nobody need have said which faces are covered: a face that the net itself sees as covered, though nothing was put before
it, is left out of the uncovered ones and becomes a hard example, before the net has learnt it by heart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from ...align import transform_points
from ...base import EngineError
from ..data import FaceStack
from ..look import choose
from .ground import unlike_others
from .net import SIDE
from .paste import covered

__all__ = ["DOUBTFUL", "Faces", "Lesson", "Lessons", "canvases", "faces_of", "mask_of"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]

MOST = 200
"""So many faces of a side are enough to know what is face."""
DOUBTFUL = 0.04
"""A face of which the net sees more than this share covered is not taken for uncovered."""
PAINTED_DOUBTFUL = 0.005
"""The same where people painted on that person's faces: the net knows what to look for, and a hand at the chin covers
little."""
_BESIDE, _STAYS = 3, 1 / 8
"""So many faces before and behind a painted one are neither taken for uncovered nor for covered, for what was there is
seldom gone so soon; unless less than this share of the person's faces would be left as uncovered ones."""
_FRESH, _POOL = 6, 400
"""New pasted faces a batch, and how many are kept to be shown again."""
_SIDE_LIT = 0.35
"""How often a face is lit from one side, so that the edge of a shadow is not taken for the edge of a thing."""
_HALF_LIT = 0.2
"""How often only one half of a face is lit: the edge of the shadow runs along brow, nose and lips."""
_BARE = 0.2
"""How often a face is shown with nothing before it."""
_LENT = 0.4
"""How often what is put before a face is a thing that people painted, where there is any."""


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
    are not taken for uncovered, told or found.

    Of a person on whose faces people painted the others are `unsure` until the net, taught by the painted ones, has
    looked at them: else what stands before most faces of a person would be learnt as face.
    """

    faces: Faces
    chance: np.random.Generator
    see: Callable[[Bytes, Doubles, Numbers], Floats]
    doubtful: NDArray[np.bool_] = field(init=False)
    painted: Numbers = field(init=False)
    unsure: NDArray[np.bool_] = field(init=False)
    _pool: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.painted = self.faces.painted
        self.doubtful = self.faces.told.copy()
        # Until the net can say: what lies before faces that nobody called covered must not be learnt as theirs.
        for number in np.unique(self.faces.whose):
            rows = np.flatnonzero((self.faces.whose == number) & ~self.faces.told)
            self.doubtful[rows] = unlike_others(self.faces.images[rows], self.faces.shapes[rows])
        self.unsure = np.isin(self.faces.whose, self.faces.whose[self.painted]) & ~self.faces.told

    @property
    def doubts(self) -> int:
        """How many faces are doubtful."""
        return int(self.doubtful.sum())

    def doubt(self, shares: Floats) -> None:
        """Take note of how much of each face the net sees covered.

        Never doubts more than half of those that people do not call covered, and of a person on whose faces they
        painted more than three quarters: then it is the net that is wrong. Beside painted faces what is there stays
        unsure."""
        self.doubtful, self.unsure = self.faces.told.copy(), np.zeros(len(self.faces), np.bool_)
        for rows, least, most in ((~self.of_painted, DOUBTFUL, 0.5), (self.of_painted, PAINTED_DOUBTFUL, 0.75)):
            untold = rows & ~self.faces.told
            if untold.any():
                self.doubtful |= untold & (shares > max(least, float(np.quantile(shares[untold], 1 - most))))
        near, untold = self._beside_painted(), self.of_painted & ~self.faces.told
        if (untold & ~self.doubtful & ~near).sum() >= _STAYS * untold.sum():
            self.unsure = near
            self.doubtful |= near

    def _beside_painted(self) -> NDArray[np.bool_]:
        """Which faces come within _BESIDE places before or behind one on which people painted (n,)."""
        near = np.zeros(len(self.faces), np.bool_)
        for row in self.painted:
            near[max(0, row - _BESIDE) : row + _BESIDE + 1] = True
        return near & self.of_painted & ~self.faces.told

    @property
    def of_painted(self) -> NDArray[np.bool_]:
        """Which faces are of a person on whose faces people painted (n,)."""
        return np.isin(self.faces.whose, self.faces.whose[self.painted])

    def clean(self) -> Numbers:
        """The faces that are taken for uncovered: all where none is."""
        rows = np.flatnonzero(~self.doubtful)
        return rows if len(rows) else np.arange(len(self.faces))

    def _known(self) -> int:
        """One of the faces of which all that covers them is known, each person's as often as the other's."""
        rows = np.union1d(np.setdiff1d(self.clean(), np.flatnonzero(self.unsure)), self.painted)
        whose = self.faces.whose[rows]
        return int(self.chance.choice(rows[whose == self.chance.choice(np.unique(whose))]))

    def batch(self, count: int) -> Lesson:
        """The next `count` faces: an eighth are doubtful ones and an eighth painted ones, where there are any."""
        doubtful = np.setdiff1d(np.flatnonzero(self.doubtful & ~self.unsure), self.painted)
        hard, real = (min(len(rows), count // 8) for rows in (doubtful, self.painted))
        fresh = min(_FRESH, count - hard - real) if self._pool else count - hard - real
        made = [self._made() for _ in range(fresh)]
        made += [self._face(n, self.faces.marks[n].astype(np.float32)) for n in self._some(self.painted, real)]
        fresh += real
        nothing = np.zeros((SIDE, SIDE), np.float32)
        made += [self._face(n, nothing) for n in self._some(doubtful, hard)]
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
        row = self._known()
        image, shape, truth, whose = self._face(row, self.faces.marks[row].astype(np.float32))
        if self.chance.random() < _BARE:
            return image, shape, truth, whose
        if len(self.painted) and self.chance.random() < _LENT:
            pasted, more = _lent(image, self.faces, int(self.chance.choice(self.painted)), self.chance)
        else:
            pasted, more = covered(image, shape, self.faces.images, self.chance)
        return pasted, shape, np.maximum(truth, more), whose

    def _some(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        return self.chance.choice(rows, count) if count else rows[:0]

    def _face(self, row: int, truth: Floats) -> Made:
        return self.faces.images[row], self.faces.shapes[row], truth, int(self.faces.whose[row])


Made = tuple[Bytes, Doubles, Floats, int]
"""A face, its landmarks, what is covered of it, and the number of its side."""


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
