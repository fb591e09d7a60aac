"""Made things put before faces: their surface, their shading and shadow, and the one truth about where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .shapes import KINDS, Part

__all__ = ["Surface", "covered", "put_before", "surface"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Surface = Floats
"""float32 (s, s, 3), 0 … 255."""

_SKIN_OF = (1, 15, 29, 30, 33, 48, 54)
"""Landmarks at which a face's skin is looked at."""
_HANDS = ("hand", "microphone")
_CHEEKS = ((2, 31), (14, 35), (4, 48), (12, 54), (19, 24))
"""Pairs of landmarks between which there is little but skin."""
_SWIPED = 0.2
"""How often things move while the shutter is open."""
_TWO = 0.25
"""How often there are two things."""


def covered(
    image: Bytes, shape: Doubles, others: Bytes, chance: np.random.Generator, *, kinds: Sequence[str] = tuple(KINDS)
) -> tuple[Bytes, Floats]:
    """The face `image` (s, s, 3) with one or two things of these `kinds` before it, and where they are, float32 (s, s)
    in 0 … 1.

    `others` (n, s, s, 3) are pictures whose pieces may be surfaces.
    """
    size = image.shape[0]
    weights = np.array([KINDS[kind][1] for kind in kinds])
    truth = np.zeros((size, size), np.float32)
    for _ in range(1 + (chance.random() < _TWO)):
        name = kinds[int(chance.choice(len(kinds), p=weights / weights.sum()))]
        parts = KINDS[name][0](shape, size, chance)
        like_skin = name in _HANDS and chance.random() < 0.75
        skin = _like_skin(image, others, shape, chance) if like_skin else surface(size, others, chance)
        hard = surface(size, others, chance)
        # The stick and the ball of a microphone are no skin, the fist around it is.
        chosen = [hard if name == "microphone" and n < 2 else skin for n in range(len(parts))]
        if name not in (*_HANDS, "hair"):
            chosen = [surface(size, others, chance) for _ in parts]
        image, truth = put_before(image, truth, parts, chosen, chance)
    return image, truth


def put_before(
    image: Bytes, truth: Floats, parts: list[Part], surfaces: list[Surface], chance: np.random.Generator
) -> tuple[Bytes, Floats]:
    """`image` with parts before it from back to front, shaded and throwing a shadow; `truth` with them in it."""
    light = chance.normal(0, 1, 2)
    light /= max(float(np.linalg.norm(light)), 1e-6)
    whole = np.maximum.reduce(parts)
    size = image.shape[0]
    picture = image.astype(np.float32)
    if chance.random() < 0.5:
        thrown = np.roll(_blurred(whole, 0.03 * size), tuple(np.rint(-light[::-1] * 0.03 * size).astype(int)), (0, 1))
        picture *= (1 - chance.uniform(0.1, 0.45) * thrown * (1 - whole))[..., None]
    strength, opacity = chance.uniform(0, 0.5), 1.0 if chance.random() < 0.9 else chance.uniform(0.75, 1.0)
    layer, share = np.zeros_like(picture), np.zeros_like(truth)
    for part, covering in zip(parts, surfaces, strict=True):
        height = _blurred(part, chance.uniform(0.01, 0.035) * size)
        down, across = np.gradient(height)
        shade = 1 + strength * size / 12 * (across * light[0] + down * light[1]) - 0.3 * strength * (1 - height)
        layer += part[..., None] * (covering * np.clip(shade, 0.3, 1.7)[..., None] - layer)
        share += part * (1 - share)
    if chance.random() < _SWIPED:
        both = _swiped(np.concatenate([layer, share[..., None]], axis=2), chance)
        layer, share = both[..., :3], both[..., 3]
    picture += opacity * (layer - share[..., None] * picture)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), np.maximum(truth, share)


def _swiped(planes: Floats, chance: np.random.Generator) -> Floats:
    """Planes (s, s, k) as they are when they move while the shutter is open."""
    way = chance.normal(0, 0.03 * len(planes), 2)
    steps = [np.rint(way * along).astype(int) for along in np.linspace(-1, 1, 7)]
    return np.asarray(sum(np.roll(planes, tuple(step), (0, 1)) for step in steps) / np.float32(len(steps)), np.float32)


def _like_skin(image: Bytes, others: Bytes, shape: Doubles, chance: np.random.Generator) -> Surface:
    """What a hand could look like: a colour of this face's own, or a piece of its skin, in another light."""
    size = image.shape[0]
    if chance.random() < 0.5:
        return surface(size, others, chance, _skin(image, others, shape, chance))
    one, other = _CHEEKS[int(chance.integers(0, len(_CHEEKS)))]
    side = int(chance.uniform(0.12, 0.3) * np.ptp(shape[:, 0]))
    left, top = np.clip(np.rint((shape[one] + shape[other]) / 2 - side / 2), 0, size - side - 1).astype(int)
    cut = np.rot90(image[top : top + side, left : left + side], int(chance.integers(0, 4)))
    large = Image.fromarray(np.ascontiguousarray(cut)).resize((size, size), Image.Resampling.BILINEAR)
    light = chance.uniform(0.55, 1.6) * chance.uniform(0.93, 1.07, 3)
    return np.asarray(np.clip(np.asarray(large, np.float32) * light, 0, 255), np.float32)


