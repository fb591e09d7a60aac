"""From votes to truth: one call for every method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import VotesError
from .models.blend import auto
from .models.em import Fit, VoteMatrix
from .models.methods import METHODS, Inputs
from .result import State, Truth, WorkerSkills, settle
from .votes import Codes, VotesTable, as_table, code_gold, shared_tasks, vote_counts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECIDE_AT", "METHOD_NAMES", "aggregate"]

DECIDE_AT = 0.75
"""A model's label is taken when its posterior reaches this; majority takes any label without a tie."""

_BYTES_PER_CONFUSION = {"auto": 150, "majority": 40}
_BYTES_OTHERWISE = 60
"""Memory at the peak, as measured, for each number in the workers' tables of labels by labels."""
_MOST_BYTES = 8 << 30

METHOD_NAMES = ("auto", "majority", "one-coin", "dawid-skene", "dawid-skene-exact")


def aggregate(
    votes: VotesTable | pd.DataFrame,
    *,
    method: str = "auto",
    gold: Mapping[str, str] | None = None,
    prior: NDArray[np.float64] | None = None,
    warm: State | None = None,
    decide_at: float = DECIDE_AT,
    skills: Mapping[str, tuple[float, float]] | None = None,
    single_votes_decide: bool = False,
) -> Truth:
    """Labels, posteriors, statuses and worker skills of `votes`: a table, or a DataFrame with worker, task and label.

    `gold` maps task names to labels that are known and never contradicted. `prior` holds probabilities, (labels,) or
    (tasks, labels), such as a screening model gives. `warm` is `Truth.state` of an earlier run on fewer votes: the
    same method then needs a few steps only. `skills` maps workers to an accuracy known from elsewhere and the number of
    votes that knowledge is worth; only `auto` reads it. Where no task has two votes and none of these says anything,
    nothing shows whether the voters are right, and no task is decided unless `single_votes_decide`. Votes weigh as the
    table says, but for `majority`, which counts them. The result does not depend on the order of rows or on names.
    Raises VotesError for an unknown method, unknown gold labels, a prior of the wrong shape or of no probabilities, or
    so many labels and workers that their tables of labels by labels would take more than 8 GiB.
    """
    votes = as_table(votes)
    if method not in METHOD_NAMES:
        raise VotesError(f"There is no method {method!r}; choose one of {', '.join(METHOD_NAMES)}.")
    if prior is not None:
        prior = np.asarray(prior, dtype=np.float64)
        _refuse_prior(votes, prior)
    _refuse_too_large(votes, method)
    weights = None if method == "majority" else votes.weights
    known = code_gold(votes, gold), prior, warm, _known_skills(votes, skills)
    inputs = Inputs(votes, VoteMatrix(votes, weights), *known, weights)
    fitted = (METHODS | {"auto": auto})[method](inputs)
    return build_truth(inputs, method, fitted, decide_at, may_decide=single_votes_decide or _something_shows(inputs))


def _something_shows(inputs: Inputs) -> bool:
    """Whether votes can be held against anything: another vote, known answers, or what was brought along."""
    known = inputs.prior is not None or inputs.warm is not None or inputs.skills is not None
    return known or bool((inputs.gold >= 0).any()) or shared_tasks(inputs.votes)


def _refuse_prior(votes: VotesTable, prior: NDArray[np.float64]) -> None:
    if prior.shape not in {(votes.n_labels,), (votes.n_tasks, votes.n_labels)}:
        raise VotesError(
            f"The prior has shape {prior.shape}; give ({votes.n_labels},) or ({votes.n_tasks}, {votes.n_labels})."
        )
    if not (np.isfinite(prior).all() and (prior >= 0).all() and (prior.sum(axis=-1) > 0).all()):
        raise VotesError(
            "The prior holds no probabilities: give numbers of 0 or more for each label, not all of them 0."
        )


def _refuse_too_large(votes: VotesTable, method: str) -> None:
    needed = votes.n_workers * votes.n_labels**2 * _BYTES_PER_CONFUSION.get(method, _BYTES_OTHERWISE)
    if needed > _MOST_BYTES:
        raise VotesError(
            f"{votes.n_labels:,} labels by {votes.n_workers:,} workers would take {needed / 2**30:,.0f} GiB of memory: "
            "each worker has a table of labels by labels. Join labels that are rare or mean the same; text that people "
            "typed has to be sorted into labels first."
        )


def _known_skills(votes: VotesTable, skills: Mapping[str, tuple[float, float]] | None) -> NDArray[np.float64] | None:
    """(workers, answer, truth) pseudo-votes of what is known from elsewhere."""
    if not skills:
        return None
    eye = np.eye(votes.n_labels)
    pseudo = np.zeros((votes.n_workers, votes.n_labels, votes.n_labels))
    for code, worker in enumerate(votes.worker_names):
        accuracy, worth = skills.get(worker, (0.5, 0.0))
        pseudo[code] = worth * (accuracy * eye + (1 - accuracy) / max(votes.n_labels - 1, 1) * (1 - eye))
    return pseudo


def build_truth(inputs: Inputs, method: str, fitted: Fit, decide_at: float, *, may_decide: bool = True) -> Truth:
    """The public result of a fit."""
    votes = inputs.votes
    counts = vote_counts(votes)
    threshold = 0.0 if method == "majority" else decide_at
    label, confidence, status = settle(
        fitted.posterior, counts, inputs.gold, threshold, votes.abstained, may_decide=may_decide
    )
    skills = _skills(votes, fitted)
    state = State(method, votes.label_names, fitted.class_prior, skills, fitted.blend)
    voters: Codes = counts.sum(axis=1).astype(np.int32)
    return Truth(
        method,
        votes,
        fitted.posterior,
        label,
        confidence,
        voters,
        status,
        skills,
        state,
        fitted.iterations,
        fitted.blend,
    )


def _skills(votes: VotesTable, fitted: Fit) -> WorkerSkills:
    confusion = np.ascontiguousarray(fitted.confusion.transpose(0, 2, 1))
    accuracy = np.einsum("wkk,k->w", confusion, fitted.class_prior)
    cast = np.bincount(votes.workers, minlength=votes.n_workers).astype(np.int32)
    evidence = np.ascontiguousarray(fitted.evidence.transpose(0, 2, 1))
    return WorkerSkills(votes.worker_names, confusion, accuracy, cast, evidence)
