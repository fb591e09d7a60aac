"""How good priors are, and how to make them better with the set's own answers. Pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibration", "Triage", "auc", "calibrate", "calibration_error", "triage"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map of probabilities: log odds times `slope` plus `shift`. (1, 0) changes nothing."""

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, probabilities: Floats) -> Floats:
        odds = self.slope * _logit(probabilities) + self.shift
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -40, 40))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Triage:
    """What two cuts decide: share of faces decided, share of wrong ones among all, and which way they were wrong."""

    decided: float
    error: float
    false_keeps: int
    false_rejects: int


def auc(scores: Floats, positive: Bools) -> float:
    """Area under the ROC curve (Mann–Whitney); ties count half; NaN where one class is missing."""
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def triage(probabilities: Floats, positive: Bools, low: float, high: float) -> Triage:
    """Keep at `high` and above, reject at `low` and below, ask about the rest."""
    keep, reject = probabilities >= high, probabilities <= low
    wrong_keep, wrong_reject = int((keep & ~positive).sum()), int((reject & positive).sum())
    count = max(len(positive), 1)
    return Triage(float((keep | reject).sum()) / count, (wrong_keep + wrong_reject) / count, wrong_keep, wrong_reject)


def calibration_error(probabilities: Floats, positive: Bools, bins: int = 10) -> float:
    """Expected calibration error over `bins` equal-width bins (Guo et al. 2017, eq. 3)."""
    if not len(probabilities):
        return float("nan")
    where = np.clip((probabilities * bins).astype(np.intp), 0, bins - 1)
    total = 0.0
    for index in np.unique(where):
        inside = where == index
        total += abs(float(probabilities[inside].mean()) - float(positive[inside].mean())) * float(inside.mean())
    return total


def calibrate(probabilities: Floats, positive: Bools, strength: float = 4.0) -> Calibration:
    """Fit slope and shift to known answers (Platt 1999) with a pull towards "no change".

    `strength` is how many answers the pull is worth, so that few answers change little; the slope is never negative.
    """
    x = _logit(probabilities)
    y = positive.astype(np.float64)
    theta = np.array([1.0, 0.0])
    start = theta.copy()
    penalty = np.diag([strength, strength / 4])
    design = np.stack([x, np.ones_like(x)], axis=1)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -40, 40)))
        gradient = design.T @ (p - y) + penalty @ (theta - start)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian, gradient)
        theta = theta - np.clip(step, -1, 1)
        if float(np.abs(step).max()) < 1e-8:
            break
    return Calibration(max(float(theta[0]), 0.0), float(theta[1]))


def _logit(probabilities: Floats) -> Floats:
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float64)
