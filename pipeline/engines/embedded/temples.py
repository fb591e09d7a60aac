"""The temples, where brows end: skin or hair, as the one who is seen has them.

The ends of A's brows lie at the edge of what is swapped, and beyond them one person has skin where the other has hair.
Where A has skin there and B none, B's skin is carried on, for A's brow would show beside B's; where A has hair, it
stays in front of it. Both are told once for two people, from their looks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .bending import places_of, sample
from .detail import Cut, enlarge, shrink
from .skin import features_of

if TYPE_CHECKING:
    from .look import Look

__all__ = ["Temples", "with_temples"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_ENDS = (17, 26)
"""The landmarks of the brows' ends."""
_SURE, _WIDE = 0.1, 0.16
"""How far around them all is temple, and how far some is, in shares of a side."""
_SEEN, _HIDDEN = 0.0125, 0.02
"""A brow that ends so far outside of the face, in shares of a side, is still seen to its end; and hidden by hair."""
_SHADED, _EDGE = 0.006, 0.02
"""So near to hair, in shares of a side, a face is all in its shadow, and so near there is any of that."""
_NEAR, _FAR, _LITTLE = 0.02, 0.08, 1e-3
"""From how far skin is carried on; and where there is none so near, from how far and for how little that counts."""


class Temples(NamedTuple):
    """A `look` with skin at the temples wherever there may be some, and how far each pixel of its texture is
    `uncovered` (s, s), 0 … 1: 0 where the one who is seen has hair there."""

    look: Look
    uncovered: Floats


def with_temples(look: Look, seen: Look) -> Temples:
    """How the person of `look` is to be drawn onto the one of `seen`."""
    shape, detail = look.shape * look.detail, look.detail
    zone, skin = _zone(shape, look.face), _skin(look.face, shape)
    face, theirs = (shrink(one.face[None, ..., None], one.detail) for one in (look, seen))
    canvas = face.shape[1]
    theirs = enlarge(sample(theirs, places_of(seen.shape, look.shape[None], canvas, canvas)), detail)[0, ..., 0]
    face = face[0, ..., 0]
    change = look.change.reshape(len(look.change), canvas, canvas, 3)
    rests = _carried_on(look.rests, look.face, zone, skin, detail)
    made = replace(
        look,
        texture=_carried_on(look.texture[None], look.face, zone, skin, detail)[0],
        rests=np.clip(np.rint(rests), -127, 127).astype(np.int8),
        change=_carried_on(change, face, _zone(look.shape, face), _skin(face, look.shape)).reshape(look.change.shape),
        face=np.maximum(look.face, zone),
    )
    return Temples(made, 1 - zone * (1 - theirs))


def _zone(shape: Doubles, face: Floats) -> Floats:
    """What is temple in a picture with these landmarks of which so much is `face`, 0 … 1: what lies around the ends of
    brows that are seen to their ends. One that runs into hair would end there as if it were cut off."""
    size = len(face)
    inside, outside = (ndimage.distance_transform_edt(part) / size for part in (face > 0.5, face <= 0.5))
    rows, columns = np.mgrid[:size, :size]
    found = np.zeros((size, size), np.float32)
    for x, y in shape[list(_ENDS)]:
        spot = min(max(round(y), 0), size - 1), min(max(round(x), 0), size - 1)
        seen = np.clip((_HIDDEN + inside[spot] - outside[spot]) / (_HIDDEN - _SEEN), 0, 1)
        apart = np.hypot(columns - x, rows - y) / size
        found = np.maximum(found, seen * np.clip((_WIDE - apart) / (_WIDE - _SURE), 0, 1), dtype=np.float32)
    return found


def _skin(face: Floats, shape: Doubles) -> Floats:
    """The pixels from which skin is carried on: 1 or 0."""
    size = len(face)
    inside = ndimage.distance_transform_edt(face > 0.5) > _EDGE * size
    return np.asarray(inside & ~features_of(shape, size), np.float32)


def _carried_on(pictures: NDArray[np.generic], face: Floats, zone: Floats, skin: Floats, detail: int = 1) -> Floats:
    """Pictures (n, s, s, 3) whose `zone`, as far as it is no face, has the colours of the `skin` beside it, which are
    smooth enough for every `detail`th pixel."""
    size = len(face)
    inside = np.asarray(ndimage.distance_transform_edt(face > 0.5), np.float32) / np.float32(size)
    share = zone * (1 - np.clip((inside - _SHADED) / (_EDGE - _SHADED), 0, 1))
    result = np.asarray(pictures, np.float32).copy()
    for cut in _boxes(share, detail):
        part, weight = result[:, *cut], skin[cut][None, ..., None]
        spread, total = (_spread(shrink(what, detail), size // detail) for what in (part * weight, weight))
        colours = enlarge(np.asarray(spread / np.maximum(total, 1e-7), np.float32), detail)
        part += share[cut][None, ..., None] * enlarge((total > 1e-7).astype(np.float32), detail) * (colours - part)
    return result


def _spread(pictures: Floats, size: int) -> Floats:
    return np.asarray(
        sum(
            much * ndimage.gaussian_filter(pictures, (0, far * size, far * size, 0), truncate=3)
            for much, far in ((1.0, _NEAR), (_LITTLE, _FAR))
        ),
        np.float32,
    )


def _boxes(share: Floats, detail: int) -> list[Cut]:
    """The rows and columns of each half of the picture in which any of it lies, and what is around from which skin is
    carried on; they begin and end at every `detail`th."""
    size, middle = len(share), share.shape[1] // 2
    around = round(3 * _FAR * size)
    found = []
    for start, stop in ((0, middle), (middle, size)):
        rows, columns = (np.flatnonzero((share[:, start:stop] > 0).any(axis=axis)) for axis in (1, 0))
        if len(rows):
            down, across = (
                slice(
                    max(low, int(used[0]) - around) // detail * detail,
                    min(high, -(-(int(used[-1]) + 1 + around) // detail) * detail),
                )
                for used, low, high in ((rows, 0, size), (columns + start, start, stop))
            )
            found.append((down, across))
    return found
