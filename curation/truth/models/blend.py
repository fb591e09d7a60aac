"""`auto`: the method that picks itself, without gold.

Four models are fitted: workers each on their own (`kinds`) and in communities (`communities`), either with one and with
two kinds of task per label. Both views of the workers are averaged, two parts to one, since their evidence does not
compare. One and two kinds are averaged by their evidence per vote, so that neither a clear winner nor a toss-up between
them hurts; and there both views are heard alike, for where one is fooled by twenty points of labels, the other often is
not. What all tasks say of that is averaged with what each half of them says, and while they contradict each other
neither gets much more than half: then one kind, two kinds and counting are about a vote each. The average is pooled
with smoothed vote shares, one part in three: a linear opinion pool. The pool is also the calibration. A worker model
that believes its own independence assumption reaches 0.99 far too soon; a third of plain counting keeps it honest where
voters are divided, and hardly moves it where they agree. The constants were chosen over public vote sets
(docs/truth.md) and need no gold.

With twenty or more gold tasks, weight and sharpness of the pool are fitted to them instead, on posteriors that have
not seen the gold.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..result import Blend, State
from ..votes import Codes
from .canonical import canonical, enough_of, half_of
from .communities import fit_communities
from .copies import copy_weights
from .em import Fit, VoteMatrix, smoothed
from .groups import Groups
from .kinds import GroupsFit, fit_kinds
from .methods import Inputs, centred_pseudo, majority
from .standing import agreement_order, labels_by_agreement

__all__ = ["auto", "pool"]

Floats = NDArray[np.float64]

_COUNTING = 1.0 / 3.0
_ENOUGH_GOLD = 20
_WEIGHTS = (0.1, 0.2, _COUNTING, 0.5, 0.7)
_SHARPNESS = (0.25, 0.5, 0.75, 1.0)
_TOGETHER = 1.0 / 3.0
_EVIDENCE_UNIT = 0.004
"""Nats per vote that count as a difference between models; votes are not as independent as the evidence takes them."""
_CONTRADICTED = 0.75
"""The furthest that the log-odds of two kinds go from even while all tasks and their halves disagree: a weight of .68.
One kind and counting together can then still overrule two kinds."""
_WORTH_CHOOSING = 0.005
_HALVES_FROM = 40
"""Fewer tasks than this are not split."""


def auto(inputs: Inputs) -> Fit:
    """All four models, averaged and pooled with vote shares; copies count once."""
    if not len(inputs.votes):
        return majority(inputs)
    ordered = canonical(inputs)
    return ordered.back(_auto(ordered.inputs))


def _auto(inputs: Inputs) -> Fit:
    """`auto` on inputs in their one order."""
    weights = copy_weights(inputs.votes)
    if weights is not None:
        weights = weights if inputs.weights is None else weights * inputs.weights
        inputs = replace(inputs, weights=weights, matrix=VoteMatrix(inputs.votes, weights))
    counting = majority(inputs)
    alone, together = _fits(inputs, inputs.gold)
    two_kinds = _weight_of_two(inputs, alone, together)
    model = _average(alone, together, two_kinds)
    weight, sharpness = _calibrate(inputs)
    posterior = pool(model, counting.posterior, weight, sharpness)
    known = np.flatnonzero(inputs.gold >= 0)
    posterior[known] = np.eye(inputs.votes.n_labels)[inputs.gold[known]]
    evidence = inputs.matrix.expected_counts(_reduced(posterior))
    confusion = smoothed(centred_pseudo(inputs.votes.n_labels, 2.0))(evidence)
    models = tuple((fitted.kinds, fitted.answers, fitted.groups.sum(axis=0)) for fitted in alone)
    communities = tuple(
        (fitted.kinds, fitted.answers, fitted.groups.sum(axis=0), fitted.members)
        for fitted in together
        if fitted.members is not None
    )
    blend = Blend(two_kinds, weight, sharpness, inputs.votes.worker_names, models, communities)
    steps = sum(fitted.iterations for fitted in (*alone, *together))
    return Fit(posterior, confusion, evidence, posterior.mean(axis=0), steps, blend)


def pool(model: Floats, counting: Floats, weight: float, sharpness: float = 1.0) -> Floats:
    """`weight` parts of vote shares and the rest of the model's posterior, which is first raised to `sharpness`."""
    if sharpness != 1.0:
        model = np.maximum(model, 1e-12) ** sharpness
        model = model / model.sum(axis=1, keepdims=True)
    return np.asarray((1.0 - weight) * model + weight * counting)


def _reduced(posterior: Floats) -> Floats:
    return np.ascontiguousarray(posterior[:, 1]) if posterior.shape[1] == 2 else posterior


