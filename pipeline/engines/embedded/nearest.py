"""The pictures of a person that are nearest to an expression, mixed: teeth, lids and gaze that no average has.

What a person's look cannot say of the pictures it was made of (their rest) is kept, bent to the mean shape like them.
For a wanted expression the rests of the nearest ones are mixed and put on top; in eyes and mouth, on top of what the
look says of those very pictures, for a closed lid's rest takes away the eye that is said there and no other. The eyes'
half of a face and the mouth's
are told apart: closed lids are taken from pictures with closed lids whatever the mouth does there, for few people were
seen with every mouth under every lid. The shares are those of which the pictures' expressions make up the wanted one
best (locally linear embedding, Saul and Roweis 2003), so that a few closed lids among half open ones count most; a
kernel (Nadaraya 1964) that ends at the furthest of them holds them near, so that nothing jumps when one picture takes
another's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from ..evenly import evenly
from .aside import NUMBERS, aside_of
from .detail import Cut
from .shape import EYES, fronted, heads_turned

__all__ = [
    "MOST_KEPT",
    "Halves",
    "as_other",
    "expression_of",
    "eyes_in",
    "halves_of",
    "lower_rows",
    "mixed",
    "mouth_in",
    "moving_parts",
    "rests_of",
    "varied",
]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Shorts = NDArray[np.int8]

MOST_KEPT = 160
"""So many pictures are kept: 12 MB at the usual size."""
MIXED = 14
"""How many of them are mixed. Fewer are sharper and less steady."""
_PARTS = ((slice(0, 10), 0.5), (slice(19, 31), 2.0), (slice(31, 51), 1.0))
"""Brows, eyes and mouth among the inner landmarks, and how much a pixel there counts."""
_GAZE = 1.0
"""How much a gaze to the eye's corner counts, against a mouth opened by a fifth of the face."""
_AROUND_EYES, _AROUND_MOUTH, _SOFT = (1.35, 2.2), (1.15, 1.15), 0.012
"""How many times as wide and high as its landmarks what moves with an eye and a mouth is, and how softly it ends, in
sides of the picture."""
_PULLED = 0.05
"""How much a mouth counts whose halves differ by all of its contrast, against one opened by a fifth of the face."""
_LIDS, _MOUTH, _ASIDE = slice(20, 44), slice(44, 84), slice(86, 86 + NUMBERS)
"""The numbers of an expression that tell the lids, and the mouth and how far it is pulled aside; all but the mouth's
tell what is above it."""
_HELD = 0.3
"""Ridge: how much shares that differ from the kernel's cost, against an expression that is missed by as much as the
pictures lie from it."""


def expression_of(shapes: Doubles, whose: Doubles, flat: Floats, mean: Doubles, aside: Floats) -> Floats:
    """Numbers (n, 95) that tell a face's expression: where brows, lids and lips are on a head that is not turned,
    where the eyes look, and how far the mouth is pulled aside.

    `shapes` (n, 68, 2) are in pixels of a canvas of c, `whose` is what of them is the person's own, `flat`
    (n, c, c, 3) the faces bent to the shape `mean`, `aside` what `aside.usual_aside` says of the person.
    """
    front = fronted(shapes, whose)
    parts = [weight * front[:, part].reshape(len(front), -1) for part, weight in _PARTS]
    gazes = np.stack([_gaze(flat, mean[eye]) for eye in EYES]).mean(axis=0)
    pulled = _PULLED * aside_of(flat, mean, heads_turned(shapes), aside)
    return np.concatenate([*parts, _GAZE * 0.2 * gazes, pulled], axis=1).astype(np.float32)


