"""What is known of a worker when the own vote has no say in what was right: confusion, intervals, informedness.

A decision rests on the worker's own vote, so agreement with it proves nothing: three who flip coins come out “right on
100 %”. Here the truth of a face is what its *other* voters leave probable (or gold, one-hot): by one confusion matrix
for the whole crowd, a model with so few numbers that no worker's votes can make it believe in that worker, then by
matrices of their own that are held near it. Where the others are no better than chance nothing follows about anybody,
and the intervals say so.

Each worker's own matrix is fitted to these probabilities by expectation–maximisation with a flat prior, a latent truth
per vote (Dawid & Skene 1979 with the truths' weights held). Its covariance is the inverse of the votes' information
(sum of outer products of scores) under the constraint that rows sum to 1, so what the others leave open widens it;
intervals are Beta with the mean and the variance found. Coverage is simulated in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from ..truth import VotesTable, vote_counts

__all__ = ["Believed", "Skills", "beliefs", "skills_of"]

Floats = NDArray[np.float64]

_STEPS = 200
_MOVES = 1e-4
_OWN_STEPS = 60
_DRAWN = 10.0
_PRIOR = 2.0
_START_RIGHT = 0.7
_LEAST_MASS = 2.0
_ENOUGH_THREES = 20
_LEVELS = (0.025, 0.975)
_SURE = 2.326
"""Standard deviations of a one-sided 99 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """Per vote (votes, labels): how probable each truth is without that vote; and what the crowd answers to a truth.

    `crowd` is (truth, answer), `counted` masks the votes that say something of their worker: those on gold alone where
    a worker has many of them, else all that have another voter or gold.
    """

    truth: Floats
    crowd: Floats
    counted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Skills:
    """Per worker: `rate[w, truth, answer]` with the 95 % bounds `low` and `high`, and how much the answers tell.

    `informed[w]` is 1 for a worker who is always right and 0 for one whose answers do not depend on the truth (Youden's
    index, the mean over labels); `least` and `most` bound it on either side with 99 %. NaN where nothing can be said.
    """

    rate: Floats
    low: Floats
    high: Floats
    informed: Floats
    least: Floats
    most: Floats
    crowd_informed: float


def beliefs(votes: VotesTable, gold: NDArray[np.int32], enough_gold: int) -> Believed:
    """The truth of each vote's task by its other votes and gold. Votes on gold count alone from `enough_gold` on."""
    counts = vote_counts(votes)
    known = np.flatnonzero(gold >= 0)
    crowd, prior = _crowd(counts, gold, known)
    logs = np.log(crowd)
    truth = _normalised((counts @ logs.T + np.log(prior))[votes.tasks] - logs.T[votes.labels])
    truth = _weighed(votes, truth, crowd, prior)
    told = gold[votes.tasks] >= 0
    truth[told] = np.eye(votes.n_labels)[gold[votes.tasks[told]]]
    on_gold = np.bincount(votes.workers[told], minlength=votes.n_workers)
    counted = np.where(on_gold[votes.workers] >= enough_gold, told, told | _judged(counts)[votes.tasks])
    return Believed(truth, crowd, counted)


def _weighed(votes: VotesTable, truth: Floats, crowd: Floats, prior: Floats) -> Floats:
    """The same with voters who differ: each weighs by an own matrix, drawn to the crowd's by ten votes per truth."""
    joint = _own_rates(votes.workers, votes.labels, truth, np.broadcast_to(crowd, (votes.n_workers, *crowd.shape)), 5)
    drawn = joint + _DRAWN * crowd
    logs = np.log(drawn / drawn.sum(axis=2, keepdims=True))[votes.workers, :, votes.labels]
    total = np.stack([np.bincount(votes.tasks, weights=one, minlength=votes.n_tasks) for one in logs.T], axis=1)
    return _normalised((total + np.log(prior))[votes.tasks] - logs)


def _judged(counts: Floats) -> NDArray[np.bool_]:
    """The tasks whose voters say something of each other. Two who differ do not show who errs: without enough tasks of
    three voters or more, the crowd's own matrix is a guess, and only those tasks count."""
    cast = counts.sum(axis=1)
    three = cast > 2
    return np.asarray(cast > (1 if three.sum() >= _ENOUGH_THREES and 3 * cast[three].sum() >= cast.sum() else 2))


