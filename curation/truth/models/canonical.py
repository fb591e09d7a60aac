"""One order for the same votes: what is fitted, drawn or split depends on what was said, never on the order of rows.

Tasks and workers stand by a hash of their names, which is arbitrary and always the same; two halves of the tasks are
every other one in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..votes import VotesTable
from .em import Fit, VoteMatrix
from .methods import Inputs

__all__ = ["ENOUGH", "Canonical", "canonical", "enough_of", "half_of", "hash_order"]

Order = NDArray[np.intp]


def hash_order(names: Sequence[str]) -> Order:
    """The positions of `names` by a hash of each."""
    digests = [blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names]
    return np.argsort(np.array(digests, dtype="S8"), kind="stable") if digests else np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """The inputs in the one order, and where each task and worker was before."""

    inputs: Inputs
    tasks: Order
    workers: Order

    def back(self, fitted: Fit) -> Fit:
        """What was found, in the order of the votes table that was given."""
        return replace(
            fitted,
            posterior=_put_back(fitted.posterior, self.tasks),
            confusion=_put_back(fitted.confusion, self.workers),
            evidence=_put_back(fitted.evidence, self.workers),
        )


def _put_back(rows: NDArray[np.float64], order: Order) -> NDArray[np.float64]:
    placed = np.empty_like(rows)
    placed[order] = rows
    return placed


def canonical(inputs: Inputs) -> Canonical:
    """The same inputs in the one order."""
    votes = inputs.votes
    tasks, workers = hash_order(votes.task_names), hash_order(votes.worker_names)
    new_task, new_worker = (_inverse(order) for order in (tasks, workers))
    task, worker = new_task[votes.tasks], new_worker[votes.workers]
    rows = np.lexsort((worker, task))
    table = VotesTable(
        worker[rows],
        task[rows],
        votes.labels[rows],
        tuple(votes.worker_names[place] for place in workers.tolist()),
        tuple(votes.task_names[place] for place in tasks.tolist()),
        votes.label_names,
        weights=None if votes.weights is None else votes.weights[rows],
    )
    prior = inputs.prior if inputs.prior is None or inputs.prior.ndim == 1 else inputs.prior[tasks]
    skills = None if inputs.skills is None else inputs.skills[workers]
    matrix = VoteMatrix(table, table.weights)
    ordered = Inputs(table, matrix, inputs.gold[tasks], prior, inputs.warm, skills, table.weights)
    return Canonical(ordered, tasks, workers)


def _inverse(order: Order) -> NDArray[np.int32]:
    inverse = np.empty(len(order), dtype=np.int32)
    inverse[order] = np.arange(len(order), dtype=np.int32)
    return inverse


def half_of(inputs: Inputs, which: int) -> Inputs:
    """Every other task, from the first (0) or second (1) on, with all that is known of it; no warm start. Of more than
    `ENOUGH` tasks every third, fourth and so on."""
    return some_of(inputs, np.arange(which, inputs.votes.n_tasks, max(2, _steps(inputs))))


def enough_of(inputs: Inputs, always: Order) -> Inputs:
    """The tasks `always` and about `ENOUGH` others: all where there are few; no warm start."""
    return some_of(inputs, np.union1d(always, np.arange(0, inputs.votes.n_tasks, _steps(inputs))))


def some_of(inputs: Inputs, tasks: Order) -> Inputs:
    """These tasks (ascending), with all that is known of them; no warm start."""
    votes = inputs.votes
    if len(tasks) == votes.n_tasks:
        return replace(inputs, warm=None)
    places = np.full(votes.n_tasks, -1, np.int32)
    places[tasks] = np.arange(len(tasks), dtype=np.int32)
    rows = np.flatnonzero(places[votes.tasks] >= 0)
    names = tuple(votes.task_names[task] for task in tasks.tolist())
    table = replace(votes.take(rows), tasks=places[votes.tasks[rows]], task_names=names)
    weights = None if inputs.weights is None else inputs.weights[rows]
    prior = inputs.prior if inputs.prior is None or inputs.prior.ndim == 1 else inputs.prior[tasks]
    matrix = VoteMatrix(table, weights)
    return replace(inputs, votes=table, matrix=matrix, gold=inputs.gold[tasks], prior=prior, weights=weights, warm=None)


def _steps(inputs: Inputs) -> int:
    """How many times the tasks are more than are enough to say what holds for all: workers must keep their votes."""
    return max(1, inputs.votes.n_tasks // max(ENOUGH, _OF_A_WORKER * inputs.votes.n_workers))


ENOUGH, _OF_A_WORKER = 100_000, 50
"""So many tasks, and for each worker so many, say as much of the whole as all of them do."""
