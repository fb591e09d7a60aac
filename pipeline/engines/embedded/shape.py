"""What landmarks say of who somebody is, apart from how the head is turned and what the face does.

A person's inner landmarks are an average face in space plus what is that person's own, seen through a camera of its
own in every picture (scaled orthography, as in `curation.screen.pose`). To draw B with A's pose and expression, only
the difference of what is their own is carried over, turned as A's head is; so a B who was only ever seen from the front
is drawn turned where A turns.

Eyes, brows and mouth carry expression in their shape: of them only the place is B's, the shape stays A's; but eyes are
as wide and, as a rule, as far open as B's, for that is who somebody is. The jaw stays
A's as well, for what is painted must end where A's face does: a narrower one would leave what was behind B in A's
cheek. One thing cannot be told from landmarks in the plane: a lower mouth from a head that nods. Part of such a
difference is lost.

Shapes are float64 (n, 68, 2) in pixels; what is a person's own is float64 (51, 3) in millimetres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engines.align import MEAN_FACE

__all__ = ["EYES", "carried", "fronted", "heads_turned", "own"]

Doubles = NDArray[np.float64]

_MILLIMETRES = 122.0
"""A side of the mean face's square, by the distance of the eyes' outer corners (90 mm, Farkas 1994)."""
# fmt: off
_DEPTHS = np.array([
    -5, 8, 15, 19, 20, 20, 19, 15, 8, -5, 20, 26, 34, 42, 18, 22, 25, 22, 18, 0, 6, 8, 7, 7, 5, 7, 8, 6, 0, 5, 7,
    12, 20, 26, 27, 26, 20, 12, 20, 24, 25, 24, 20, 13, 23, 25, 23, 13, 22, 23, 22,
], np.float64)
# fmt: on
"""How far each inner landmark stands out, towards the viewer, in millimetres: from the same tables as the points of
`curation.screen.pose`, those between by eye."""
_AVERAGE = np.column_stack([MEAN_FACE * _MILLIMETRES, _DEPTHS])
_AVERAGE -= _AVERAGE.mean(axis=0)
_SOLVE = np.linalg.pinv(_AVERAGE)
_INNER = slice(17, 68)
_WHOLE = tuple(slice(start - 17, end - 17) for start, end in ((17, 22), (22, 27), (36, 42), (42, 48), (48, 68)))
"""Brows, eyes and mouth, which move as a whole."""
EYES = (slice(36, 42), slice(42, 48))
"""The landmarks of both eyes."""
_MOST_RESIZED = 1.3
"""Eyes that are more than so many times as wide or open as a rule do something, which is not who somebody is."""
_DOUBT = 0.1
"""Ridge, in shares of what the pictures tell: the depth of a face seen only from the front stays the average one."""


def own(shapes: Doubles) -> Doubles:
    """What is a person's own in these faces' inner landmarks, (51, 3)."""
    cameras, middles = _cameras(shapes)
    seen = np.einsum("ndk,pk->npd", cameras, _AVERAGE) + middles[:, None]
    left = shapes[:, _INNER] - seen
    told = np.einsum("ndk,ndl->kl", cameras, cameras)
    doubt = _DOUBT * float(np.trace(told)) / 3 * np.eye(3)
    return np.asarray(np.einsum("ndk,npd->pk", cameras, left) @ np.linalg.inv(told + doubt), np.float64)


def carried(shapes: Doubles, mine: Doubles, theirs: Doubles) -> Doubles:
    """A's `shapes` with what is B's own (`theirs`) in the place of what is A's (`mine`); the jaw as it is."""
    cameras, _ = _cameras(shapes)
    moved = shapes.copy()
    moved[:, _INNER] += np.einsum("ndk,pk->npd", cameras, _stiff(theirs - mine))
    times = _eyes(theirs) / _eyes(mine)
    for eye in EYES:
        moved[:, eye] = _resized(moved[:, eye], times)
    return moved


def _eyes(whose: Doubles) -> Doubles:
    """How wide and how far open a person's eyes are as a rule, in millimetres, (2,)."""
    points = np.stack([(_AVERAGE + whose)[eye.start - 17 : eye.stop - 17, :2] for eye in EYES])
    heights = points[:, 4:6, 1].mean(axis=1) - points[:, 1:3, 1].mean(axis=1)
    return np.asarray(np.maximum([(points[:, 3, 0] - points[:, 0, 0]).mean(), heights.mean()], 1.0), np.float64)


def _resized(eyes: Doubles, times: Doubles) -> Doubles:
    """Eyes (n, 6, 2) made so many times as wide and as open about their middles: closed lids stay closed."""
    middles = eyes.mean(axis=1, keepdims=True)
    along = eyes[:, 3] - eyes[:, 0]
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    axes = np.stack([along, np.stack([-along[:, 1], along[:, 0]], axis=1)], axis=1)
    share = np.clip(times, 1 / _MOST_RESIZED, _MOST_RESIZED)
    return np.asarray(middles + (((eyes - middles) @ axes.transpose(0, 2, 1)) * share) @ axes, np.float64)


def fronted(shapes: Doubles, whose: Doubles) -> Doubles:
    """Where the inner landmarks of faces would lie if their heads were not turned, (n, 51, 2) in shares of the mean
    face's side: what is left is what the face does, whatever way it looks. `whose` is what is the person's own."""
    cameras, middles = _cameras(shapes)
    face = _AVERAGE + whose
    missed = shapes[:, _INNER] - middles[:, None] - np.einsum("ndk,pk->npd", cameras, face)
    across = cameras[:, :, :2]
    told = np.einsum("ndk,ndl->nkl", across, across)
    told += _DOUBT * np.trace(told, axis1=1, axis2=2)[:, None, None] / 2 * np.eye(2)
    moved = np.linalg.solve(told, np.einsum("ndk,npd->nkp", across, missed))
    return np.asarray((face[:, :2] + np.moveaxis(moved, 1, 2)) / _MILLIMETRES, np.float64)


def heads_turned(shapes: Doubles) -> Doubles:
    """How far heads are turned, (n, 2): aside and up or down, as sines."""
    cameras, _ = _cameras(shapes)
    return np.asarray(cameras[:, :, 2] / np.linalg.norm(cameras, axis=2), np.float64)


def _stiff(difference: Doubles) -> Doubles:
    """Brows, eyes and mouth moved as a whole."""
    stiff = difference.copy()
    for part in _WHOLE:
        stiff[part] = difference[part].mean(axis=0)
    return stiff


def _cameras(shapes: Doubles) -> tuple[Doubles, Doubles]:
    """The cameras (n, 2, 3), pixels a millimetre, and the middles (n, 2) of the inner landmarks."""
    inner = shapes[:, _INNER]
    middles = inner.mean(axis=1)
    free = np.einsum("kp,npd->ndk", _SOLVE, inner - middles[:, None])
    left, scales, right = np.linalg.svd(free, full_matrices=False)
    return (left @ right) * scales.mean(axis=1)[:, None, None], middles
