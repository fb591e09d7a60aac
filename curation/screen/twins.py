"""Near-duplicates: the same face a moment later. One question can stand for all of them.

Two crops are twins when their perceptual hashes differ in at most `bits` of 64 (imagehash's DCT hash) and they come
from the same source within `window` frames; stills of one source are compared with all others of it. Every twin is near
its group's *leader*, the sharpest, so groups never chain from one pose to another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["twin_leaders"]


def twin_leaders(
    hashes: Sequence[int],
    sources: Sequence[str],
    frames: Sequence[int | None],
    sharpness: NDArray[np.float64],
    *,
    bits: int = 4,
    window: int = 30,
) -> NDArray[np.intp]:
    """For each face the index of its leader, its own index where it stands alone. int (n,).

    A leader is never less sharp than its twins. The result does not depend on the order of the faces but for exact
    ties of sharpness. Memory is linear: faces are compared only within their source and `window` frames.
    """
    count = len(hashes)
    leaders = np.arange(count, dtype=np.intp)
    codes = np.array(hashes, dtype=np.uint64)
    places: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        places.setdefault(source, []).append(index)
    for indices in places.values():
        _lead(np.array(indices, dtype=np.intp), codes, frames, sharpness, leaders, bits, window)
    return leaders


def _lead(
    indices: NDArray[np.intp],
    codes: NDArray[np.uint64],
    frames: Sequence[int | None],
    sharpness: NDArray[np.float64],
    leaders: NDArray[np.intp],
    bits: int,
    window: int,
) -> None:
    """Greedy, sharpest first: whoever is not yet taken leads everybody free who is near enough."""
    times = np.array([-1 if frames[i] is None else frames[i] for i in indices], dtype=np.int64)
    order = np.argsort(times, kind="stable")
    indices, times = indices[order], times[order]
    still = times < 0
    free = np.ones(len(indices), dtype=bool)
    for place in np.argsort(-sharpness[indices], kind="stable"):
        if not free[place]:
            continue
        if still[place]:
            low, high = 0, int(still.sum())
        else:
            low = max(int(np.searchsorted(times, times[place] - window, "left")), int(still.sum()))
            high = int(np.searchsorted(times, times[place] + window, "right"))
        near = _unlike(codes[indices[low:high]], codes[indices[place]]) <= bits
        taken = np.flatnonzero(near & free[low:high]) + low
        leaders[indices[taken]] = indices[place]
        free[taken] = False


def _unlike(codes: NDArray[np.uint64], code: np.uint64) -> NDArray[np.int64]:
    """How many of 64 bits differ."""
    bits = np.unpackbits((codes ^ code).view(np.uint8).reshape(-1, 8), axis=1)
    return np.asarray(bits.sum(axis=1), dtype=np.int64)
