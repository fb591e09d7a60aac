"""Expectation–maximisation for worker models with confusion matrices, as sparse matrix products.

The votes are a 0/1 matrix A (tasks × worker·answer). One E-step is `A @ log(confusion)`, one M-step
`A.T @ posterior`; each is one pass over the votes in C. With two labels one column, the log-odds, carries everything.
What makes a model is only how it turns expected counts into confusion matrices: `exact`, `smoothed`, `one_coin`.

Sources: Dawid & Skene 1979 (the model); Zhang, Chen, Zhou & Jordan 2016 (one coin). With `exact`, start, clip and
stopping rule are those of crowd-kit 1.4.2 (`aggregation/classification/dawid_skene.py`), so that posteriors compare
number by number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..result import Blend
from ..votes import Codes, VotesTable

__all__ = [
    "Fit",
    "VoteMatrix",
    "along_rows",
    "exact",
    "expand",
    "fit",
    "one_coin",
    "posterior_of",
    "smoothed",
    "softened",
]

Floats = NDArray[np.float64]
Estimator = Callable[[Floats], Floats]
"""(workers, answer, truth) expected counts → confusion probabilities of the same shape, columns sum to 1."""

_EPS = 1e-10
_FEW, _AT_ONCE = 8, 8192


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where expectation–maximisation ended.

    `confusion` and `evidence` (the expected counts without pseudo-counts) are (workers, answer, truth).
    `blend` is set by `auto` alone.
    """

    posterior: Floats
    confusion: Floats
    evidence: Floats
    class_prior: Floats
    iterations: int
    blend: Blend | None = None


class VoteMatrix:
    """The votes in the shape that the two steps need; made once per table, in linear time.

    `weights`, one per vote, are 1 unless given.
    """

    def __init__(self, votes: VotesTable, weights: Floats | None = None) -> None:
        self.n_tasks, self.n_workers, self.n_labels = votes.n_tasks, votes.n_workers, votes.n_labels
        answers = votes.workers * np.int32(votes.n_labels) + votes.labels
        shape = (votes.n_tasks, votes.n_workers * votes.n_labels)
        ones = np.ones(len(votes)) if weights is None else weights
        self._unweighted = weights is None
        starts = _starts(votes.tasks, votes.n_tasks)
        if starts is not None:
            self.votes = sparse.csr_array((ones, answers, starts), shape=shape)
        else:
            self.votes = sparse.csr_array((ones, (votes.tasks, answers)), shape=shape)
        self.totals = np.asarray(self.votes.T @ np.ones(votes.n_tasks)).reshape(votes.n_workers, votes.n_labels)

    def counts(self) -> Floats:
        """What weight of votes each task got for each label: (tasks, labels)."""
        return np.asarray(self.votes @ np.tile(np.eye(self.n_labels), (self.n_workers, 1)))

    def shares(self) -> Floats:
        """Vote shares (tasks, labels); uniform where nobody voted."""
        if self.n_labels == 2 and self._unweighted:
            total = np.diff(self.votes.indptr)[:, None]
            second = np.asarray(self.votes @ np.tile([0.0, 1.0], self.n_workers))
            counts = np.stack([total[:, 0] - second, second], axis=1)
        else:
            counts = self.counts()
            total = counts @ np.ones((self.n_labels, 1))
        if bool((total > 0).all()):
            counts /= total
            return counts
        return np.where(total > 0, counts / np.maximum(total, 1e-12), 1.0 / max(self.n_labels, 1))

    def expected_counts(self, posterior: Floats) -> Floats:
        """(workers, answer, truth): how often each answer is expected to have met each truth."""
        shape = (self.n_workers, self.n_labels, self.n_labels)
        counts = np.asarray(self.votes.T @ posterior)
        if posterior.ndim > 1:
            return counts.reshape(shape)
        second = counts.reshape(shape[:2])
        return np.stack([self.totals - second, second], axis=-1)

    def scores(self, log_confusion: Floats, log_prior: Floats) -> Floats:
        """Log posterior up to a constant: (tasks, labels), or with two labels the log-odds of the second (tasks,)."""
        if self.n_labels != 2:
            return np.asarray(self.votes @ log_confusion.reshape(-1, self.n_labels)) + log_prior
        odds = (log_confusion[..., 1] - log_confusion[..., 0]).ravel()
        return np.asarray(self.votes @ odds) + (log_prior[..., 1] - log_prior[..., 0])


