"""Workers as the requester sees them: what they answered, how they agree with the others, how fast, for how much."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from weakref import WeakKeyDictionary

from ...curation.report.inputs import QuestionData
from ...curation.report.workers import Rate, WorkerFigures, worker_figures
from ...curation.types import Question, WorkerId
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..market.pictures import hosting_secret

__all__ = ["WorkerGroup", "WorkerRow", "workers"]

_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker on one question. `name` is a pseudonym; `seconds` is the median per face, None where unknown."""

    name: str
    simulated: bool
    votes: int
    answers: tuple[tuple[str, int], ...]
    agreement: Rate
    gold: Rate
    seconds: float | None
    flags: tuple[str, ...]
    earned: Decimal


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """The workers of one question, most votes first."""

    question: str
    rows: tuple[WorkerRow, ...]

    @property
    def simulated(self) -> int:
        return sum(row.simulated for row in self.rows)


def workers(app: App) -> list[WorkerGroup]:
    """The workers of every question that has votes. Agreement is with the majority of the other voters.

    They are counted once as long as no vote comes or goes; what they earned is looked up every time.
    """
    secret = hosting_secret(app.workspace.root)
    state = app.store.vote_state()
    if app not in _kept or _kept[app][0] != state:
        _kept[app] = state, _count(app, secret)
    earned = {pseudonym(WorkerId(worker), secret): amount for worker, amount in _paid(app).items()}
    return [
        replace(group, rows=tuple(replace(row, earned=earned.get(row.name, _ZERO)) for row in group.rows))
        for group in _kept[app][1]
    ]


_kept: WeakKeyDictionary[App, tuple[tuple[int, int], list[WorkerGroup]]] = WeakKeyDictionary()


def _count(app: App, secret: bytes) -> list[WorkerGroup]:
    groups = []
    for question in Question:
        data = QuestionData.from_ballots(question, app.store.ballots(question))
        if not len(data.votes):
            continue
        shown = {name: pseudonym(WorkerId(name), secret) for name in data.votes.worker_names}
        figures, _ = worker_figures(_renamed(data, shown))
        rows = [_row(item, data.votes.label_names) for item in figures]
        groups.append(WorkerGroup(question.value, tuple(sorted(rows, key=lambda row: (-row.votes, row.name)))))
    return groups


def _renamed(data: QuestionData, names: Mapping[str, str]) -> QuestionData:
    """Under other names: a flag names the workers that it is about."""
    votes = replace(data.votes, worker_names=tuple(names[name] for name in data.votes.worker_names))
    return replace(data, votes=votes, simulated=frozenset(names[name] for name in data.simulated))


def _row(item: WorkerFigures, labels: Sequence[str]) -> WorkerRow:
    return WorkerRow(
        name=item.name,
        simulated=item.simulated,
        votes=item.votes,
        answers=tuple(zip(labels, item.answers.tolist(), strict=True)),
        agreement=item.agreement,
        gold=item.gold,
        seconds=None if math.isnan(item.median_seconds) else item.median_seconds,
        flags=tuple(flag.evidence for flag in item.flags),
        earned=_ZERO,
    )


def _paid(app: App) -> dict[str, Decimal]:
    """What each worker was paid on all questions together."""
    total: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for row in app.ledger.payments(None):
        if row["status"] == "done":
            total[row["worker_id"]] += row["amount"]
    return dict(total)
