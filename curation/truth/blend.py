"""`auto`: the method that picks itself, without gold.

Two models of `kinds` are fitted: one kind per label (a Bayesian Dawid–Skene) and two (tasks of a label may differ).
They are averaged by their evidence per vote, so that neither a clear winner nor a toss-up between them hurts. The
average is then pooled with smoothed vote shares, one part in three: a linear opinion pool. The pool is also the
calibration. A worker model that believes its own independence assumption reaches 0.99 far too soon; a third of plain
counting keeps it honest where voters are divided, and hardly moves it where they agree. The constants were chosen once
over twenty public vote sets (docs/truth.md) and need no gold.

With twenty or more gold tasks, weight and sharpness of the pool are fitted to them instead, on posteriors that have
not seen the gold.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from curation.truth.copies import copy_weights
from curation.truth.em import Fit, VoteMatrix, shares, smoothed
from curation.truth.kinds import KindsFit, fit_kinds
from curation.truth.methods import Inputs, centred_pseudo, majority
from curation.truth.result import Blend, State
from curation.truth.votes import Codes

__all__ = ["auto", "pool"]

Floats = NDArray[np.float64]

_COUNTING = 1.0 / 3.0
_ENOUGH_GOLD = 20
_WEIGHTS = (0.1, 0.2, _COUNTING, 0.5, 0.7)
_SHARPNESS = (0.25, 0.5, 0.75, 1.0)
_EVIDENCE_UNIT = 0.002
"""Nats per vote that count as a difference between models; votes are not as independent as the evidence takes them."""


def auto(inputs: Inputs) -> Fit:
    """One and two kinds per label, averaged by evidence and pooled with vote shares; copies count once."""
    if not len(inputs.votes):
        return majority(inputs)
    weights = copy_weights(inputs.votes)
    if weights is not None:
        inputs = replace(inputs, weights=weights, matrix=VoteMatrix(inputs.votes, weights))
    counting = majority(inputs)
    fits = _fits(inputs, inputs.gold)
    model, two_kinds = _average(fits, len(inputs.votes))
    weight, sharpness = _calibrate(inputs)
    posterior = pool(model, counting.posterior, weight, sharpness)
    known = np.flatnonzero(inputs.gold >= 0)
    posterior[known] = np.eye(inputs.votes.n_labels)[inputs.gold[known]]
    evidence = inputs.matrix.expected_counts(_reduced(posterior))
    confusion = smoothed(centred_pseudo(inputs.votes.n_labels, 2.0))(evidence)
    models = tuple((fitted.kinds, fitted.answers, fitted.shares) for fitted in fits)
    blend = Blend(two_kinds, weight, sharpness, inputs.votes.worker_names, models)
    steps = sum(fitted.iterations for fitted in fits)
    return Fit(posterior, confusion, evidence, posterior.mean(axis=0), steps, blend)


def pool(model: Floats, counting: Floats, weight: float, sharpness: float = 1.0) -> Floats:
    """`weight` parts of vote shares and the rest of the model's posterior, which is first raised to `sharpness`."""
    if sharpness != 1.0:
        model = np.maximum(model, 1e-12) ** sharpness
        model = model / model.sum(axis=1, keepdims=True)
    return np.asarray((1.0 - weight) * model + weight * counting)


def _reduced(posterior: Floats) -> Floats:
    return np.ascontiguousarray(posterior[:, 1]) if posterior.shape[1] == 2 else posterior


def _fits(inputs: Inputs, gold: Codes) -> list[KindsFit]:
    """Both models; a warm start goes on from where the earlier run ended."""
    vote_shares = shares(inputs.votes, inputs.weights)
    warm = _warm(inputs)
    return [_fit(inputs, vote_shares, kinds, gold, warm.get(kinds)) for kinds in (1, 2)]


def _average(fits: list[KindsFit], n_votes: int) -> tuple[Floats, float]:
    """The mean of both posteriors, and the weight of two kinds: one half where one kind leads by a unit of evidence."""
    lead = (fits[1].evidence - fits[0].evidence) / max(n_votes, 1)
    two = float(1.0 / (1.0 + np.exp(-np.clip(lead / _EVIDENCE_UNIT + 1.0, -50.0, 50.0))))
    return (1.0 - two) * fits[0].posterior + two * fits[1].posterior, two


def _fit(
    inputs: Inputs, vote_shares: Floats, kinds: int, gold: Codes, warm: tuple[Floats, Floats] | None = None
) -> KindsFit:
    return fit_kinds(inputs.matrix, vote_shares, kinds, gold=gold, prior=inputs.prior, skills=inputs.skills, warm=warm)


def _warm(inputs: Inputs) -> dict[int, tuple[Floats, Floats]]:
    """Kinds → answers in today's order of workers (newcomers: none yet) and group sizes of the earlier run."""
    state: State | None = inputs.warm
    if state is None or state.blend is None or state.label_names != inputs.votes.label_names:
        return {}
    known = {worker: row for row, worker in enumerate(state.blend.worker_names)}
    rows = np.array([known.get(worker, -1) for worker in inputs.votes.worker_names], dtype=np.intp)
    return {
        kinds: (np.where((rows >= 0)[:, None, None], answers[rows], 0.0), sizes)
        for kinds, answers, sizes in state.blend.models
    }


def _calibrate(inputs: Inputs) -> tuple[float, float]:
    """Weight and sharpness with the least log loss on gold, from a fit that was not told; the defaults without gold."""
    known = np.flatnonzero((inputs.gold >= 0) & (_voted(inputs.matrix) > 0))
    if len(known) < _ENOUGH_GOLD:
        return _COUNTING, 1.0
    hidden = np.full_like(inputs.gold, -1)
    untold = replace(inputs, gold=hidden, warm=None)
    model = _average(_fits(untold, hidden), len(inputs.votes))[0][known]
    plain = majority(untold).posterior[known]
    answer = inputs.gold[known]

    def loss(choice: tuple[float, float]) -> float:
        stated = pool(model, plain, *choice)[np.arange(len(known)), answer]
        return -float(np.log(np.maximum(stated, 1e-6)).mean())

    return min(product(_WEIGHTS, _SHARPNESS), key=loss)


def _voted(matrix: VoteMatrix) -> NDArray[np.intp]:
    return np.asarray(np.diff(matrix.votes.indptr))