def _fits(inputs: Inputs, gold: Codes) -> tuple[list[GroupsFit], list[GroupsFit]]:
    """With one and two kinds: workers on their own, and in communities; a warm start goes on from an earlier end."""
    vote_shares = inputs.matrix.shares()
    held = 0.5 * (vote_shares + labels_by_agreement(inputs.matrix))
    order = agreement_order(inputs.matrix)
    own, shared = _warm(inputs)
    alone, together = [], []
    for kinds in (1, 2):
        space = Groups(inputs.matrix, kinds, held, gold=gold, prior=inputs.prior)
        alone.append(fit_kinds(space, vote_shares, skills=inputs.skills, warm=own.get(kinds)))
        together.append(fit_communities(space, alone[-1].groups, order, skills=inputs.skills, warm=shared.get(kinds)))
    return alone, together


def _log_odds(alone: list[GroupsFit], together: list[GroupsFit], n_votes: int) -> float:
    """The log-odds of two kinds by the evidence per vote, both views alike: even where one kind leads by a unit."""
    leads = [(two.evidence - one.evidence) / max(n_votes, 1) for one, two in (alone, together)]
    return 0.5 * sum(leads) / _EVIDENCE_UNIT + 1.0


def _weight_of_two(inputs: Inputs, alone: list[GroupsFit], together: list[GroupsFit]) -> float:
    """The weight of two kinds: what all tasks say and what each half says, averaged, near even where they disagree.

    Where one and two kinds give nearly all tasks the same label, there is little to choose: the halves are not asked.
    """
    said = [_log_odds(alone, together, len(inputs.votes))]
    one, two = (_average(alone, together, weight).argmax(axis=1) for weight in (0.0, 1.0))
    if inputs.votes.n_tasks >= _HALVES_FROM and float((one != two).mean()) >= _WORTH_CHOOSING:
        halves = [half_of(inputs, which) for which in (0, 1)]
        said += [_log_odds(*_fits(half, half.gold), len(half.votes)) for half in halves if len(half.votes)]
    odds = float(np.mean(said))
    if min(said) < 0 < max(said):
        odds = float(np.clip(odds, -_CONTRADICTED, _CONTRADICTED))
    return float(1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0))))


def _average(alone: list[GroupsFit], together: list[GroupsFit], weight: float) -> Floats:
    """The mean of all posteriors, with this weight of two kinds."""
    one, two = (
        (1.0 - _TOGETHER) * own.posterior + _TOGETHER * shared.posterior
        for own, shared in zip(alone, together, strict=True)
    )
    return np.asarray((1.0 - weight) * one + weight * two)


def _warm(
    inputs: Inputs,
) -> tuple[dict[int, tuple[Floats, Floats]], dict[int, tuple[Floats, Floats, Floats]]]:
    """Kinds → what the earlier run ended with, in today's order of workers (newcomers: zeros), for both views."""
    state: State | None = inputs.warm
    if state is None or state.blend is None or state.label_names != inputs.votes.label_names:
        return {}, {}
    known = {worker: row for row, worker in enumerate(state.blend.worker_names)}
    rows = np.array([known.get(worker, -1) for worker in inputs.votes.worker_names], dtype=np.intp)

    def today(table: Floats) -> Floats:
        there = rows.reshape(-1, *(1 for _ in table.shape[1:])) >= 0
        return np.asarray(np.where(there, table[rows], 0.0))

    return (
        {kinds: (today(answers), sizes) for kinds, answers, sizes in state.blend.models},
        {kinds: (today(answers), sizes, today(members)) for kinds, answers, sizes, members in state.blend.communities},
    )


def _calibrate(inputs: Inputs) -> tuple[float, float]:
    """Weight and sharpness with the least log loss on gold, from a fit that was not told; the defaults without gold."""
    known = np.flatnonzero((inputs.gold >= 0) & (_voted(inputs.matrix) > 0))
    if len(known) < _ENOUGH_GOLD:
        return _COUNTING, 1.0
    inputs = enough_of(inputs, known)
    known = np.flatnonzero((inputs.gold >= 0) & (_voted(inputs.matrix) > 0))
    hidden = np.full_like(inputs.gold, -1)
    untold = replace(inputs, gold=hidden)
    alone, together = _fits(untold, hidden)
    two_kinds = _weight_of_two(untold, alone, together)
    model = _average(alone, together, two_kinds)[known]
    plain = majority(untold).posterior[known]
    answer = inputs.gold[known]

    def loss(choice: tuple[float, float]) -> float:
        stated = pool(model, plain, *choice)[np.arange(len(known)), answer]
        return -float(np.log(np.maximum(stated, 1e-6)).mean())

    return min(product(_WEIGHTS, _SHARPNESS), key=loss)


def _voted(matrix: VoteMatrix) -> NDArray[np.intp]:
    return np.asarray(np.diff(matrix.votes.indptr))