def exact(matrix: VoteMatrix) -> Estimator:
    """Maximum likelihood; as crowd-kit, counts of answers that a worker gave are clipped at 1e-10."""
    given = (matrix.totals > 0)[:, :, None]

    def estimate(counts: Floats) -> Floats:
        clipped = np.where(given, np.maximum(counts, _EPS), 0.0)
        return np.asarray(clipped / np.maximum(clipped.sum(axis=1, keepdims=True), _EPS))

    return estimate


def smoothed(pseudo: Floats) -> Estimator:
    """Maximum a posteriori mean under Dirichlet pseudo-counts: (answer, truth) or (workers, answer, truth)."""

    def estimate(counts: Floats) -> Floats:
        filled = counts + pseudo
        return np.asarray(filled / filled.sum(axis=1, keepdims=True))

    return estimate


def one_coin(right: float | Floats, wrong: float | Floats, n_labels: int) -> Estimator:
    """One accuracy per worker, errors spread evenly; `right` and `wrong` are Beta pseudo-counts."""

    def estimate(counts: Floats) -> Floats:
        hits = np.einsum("wkk->w", counts) + right
        total = counts.sum(axis=(1, 2)) + right + wrong
        accuracy = np.clip(hits / np.maximum(total, _EPS), _EPS, 1 - _EPS)
        spread = (1 - accuracy) / max(n_labels - 1, 1)
        eye = np.eye(n_labels)
        return np.asarray(accuracy[:, None, None] * eye + spread[:, None, None] * (1 - eye))

    return estimate


def posterior_of(scores: Floats) -> tuple[Floats, float]:
    """Posteriors from `VoteMatrix.scores`, in the same shape, and the sum of their entropies in nats."""
    if scores.ndim == 1:
        size = np.abs(scores)
        small = np.exp(-size)
        whole = 1.0 + small
        entropy = _sum_of_logs(whole)
        small /= whole
        entropy += float(size @ small)
        return np.where(scores >= 0, 1.0 - small, small), entropy
    centred = scores - along_rows(np.maximum, scores)[:, None]
    weight = np.exp(centred)
    total = along_rows(np.add, weight)[:, None]
    weight /= total
    return weight, float(np.log(total).sum() - np.einsum("tk,tk->", weight, centred))


def softened(scores: Floats, shift: Floats) -> Floats:
    """The shares (rows, columns) that `scores` plus `shift`, (columns,) or of the same shape, are the logs of, up to a
    factor; in `scores` itself. Some rows at a time, which stay in the processor's cache."""
    for start in range(0, len(scores), _AT_ONCE):
        rows = scores[start : start + _AT_ONCE]
        rows += shift if shift.ndim == 1 else shift[start : start + _AT_ONCE]
        rows -= along_rows(np.maximum, rows)[:, None]
        np.exp(rows, out=rows)
        rows /= along_rows(np.add, rows)[:, None]
    return scores


def along_rows(fold: np.ufunc, table: Floats) -> Floats:
    """`fold.reduce(table, axis=-1)`, bit by bit; a column at a time where there are few, for numpy takes several times
    as long going row by row."""
    columns = table.shape[-1]
    if not 0 < columns < _FEW:
        return np.asarray(fold.reduce(table, axis=-1))
    found = table[..., 0].copy()
    for column in range(1, columns):
        fold(found, table[..., column], out=found)
    return np.asarray(found)


def _sum_of_logs(factors: Floats) -> float:
    """The sum of the logs of numbers from 1 to 2, by one log for 64 of them: their product is below 2**64."""
    even = len(factors) // 64 * 64
    products = np.multiply.reduce(factors[:even].reshape(64, -1), axis=0)
    return float(np.log(products).sum() + np.log(factors[even:]).sum())


