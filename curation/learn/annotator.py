"""The model as one more annotator: what its word is worth on this set, measured on faces that it was not shown.

It starts without a say. Its held-out scores on the faces that people answered are calibrated by a logistic that is
drawn towards "no say" (Platt 1999, with smoothed targets), and its word is never worth more than its record: where n
of its held-out verdicts that were at least so sure were right and w wrong, the odds are at most (n + 1) : (w + 1/2).
So it enters as CROWDLAB's classifier does (Goh et al. 2022), by its agreement with people, and one that is wrong loses
its voice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["SILENT", "Earned", "Record", "earn", "earned"]

Floats = NDArray[np.float64]

_PULL = 0.1
"""How many answers "no say" is worth."""
_SMOOTHED = 0.1
"""Pseudo-answers of the other kind in the targets of the calibration (Platt takes one)."""
_LEAST = 2.0
"""So many answers of each kind there must be before it may say anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Earned:
    """From which log odds (ascending) how much may be said, (levels,) each."""

    level: Floats = field(default_factory=lambda: np.zeros(0))
    most: Floats = field(default_factory=lambda: np.zeros(0))

    def limit(self, said: Floats) -> Floats:
        """`said`, where it is positive, cut to what was earned at its level; 0 elsewhere."""
        if not len(self.level):
            return np.zeros(len(said))
        place = np.searchsorted(self.level, said, "right") - 1
        most = np.where(place >= 0, self.most[np.maximum(place, 0)], 0.0)
        return np.asarray(np.clip(said, 0.0, most))


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The model's confusion matrix on this set, held out: `counts[truth][verdict]`, bad first, in independent looks.

    `slope` and `shift` turn scores into log odds; `good` and `bad` say how much of them it has earned.
    """

    counts: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))
    slope: float = 0.0
    shift: float = 0.0
    good: Earned = Earned()
    bad: Earned = Earned()

    @property
    def accuracy(self) -> float:
        """The share of its held-out verdicts that people confirm; NaN without any."""
        total = sum(map(sum, self.counts))
        return (self.counts[0][0] + self.counts[1][1]) / total if total else float("nan")

    def odds(self, scores: Floats) -> Floats:
        """What the model says, as log odds; 0 is nothing."""
        said = self.slope * scores + self.shift if self.slope > 0 else np.zeros(len(scores))
        return np.asarray(self.good.limit(said) - self.bad.limit(-said))


SILENT = Record()
"""A model that has shown nothing yet."""


def earn(scores: Floats, truth: Floats, weights: Floats, worth: Floats | None = None) -> Record:
    """The record of held-out `scores` against people's `truth` (probabilities of good) with `weights`. `worth` says how
    many independent looks each face stands for: it takes from how much is known, and nothing from which side is right.
    """
    worth = np.ones(len(scores)) if worth is None else worth
    good, bad = float(weights @ truth), float(weights @ (1 - truth))
    if min(good, bad) < _LEAST:
        return SILENT
    slope, shift = _platt(scores, truth, weights, good, bad)
    if slope <= 0:
        return SILENT
    said = slope * scores + shift
    bad_side, good_side = said <= 0, said > 0
    counts = (
        (float(weights[bad_side] @ (1 - truth[bad_side])), float(weights[good_side] @ (1 - truth[good_side]))),
        (float(weights[bad_side] @ truth[bad_side]), float(weights[good_side] @ truth[good_side])),
    )
    return Record(counts, slope, shift, earned(said, truth, weights, worth), earned(-said, 1 - truth, weights, worth))


def earned(said: Floats, truth: Floats, weights: Floats, worth: Floats) -> Earned:
    """The record of one verdict, by how sure it was. An answer counts as far as people are sure of it: a doubtful one
    shows neither that the model is right nor that it is wrong."""
    order = np.argsort(-said, kind="stable")
    order = order[said[order] > 0]
    if not len(order):
        return Earned()
    right = np.cumsum((weights * truth)[order])
    wrong = np.cumsum((weights * (1 - truth))[order])
    looks = np.cumsum(worth[order]) / np.maximum(right + wrong, 1e-9)
    most = np.maximum(np.log((right * looks + 1.0) / (wrong * looks + 0.5)), 0.0)[::-1]
    return Earned(said[order][::-1], np.maximum.accumulate(most))


def _platt(scores: Floats, truth: Floats, weights: Floats, good: float, bad: float) -> tuple[float, float]:
    """Slope and shift, with a pull of both towards 0."""
    target = truth * (good + _SMOOTHED) / (good + 2 * _SMOOTHED) + (1 - truth) * _SMOOTHED / (bad + 2 * _SMOOTHED)
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    spread = max(float(np.sqrt(np.mean(scores**2))), 1e-6)
    penalty = np.diag([_PULL * 0.25 * spread**2, _PULL * 0.25])
    theta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -40, 40)))
        gradient = design.T @ (weights * (p - target)) + penalty @ theta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian, gradient)
        theta = theta - np.clip(step, -1, 1)
        if float(np.abs(step).max()) < 1e-8:
            break
    return float(theta[0]), float(theta[1])
