"""Workers as the requester sees them: a line each with what to do, what they answered, how they agree with the others,
how fast, for how much; and the faces that are worth another vote."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from weakref import WeakKeyDictionary

import numpy as np

from ...curation.report.advice import Advice, Next
from ...curation.report.inputs import QuestionData
from ...curation.report.workers import Rate, WorkerFigures, worker_figures
from ...curation.truth.adaptive import expected_gain
from ...curation.types import DecidedBy, FaceId, Question, Status, WorkerId
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..market.pictures import hosting_secret

__all__ = ["Again", "WorkerGroup", "WorkerLine", "WorkerRow", "again", "lines", "workers"]

_ZERO = Decimal("0.00")
_NEXT_VOTE, _LEAST_GAIN, _SHOWN = 0.85, 0.01, 24
"""The next vote is right so often; a face is worth it from so much; so many are shown."""


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
    advice: Advice
    earned: Decimal


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """What to do about one worker, all questions together, and the evidence: the sternest that any question gives."""

    name: str
    simulated: bool
    votes: int
    advice: Advice
    question: str
    earned: Decimal


@dataclass(frozen=True, slots=True)
class Again:
    """Faces of one question that the crowd did not settle, or just so: `gain` is by how much one more vote is expected
    to raise the chance of a right answer. Most to gain first; `total` counts all of them."""

    question: str
    faces: tuple[tuple[FaceId, str, float], ...]
    total: int


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


def lines(groups: Sequence[WorkerGroup]) -> list[WorkerLine]:
    """A line for each worker: whom to stop asking first, then whom to look at, then by votes."""
    found: dict[str, list[tuple[str, WorkerRow]]] = defaultdict(list)
    for group in groups:
        for row in group.rows:
            found[row.name].append((group.question, row))
    order = list(Next)[::-1]
    told = []
    for name, rows in found.items():
        question, row = min(rows, key=lambda one: (order.index(one[1].advice.next), -one[1].votes))
        votes = max(one.votes for _, one in rows)
        told.append(WorkerLine(name, row.simulated, votes, row.advice, question, row.earned))
    return sorted(told, key=lambda line: (order.index(line.advice.next), -line.votes, line.name))


def again(app: App) -> list[Again]:
    """Per question the faces on which another vote is worth most, by the newest decisions of the crowd."""
    told = [item for item in app.store.decisions() if item.question is not None and item.votes > 0]
    found = []
    for question in Question:
        crowd = [item for item in told if item.question is question and item.decided_by is DecidedBy.CROWD]
        sure = np.array([item.posterior or 0.5 for item in crowd])
        gain = expected_gain(sure, _NEXT_VOTE)
        open_ = np.array([item.status in (Status.DISPUTED, Status.UNDECIDED) for item in crowd], dtype=bool)
        places = np.flatnonzero(open_ | (gain >= _LEAST_GAIN)) if crowd else np.zeros(0, dtype=np.intp)
        places = places[np.lexsort((places, -gain[places], ~open_[places]))]
        if len(places):
            first = [crowd[place] for place in places[:_SHOWN].tolist()]
            gains = gain[places[:_SHOWN]].tolist()
            faces = tuple((item.face_id, item.status.value, by) for item, by in zip(first, gains, strict=True))
            found.append(Again(question.value, faces, len(places)))
    return found


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
        advice=item.advice,
        earned=_ZERO,
    )


def _paid(app: App) -> dict[str, Decimal]:
    """What each worker was paid on all questions together."""
    total: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for row in app.ledger.payments(None):
        if row["status"] == "done":
            total[row["worker_id"]] += row["amount"]
    return dict(total)
