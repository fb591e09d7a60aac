"""What the votes say about each worker: accuracy with intervals, confusion, speed, fatigue, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from ..truth import vote_counts
from ..truth.models.copies import copy_pairs
from .advice import Advice, Next, advice_on
from .inputs import QuestionData
from .leave_one_out import Skills, beliefs, skills_of
from .signals import ENOUGH_GOLD, Copies, Flag, Told, flags_of

__all__ = ["MANY_LABELS", "Confusion", "Crowd", "Rate", "WorkerFigures", "crowd_of", "rate", "worker_figures"]

Floats = NDArray[np.float64]
_SPANS = 5
_MOST_PAIRS = 50
_CROWD_RIGHT = 0.8
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
    """What a worker answered where gold or the other voters say what is right: int64 `truth`, `answer` and `count`.

    The own vote has no say in `truth`: it is gold, or the majority of the others. `of` is how many of these tasks are
    `truth`. `rate` with its 95 % bounds `low` and `high` is the chance of the answer where that is the truth; with few
    labels it allows for the errors of the others (`leave_one_out`), with many it is `count / of`. Up to `MANY_LABELS`
    labels hold every pair, row by row, more only those that occur.
    """

    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    count: NDArray[np.int64]
    of: NDArray[np.int64]
    rate: Floats
    low: Floats
    high: Floats

    @property
    def right(self) -> Rate:
        """How often the answer is what gold or the others say."""
        return rate(int(self.count[self.truth == self.answer].sum()), int(self.count.sum()))

    def pairs(self) -> list[tuple[int, int, int]]:
        """(truth, answer, count) of every row."""
        return list(zip(self.truth.tolist(), self.answer.tolist(), self.count.tolist(), strict=True))

    def mistakes(self) -> list[int]:
        """Rows with another answer than that, the most frequent first."""
        wrong = np.flatnonzero((self.truth != self.answer) & (self.count > 0))
        return [int(row) for row in wrong[np.argsort(-self.count[wrong], kind="stable")]]


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Per-vote columns that every worker figure needs.

    `others` is what the majority of the other voters on the same task said, -1 where they tie or there are none:
    a worker is never compared with a decision that rests on the worker's own vote. So many others said it: `backing`.
    `reference` is gold where it is
    known, and elsewhere `others`; `proof` is the same, but where gold shows that the others err it is gold alone, for a
    worker with enough of it. `order`
    sorts votes by worker and time; `first[w]:first[w + 1]` of it are worker w's. `gold_error` is the crowd's share of
    wrong votes on gold.
    `skills` is None with many labels.
    """

    others: NDArray[np.int32]
    backing: NDArray[np.int64]
    reference: NDArray[np.int32]
    proof: NDArray[np.int32]
    order: NDArray[np.intp]
    first: NDArray[np.intp]
    median_seconds: float
    gold_error: float
    skills: Skills | None


@dataclass(frozen=True, slots=True, eq=False)
class WorkerFigures:
    """One worker on one question. `rows` are positions in the votes table, in the order of time.

    `answers` counts each label. `reference` says along `rows` what each vote is compared with (-1: nothing). `spans`
    are agreement rates over consecutive fifths of the worker's votes. `told` says what the answers show of the worker,
    `advice` what to do.
    """

    name: str
    simulated: bool
    rows: NDArray[np.intp]
    reference: NDArray[np.int32]
    answers: NDArray[np.int64]
    agreement: Rate
    gold: Rate
    confusion: Confusion
    median_seconds: float
    pace: float
    spans: tuple[Rate, ...]
    flags: tuple[Flag, ...]
    told: Told
    advice: Advice

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
    median = float(np.median(known)) if len(known) else float("nan")
    enough = ENOUGH_GOLD if _crowd_errs(answer, others) else len(votes) + 1
    told = np.bincount(votes.workers[answer >= 0], minlength=votes.n_workers)[votes.workers] >= enough
    reference, proof = (np.where(answer >= 0, answer, rest) for rest in (others, np.where(told, -1, others)))
    few = 1 < votes.n_labels <= MANY_LABELS
    skills = skills_of(votes, beliefs(votes, data.gold, enough)) if few and len(votes) else None
    return Crowd(others, top.astype(np.int64), reference, proof, order, first, median, error, skills)