def as_other(told: Floats, calm: Floats, others_calm: Floats, wanted: Doubles, whose: Doubles) -> Floats:
    """Expressions (n, 95) of one person as another one would have them: brows, lids and gaze as they differ from
    `calm`, for narrow eyes are no half closed ones; the mouth as it is drawn, at the landmarks `wanted` (n, 68, 2) with
    what is the other's own, and pulled as far, for who smiles in all pictures has no other calm mouth."""
    found = told - calm + others_calm
    found[:, _ASIDE] = told[:, _ASIDE]
    part, weight = _PARTS[2]
    found[:, _MOUTH] = weight * fronted(wanted, whose)[:, part].reshape(len(wanted), -1)
    return found


def mouth_in(told: Floats) -> Floats:
    """The mouths (n, 20, 2) that expressions (n, 95) tell, in shares of the mean face's side."""
    return told[:, _MOUTH].reshape(len(told), -1, 2) / np.float32(_PARTS[2][1])


def eyes_in(told: Floats) -> Floats:
    """The eyes (n, 12, 2) that expressions (n, 95) tell, in shares of the mean face's side."""
    return told[:, _LIDS].reshape(len(told), -1, 2) / np.float32(_PARTS[1][1])


def varied(keys: Floats, count: int) -> NDArray[np.int64]:
    """Which `count` of the pictures with these expressions are kept, in order: half of them spread evenly, then one
    by one that whose eyes, then that whose mouth is unlike all that are kept (Gonzalez 1985). A blink takes four
    pictures of two hundred, and there is no other that closed lids could be drawn from."""
    if len(keys) <= count:
        return np.arange(len(keys))
    spread = evenly(len(keys), max(1, count // 2))
    parts = [keys[:, own] for own in (~_mouths(keys), _mouths(keys))]
    apart = [np.linalg.norm(part[:, None] - part[spread][None], axis=2).min(axis=1) for part in parts]
    kept = set(spread.tolist())
    while len(kept) < count:
        half = len(kept) % 2
        other = apart[half].copy()
        other[list(kept)] = -1
        found = int(np.argmax(other))
        kept.add(found)
        for part, least in zip(parts, apart, strict=True):
            np.minimum(least, np.linalg.norm(part - part[found], axis=1), out=least)
    return np.array(sorted(kept), np.int64)


def _mouths(keys: Floats) -> NDArray[np.bool_]:
    """Which numbers of an expression tell the mouth."""
    found = np.zeros(keys.shape[1], np.bool_)
    found[_MOUTH] = found[_ASIDE] = True
    return found


def _gaze(flat: Floats, eye: Doubles) -> Doubles:
    """Where the dark of an eye lies between its corners, -1 to 1 across and down, (n, 2)."""
    low, high = np.floor(eye.min(axis=0)).astype(int), np.ceil(eye.max(axis=0)).astype(int) + 1
    cut = flat[:, low[1] : high[1], low[0] : high[0]].mean(axis=3).astype(np.float64)
    brightest = np.quantile(cut, 0.9, axis=(1, 2), keepdims=True)
    dark = np.clip(brightest - cut, 0, None) ** 2 + 1e-6
    total = dark.sum(axis=(1, 2))
    across = np.linspace(-1, 1, cut.shape[2])
    down = np.linspace(-1, 1, cut.shape[1])
    return np.stack([(dark.sum(axis=1) @ across) / total, (dark.sum(axis=2) @ down) / total], axis=1)


def rests_of(fine: Floats, said: Floats) -> Shorts:
    """What is left of the pictures `fine` (0 … 255) when what the look says of them is taken off, halved."""
    return np.clip(np.rint((fine - said) / 2), -127, 127).astype(np.int8)


def lower_rows(mean: Doubles, size: int) -> Floats:
    """How far each row of a picture of `size` with the mean shape (68, 2) is the mouth's: 0 down to the lower lids, 1
    from the upper lip on, (size,)."""
    lids, lip = float(mean[36:48, 1].max()), float(mean[48:68, 1].min())
    way = np.clip((np.arange(size) - lids) / max(lip - lids, 1.0), 0, 1)
    return np.asarray(way * way * (3 - 2 * way), np.float32)


@dataclass(frozen=True, slots=True)
class Halves:
    """How much of each of k kept pictures goes into each of n wanted expressions: into the eyes' half and into the
    mouth's, (n, k) each."""

    eyes: Floats
    mouth: Floats


def halves_of(keys: Floats, wanted: Floats, without: NDArray[np.int64] | None = None) -> Halves:
    """How the wanted expressions (n, 95) are mixed of those of the kept pictures (k, 95).

    `without` names for each the picture that is not to be mixed in, -1 for none: itself, when a picture is drawn to
    learn from.
    """
    mouths = _mouths(keys)
    return Halves(*(_shares(keys[:, own], wanted[:, own], without) for own in (~mouths, mouths)))


def mixed(rests: Shorts, halves: Halves, lower: Floats, *, cut: Cut = (slice(None), slice(None))) -> Floats:
    """The rests (k, s, s, 3) mixed, float32 (n, s, s, 3), or a `cut` of them. `lower` (s,) says how far a row is the
    mouth's."""
    part, share = rests[:, *cut], lower[cut[0]]
    found = np.zeros((len(halves.eyes), *part.shape[1:]), np.float32)
    # Some rows at a time, which stay in a cache.
    for start in range(0, part.shape[1], _ROWS):
        rows = slice(start, start + _ROWS)
        for half, own in ((halves.eyes, 1 - share[rows]), (halves.mouth, share[rows])):
            if own.any():
                found[:, rows] += own[:, None, None] * _summed(2 * half, part[:, rows])
    return found


def moving_parts(mean: Doubles, size: int) -> tuple[Floats, Floats]:
    """How far each pixel of a picture of `size` with the mean shape (68, 2) is the eyes' and the mouth's, with what
    moves around them, (size, size) each."""
    found = []
    for parts, (wide, high) in ((EYES, _AROUND_EYES), ((slice(48, 60),), _AROUND_MOUTH)):
        canvas = Image.new("L", (size, size))
        for part in parts:
            middle = mean[part].mean(axis=0)
            outline = middle + (mean[part] - middle) * (wide, high)
            ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in outline], fill=255)
        found.append(gaussian_filter(np.asarray(canvas, np.float32) / np.float32(255), _SOFT * size))
    return found[0], found[1]


