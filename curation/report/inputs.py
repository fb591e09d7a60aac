"""What a report is made from, as values: votes and decisions, costs, pictures, and their columns for counting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ..truth import METHOD_NAMES, TaskStatus, Truth, VotesTable, aggregate
from ..truth.audit import AuditResult
from ..types import (
    ABSTENTIONS,
    LABELS,
    Ballot,
    DecidedBy,
    Decision,
    FaceId,
    Question,
    Status,
    Vote,
    VoterKind,
    WorkerId,
)
from ..votes import Votes

__all__ = ["Costs", "Outcome", "QuestionData", "ReportInput", "no_thumbnails"]

Floats = NDArray[np.float64]
Thumbnails = Callable[[FaceId], bytes | None]
"""A face's small JPEG, or None where there is none."""


def no_thumbnails(_face: FaceId) -> bytes | None:
    """For reports without pictures."""
    return None


@dataclass(frozen=True, slots=True)
class Costs:
    """What was spent so far: rewards, bonuses and fees in `currency`."""

    rewards: Decimal
    fees: Decimal
    bonuses: Decimal = Decimal(0)
    currency: str = "USD"

    @property
    def total(self) -> Decimal:
        return self.rewards + self.fees + self.bonuses

    def written(self, amount: Decimal | None) -> str:
        """An amount as people write it: "$1,234.50", "12.00 EUR", "$0.0063"; "–" for None."""
        if amount is None:
            return "–"
        number = f"{amount:,.2f}" if amount == amount.quantize(Decimal("0.01")) else f"{amount:,}"
        return f"{number} {self.currency}" if self.currency[-1:].isalpha() else f"{self.currency}{number}"


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that a report says, before counting.

    `questions` maps each question to its votes and its decisions (one per face and question). `previous` holds the
    decisions of the round before, `simulated` the workers that are programs, `names` what to call a face, `audits`
    what audits found, `sources` where each worker came from, and `spent_by_source` what was spent there, fees included;
    both are empty where all came from one place.
    """

    title: str
    questions: Mapping[Question, tuple[Sequence[Vote], Sequence[Decision]]]
    generated_at: datetime
    thumbnails: Thumbnails = no_thumbnails
    costs: Costs | None = None
    simulated: frozenset[WorkerId] = frozenset()
    previous: Mapping[Question, Sequence[Decision]] = field(default_factory=dict)
    names: Callable[[FaceId], str] = str
    audits: Mapping[str, AuditResult] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    spent_by_source: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was decided, aligned with a table's tasks: label code (-1 none), `TaskStatus`, posterior (NaN unknown)."""

    label: NDArray[np.int32]
    status: NDArray[np.int8]
    posterior: Floats
    reason: tuple[str | None, ...]
    decided_by: tuple[str, ...]
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class QuestionData:
    """One question's votes and outcome in columns.

    `seconds` and `submitted` (epoch seconds) are NaN where unknown; `reason` is per vote. `gold` has label codes per
    task, -1 unknown. `overruled` holds a person's votes; they are in no crowd figure. `changed` lists (task code,
    label before, label now). `blind` is what the method makes of the votes without gold, to be measured against it.
    `thing` is the word for what is judged. `needless` names the tasks of which another question says enough: a face
    that is none needs no answer to whose it is.
    """

    name: str
    votes: VotesTable
    outcome: Outcome
    seconds: Floats
    submitted: Floats
    reason: tuple[str | None, ...]
    gold: NDArray[np.int32]
    simulated: frozenset[str] = frozenset()
    overruled: tuple[Vote, ...] = ()
    changed: tuple[tuple[int, str, str], ...] = ()
    blind: Truth | None = None
    thing: str = "face"
    needless: frozenset[str] = frozenset()

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which tasks, (tasks,), still need an answer."""
        left = np.array([task not in self.needless for task in self.votes.task_names], dtype=bool)
        return np.asarray((self.outcome.status != TaskStatus.DECIDED) & left)

    @property
    def things(self) -> str:
        """What is judged, in the plural."""
        return f"{self.thing}s"

    def only(self, rows: NDArray[np.intp]) -> QuestionData:
        """The same tasks and workers with only these votes (positions)."""
        kept = np.zeros(len(self.votes), dtype=bool)
        kept[rows] = True
        return replace(
            self,
            votes=self.votes.take(kept),
            seconds=self.seconds[rows],
            submitted=self.submitted[rows],
            reason=tuple(self.reason[row] for row in rows.tolist()),
        )

    @classmethod
    def from_votes(
        cls,
        question: Question,
        votes: Sequence[Vote],
        decisions: Sequence[Decision],
        previous: Sequence[Decision] = (),
        simulated: frozenset[WorkerId] = frozenset(),
    ) -> QuestionData:
        """Columns of the votes on `question`; a worker's second vote on a face is left out as everywhere."""
        mine = Votes.of(votes)
        mine = mine.at(mine.where(question=question))
        asked = mine.at(mine.where(kind=VoterKind.WORKER)).counted()
        settled = {decision.face_id: decision for decision in decisions}
        table = _table(asked, settled, question)
        crowd = asked.at(~asked.columns["label"].where(ABSTENTIONS[question].__contains__))
        labels = {name: code for code, name in enumerate(table.label_names)}
        position = {task: code for code, task in enumerate(table.task_names)}
        gold = np.full(table.n_tasks, -1, dtype=np.int32)
        for vote in mine.at(mine.where(kind=VoterKind.GOLD)):
            if vote.face_id in position and vote.label in labels:
                gold[position[vote.face_id]] = labels[vote.label]
        outcome = _outcome(table, settled)
        return cls(
            name=str(question),
            votes=table,
            outcome=outcome,
            seconds=crowd.columns["seconds"].measured(lambda seconds: np.nan if seconds is None else seconds),
            submitted=crowd.columns["submitted_at"].measured(datetime.timestamp),
            reason=tuple(crowd.columns["reason"].told()),
            gold=gold,
            simulated=frozenset(crowd.those("worker_id", simulated=True)) | simulated,
            overruled=tuple(mine.at(mine.where(kind=VoterKind.PERSON))),
            changed=_changes(previous, settled, position),
            blind=_blind(table, outcome.method, gold),
        )

    @classmethod
    def from_ballots(cls, question: Question, ballots: Sequence[Ballot]) -> QuestionData:
        """Columns of the votes alone, for the workers' figures: nothing is decided, no reasons, nothing overruled."""
        crowd: dict[tuple[str, str], Ballot] = {}
        for one in ballots:
            if one.kind == VoterKind.WORKER:
                crowd.setdefault((one.worker_id, one.face_id), one)
        kept = [one for one in crowd.values() if one.label not in ABSTENTIONS[question]]
        table = VotesTable.from_columns(
            [one.worker_id for one in kept],
            [one.face_id for one in kept],
            [one.label for one in kept],
            label_order=[label for label in LABELS[question] if label not in ABSTENTIONS[question]],
        )
        labels = {name: code for code, name in enumerate(table.label_names)}
        known = {one.face_id: one.label for one in ballots if one.kind == VoterKind.GOLD}
        gold = [labels.get(known.get(task, ""), -1) for task in table.task_names]
        return cls(
            name=str(question),
            votes=table,
            outcome=_outcome(table, {}),
            seconds=np.array([np.nan if one.seconds is None else one.seconds for one in kept], dtype=np.float64),
            submitted=np.array([datetime.fromisoformat(one.submitted_at).timestamp() for one in kept]),
            reason=(None,) * len(kept),
            gold=np.array(gold, dtype=np.int32),
            simulated=frozenset(one.worker_id for one in kept if one.simulated),
        )

    @classmethod
    def from_truth(
        cls,
        name: str,
        truth: Truth,
        gold: NDArray[np.int32],
        *,
        seconds: Floats | None = None,
        submitted: Floats | None = None,
    ) -> QuestionData:
        """Columns of a bare worker, task, label table and what a method made of it."""
        table = truth.votes
        unknown = np.full(len(table), np.nan)
        times = (unknown if seconds is None else seconds, unknown if submitted is None else submitted)
        outcome = Outcome(
            truth.label,
            truth.status_codes,
            truth.confidence,
            (None,) * table.n_tasks,
            tuple("gold" if known else "crowd" for known in (gold >= 0).tolist()),
            truth.method,
        )
        blind = _blind(table, truth.method, gold)
        return cls(name, table, outcome, *times, (None,) * len(table), gold, blind=blind, thing="task")


