"""What the answers of each source cost: of people by invite, of a panel, of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from ..truth import TaskStatus
from .figures import QuestionFigures
from .workers import Rate, rate

__all__ = ["SourceFigures", "source_figures"]


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One source. `decisions` are those that stand, one for each face and question, shared among the votes that agree
    with them: those of all sources add up to the decisions that votes support. `gold` is how often its votes are right
    where the answer is known."""

    source: str
    workers: int
    votes: int
    spent: Decimal
    decisions: float
    gold: Rate

    @property
    def per_vote(self) -> Decimal | None:
        return _per(self.spent, self.votes)

    @property
    def per_decision(self) -> Decimal | None:
        """Money for one decision that stands."""
        return _per(self.spent, self.decisions)


def _per(spent: Decimal, count: float) -> Decimal | None:
    if not count:
        return None
    return (spent / Decimal(str(count))).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


def source_figures(
    questions: Sequence[QuestionFigures], sources: Mapping[str, str], spent: Mapping[str, Decimal]
) -> tuple[SourceFigures, ...]:
    """Worker → source over all questions, the dearest source first; nothing where all are of one source and no money is
    known by source."""
    names = sorted({*sources.values(), *spent})
    workers: dict[str, set[str]] = {name: set() for name in names}
    votes, shares = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    hits, known = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for question in questions:
        table, outcome, gold = question.data.votes, question.data.outcome, question.data.gold
        stands = (outcome.status == TaskStatus.DECIDED) & (outcome.label >= 0)
        agrees = stands[table.tasks] & (table.labels == outcome.label[table.tasks])
        supporters = np.bincount(table.tasks[agrees], minlength=table.n_tasks)
        share = np.where(agrees, 1.0 / np.maximum(supporters[table.tasks], 1), 0.0)
        for code, worker in enumerate(table.worker_names):
            source = sources.get(worker)
            if source is None:
                continue
            mine = table.workers == code
            tested = mine & (gold[table.tasks] >= 0)
            workers[source].add(worker)
            votes[source] += int(mine.sum())
            shares[source] += float(share[mine].sum())
            known[source] += int(tested.sum())
            hits[source] += int((table.labels[tested] == gold[table.tasks[tested]]).sum())
    found = [
        SourceFigures(
            name,
            len(workers[name]),
            votes[name],
            spent.get(name, Decimal("0.00")),
            round(shares[name], 6),
            rate(hits[name], known[name]),
        )
        for name in names
        if workers[name] or spent.get(name)
    ]
    return tuple(sorted(found, key=lambda one: (-(one.per_decision or Decimal(0)), one.source)))
