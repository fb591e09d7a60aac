"""Vote sets to measure on: real ones from a folder, and synthetic crowds made here.

A real set is a pair NAME_labels.csv (worker,task,label) and NAME_gold.csv (task,label) in the folder that --data or the
environment variable GALLOWAY_CROWD_SETS names. None is shipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from galloway.curation.truth import VotesTable, code_gold, vote_counts
from galloway.curation.truth.files import read_gold, read_votes
from numpy.typing import NDArray

__all__ = ["CrowdSet", "accuracy", "calibration_error", "majority_accuracy", "real_sets", "synthetic_sets"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CrowdSet:
    """Votes and, for scoring only, the truth: a label code per task, -1 where it is not known."""

    name: str
    votes: VotesTable
    gold: NDArray[np.int32]

    @property
    def per_task(self) -> float:
        return len(self.votes) / self.votes.n_tasks


def accuracy(posterior: Floats, gold: NDArray[np.int32]) -> float:
    """The share of known tasks whose most probable label is right; ties count at expectation."""
    known = gold >= 0
    stated, answer = posterior[known], gold[known]
    leading = stated >= stated.max(axis=1, keepdims=True) - 1e-9
    return float((leading[np.arange(len(answer)), answer] / leading.sum(axis=1)).mean())


def majority_accuracy(votes: VotesTable, gold: NDArray[np.int32]) -> float:
    return accuracy(vote_counts(votes), gold)


def calibration_error(posterior: Floats, gold: NDArray[np.int32], bins: int = 15) -> float:
    """Expected calibration error of the leading label's posterior, over equal bins."""
    known = gold >= 0
    confidence = posterior[known].max(axis=1)
    right = posterior[known].argmax(axis=1) == gold[known]
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = (
        abs(confidence[place == one].mean() - right[place == one].mean()) * (place == one).mean() for one in set(place)
    )
    return float(sum(gaps))


def real_sets(folder: str | None, most_votes: int) -> Iterator[CrowdSet]:
    """The sets in the folder with at most `most_votes` votes, small ones first."""
    place = folder or os.environ.get("GALLOWAY_CROWD_SETS")
    if not place:
        return
    for path in sorted(Path(place).glob("*_labels.csv"), key=lambda one: one.stat().st_size):
        name = path.name.removesuffix("_labels.csv")
        known = read_gold(path.with_name(f"{name}_gold.csv"))
        votes = read_votes(path).votes
        if len(votes) > most_votes:
            continue
        labels = set(votes.label_names)
        yield CrowdSet(name, votes, code_gold(votes, {task: label for task, label in known.items() if label in labels}))


def _crowd(
    name: str, rates: Sequence[tuple[float, float]], *, tasks: int, per_task: int, share: float = 0.5, seed: int = 1
) -> CrowdSet:
    """Two labels; each worker has a chance of being right on either."""
    generator = np.random.default_rng(seed)
    truth = (generator.random(tasks) < share).astype(np.int32)
    workers = np.concatenate([generator.permutation(len(rates))[:per_task] for _ in range(tasks)])
    task = np.repeat(np.arange(tasks), per_task)
    chance = np.array(rates)[workers, truth[task]]
    labels = np.where(generator.random(len(task)) < chance, truth[task], 1 - truth[task])
    return CrowdSet(name, VotesTable.from_codes(workers, task, labels, n_labels=2, distinct=True), truth)


def _colluders(seed: int = 2) -> CrowdSet:
    """Honest workers, and three who hand in the same made-up answers on every task."""
    honest = _crowd("", [(0.8, 0.8)] * 15, tasks=600, per_task=4, seed=seed)
    made_up = np.random.default_rng(seed).integers(0, 2, 600)
    workers = np.concatenate([honest.votes.workers, np.repeat([15, 16, 17], 600)])
    tasks = np.concatenate([honest.votes.tasks, np.tile(np.arange(600), 3)])
    labels = np.concatenate([honest.votes.labels, np.tile(made_up, 3)])
    votes = VotesTable.from_codes(workers, tasks, labels, distinct=True)
    return CrowdSet("synthetic: 3 colluders of 18", votes, honest.gold)


def _hard_kind(wrong: float, seed: int = 3) -> CrowdSet:
    """A fifth of the tasks has label 1; a third of the others draws `wrong` of the votes to label 1."""
    generator = np.random.default_rng(seed)
    tasks, per_task, workers = 1200, 6, 50
    truth = (generator.random(tasks) < 0.2).astype(np.int32)
    hard = (generator.random(tasks) < 0.35) & (truth == 0)
    lean = generator.beta(5, 5, workers)
    panels = np.concatenate([generator.permutation(workers)[:per_task] for _ in range(tasks)])
    task = np.repeat(np.arange(tasks), per_task)
    on_hard = np.clip(wrong + 0.6 * (lean[panels] - 0.5), 0.02, 0.98)
    chance = np.where(truth[task] == 1, 0.72, np.where(hard[task], on_hard, 0.06))
    labels = (generator.random(len(task)) < chance).astype(int)
    votes = VotesTable.from_codes(panels, task, labels, distinct=True)
    return CrowdSet(f"synthetic: hard kind, {wrong:.0%} wrong", votes, truth)


def synthetic_sets() -> list[CrowdSet]:
    """Crowds on which one or the other method is known to fail."""
    return [
        _crowd("synthetic: half spammers", [(0.85, 0.85)] * 20 + [(0.5, 0.5)] * 20, tasks=800, per_task=5),
        _colluders(),
        _crowd("synthetic: one adversary", [(0.8, 0.8)] * 9 + [(0.05, 0.05)], tasks=800, per_task=5),
        _crowd("synthetic: two votes a task", [(0.85, 0.8)] * 30, tasks=800, per_task=2),
        _crowd("synthetic: 99 to 1", [(0.95, 0.8)] * 20, tasks=2000, per_task=5, share=0.01),
        _crowd("synthetic: two schools", [(0.95, 0.35)] * 14 + [(0.35, 0.95)] * 6, tasks=250, per_task=20),
        _crowd("synthetic: equal workers", [(0.8, 0.8)] * 20, tasks=600, per_task=9),
        _hard_kind(0.35),
        _hard_kind(0.46),
    ]
