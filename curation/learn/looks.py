"""One look is one look: how much the votes of one worker on one page are worth together.

Whoever confirms a page of twelve like faces has looked once, not twelve times. For the face itself the vote is a vote.
But where votes are counted up, to learn how good a worker is or whether the model can be trusted, those of one look on
like faces count together as hardly more than one: with n votes that are correlated by r, n / (1 + (n - 1) r) of them
are independent (the design effect; Kish, *Survey Sampling*, 1965).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALIKE", "UNLIKE", "look_weights"]

ALIKE = 0.9
"""How much the votes of one look on faces of one group depend on one another."""
UNLIKE = 0.05
"""The same for faces that have only the page in common: a worker may be tired or in a hurry for a page."""


def look_weights(
    workers: NDArray[np.intp], pages: NDArray[np.intp], labels: NDArray[np.intp], groups: NDArray[np.intp]
) -> NDArray[np.float64]:
    """What each vote is worth as evidence about its worker, float64 (votes,), at most 1.

    Votes depend on one another where worker, page and label are the same; `groups` are those of the voted faces.
    """
    if not len(workers):
        return np.zeros(0)
    look = np.stack([workers, pages, labels], axis=1)
    same_look = _counts(look)
    same_group = _counts(np.column_stack([look, groups]))
    return np.asarray(1.0 / (1.0 + ALIKE * (same_group - 1) + UNLIKE * (same_look - same_group)))


def _counts(rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """How often each row occurs."""
    _, places, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(counts[places.reshape(-1)], dtype=np.float64)
