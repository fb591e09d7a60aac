"""Which of many are looked at: some of them, spread evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["evenly"]


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """The places, in order, of all of `count`, or of `most` from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))