def _blind(table: VotesTable, method: str, gold: NDArray[np.int32]) -> Truth | None:
    """What the crowd alone says, where there is gold to compare it with."""
    if not (gold >= 0).any():
        return None
    return aggregate(table, method=method if method in METHOD_NAMES else "auto")


def _table(crowd: Sequence[Vote], settled: Mapping[FaceId, Decision], question: Question) -> VotesTable:
    """The votes, with every decided face as a task even when nobody voted on it."""
    voted = VotesTable.from_votes(crowd, question)
    seen = set(voted.task_names)
    unvoted = tuple(face for face in settled if face not in seen)
    passed = voted.abstained
    if passed is not None:
        passed = np.concatenate([passed, np.zeros(len(unvoted), dtype=np.int32)])
    return replace(voted, task_names=voted.task_names + unvoted, abstained=passed)


def _outcome(table: VotesTable, settled: Mapping[FaceId, Decision]) -> Outcome:
    labels = {name: code for code, name in enumerate(table.label_names)}
    open_status = {Status.DISPUTED: TaskStatus.DISPUTED, Status.UNDECIDED: TaskStatus.UNDECIDED}
    found = [settled.get(FaceId(task)) for task in table.task_names]
    return Outcome(
        np.array([labels.get(one.label or "", -1) if one else -1 for one in found], dtype=np.int32),
        np.array(
            [open_status.get(one.status, TaskStatus.DECIDED) if one else TaskStatus.UNDECIDED for one in found],
            dtype=np.int8,
        ),
        np.array([np.nan if one is None or one.posterior is None else one.posterior for one in found]),
        tuple(one.reason if one else None for one in found),
        tuple(str(one.decided_by if one else DecidedBy.CROWD) for one in found),
        next((one.method for one in found if one and one.decided_by is DecidedBy.CROWD), "none"),
    )


def _changes(
    previous: Sequence[Decision], settled: Mapping[FaceId, Decision], position: Mapping[str, int]
) -> tuple[tuple[int, str, str], ...]:
    """Faces whose label or status is another than in the round before."""
    changes = []
    for before in previous:
        now = settled.get(before.face_id)
        if now is None or (now.status, now.label) == (before.status, before.label):
            continue
        changes.append((position[before.face_id], _said(before), _said(now)))
    return tuple(changes)


def _said(decision: Decision) -> str:
    if decision.status in (Status.DISPUTED, Status.UNDECIDED):
        return str(decision.status)
    return decision.label or str(decision.status)