def _crowd(counts: Floats, gold: NDArray[np.int32], known: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """One confusion matrix (truth, answer) for everybody, and the shares of the labels, by expectation–maximisation.

    It begins where everybody is right so often and errs evenly, and no label is taken for another more often than it is
    known. Else a rare label, most of whose votes are errors, becomes a second kind of the one that nearly all have.
    """
    size = counts.shape[1]
    off = (1.0 - _START_RIGHT) / max(size - 1, 1)
    pseudo = np.full((size, size), off) + (_START_RIGHT - off) * np.eye(size)
    posterior = _normalised(counts @ np.log(pseudo))
    eye = np.eye(size)
    for _ in range(_STEPS):
        posterior[known] = eye[gold[known]]
        crowd = posterior.T @ counts + pseudo
        np.fill_diagonal(crowd, crowd.max(axis=1))
        crowd /= crowd.sum(axis=1, keepdims=True)
        prior = posterior.sum(axis=0) + 1.0
        prior /= prior.sum()
        before = posterior
        posterior = _normalised(counts @ np.log(crowd).T + np.log(prior))
        if not posterior.size or float(np.abs(posterior - before).mean()) < _MOVES / 10:
            break
    return crowd, prior


def _normalised(scores: Floats) -> Floats:
    scores = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def skills_of(votes: VotesTable, believed: Believed) -> Skills:
    """Every worker's confusion matrix with its intervals, and how much the answers tell."""
    rows = np.flatnonzero(believed.counted)
    workers, labels, truth = votes.workers[rows], votes.labels[rows], believed.truth[rows]
    start = np.broadcast_to(believed.crowd, (votes.n_workers, *believed.crowd.shape))
    expected = _own_rates(workers, labels, truth, start, _OWN_STEPS)
    rate = _rates(expected)
    group = workers.astype(np.int64) * votes.n_labels + labels
    spread = _inverse_information(group, truth / np.maximum(_mixed(truth, rate, workers, labels), 1e-300), rate)
    mass = expected.sum(axis=2)
    value = np.where(mass[:, :, None] > 0, expected / np.maximum(mass[:, :, None], 1e-300), rate)
    low, high = _bounds(rate, value, _variance(spread))
    informed, deviation = _informedness(rate, spread, mass)
    return Skills(
        value, low, high, informed, informed - _SURE * deviation, informed + _SURE * deviation, _told(believed.crowd)
    )


def _own_rates(
    workers: NDArray[np.int32], labels: NDArray[np.int32], truth: Floats, start: Floats, steps: int
) -> Floats:
    """(workers, truth, answer) expected counts of each worker's answers, from the rates in `start`."""
    shape, rate = start.shape, start
    group = workers.astype(np.int64) * shape[2] + labels
    expected: Floats = np.zeros(shape)
    for _ in range(steps):
        joint = truth * rate[workers, :, labels]
        joint /= np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        before, expected = expected, _summed(group, joint, (shape[0], shape[1], shape[2]))
        rate = _rates(expected)
        if float(np.abs(expected - before).max(initial=0.0)) < 0.01:
            break
    return expected


def _rates(expected: Floats) -> Floats:
    """Posterior means of (workers, truth, answer) counts. The prior is worth two votes a row, whatever the number of
    labels: with one a label, rows of few votes would say that answers do not depend on the truth."""
    prior = _PRIOR / expected.shape[2]
    return np.asarray((expected + prior) / (expected + prior).sum(axis=2, keepdims=True))


def _told(crowd: Floats) -> float:
    size = len(crowd)
    return float((np.trace(crowd) - 1.0) / (size - 1)) if size > 1 else float("nan")


def _mixed(truth: Floats, rate: Floats, workers: NDArray[np.int32], labels: NDArray[np.int32]) -> Floats:
    """The probability of each vote, (votes, 1)."""
    return np.asarray((truth * rate[workers, :, labels]).sum(axis=1, keepdims=True))


def _summed(group: NDArray[np.int64], values: Floats, shape: tuple[int, int, int]) -> Floats:
    """(workers, truth, answer) sums of `values` (votes, truth)."""
    cells = shape[0] * shape[2]
    columns = [np.bincount(group, weights=column, minlength=cells) for column in values.T]
    table = np.stack(columns, axis=1).reshape(shape[0], shape[2], shape[1])
    return np.asarray(table.transpose(0, 2, 1), dtype=np.float64)


def _inverse_information(group: NDArray[np.int64], scores: Floats, rate: Floats) -> Floats:
    """(workers, answer, truth, truth): what the votes leave open about an answer, before rows sum to 1."""
    n_workers, size, _ = rate.shape
    information = np.zeros((n_workers * size, size, size))
    for left in range(size):
        for right in range(left, size):
            found = np.bincount(group, weights=scores[:, left] * scores[:, right], minlength=n_workers * size)
            information[:, left, right] = information[:, right, left] = found
    flat = _PRIOR / size / rate.transpose(0, 2, 1).reshape(-1, size) ** 2
    information[:, np.arange(size), np.arange(size)] += flat
    return np.asarray(np.linalg.inv(information)).reshape(n_workers, size, size, size)


def _variance(spread: Floats) -> Floats:
    """(workers, truth, answer) variances under the constraint that each row sums to 1."""
    middle = np.linalg.inv(spread.sum(axis=1))
    held = np.einsum("wakl,wlm,wamk->wka", spread, middle, spread)
    return np.asarray(np.maximum(np.einsum("wakk->wka", spread) - held, 1e-12))


def _bounds(rate: Floats, value: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Beta bounds: as many votes as would leave this variance, less what the flat prior put in."""
    votes = np.maximum(rate * (1.0 - rate) / variance - _PRIOR - 1.0, 0.0)
    low, high = (betaincinv(value * votes + 1.0, (1.0 - value) * votes + 1.0, level) for level in _LEVELS)
    return np.asarray(low), np.asarray(high)


def _informedness(rate: Floats, spread: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Youden's index per worker over the labels that occur, and its standard deviation; NaN where fewer than two do."""
    size = rate.shape[1]
    occurs = mass >= _LEAST_MASS
    count = occurs.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        own, other = 1.0 / count, -1.0 / (count * (count - 1.0))
    weight = np.broadcast_to(other[:, None, None], rate.shape).copy()
    weight[:, np.arange(size), np.arange(size)] = own[:, None]
    weight = np.where(occurs[:, :, None] & occurs[:, None, :], weight, 0.0)
    weight[count < 2] = 0.0
    pull = np.einsum("wakl,wla->wak", spread, weight)
    plain = np.einsum("wka,wak->w", weight, pull)
    total = pull.sum(axis=1)
    held = np.einsum("wk,wkl,wl->w", total, np.linalg.inv(spread.sum(axis=1)), total)
    value = np.where(count >= 2, (weight * rate).sum(axis=(1, 2)), np.nan)
    return value, np.sqrt(np.maximum(plain - held, 0.0))
