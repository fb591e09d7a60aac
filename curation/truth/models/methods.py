"""Majority, one-coin and Dawid–Skene behind one protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..result import State
from ..votes import Codes, VotesTable, vote_counts
from .em import Fit, VoteMatrix, exact, fit, one_coin, smoothed

__all__ = ["METHODS", "Inputs", "Method", "centred_pseudo", "log_prior_of", "majority", "warm_confusion"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything that a method reads.

    `gold` has a label code or -1 per task. `prior` is None, (labels,) or (tasks, labels) probabilities. `warm` is the
    state of an earlier run; methods that have nothing to warm up ignore it. `skills` are pseudo-votes (workers, answer,
    truth) known from elsewhere, which only `auto` reads; `weights` are one per vote, None where all count alike.
    """

    votes: VotesTable
    matrix: VoteMatrix
    gold: Codes
    prior: Floats | None = None
    warm: State | None = None
    skills: Floats | None = None
    weights: Floats | None = None


class Method(Protocol):
    """A pure function from votes to posteriors and worker skills."""

    def __call__(self, inputs: Inputs) -> Fit: ...


def centred_pseudo(n_labels: int, strength: float, accuracy: float = 0.75) -> Floats:
    """Dirichlet pseudo-counts (answer, truth): `strength` per truth, `accuracy` of it on the right answer."""
    off = (1.0 - accuracy) * strength / max(n_labels - 1, 1)
    pseudo = np.full((n_labels, n_labels), off)
    np.fill_diagonal(pseudo, accuracy * strength if n_labels > 1 else strength)
    return pseudo


def log_prior_of(inputs: Inputs) -> Floats | None:
    """The given prior as logs, kept away from zero; None when none was given."""
    return None if inputs.prior is None else np.log(np.maximum(inputs.prior, 1e-6))


def warm_confusion(inputs: Inputs, name: str) -> Floats | None:
    """Earlier skills as (workers, answer, truth), the crowd's mean for newcomers; None without a fitting state."""
    warm, votes = inputs.warm, inputs.votes
    if warm is None or warm.method != name or warm.label_names != votes.label_names or not warm.skills.names:
        return None
    known = {worker: row for row, worker in enumerate(warm.skills.names)}
    rows = np.array([known.get(worker, -1) for worker in votes.worker_names], dtype=np.intp)
    mean = warm.skills.confusion.mean(axis=0)
    confusion = np.where((rows >= 0)[:, None, None], warm.skills.confusion[rows], mean)
    return np.ascontiguousarray(confusion.transpose(0, 2, 1))


def majority(inputs: Inputs) -> Fit:
    """Vote shares with one pseudo-vote spread over the labels, so that two of two is not certainty; ties stay ties."""
    counts = vote_counts(inputs.votes, inputs.weights) + 1.0 / max(inputs.votes.n_labels, 1)
    posterior = counts / counts.sum(axis=1, keepdims=True)
    if inputs.prior is not None:
        posterior = posterior * np.broadcast_to(inputs.prior, posterior.shape)
        posterior /= posterior.sum(axis=1, keepdims=True)
    known = np.flatnonzero(inputs.gold >= 0)
    posterior[known] = np.eye(inputs.votes.n_labels)[inputs.gold[known]]
    evidence = inputs.matrix.expected_counts(posterior[:, 1].copy() if inputs.votes.n_labels == 2 else posterior)
    confusion = smoothed(centred_pseudo(inputs.votes.n_labels, 1.0))(evidence)
    class_prior = posterior.mean(axis=0) if len(posterior) else np.full(inputs.votes.n_labels, 1.0)
    return Fit(posterior, confusion, evidence, class_prior, 1)


def _one_coin(inputs: Inputs) -> Fit:
    """One accuracy per worker under a Beta(3, 1) prior."""
    estimate = one_coin(3.0, 1.0, inputs.votes.n_labels)
    return _run(inputs, "one-coin", lambda _matrix: estimate)


def _dawid_skene(inputs: Inputs) -> Fit:
    """A confusion matrix per worker, four pseudo-votes per row centred on three right of four."""
    estimate = smoothed(centred_pseudo(inputs.votes.n_labels, 4.0))
    return _run(inputs, "dawid-skene", lambda _matrix: estimate)


def _dawid_skene_exact(inputs: Inputs) -> Fit:
    """Dawid & Skene's maximum likelihood, for comparison with other programs."""
    return _run(inputs, "dawid-skene-exact", exact)


def _run(inputs: Inputs, name: str, make: Callable[[VoteMatrix], Callable[[Floats], Floats]]) -> Fit:
    return fit(
        inputs.matrix,
        inputs.matrix.shares(),
        make(inputs.matrix),
        gold=inputs.gold,
        log_prior=log_prior_of(inputs),
        confusion=warm_confusion(inputs, name),
        may_fall=make is not exact,
    )


METHODS: dict[str, Method] = {
    "majority": majority,
    "one-coin": _one_coin,
    "dawid-skene": _dawid_skene,
    "dawid-skene-exact": _dawid_skene_exact,
}
