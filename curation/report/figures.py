"""The numbers of a report: per question, per worker, per face, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from numpy.typing import NDArray

from ..truth import TaskStatus, VotesTable, vote_counts
from ..truth.agreement import (
    Agreement,
    Interval,
    LabelAgreement,
    Pairwise,
    fleiss_kappa,
    krippendorff_alpha_interval,
    label_agreements,
    overall_agreement,
    pairwise_agreement,
    reading_of,
    unanimous_share,
)
from ..truth.votes import shared_tasks
from .inputs import Costs, QuestionData
from .reask import Reask, worth_another_vote
from .signals import Copies
from .workers import MANY_LABELS, Rate, WorkerFigures, rate, worker_figures

__all__ = [
    "Calibration",
    "CostFigures",
    "QuestionFigures",
    "cost_figures",
    "disagreement_order",
    "question_figures",
]

Tasks = NDArray[np.intp]
_MOST_IN_MATRIX = 60


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How often labels of a stated confidence are right, on faces with a known answer.

    `bins` holds (mean confidence, rate right, tasks); `error` is the expected calibration error over the bins.
    """

    accuracy: Rate
    error: float
    bins: tuple[tuple[float, Rate, Tasks], ...]


@dataclass(frozen=True, slots=True, eq=False)
class QuestionFigures:
    """One question in numbers, with the task codes behind each. Open tasks that need no answer have no status."""

    data: QuestionData
    with_status: Mapping[TaskStatus, Tasks]
    with_label: tuple[Tasks, ...]
    votes_per_task: float
    agreement: Agreement
    label_agreement: tuple[LabelAgreement, ...]
    alpha: Interval
    kappa: float
    unanimous: float
    error_now: float
    error_next: float
    workers: tuple[WorkerFigures, ...]
    copies: Copies
    pairwise: Pairwise | None
    pairwise_workers: tuple[int, ...]
    calibration: Calibration | None
    reask: Reask

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def abstentions(self) -> int:
        """How many votes said that the voter could not tell; they are in no other figure."""
        passed = self.data.votes.abstained
        return 0 if passed is None else int(passed.sum())

    @property
    def error_measured(self) -> Rate | None:
        """How many of the tasks with a known answer the crowd alone gets wrong; None where nothing is known."""
        right = self.calibration.accuracy if self.calibration else None
        return None if right is None else rate(right.total - right.hits, right.total)

    @property
    def reading(self) -> str:
        """How far voters agree and what that is worth, in sentences."""
        names = self.data.votes.label_names
        usual = names[self.agreement.usual] if self.agreement.usual >= 0 else ""
        return reading_of(self.agreement, self.alpha, self.data.thing, usual)

    def agreement_by_label(self) -> list[tuple[str, LabelAgreement]]:
        """Label → how far it is shared, of the labels that were given; none where there are many."""
        named = zip(self.data.votes.label_names, self.label_agreement, strict=False)
        return [(name, one) for name, one in named if one.share > 0]

    @property
    def few_labels(self) -> bool:
        """Whether the labels are few enough to name each everywhere."""
        return len(self.with_label) <= MANY_LABELS

    def decided_as(self, most: int = MANY_LABELS) -> list[tuple[str, Tasks]]:
        """Label → tasks decided so. Of more labels than `most` the most frequent, and all others as one."""
        named = list(zip(self.data.votes.label_names, self.with_label, strict=True))
        if len(named) <= most + 1:
            return named
        named.sort(key=lambda one: -len(one[1]))
        rest = [tasks for _, tasks in named[most:]]
        return [*named[:most], (f"{len(rest)} other labels", np.sort(np.concatenate(rest)))]

    @property
    def simulated(self) -> int:
        """How many of the workers are programs."""
        return sum(worker.simulated for worker in self.workers)


@dataclass(frozen=True, slots=True)
class CostFigures:
    """What a vote and a decided face cost so far."""

    costs: Costs
    votes: int
    decided: int

    @property
    def per_vote(self) -> Decimal | None:
        return _per(self.costs.total, self.votes)

    @property
    def per_decided(self) -> Decimal | None:
        return _per(self.costs.total, self.decided)


def _per(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN) if count else None


def cost_figures(costs: Costs | None, questions: Sequence[QuestionFigures]) -> CostFigures | None:
    """Costs over all questions together; None where no costs are known."""
    if costs is None:
        return None
    decided: set[str] = set()
    unsettled: set[str] = set()
    for question in questions:
        names = question.data.votes.task_names
        for status, tasks in question.with_status.items():
            (decided if status is TaskStatus.DECIDED else unsettled).update(names[task] for task in tasks.tolist())
    return CostFigures(costs, sum(len(one.data.votes) for one in questions), len(decided - unsettled))