def _crowd_errs(answer: NDArray[np.int32], others: NDArray[np.int32]) -> bool:
    """Whether gold shows that the other voters are often wrong: then it alone speaks of those who have enough of it."""
    both = (answer >= 0) & (others >= 0)
    return int(both.sum()) >= ENOUGH_GOLD and float((answer == others)[both].mean()) < _CROWD_RIGHT


def worker_figures(data: QuestionData) -> tuple[list[WorkerFigures], Copies]:
    """Every worker's figures, in the order of the table's worker codes, and the pairs that look like copies.

    Who is found to answer without looking says nothing of the others: they are judged without those answers.
    """
    copies = Copies(copy_pairs(data.votes)[:_MOST_PAIRS])
    found = _all(data, copies)
    blind = np.array([one.advice.next is Next.STOP for one in found], dtype=bool)
    if blind.any() and not blind.all():
        kept = np.flatnonzero(~blind[data.votes.workers])
        rest = data.only(kept)
        others = _all(rest, Copies(copy_pairs(rest.votes)[:_MOST_PAIRS]))
        found = [one if stop else _placed(other, kept) for one, other, stop in zip(found, others, blind, strict=True)]
    return found, copies


def _all(data: QuestionData, copies: Copies) -> list[WorkerFigures]:
    crowd = crowd_of(data)
    return [_one(data, crowd, copies, worker) for worker in range(data.votes.n_workers)]


def _placed(figures: WorkerFigures, kept: NDArray[np.intp]) -> WorkerFigures:
    """The figures with their rows in the whole table again."""
    flags = tuple(replace(flag, rows=kept[flag.rows]) for flag in figures.flags)
    return replace(figures, rows=kept[figures.rows], flags=flags)


def _one(data: QuestionData, crowd: Crowd, copies: Copies, worker: int) -> WorkerFigures:
    votes = data.votes
    rows = crowd.order[crowd.first[worker] : crowd.first[worker + 1]]
    labels, others, proof = votes.labels[rows], crowd.others[rows], crowd.proof[rows]
    comparable = others >= 0
    agree = labels == others
    known = data.gold[votes.tasks[rows]]
    seconds = data.seconds[rows]
    seconds = seconds[~np.isnan(seconds)]
    median = float(np.median(seconds)) if len(seconds) else float("nan")
    agreement = rate(int(agree[comparable].sum()), int(comparable.sum()))
    gold = rate(int((labels == known)[known >= 0].sum()), int((known >= 0).sum()))
    flags, told = flags_of(data, crowd, rows, worker, copies)
    return WorkerFigures(
        name=votes.worker_names[worker],
        simulated=votes.worker_names[worker] in data.simulated,
        rows=rows,
        reference=proof,
        answers=np.bincount(labels, minlength=votes.n_labels),
        agreement=agreement,
        gold=gold,
        confusion=_confusion(proof, labels, votes.n_labels, crowd.skills, worker),
        median_seconds=median,
        pace=median / crowd.median_seconds if crowd.median_seconds else float("nan"),
        spans=() if np.isnan(data.submitted[rows]).any() else _spans(agree[comparable]),
        flags=flags,
        told=told,
        advice=advice_on(flags, told, agreement, gold, data.things),
    )


def _confusion(
    reference: NDArray[np.int32], answered: NDArray[np.int32], size: int, skills: Skills | None, worker: int
) -> Confusion:
    judged = reference >= 0
    right, answered = reference[judged], answered[judged]
    pairs = right.astype(np.int64) * size + answered
    if size <= MANY_LABELS:
        there, count = np.arange(size * size), np.bincount(pairs, minlength=size * size)
    else:
        there, count = np.unique(pairs, return_counts=True)
    truth, answer = np.divmod(there, max(size, 1))
    of = np.bincount(right, minlength=size)[truth]
    if skills is not None:
        shares, low, high = (table[worker].ravel() for table in (skills.rate, skills.low, skills.high))
    else:
        low, high = (betaincinv(count + 1, of - count + 1, edge) for edge in (0.025, 0.975))
        shares = count / np.maximum(of, 1)
    return Confusion(truth, answer, count, of, shares, low, high)


def _spans(agree: NDArray[np.bool_]) -> tuple[Rate, ...]:
    if len(agree) < 4 * _SPANS:
        return ()
    return tuple(rate(int(part.sum()), len(part)) for part in np.array_split(agree, _SPANS))
