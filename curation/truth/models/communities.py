"""Communities of workers: who answers alike shares what is known of how they answer.

A worker with four votes shows little of a confusion matrix of own. Workers come in sorts, though: careful ones, those
who confuse two labels, those who always give the same answer. Here each belongs to one of five communities, not known
which, and the own confusion matrix is drawn around that of the community, with the weight of fifteen votes per truth
(after Venanzi, Guiver, Kazai, Kohli & Shokouhi 2014, “Community-Based Bayesian Aggregation Models for Crowdsourcing”,
CBCC). The communities' matrices are found by their expected counts, memberships and groups by mean-field updates.

What differs from the paper: the groups may be several per label (`kinds`); it starts from a fit of `kinds` and from
workers in the order of their agreement, so that results do not depend on names or chance; communities' matrices are
points, so the evidence pays half a log of the votes behind it for each of their numbers (Schwarz 1978).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .em import posterior_of
from .groups import Groups, expected_log, log_beta, moved, sizes_of
from .kinds import GroupsFit
from .skill_prior import fixed_prior

__all__ = ["fit_communities"]

Floats = NDArray[np.float64]

_COMMUNITIES = 5
_WORTH = 15.0
_SIZE = 1.0


def fit_communities(
    space: Groups,
    start: Floats,
    order: Floats,
    *,
    skills: Floats | None = None,
    warm: tuple[Floats, Floats, Floats] | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
) -> GroupsFit:
    """Fit communities from the groups in `start`, (tasks, label·kind), or from `warm` of an earlier fit.

    `order`, (workers,) in 0 to 1, places the workers at first: neighbours share a community. `skills` (workers, answer,
    truth) are further pseudo-votes. `warm` are answers, shares and members; a worker whose members are all 0 is new.
    """
    number = max(min(_COMMUNITIES, len(order)), 1)
    members = _near(order, number)
    prior = fixed_prior(space.matrix.n_labels, space.kinds)[0]
    known = 0.0 if skills is None else np.repeat(skills, space.kinds, axis=2)
    groups = start
    if warm is not None and warm[2].shape == members.shape:
        members = np.where(warm[2].sum(axis=1, keepdims=True) > 0, warm[2], members)
        groups = space.update(warm[0] + _pseudo(members, _habits(warm[0], members, prior)) + known, warm[1])
    done = 0
    for done in range(1, max_iterations + 1):  # noqa: B007
        counts = space.counts(groups)
        habits = _habits(counts, members, prior)
        fitting = _fitting(counts, habits, known)
        members, _ = posterior_of(fitting + expected_log(members.sum(axis=0) + _SIZE, 0))
        before = groups
        groups = space.update(counts + _pseudo(members, habits) + known, sizes_of(groups))
        if moved(groups, before) < tolerance * max(len(groups), 1):
            break
    evidence = space.evidence(groups) + _evidence(members, fitting) - _price(space, number)
    return GroupsFit(space.kinds, space.labels(groups), groups, space.counts(groups), evidence, done, members)


def _near(order: Floats, number: int) -> Floats:
    """Soft memberships (workers, communities) by place."""
    centres = (np.arange(number) + 0.5) / number
    return posterior_of(-2.0 * ((order[:, None] - centres) * number) ** 2)[0]


def _habits(counts: Floats, members: Floats, prior: Floats) -> Floats:
    """Each community's confusion matrix (communities, answer, group), as pseudo-votes of a member."""
    shape = (members.shape[1], *counts.shape[1:])
    filled = (members.T @ counts.reshape(len(counts), -1)).reshape(shape) + prior
    return np.asarray(_WORTH * filled / filled.sum(axis=1, keepdims=True))


def _pseudo(members: Floats, habits: Floats) -> Floats:
    """What each worker's communities say of him, as pseudo-votes (workers, answer, group)."""
    return np.asarray((members @ habits.reshape(len(habits), -1)).reshape(len(members), *habits.shape[1:]))


def _fitting(counts: Floats, habits: Floats, known: Floats | float) -> Floats:
    """The log probability of each worker's answers in each community (workers, communities): Dirichlet-multinomial."""
    columns = []
    for habit in habits:
        pseudo = habit[None] + known
        columns.append((log_beta(counts + pseudo, 1) - log_beta(pseudo, 1)).sum(axis=1))
    return np.stack(columns, axis=1)


def _evidence(members: Floats, fitting: Floats) -> float:
    sizes = members.sum(axis=0)
    mixing = float(log_beta(sizes + _SIZE, 0) - log_beta(np.full_like(sizes, _SIZE), 0))
    return float((members * (fitting - np.log(np.maximum(members, 1e-300)))).sum()) + mixing


def _price(space: Groups, number: int) -> float:
    """What the communities' matrices cost the evidence: half a log of the votes behind each number in them."""
    columns = number * space.n_groups
    votes = float(space.matrix.votes.nnz)
    return 0.5 * columns * (space.matrix.n_labels - 1) * float(np.log1p(votes / max(columns, 1)))
