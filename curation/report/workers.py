"""What the votes say about each worker: accuracy with intervals, confusion, speed, fatigue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from ..truth import TaskStatus, vote_counts
from ..truth.models.copies import copy_pairs
from .inputs import QuestionData
from .signals import Copies, Flag, flags_of

__all__ = ["MANY_LABELS", "Confusion", "Crowd", "Rate", "WorkerFigures", "crowd_of", "rate", "worker_figures"]

Floats = NDArray[np.float64]
_SPANS = 5
_MOST_PAIRS = 50
MANY_LABELS = 12
"""With more labels than this a table of labels by labels is neither drawn nor written; mistakes are listed instead."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `total` with the 95 % credible interval of the rate under a flat prior."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else float("nan")


def rate(hits: int, total: int) -> Rate:
    """A rate with its Beta(hits + 1, misses + 1) interval."""
    low, high = betaincinv(hits + 1, total - hits + 1, [0.025, 0.975])
    return Rate(int(hits), int(total), float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """What a worker answered on decided tasks, one row per pair of labels: int64 `truth`, `answer` and `count`.

    `of` is how many of these tasks were decided `truth`; `low` and `high` are the 95 % credible interval of
    `count / of` under a flat prior. Up to `MANY_LABELS` labels hold every pair, row by row, more only those that occur.
    """

    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    count: NDArray[np.int64]
    of: NDArray[np.int64]
    low: Floats
    high: Floats

    @property
    def right(self) -> Rate:
        """How often the answer is what was decided."""
        return rate(int(self.count[self.truth == self.answer].sum()), int(self.count.sum()))

    def pairs(self) -> list[tuple[int, int, int]]:
        """(truth, answer, count) of every row."""
        return list(zip(self.truth.tolist(), self.answer.tolist(), self.count.tolist(), strict=True))

    def mistakes(self) -> list[int]:
        """Rows with another answer than the decision, the most frequent first."""
        wrong = np.flatnonzero((self.truth != self.answer) & (self.count > 0))
        return [int(row) for row in wrong[np.argsort(-self.count[wrong], kind="stable")]]


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Per-vote columns that every worker figure needs.

    `others` is what the majority of the other voters on the same task said, -1 where they tie or there are none:
    a worker is never compared with a decision that rests on the worker's own vote. `order` sorts votes by worker and
    time; `first[w]:first[w + 1]` of it are worker w's. `gold_error` is the crowd's share of wrong votes on gold.
    """

    others: NDArray[np.int32]
    order: NDArray[np.intp]
    first: NDArray[np.intp]
    median_seconds: float
    gold_error: float


@dataclass(frozen=True, slots=True, eq=False)
class WorkerFigures:
    """One worker on one question. `rows` are positions in the votes table, in the order of time.

    `answers` counts each label. `spans` are agreement rates over consecutive fifths of the worker's votes.
    """

    name: str
    simulated: bool
    rows: NDArray[np.intp]
    answers: NDArray[np.int64]
    agreement: Rate
    gold: Rate
    confusion: Confusion
    median_seconds: float
    pace: float
    spans: tuple[Rate, ...]
    flags: tuple[Flag, ...]

    @property
    def votes(self) -> int:
        return len(self.rows)


def crowd_of(data: QuestionData) -> Crowd:
    """The per-vote columns of a question."""
    votes = data.votes
    counts = vote_counts(votes)
    rest = counts[votes.tasks]
    rest[np.arange(len(votes)), votes.labels] -= 1
    top = rest.max(axis=1, initial=0)
    leaders = (rest == top[:, None]).sum(axis=1)
    others = np.where((top > 0) & (leaders == 1), rest.argmax(axis=1) if rest.size else 0, -1).astype(np.int32)
    order = np.lexsort((np.arange(len(votes)), np.nan_to_num(data.submitted), votes.workers))
    first = np.searchsorted(votes.workers[order], np.arange(votes.n_workers + 1))
    known = data.seconds[~np.isnan(data.seconds)]
    answer = data.gold[votes.tasks]
    wrong = (answer != votes.labels)[answer >= 0]
    error = float(wrong.mean()) if len(wrong) else 0.0
    return Crowd(others, order, first, float(np.median(known)) if len(known) else float("nan"), error)


def worker_figures(data: QuestionData) -> tuple[list[WorkerFigures], Copies]:
    """Every worker's figures, in the order of the table's worker codes, and the pairs that look like copies."""
    crowd = crowd_of(data)
    copies = Copies(copy_pairs(data.votes)[:_MOST_PAIRS])
    return [_one(data, crowd, copies, worker) for worker in range(data.votes.n_workers)], copies


def _one(data: QuestionData, crowd: Crowd, copies: Copies, worker: int) -> WorkerFigures:
    votes, outcome = data.votes, data.outcome
    rows = crowd.order[crowd.first[worker] : crowd.first[worker + 1]]
    labels, tasks, others = votes.labels[rows], votes.tasks[rows], crowd.others[rows]
    comparable = others >= 0
    agree = labels == others
    known = data.gold[tasks]
    decided = (outcome.status[tasks] == TaskStatus.DECIDED) & (outcome.label[tasks] >= 0)
    seconds = data.seconds[rows]
    seconds = seconds[~np.isnan(seconds)]
    median = float(np.median(seconds)) if len(seconds) else float("nan")
    return WorkerFigures(
        name=votes.worker_names[worker],
        simulated=votes.worker_names[worker] in data.simulated,
        rows=rows,
        answers=np.bincount(labels, minlength=votes.n_labels),
        agreement=rate(int(agree[comparable].sum()), int(comparable.sum())),
        gold=rate(int((labels == known)[known >= 0].sum()), int((known >= 0).sum())),
        confusion=_confusion(outcome.label[tasks[decided]], labels[decided], votes.n_labels),
        median_seconds=median,
        pace=median / crowd.median_seconds if crowd.median_seconds else float("nan"),
        spans=() if np.isnan(data.submitted[rows]).any() else _spans(agree[comparable]),
        flags=flags_of(data, crowd, rows, worker, copies),
    )


def _confusion(decided: NDArray[np.int32], answered: NDArray[np.int32], size: int) -> Confusion:
    pairs = decided.astype(np.int64) * size + answered
    if size <= MANY_LABELS:
        there, count = np.arange(size * size), np.bincount(pairs, minlength=size * size)
    else:
        there, count = np.unique(pairs, return_counts=True)
    truth, answer = np.divmod(there, max(size, 1))
    of = np.bincount(decided, minlength=size)[truth]
    low, high = (betaincinv(count + 1, of - count + 1, edge) for edge in (0.025, 0.975))
    return Confusion(truth, answer, count, of, low, high)


def _spans(agree: NDArray[np.bool_]) -> tuple[Rate, ...]:
    if len(agree) < 4 * _SPANS:
        return ()
    return tuple(rate(int(part.sum()), len(part)) for part in np.array_split(agree, _SPANS))
