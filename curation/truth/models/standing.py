"""How workers stand by agreement alone: no model of confusion, and so nothing that drifts while votes are few.

Used for the shares of labels that the models are held near, and for the order in which workers enter communities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .em import VoteMatrix

__all__ = ["agreement_order", "labels_by_agreement"]

Floats = NDArray[np.float64]

_PSEUDO = 2.0


def labels_by_agreement(matrix: VoteMatrix) -> Floats:
    """Which label leads when votes weigh by the voter's agreement above chance, (tasks, labels): tied ones share a 1.

    Whoever always gives the same answer weighs little, so a label that is many careless workers' favourite loses the
    size that plain vote shares give it. Plain votes lead where nobody agrees above chance, or nobody met anybody.
    """
    weight = _rate(matrix) - 1.0 / max(matrix.n_labels, 1)
    if not (weight > 0).any():
        weight = np.ones(matrix.n_workers)
    eye = np.eye(matrix.n_labels)
    score = np.asarray(matrix.votes @ (weight[:, None, None] * eye).reshape(-1, matrix.n_labels))
    best = score >= score.max(axis=1, keepdims=True, initial=-np.inf) - 1e-9
    return np.asarray(best / best.sum(axis=1, keepdims=True))


def _rate(matrix: VoteMatrix) -> Floats:
    """The chance that a worker agrees with another voter, with two pseudo-votes of the crowd's."""
    agreeing, met = _agreement(matrix)
    mean = float(agreeing.sum() / max(float(met.sum()), 1e-12))
    return np.asarray((agreeing + _PSEUDO * mean) / (met + _PSEUDO))


def _agreement(matrix: VoteMatrix) -> tuple[Floats, Floats]:
    """Per worker: votes that agree with another voter of the same task, drawn at random, and votes that had one."""
    votes = matrix.counts()
    others = np.maximum(votes.sum(axis=1, keepdims=True) - 1.0, 0.0)
    same = np.maximum(votes - 1.0, 0.0) / np.maximum(others, 1e-12)
    met = np.broadcast_to(others > 1e-9, votes.shape).astype(np.float64)
    agreeing = np.einsum("wkk->w", matrix.expected_counts(np.ascontiguousarray(same * met)))
    return agreeing, np.einsum("wkk->w", matrix.expected_counts(np.ascontiguousarray(met)))


def agreement_order(matrix: VoteMatrix) -> Floats:
    """Each worker's place by agreement, (workers,) in 0 to 1: the share of all votes cast by those who agree less.

    Two pseudo-votes of average agreement keep newcomers in the middle. Equal ones share a place.
    """
    cast = matrix.totals.sum(axis=1)
    levels, level = np.unique(np.round(_rate(matrix), 9), return_inverse=True)
    size = np.bincount(level, weights=cast, minlength=len(levels))
    middle = np.cumsum(size) - 0.5 * size
    return np.asarray(middle[level] / max(float(cast.sum()), 1e-12))
