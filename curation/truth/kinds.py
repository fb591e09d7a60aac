"""Labels that hold more than one kind of task: a Bayesian worker model in which each label may have several.

Dawid–Skene takes all tasks of a label for alike. Where they are not (easy and hard ones, five species under “duck”),
workers err together, and the model explains that by relabelling whole groups. Here each label holds `kinds` groups,
each with its own confusion matrix per worker, as in Li, Rubinstein & Cohn 2019, “Exploiting Worker Correlation for
Label Aggregation in Crowdsourcing” (EBCC), fitted by mean-field variational Bayes. The bound on the evidence says,
without gold, how many kinds the votes support.

With few votes per task the model cannot tell a rare label from bad workers, and drifts: on five labels and one vote a
task it gave up 50 points against counting. So the sizes of the labels get pseudo-tasks in proportion to the shares of
the votes, `_HOLD` per task divided by the votes per task: much while there are few votes, next to nothing later.

What differs from the paper: starting points are made from vote shares alone, not drawn at random, so that results do
not depend on names or order; two starts (one kind, two kinds) instead of forty runs; a weaker prior on answers (2, ½).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from curation.truth.em import VoteMatrix
from curation.truth.votes import Codes

__all__ = ["KindsFit", "fit_kinds"]

Floats = NDArray[np.float64]

_RIGHT, _WRONG = 2.0, 0.5
_KIND, _LABEL = 0.1, 1.0
_HOLD = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class KindsFit:
    """`posterior` is (tasks, labels); `answers` the expected counts (workers, answer, label·kind) behind it;
    `evidence` the lower bound in nats."""

    kinds: int
    posterior: Floats
    answers: Floats
    shares: Floats
    evidence: float
    iterations: int


def fit_kinds(
    matrix: VoteMatrix,
    vote_shares: Floats,
    kinds: int,
    *,
    gold: Codes,
    prior: Floats | None = None,
    skills: Floats | None = None,
    warm: tuple[Floats, Floats] | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
) -> KindsFit:
    """Fit `kinds` groups per label, from vote shares or from `warm` (answers, shares) of an earlier fit.

    `prior`, (labels,) or (tasks, labels) probabilities, replaces the estimated label shares. `skills` (workers, answer,
    truth) are further pseudo-votes. Stops when the
    posterior of the groups moves by less than `tolerance` per task.
    """
    n_labels = matrix.n_labels
    pseudo = np.repeat(np.where(np.eye(n_labels, dtype=bool), _RIGHT, _WRONG), kinds, axis=1)[None]
    if skills is not None:
        pseudo = pseudo + np.repeat(skills, kinds, axis=2)
    allowed = _allowed(gold, n_labels, kinds)
    log_prior = None if prior is None else np.repeat(np.log(np.maximum(prior, 1e-6)), kinds, axis=-1)
    held = _held(matrix, vote_shares)
    if warm is None:
        groups = _clamp(_start(vote_shares, kinds), allowed)
    else:
        groups = _clamp(_e_step(matrix, warm[0] + pseudo, _log_shares(warm[1], held, log_prior)), allowed)
    done = 0
    for done in range(1, max_iterations + 1):  # noqa: B007
        answers = _counts(matrix, groups) + pseudo
        before = groups
        groups = _clamp(_e_step(matrix, answers, _log_shares(groups.sum(axis=0), held, log_prior)), allowed)
        if float(np.abs(groups - before).sum()) < tolerance * max(len(groups), 1):
            break
    answers = _counts(matrix, groups)
    return KindsFit(
        kinds,
        groups.reshape(-1, n_labels, kinds).sum(axis=2),
        answers,
        groups.sum(axis=0),
        _evidence(groups, answers, pseudo, held, log_prior),
        done,
    )


def _held(matrix: VoteMatrix, vote_shares: Floats) -> Floats:
    """Pseudo-tasks per label (labels,): one, and more in proportion to the vote shares while votes are few."""
    voted = np.diff(matrix.votes.indptr) > 0
    n_voted, n_votes = float(voted.sum()), float(matrix.votes.nnz)
    if not n_votes:
        return np.full(matrix.n_labels, _LABEL)
    return np.asarray(_LABEL + _HOLD * n_voted / n_votes * vote_shares[voted].sum(axis=0))


def _start(vote_shares: Floats, kinds: int) -> Floats:
    """Groups of a label by how large its share of a task's votes is: (tasks, labels·kinds)."""
    n_tasks, n_labels = vote_shares.shape
    if kinds == 1:
        return vote_shares.copy()
    centres = np.linspace(1.0 / max(n_labels, 1), 1.0, kinds)
    near = np.exp(-(((vote_shares[:, :, None] - centres) * kinds) ** 2))
    near /= near.sum(axis=2, keepdims=True)
    return np.asarray((vote_shares[:, :, None] * near).reshape(n_tasks, n_labels * kinds))


def _allowed(gold: Codes, n_labels: int, kinds: int) -> tuple[NDArray[np.intp], Floats]:
    """Tasks with a known answer, and a 0/1 row of the groups that it allows."""
    known = np.flatnonzero(gold >= 0)
    return known, np.repeat(np.eye(n_labels)[gold[known]], kinds, axis=1)


def _clamp(groups: Floats, allowed: tuple[NDArray[np.intp], Floats]) -> Floats:
    known, mask = allowed
    if len(known):
        kept = (groups[known] + 1e-12) * mask
        groups[known] = kept / kept.sum(axis=1, keepdims=True)
    return groups


def _counts(matrix: VoteMatrix, groups: Floats) -> Floats:
    counts = np.asarray(matrix.votes.T @ groups)
    return counts.reshape(matrix.n_workers, matrix.n_labels, groups.shape[1])


def _log_shares(sizes: Floats, held: Floats, log_prior: Floats | None) -> Floats:
    """Expected log shares of the groups: (labels·kinds,), or (tasks, labels·kinds) with a prior per task."""
    table = sizes.reshape(len(held), -1)
    within = digamma(table + _KIND) - digamma((table + _KIND).sum(axis=1, keepdims=True))
    if log_prior is not None:
        return np.asarray(log_prior + within.ravel())
    label = table.sum(axis=1) + held
    return np.asarray((within + (digamma(label) - digamma(label.sum()))[:, None]).ravel())


def _e_step(matrix: VoteMatrix, answers: Floats, log_shares: Floats) -> Floats:
    expected = digamma(answers) - digamma(answers.sum(axis=1, keepdims=True))
    scores = np.asarray(matrix.votes @ expected.reshape(-1, answers.shape[2])) + log_shares
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def _evidence(groups: Floats, answers: Floats, pseudo: Floats, held: Floats, log_prior: Floats | None) -> float:
    """The lower bound on the log evidence at a fixed point of the updates (Bishop 2006, section 10.2)."""
    sizes = groups.sum(axis=0).reshape(len(held), -1)
    bound = float((_log_beta(answers + pseudo, 1) - _log_beta(pseudo, 1)).sum())
    bound += float((_log_beta(sizes + _KIND, 1) - _log_beta(np.full_like(sizes, _KIND), 1)).sum())
    if log_prior is None:
        label = sizes.sum(axis=1)
        bound += float(_log_beta(label + held, 0) - _log_beta(held, 0))
    else:
        bound += float((groups * log_prior).sum())
    return bound - float((groups * np.log(np.maximum(groups, 1e-300))).sum())


def _log_beta(counts: Floats, axis: int) -> Floats:
    return np.asarray(gammaln(counts).sum(axis=axis) - gammaln(counts.sum(axis=axis)))
