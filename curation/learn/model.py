"""A regularised logistic regression on the set's own features, and what it says of faces that it was not shown.

Fitted by Newton's method; targets are probabilities, not labels. What a face's own answer taught the model must not
come back as a second opinion on it: for every face that was asked, the score is *out of fold*, from a fit without it
and without its near-copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Logistic", "fit_logistic", "held_out_scores"]

Floats = NDArray[np.float64]

_FOLDS = 10
_NEWTON_STEPS = 30
_LONGEST_STEP = 2.0
_CAUTION = 0.3
_AT_ONCE = 8192
"""So many faces are copied or scored at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Coefficients (features + 1,), the last is the constant, and the covariance of their posterior (Laplace)."""

    coefficients: Floats
    covariance: Floats

    def scores(self, matrix: Floats) -> Floats:
        """Log odds, drawn towards 0 where the model knows little (MacKay 1992, eq. 4.2): far from what it was taught
        by, it is unsure."""
        parts = np.split(np.arange(len(matrix)), range(_AT_ONCE, len(matrix), _AT_ONCE))
        return np.concatenate([self._scores(_full(matrix, part)) for part in parts])

    def _scores(self, full: Floats) -> Floats:
        variance = np.einsum("nd,dn->n", full, self.covariance @ full.T) if len(full) else np.zeros(0)
        return np.asarray(full @ self.coefficients / np.sqrt(1.0 + _CAUTION * np.pi * variance / 8.0))


def _full(matrix: Floats, rows: NDArray[np.intp]) -> Floats:
    """These rows with a 1 behind each, in one copy."""
    full = np.ones((len(rows), matrix.shape[1] + 1))
    for start in range(0, len(rows), _AT_ONCE):
        full[start : start + _AT_ONCE, :-1] = matrix[rows[start : start + _AT_ONCE]]
    return full


def fit_logistic(
    matrix: Floats,
    rows: NDArray[np.intp],
    target: Floats,
    weights: Floats,
    strength: float = 1.0,
    start: Logistic | None = None,
) -> Logistic:
    """The most probable coefficients under a normal prior of precision `strength` (the constant's is nearly flat), by
    these `rows` of the matrix, whose are `target` and `weights` (rows,).

    The fit is the same wherever it starts, and is there sooner from one to nearly the same answers (`start`).
    """
    full = _full(matrix, rows)
    precision = np.full(full.shape[1], strength)
    precision[-1] = 0.01
    theta = np.zeros(full.shape[1]) if start is None else start.coefficients
    hessian, weighted = np.diag(precision), np.empty_like(full)
    for _ in range(_NEWTON_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(full @ theta, -40, 40)))
        gradient = full.T @ (weights * (p - target)) + precision * theta
        np.multiply(full, (weights * np.maximum(p * (1 - p), 1e-6))[:, None], out=weighted)
        hessian = weighted.T @ full + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        longest = float(np.abs(step).max())
        theta = theta - step * min(1.0, _LONGEST_STEP / max(longest, 1e-12))
        if longest < 1e-5:
            break
    return Logistic(theta, np.linalg.inv(hessian))


def held_out_scores(
    matrix: Floats, taught: NDArray[np.intp], target: Floats, weights: Floats, groups: NDArray[np.intp]
) -> Floats:
    """Log odds of every face (faces,). `taught` are the faces with answers, `target` and `weights` are theirs.

    Faces of one group share a fold. The folds follow from the order of the faces: the same answers give the same
    scores.
    """
    every = fit_logistic(matrix, taught, target, weights)
    scores = every.scores(matrix)
    folds = _folds(groups[taught], target)
    for fold in np.unique(folds):
        inside = folds == fold
        if inside.all():
            scores[taught] = 0.0
            break
        model = fit_logistic(matrix, taught[~inside], target[~inside], weights[~inside], start=every)
        scores[taught[inside]] = model.scores(matrix[taught[inside]])
    return scores


def _folds(groups: NDArray[np.intp], target: Floats) -> NDArray[np.intp]:
    """Groups dealt out to folds, good and bad ones in turn, so that no fold takes all of a rare kind."""
    names, places = np.unique(groups, return_inverse=True)
    places = places.reshape(-1)
    mean = np.bincount(places, target) / np.bincount(places)
    fold = np.empty(len(names), dtype=np.intp)
    fold[np.lexsort((names, mean))] = np.arange(len(names)) % _FOLDS
    return np.asarray(fold[places], dtype=np.intp)