def _skin(image: Bytes, others: Bytes, shape: Doubles, chance: np.random.Generator) -> Floats:
    """A colour that a hand could have: this face's own, a little off, or that of another picture's middle."""
    size = image.shape[0]
    point = shape[_SKIN_OF[int(chance.integers(0, len(_SKIN_OF)))]]
    if chance.random() < 0.3:
        image, point = others[int(chance.integers(0, len(others)))], np.array([size * 0.5, size * 0.6])
    x, y = np.clip(np.rint(point), 2, size - 3).astype(int)
    colour = image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(axis=0)
    return np.asarray(colour * chance.uniform(0.65, 1.35) * chance.uniform(0.93, 1.07, 3), np.float32)


def surface(size: int, others: Bytes, chance: np.random.Generator, colour: Floats | None = None) -> Surface:
    """What a thing looks like all over; with a `colour` it is that one, uneven as skin is."""
    if colour is not None:
        uneven = _noise(size, chance, finest=0.6) * chance.uniform(0.03, 0.15)
        return np.asarray(np.clip(colour * (1 + uneven[..., None]), 0, 255), np.float32)
    make = _SURFACES[int(chance.integers(0, len(_SURFACES)))]
    return np.asarray(np.clip(make(size, others, chance), 0, 255), np.float32)


def _colour(chance: np.random.Generator) -> Floats:
    """Any colour, black, white and grey more often than chance would have them."""
    if chance.random() < 0.4:
        return (chance.uniform(0, 255) * chance.uniform(0.92, 1.08, 3)).astype(np.float32)
    return chance.uniform(0, 255, 3).astype(np.float32)


def _flat(size: int, _others: Bytes, chance: np.random.Generator) -> Surface:
    slope = np.linspace(-1, 1, size, dtype=np.float32) * np.float32(chance.uniform(-0.4, 0.4))
    return np.asarray(_colour(chance) * (1 + slope[:, None, None] + 0 * slope[None, :, None]), np.float32)


def _cloudy(size: int, _others: Bytes, chance: np.random.Generator) -> Surface:
    between = (_noise(size, chance, finest=chance.uniform(0.2, 0.9)) + 1)[..., None] / 2
    return np.asarray(_colour(chance) * between + _colour(chance) * (1 - between), np.float32)


def _striped(size: int, _others: Bytes, chance: np.random.Generator) -> Surface:
    angle, waves = chance.uniform(0, np.pi), chance.uniform(2, 25)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wave = np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)))
    if chance.random() < 0.3:
        wave *= np.sin(2 * np.pi * waves * (y * np.cos(angle) - x * np.sin(angle)))
    between = np.clip(wave * chance.uniform(0.5, 4) + 0.5, 0, 1)[..., None]
    return np.asarray(_colour(chance) * between + _colour(chance) * (1 - between), np.float32)


def _piece(size: int, others: Bytes, chance: np.random.Generator) -> Surface:
    """A piece of another picture, turned, mirrored, enlarged, in other colours."""
    picture = others[int(chance.integers(0, len(others)))]
    side = int(chance.integers(size // 5, size // 2))
    top, left = chance.integers(0, size - side, 2)
    cut = np.rot90(picture[top : top + side, left : left + side], int(chance.integers(0, 4)))
    large = Image.fromarray(np.ascontiguousarray(cut)).resize((size, size), Image.Resampling.BILINEAR)
    shift = chance.uniform(-50, 50, 3) * (chance.random() < 0.6)
    return np.asarray(np.asarray(large, np.float32) * chance.uniform(0.6, 1.4) + shift, np.float32)


_SURFACES: tuple[Callable[[int, Bytes, np.random.Generator], Surface], ...] = (
    _flat,
    _flat,
    _cloudy,
    _cloudy,
    _striped,
    _piece,
    _piece,
)


def _noise(size: int, chance: np.random.Generator, *, finest: float) -> Floats:
    """Smooth noise of several finenesses, -1 to 1; `finest` says how much the fine ones count."""
    total, weight, sum_ = np.zeros((size, size), np.float32), 1.0, 0.0
    for cells in (3, 7, 17, 40):
        grid = chance.uniform(-1, 1, (cells, cells)).astype(np.float32)
        total += weight * np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC))
        sum_ += weight
        weight *= finest
    return np.asarray(np.clip(1.6 * total / sum_, -1, 1), np.float32)


def _blurred(part: Part, radius: float) -> Floats:
    picture = Image.fromarray((part * 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)
