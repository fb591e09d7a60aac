"""Labels that hold more than one kind of task: a Bayesian worker model in which each label may have several.

Dawid–Skene takes all tasks of a label for alike. Where they are not (easy and hard ones, five species under “duck”),
workers err together, and the model explains that by relabelling whole groups. Here each label holds `kinds` groups,
each with its own confusion matrix per worker, as in Li, Rubinstein & Cohn 2019, “Exploiting Worker Correlation for
Label Aggregation in Crowdsourcing” (EBCC), fitted by mean-field variational Bayes. The bound on the evidence says,
without gold, how many kinds the votes support.

What differs from the paper: starting points are made from vote shares alone, not drawn at random, so that results do
not depend on names or order; two starts (one kind, two kinds) instead of forty runs; label sizes that are held while
votes are few (`groups`); and the prior on answers is learnt (`skill_prior`). Its strength is chosen for each model
alone, which would decide between the models more than the votes do. So both are judged under one fixed prior, by how
well their groups explain the votes under that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .groups import Groups, log_beta, moved, sizes_of
from .skill_prior import fixed_prior, skill_prior

__all__ = ["GroupsFit", "fit_kinds"]

Floats = NDArray[np.float64]

_JUDGE = 4.0
"""The prior under which models are compared, in units of the fixed one."""
_CHOOSE_EVERY = 5
"""Steps between two choices of the prior's strength; the first comes after two steps."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupsFit:
    """Where a model of groups ended.

    `posterior` is (tasks, labels) and `groups` (tasks, label·kind), which it sums up; `answers` are the expected counts
    (workers, answer, label·kind) behind it; `evidence` is the lower bound in nats, on terms
    that are the same for every number of kinds. `members` (workers, communities) is set by `communities` alone.
    """

    kinds: int
    posterior: Floats
    groups: Floats
    answers: Floats
    evidence: float
    iterations: int
    members: Floats | None = None


def fit_kinds(
    space: Groups,
    vote_shares: Floats,
    *,
    skills: Floats | None = None,
    warm: tuple[Floats, Floats] | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
) -> GroupsFit:
    """Fit the groups of `space`, from vote shares or from `warm` (answers, shares) of an earlier fit.

    `skills` (workers, answer, truth) are further pseudo-votes. Stops when the posterior of the groups moves by less
    than `tolerance` per task.
    """
    expected = skill_prior(space.matrix, space.kinds, skills)
    strength = expected.first
    if warm is None:
        groups = space.clamp(_start(vote_shares, space.kinds))
    else:
        strength = expected.best_strength(warm[0])
        groups = space.update(warm[0] + expected.pseudo(warm[0], strength), warm[1])
    done = 0
    for done in range(1, max_iterations + 1):
        answers = space.counts(groups)
        if done % _CHOOSE_EVERY == 3:
            strength = expected.best_strength(answers)
        answers += expected.pseudo(answers, strength)
        before = groups
        groups = space.update(answers, sizes_of(groups))
        if moved(groups, before) < tolerance * max(len(groups), 1):
            break
    answers = space.counts(groups)
    judge = fixed_prior(space.matrix.n_labels, space.kinds, _JUDGE)
    if skills is not None:
        judge = judge + np.repeat(skills, space.kinds, axis=2)
    answered = float((log_beta(answers + judge, 1) - log_beta(judge, 1)).sum())
    return GroupsFit(space.kinds, space.labels(groups), groups, answers, answered + space.evidence(groups), done)


def _start(vote_shares: Floats, kinds: int) -> Floats:
    """Groups of a label by how large its share of a task's votes is: (tasks, labels·kinds)."""
    n_tasks, n_labels = vote_shares.shape
    if kinds == 1:
        return vote_shares.copy()
    centres = np.linspace(1.0 / max(n_labels, 1), 1.0, kinds)
    near = np.exp(-(((vote_shares[:, :, None] - centres) * kinds) ** 2))
    near /= near.sum(axis=2, keepdims=True)
    return np.asarray((vote_shares[:, :, None] * near).reshape(n_tasks, n_labels * kinds))