def _starts(tasks: Codes, n_tasks: int) -> NDArray[np.int32] | None:
    """Where each task's votes begin, and their number last; None where they are not in the order of tasks."""
    steps = tasks[1:] - tasks[:-1]
    if len(steps) and int(steps.min()) < 0:
        return None
    starts = np.zeros(n_tasks + 1, dtype=np.int32)
    begins = np.flatnonzero(steps != 0)
    if len(begins) + 1 == n_tasks and len(tasks):  # every task has votes
        starts[1:-1] = begins
        starts[1:-1] += 1
        starts[-1] = len(tasks)
    else:
        np.cumsum(np.bincount(tasks, minlength=n_tasks), out=starts[1:])
    return starts


def expand(posterior: Floats) -> Floats:
    """(tasks, labels) from the one column that two labels need; anything else as it is."""
    return np.stack([1.0 - posterior, posterior], axis=-1) if posterior.ndim == 1 else posterior


def _clamp(posterior: Floats, known: NDArray[np.intp], gold: Codes) -> Floats:
    if len(known):
        if posterior.ndim == 1:
            posterior[known] = gold[known]
        else:
            posterior[known] = 0.0
            posterior[known, gold[known]] = 1.0
    return posterior


def fit(
    matrix: VoteMatrix,
    start: Floats,
    estimate: Estimator,
    *,
    gold: Codes | None = None,
    log_prior: Floats | None = None,
    prior_strength: float = 0.0,
    confusion: Floats | None = None,
    may_fall: bool = True,
    tolerance: float = 1e-5,
    max_iterations: int = 100,
) -> Fit:
    """Alternate both steps from the posteriors in `start`, or from `confusion` when it is given (a warm start).

    `log_prior`, (labels,) or (tasks, labels), replaces the estimated class shares; `prior_strength` pseudo-tasks per
    label smooth the estimate. Stops when the bound on the log likelihood per vote moves by less than `tolerance`. That
    bound is crowd-kit's, with the label shares once per vote, and knows nothing of pseudo-counts: it may fall on the
    way. Without `may_fall` a fall ends the run, as there.
    """
    truth = gold if gold is not None else np.empty(0, dtype=np.int32)
    known = np.flatnonzero(truth >= 0)
    posterior = _clamp(start[:, 1].copy() if matrix.n_labels == 2 else start.copy(), known, truth)
    counts = matrix.expected_counts(posterior)
    current = estimate(counts) if confusion is None else confusion
    if not matrix.votes.nnz:
        return Fit(expand(posterior), current, counts, np.full(matrix.n_labels, 1 / max(matrix.n_labels, 1)), 0)
    prior = _class_prior(posterior, prior_strength)
    bound = -np.inf
    n_votes = max(float(matrix.totals.sum()), 1.0)
    done = 0
    for done in range(1, max_iterations + 1):  # noqa: B007
        logs = np.log(np.maximum(current, _EPS * _EPS))
        posterior, entropy = posterior_of(matrix.scores(logs, np.log(prior) if log_prior is None else log_prior))
        posterior = _clamp(posterior, known, truth)
        counts = matrix.expected_counts(posterior)
        current = estimate(counts)
        prior = _class_prior(posterior, prior_strength)
        joint = float(np.einsum("wak,wak->", counts, np.log(np.maximum(current, _EPS * _EPS))))
        new = (joint + float(counts.sum(axis=(0, 1)) @ np.log(prior)) + entropy) / n_votes
        if (abs(new - bound) if may_fall else new - bound) < tolerance:
            break
        bound = new
    return Fit(expand(posterior), current, counts, prior, done)


def _class_prior(posterior: Floats, strength: float) -> Floats:
    if posterior.ndim == 1:
        second = float(posterior.sum())
        totals = np.array([len(posterior) - second, second]) + strength
    else:
        totals = np.ones(len(posterior)) @ posterior + strength
    return np.maximum(totals / max(float(totals.sum()), _EPS), _EPS)
