"""`auto`: the method that picks itself, without gold.

Two models of `kinds` (one kind per label is a Bayesian Dawid–Skene, two kinds allow for tasks of a label that
differ) are fitted, and the one with the larger evidence is taken. Its posterior is then pooled with smoothed vote
shares, one part in three: a linear opinion pool. The pool is also the calibration. A worker model that believes its
own independence assumption reaches 0.99 far too soon; a third of plain counting keeps it honest where voters are
divided, and hardly moves it where they agree. The weight was chosen once over twenty public vote sets
(docs/truth.md) and needs no gold.

With twenty or more gold tasks, weight and sharpness are fitted to them instead, on posteriors that have not seen the
gold.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

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
_NONE_KNOWN = -1


def auto(inputs: Inputs) -> Fit:
    """The better supported of one and two kinds per label, pooled with vote shares."""
    counting = majority(inputs)
    if not len(inputs.votes):
        return counting
    best = _best_kinds(inputs, inputs.gold)
    weight, sharpness = _calibrate(inputs, counting.posterior)
    posterior = pool(best.posterior, counting.posterior, weight, sharpness)
    known = np.flatnonzero(inputs.gold >= 0)
    posterior[known] = np.eye(inputs.votes.n_labels)[inputs.gold[known]]
    evidence = inputs.matrix.expected_counts(_reduced(posterior))
    confusion = smoothed(centred_pseudo(inputs.votes.n_labels, 2.0))(evidence)
    blend = Blend(best.kinds, weight, sharpness, inputs.votes.worker_names, best.answers, best.shares)
    return Fit(posterior, confusion, evidence, posterior.mean(axis=0), best.iterations, blend)


def pool(model: Floats, counting: Floats, weight: float, sharpness: float = 1.0) -> Floats:
    """`weight` parts of vote shares and the rest of the model's posterior, which is first raised to `sharpness`."""
    if sharpness != 1.0:
        model = np.maximum(model, 1e-12) ** sharpness
        model = model / model.sum(axis=1, keepdims=True)
    return np.asarray((1.0 - weight) * model + weight * counting)


def _reduced(posterior: Floats) -> Floats:
    return np.ascontiguousarray(posterior[:, 1]) if posterior.shape[1] == 2 else posterior


def _best_kinds(inputs: Inputs, gold: Codes) -> KindsFit:
    """A warm start goes on with the kinds it had; a cold one compares one kind with two."""
    vote_shares = shares(inputs.votes)
    warm = _warm(inputs)
    if warm is not None:
        kinds, answers, sizes = warm
        return fit_kinds(inputs.matrix, vote_shares, kinds, gold=gold, prior=inputs.prior, warm=(answers, sizes))
    fits = [fit_kinds(inputs.matrix, vote_shares, kinds, gold=gold, prior=inputs.prior) for kinds in (1, 2)]
    return fits[1] if fits[1].evidence > fits[0].evidence + 1e-6 else fits[0]


def _warm(inputs: Inputs) -> tuple[int, Floats, Floats] | None:
    """Kinds, answers in today's order of workers (newcomers: none yet) and group sizes of the earlier run."""
    state: State | None = inputs.warm
    if state is None or state.blend is None or state.label_names != inputs.votes.label_names:
        return None
    known = {worker: row for row, worker in enumerate(state.blend.worker_names)}
    answers = np.zeros((inputs.votes.n_workers, *state.blend.answers.shape[1:]))
    for code, worker in enumerate(inputs.votes.worker_names):
        if worker in known:
            answers[code] = state.blend.answers[known[worker]]
    return state.blend.kinds, answers, state.blend.shares


def _calibrate(inputs: Inputs, counting: Floats) -> tuple[float, float]:
    """Weight and sharpness with the least log loss on gold, from a fit that was not told; the defaults without gold."""
    known = np.flatnonzero((inputs.gold >= 0) & (_voted(inputs.matrix) > 0))
    if len(known) < _ENOUGH_GOLD:
        return _COUNTING, 1.0
    hidden = np.full_like(inputs.gold, _NONE_KNOWN)
    untold = Inputs(inputs.votes, inputs.matrix, hidden, inputs.prior)
    model = _best_kinds(untold, hidden).posterior[known]
    plain = majority(untold).posterior[known]
    answer = inputs.gold[known]

    def loss(choice: tuple[float, float]) -> float:
        stated = pool(model, plain, *choice)[np.arange(len(known)), answer]
        return -float(np.log(np.maximum(stated, 1e-6)).mean())

    return min(product(_WEIGHTS, _SHARPNESS), key=loss)


def _voted(matrix: VoteMatrix) -> NDArray[np.intp]:
    return np.asarray(np.diff(matrix.votes.indptr))