def _summed(weights: Floats, part: Shorts) -> Floats:
    """The pictures weighted (n, k). Expressions that follow each other mix the same ones, so these are turned into
    floats once for all."""
    used = np.flatnonzero(weights.any(axis=0))
    return np.asarray(np.tensordot(weights[:, used], part[used].astype(np.float32), 1), np.float32)


_ROWS = 16


def _shares(keys: Floats, wanted: Floats, without: NDArray[np.int64] | None) -> Floats:
    """How much of each kept picture goes into each wanted expression, (n, k)."""
    shares = np.zeros((len(wanted), len(keys)), np.float32)
    for row, key in enumerate(wanted):
        moves = (keys - key).astype(np.float64)
        apart = np.linalg.norm(moves, axis=1)
        if without is not None and without[row] >= 0:
            apart[without[row]] = np.inf
        order = np.argsort(apart, kind="stable")[: MIXED + 1]
        order = order[np.isfinite(apart[order])]
        shares[row, order] = _made_up(moves[order], apart[order])
    return shares


def _made_up(moves: Doubles, apart: Doubles) -> Doubles:
    """Weights (k) that sum to 1 and with which the `moves` (k, m), `apart` long and in that order, come nearest to
    nothing; the last and furthest counts for nothing."""
    if len(apart) < 2:
        return np.ones(len(apart))
    near = (1 - (apart / max(float(apart[-1]), 1e-9)) ** 2) ** 2 + 1e-6
    held = _HELD * max(float(np.mean(apart**2)), 1e-12)
    weights = np.linalg.solve(moves @ moves.T + np.diag(held / near), np.ones(len(apart)))
    return np.asarray(weights / weights.sum(), np.float64)