def question_figures(data: QuestionData, *, seed: int = 0) -> QuestionFigures:
    """All numbers of one question. `seed` drives the bootstrap only."""
    votes, outcome = data.votes, data.outcome
    workers, copies = worker_figures(data)
    shown = _most_active(workers)
    crowd = np.array([by == "crowd" for by in outcome.decided_by], dtype=bool)
    now, after = _expected_errors(data, crowd, workers)
    counted = data.open | (outcome.status == TaskStatus.DECIDED)
    return QuestionFigures(
        data=data,
        with_status={status: np.flatnonzero((outcome.status == status) & counted) for status in TaskStatus},
        with_label=tuple(
            np.flatnonzero((outcome.label == label) & (outcome.status == TaskStatus.DECIDED))
            for label in range(votes.n_labels)
        ),
        votes_per_task=len(votes) / votes.n_tasks if votes.n_tasks else float("nan"),
        agreement=overall_agreement(votes),
        label_agreement=label_agreements(votes) if votes.n_labels <= MANY_LABELS else (),
        alpha=krippendorff_alpha_interval(votes, seed=seed),
        kappa=fleiss_kappa(votes),
        unanimous=unanimous_share(votes),
        error_now=now,
        error_next=after,
        workers=tuple(workers),
        copies=copies,
        pairwise=pairwise_agreement(_only(votes, shown)) if len(shown) > 1 else None,
        pairwise_workers=shown,
        calibration=_calibration(data),
        reask=worth_another_vote(data, _next_vote(workers)),
    )


def _most_active(workers: Sequence[WorkerFigures]) -> tuple[int, ...]:
    order = sorted(range(len(workers)), key=lambda code: (-workers[code].votes, code))
    return tuple(order[:_MOST_IN_MATRIX])


def _only(votes: VotesTable, workers: tuple[int, ...]) -> VotesTable:
    """The votes of these workers, who become codes 0, 1, … in this order."""
    code = np.full(votes.n_workers, -1, dtype=np.int32)
    code[list(workers)] = np.arange(len(workers), dtype=np.int32)
    rows = code[votes.workers] >= 0
    names = tuple(votes.worker_names[worker] for worker in workers)
    return replace(votes.take(rows), workers=code[votes.workers[rows]], worker_names=names)


def _expected_errors(
    data: QuestionData, crowd: NDArray[np.bool_], workers: Sequence[WorkerFigures]
) -> tuple[float, float]:
    """The expected share of wrong labels if every face took its likeliest label: now, and after one more vote on each
    face that is not decided, by a worker of the crowd's mean agreement.

    What a label leaves of the probability is taken to lie on as few others as can hold it without being likelier.
    """
    if data.votes.n_labels < 2 or not (shared_tasks(data.votes) or (data.gold >= 0).any()):
        return float("nan"), float("nan")
    labels = data.votes.n_labels
    top = np.where(np.isnan(data.outcome.posterior), np.nan, np.clip(data.outcome.posterior, 1.0 / labels, 1.0))
    top = top[crowd]
    asked = ~np.isnan(top)
    if not asked.any():
        return float("nan"), float("nan")
    skill = max(_next_vote(workers), 0.5)
    others = np.clip(np.ceil((1 - top) / top - 1e-9), 1, labels - 1)
    rest, slip = (1 - top) / others, (1 - skill) / others
    gained = np.maximum(top * skill, rest * slip) + others * np.maximum(rest * skill, top * slip)
    doubtful = data.outcome.status[crowd] != TaskStatus.DECIDED
    after = np.where(doubtful, gained, top)
    return float(1 - top[asked].mean()), float(1 - after[asked].mean())


def _next_vote(workers: Sequence[WorkerFigures]) -> float:
    """The chance that the next vote is right: the crowd's mean agreement, with four votes of three right."""
    hits = sum(worker.agreement.hits for worker in workers)
    total = sum(worker.agreement.total for worker in workers)
    return (hits + 3) / (total + 4)


def _calibration(data: QuestionData) -> Calibration | None:
    """What the crowd alone says of faces with a known answer, against that answer."""
    blind = data.blind
    if blind is None:
        return None
    tasks = np.flatnonzero((data.gold >= 0) & (blind.label >= 0))
    if len(tasks) < 10:
        return None
    right = blind.label[tasks] == data.gold[tasks]
    confidence = blind.confidence[tasks]
    edges = np.linspace(0, 1, 11)
    which = np.clip(np.digitize(confidence, edges) - 1, 0, 9)
    bins = []
    error = 0.0
    for place in np.unique(which):
        inside = which == place
        mean, hits = float(confidence[inside].mean()), rate(int(right[inside].sum()), int(inside.sum()))
        error += inside.mean() * abs(mean - hits.value)
        bins.append((mean, hits, tasks[inside]))
    return Calibration(rate(int(right.sum()), len(tasks)), float(error), tuple(bins))


def disagreement_order(data: QuestionData, tasks: Tasks) -> Tasks:
    """Tasks, the most contested first: by the margin between the two leading labels, then by votes."""
    counts = vote_counts(data.votes)[tasks]
    ordered = np.sort(counts, axis=1)
    margin = ordered[:, -1] - ordered[:, -2] if counts.shape[1] > 1 else ordered[:, -1]
    return tasks[np.lexsort((tasks, -counts.sum(axis=1), margin / np.maximum(counts.sum(axis=1), 1)))]
