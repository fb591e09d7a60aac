"""What near-copies of a face say of it: one more annotator, which earns its say as the model does.

The model's record counts a track as hardly more than one look, since it must hold for faces that are like none that was
asked. Whether the answer on one moment of a track holds for another is a question of its own, and the answers of the
set show it: wherever two near-copies were judged on different pages, each is compared with what was said of the other.
What was earned so is said of the near-copies that nobody judged, and of no other face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .annotator import earned
from .voters import Answers, Heard, told_by

__all__ = ["heard_of_copies", "said_by_copies"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def said_by_copies(answers: Answers, groups: Codes, heard: Heard, said: Floats) -> Floats:
    """Log odds of good (faces,) that near-copies have earned to say, 0 for a face without any that was judged.

    `said` (faces,) is what the model says, held out: with a face's own votes it is what the copies are measured by.
    """
    copies = heard_of_copies(answers, groups, heard)
    voted = np.bincount(answers.faces, minlength=answers.n_faces) > 0
    tested = np.flatnonzero(voted & (copies != 0))
    if not len(tested):
        return np.zeros(answers.n_faces)
    truth = 1.0 / (1.0 + np.exp(-np.clip(heard.odds + said, -40, 40)))[tested]
    weights, worth = _compared(groups[tested]), heard.worth[tested]
    good = earned(copies[tested], truth, weights, weights * worth)
    bad = earned(-copies[tested], 1 - truth, weights, weights * worth)
    return np.asarray(good.limit(copies) - bad.limit(-copies))


def heard_of_copies(answers: Answers, groups: Codes, heard: Heard) -> Floats:
    """Log odds of good (faces,) by the votes on a face's near-copies, those of pages on which it stood itself left out.

    The votes of one page on one group are one look: their mean counts.
    """
    votes = len(answers.faces)
    if not votes:
        return np.zeros(answers.n_faces)
    say = told_by(answers, heard.accuracy)
    looks, look = np.unique(np.stack([groups[answers.faces], answers.pages], axis=1), axis=0, return_inverse=True)
    look = look.reshape(-1)
    mean = np.bincount(look, say) / np.bincount(look)
    by_group = np.bincount(looks[:, 0], mean, int(groups.max()) + 1)
    own = np.unique(np.stack([answers.faces, look], axis=1), axis=0)
    return np.asarray(by_group[groups] - np.bincount(own[:, 0], mean[own[:, 1]], answers.n_faces))


def _compared(groups: Codes) -> Floats:
    """How much each face counts: m of one group are m - 1 comparisons."""
    _, place, count = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(np.maximum(count - 1, 0.5) / count)[place.reshape(-1)]
