"""The pictures of a person that are nearest to an expression, mixed: teeth, lids and gaze that no average has.

What a person's look cannot say of the pictures it was made of (their rest) is kept, bent to the mean shape like them.
For a wanted expression the rests of the nearest ones are mixed and put on top: kernel regression (Nadaraya 1964) with a
kernel that ends at the furthest of them, so that nothing jumps when one picture takes another's place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .detail import Cut

__all__ = ["MOST_KEPT", "expression_of", "mixed", "rests_of"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Shorts = NDArray[np.int8]

MOST_KEPT = 160
"""So many pictures, spread evenly, are kept: 12 MB at the usual size."""
MIXED = 14
"""How many of them are mixed. Fewer are sharper and less steady."""
_PARTS = ((slice(17, 27), 0.5), (slice(36, 48), 2.0), (slice(48, 68), 1.0))
"""Brows, eyes and mouth, and how much a pixel there counts."""
_GAZE = 1.0
"""How much a gaze to the eye's corner counts, against a mouth opened by a fifth of the face."""
_EYES = (slice(36, 42), slice(42, 48))


def expression_of(shapes: Doubles, flat: Floats, mean: Doubles) -> Floats:
    """Numbers (n, 86) that tell a face's expression: where brows, lids and lips are, and where the eyes look.

    `shapes` (n, 68, 2) are in pixels of a canvas of c, `flat` (n, c, c, 3) the faces bent to the shape `mean`.
    """
    size = flat.shape[1]
    parts = [weight * shapes[:, part].reshape(len(shapes), -1) / size for part, weight in _PARTS]
    gazes = np.stack([_gaze(flat, mean[eye]) for eye in _EYES]).mean(axis=0)
    return np.concatenate([*parts, _GAZE * 0.2 * gazes], axis=1).astype(np.float32)


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


def mixed(
    rests: Shorts,
    keys: Floats,
    wanted: Floats,
    *,
    without: NDArray[np.int64] | None = None,
    cut: Cut = (slice(None), slice(None)),
) -> Floats:
    """The rests (k, s, s, 3) for the wanted expressions (n, m), float32 (n, s, s, 3), or a `cut` of them.

    `without` names for each the picture that is not to be mixed in, -1 for none: itself, when a picture is drawn to
    learn from.
    """
    shares = _shares(keys, wanted, without)
    used = np.flatnonzero(shares.any(axis=0))
    weights, part = 2 * shares[:, used], rests[:, *cut]
    found = np.zeros((len(wanted), *part.shape[1:]), np.float32)
    # Expressions that follow each other mix the same pictures, so these are turned into floats once for all; some rows
    # at a time, which stay in a cache.
    for start in range(0, part.shape[1] if len(used) else 0, _ROWS):
        block = part[used, start : start + _ROWS]
        found[:, start : start + _ROWS] = np.tensordot(weights, block.astype(np.float32), 1)
    return found


_ROWS = 16


def _shares(keys: Floats, wanted: Floats, without: NDArray[np.int64] | None) -> Floats:
    """How much of each kept picture goes into each wanted expression, (n, k)."""
    shares = np.zeros((len(wanted), len(keys)), np.float32)
    for row, key in enumerate(wanted):
        apart = np.linalg.norm(keys - key, axis=1)
        if without is not None and without[row] >= 0:
            apart[without[row]] = np.inf
        order = np.argsort(apart, kind="stable")[: MIXED + 1]
        order = order[np.isfinite(apart[order])]
        shares[row, order] = _kernel(apart[order])
    return shares


def _kernel(apart: Floats) -> Floats:
    """Weights that sum to 1 and fall to 0 at the last and furthest."""
    if len(apart) < 2:
        return np.ones(len(apart), np.float32)
    weights = (1 - (apart / max(float(apart[-1]), 1e-9)) ** 2) ** 2 + 1e-6
    return np.asarray(weights / weights.sum(), np.float32)
