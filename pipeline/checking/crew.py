"""Workers as the requester sees them: a line each with what to do, what they answered, how they agree with the others
and with known faces, how fast, for how much; and the faces that are worth another vote."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from weakref import WeakKeyDictionary

import numpy as np

from ...curation.report.advice import Advice, Next
from ...curation.report.inputs import QuestionData
from ...curation.report.signals import ENOUGH_GOLD
from ...curation.report.workers import Rate, WorkerFigures, worker_figures
from ...curation.truth.adaptive import expected_gain
from ...curation.types import Ballot, FaceId, Question, Status, Vote, WorkerId
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..asking.heeded import heeded_state, heeded_votes
from ..market.pictures import hosting_secret
from ..workspace.records import has_known_tiles
from .pages import done_pages, known_votes
from .signs import Sign
from .signs import signs as signs_of

__all__ = [
    "Again",
    "Seen",
    "WorkerGroup",
    "WorkerLine",
    "WorkerRow",
    "again",
    "ballot_of",
    "blind_of",
    "crew",
    "group_of",
    "lines",
    "seen_by",
    "seen_now",
    "workers",
]

_ZERO = Decimal("0.00")
_NEXT_VOTE, _LEAST_GAIN, _SHOWN = 0.85, 0.01, 24
"""The next vote is right so often; a face is worth it from so much; so many are shown."""


_TOLD = {
    "fails gold": "Many of your answers on pictures whose answer we know already were other ones.",
    "guessing": "Your answers do not follow what the pictures show.",
    "one answer": "Nearly all of your answers are the same, also where the pictures differ.",
    "straight line": "You gave one answer many times in a row, where others saw something else.",
    "too fast": "Your pages took far less time than others need.",
    "copy-like": "Your unusual answers are the same as another person's.",
    "tiring": "Your later answers agree less with others than your first ones did.",
}
"""What flags say, in words for the worker."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker on one question. `name` is a pseudonym; `seconds` is the median per face, None where unknown; `last`
    is when the last of the votes was given, as ISO 8601, "" where that is not known."""

    name: str
    simulated: bool
    votes: int
    answers: tuple[tuple[str, int], ...]
    agreement: Rate
    gold: Rate
    seconds: float | None
    flags: tuple[str, ...]
    kinds: tuple[str, ...]
    advice: Advice
    earned: Decimal
    last: str = ""


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """What to do about one worker, all questions together, and the evidence: the sternest that any question gives.

    `known` is how often answers on known faces were right; `signs` is what the working times and the pages show; `last`
    is when the last vote was given.
    """

    name: str
    simulated: bool
    votes: int
    advice: Advice
    question: str
    earned: Decimal
    known: tuple[int, int] = (0, 0)
    signs: tuple[Sign, ...] = ()
    kinds: tuple[str, ...] = ()
    last: datetime | None = None

    @property
    def told(self) -> str:
        """What was noticed, in words for the worker; "" where nothing was."""
        said = [_TOLD[kind] for kind in self.kinds if kind in _TOLD] + [sign.told for sign in self.signs]
        return " ".join(dict.fromkeys(said))

    @property
    def score(self) -> int | None:
        """How many in a hundred known faces were answered right; None below ten."""
        right, total = self.known
        return round(100 * right / total) if total >= ENOUGH_GOLD else None


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of workers, under pseudonyms: the groups without what was earned, and signs in their pages."""

    groups: tuple[WorkerGroup, ...]
    signs: Mapping[str, tuple[Sign, ...]]


def workers(app: App) -> list[WorkerGroup]:
    """The workers of every question that has votes. Agreement is with the majority of the other voters.

    They are counted once as long as no vote comes or goes; what they earned is looked up every time.
    """
    return seen_by(app, seen_now(app))[0]


def crew(app: App) -> list[WorkerLine]:
    """A line for each worker of the moment, under pseudonyms: see `lines`."""
    return seen_by(app, seen_now(app))[1]


def seen_by(app: App, seen: Seen) -> tuple[list[WorkerGroup], list[WorkerLine]]:
    """What was counted, with what each worker earned by now: the groups, and the lines made of them."""
    earned = _earned(app)
    groups = [
        replace(group, rows=tuple(replace(row, earned=earned.get(row.name, _ZERO)) for row in group.rows))
        for group in seen.groups
    ]
    return groups, lines(groups, seen.signs)


def lines(
    groups: Sequence[WorkerGroup], noticed: Mapping[str, Sequence[Sign]] = MappingProxyType({})
) -> list[WorkerLine]:
    """A line for each worker: whom to stop asking first, then whom to look at, then by votes. `noticed` are signs in
    how pages were worked through, by the same names."""
    found: dict[str, list[tuple[str, WorkerRow]]] = defaultdict(list)
    for group in groups:
        for row in group.rows:
            found[row.name].append((group.question, row))
    order = list(Next)[::-1]
    told = [_line(name, rows, tuple(noticed.get(name, ()))) for name, rows in found.items()]
    return sorted(told, key=lambda line: (order.index(line.advice.next), -line.votes, line.name))


def _line(name: str, rows: Sequence[tuple[str, WorkerRow]], signs: tuple[Sign, ...]) -> WorkerLine:
    order = list(Next)[::-1]
    question, row = min(rows, key=lambda one: (order.index(one[1].advice.next), -one[1].votes))
    votes = max(one.votes for _, one in rows)
    known = sum(one.gold.hits for _, one in rows), sum(one.gold.total for _, one in rows)
    kinds = tuple(dict.fromkeys([*row.kinds, *(kind for _, one in rows for kind in one.kinds)]))
    advice = _with_signs(row.advice, kinds, signs)
    last = max(one.last for _, one in rows)
    at = datetime.fromisoformat(last) if last else None
    return WorkerLine(name, row.simulated, votes, advice, question, row.earned, known, signs, kinds, at)


def _with_signs(advice: Advice, kinds: Sequence[str], signs: Sequence[Sign]) -> Advice:
    """Signs alone are a reason to look. Together with answers that do not follow what is to be seen they are one to
    stop asking; to reject work they never are."""
    if not signs or advice.next is Next.STOP:
        return advice
    if "guessing" in kinds:
        return Advice(Next.STOP, f"{advice.why} {signs[0].evidence}")
    return Advice(Next.LOOK, signs[0].evidence) if advice.next is Next.PAY else advice


def again(app: App) -> list[Again]:
    """Per question the faces on which another vote is worth most, by the newest decisions of the crowd; found once as
    long as no vote and no run comes or goes."""
    run = app.store.last_run()
    state = app.store.vote_state(), run.id if run is not None else 0
    if app not in _again or _again[app][0] != state:
        _again[app] = state, [found for question in Question if (found := _worth(app, question)) is not None]
    return _again[app][1]


_again: WeakKeyDictionary[App, tuple[tuple[object, ...], list[Again]]] = WeakKeyDictionary()


def _worth(app: App, question: Question) -> Again | None:
    crowd = app.store.crowd_says(question)
    if not crowd:
        return None
    gain = expected_gain(np.array([sure or 0.5 for _, _, sure in crowd]), _NEXT_VOTE)
    unsettled = {Status.DISPUTED.value, Status.UNDECIDED.value}
    open_ = np.array([status in unsettled for _, status, _ in crowd], dtype=bool)
    places = np.flatnonzero(open_ | (gain >= _LEAST_GAIN))
    places = places[np.lexsort((places, -gain[places], ~open_[places]))]
    if not len(places):
        return None
    shown = places[:_SHOWN].tolist()
    faces = tuple((FaceId(crowd[place][0]), crowd[place][1], float(gain[place])) for place in shown)
    return Again(question.value, faces, len(places))


_kept: WeakKeyDictionary[App, tuple[tuple[object, ...], Seen]] = WeakKeyDictionary()


def seen_now(app: App) -> Seen:
    """What all votes and pages say of workers; counted once as long as no vote and no page comes."""
    pages = done_pages(app)
    state = heeded_state(app), len(pages)
    if app not in _kept or _kept[app][0] != state:
        secret = hosting_secret(app.workspace.root)
        groups, names = _count(app, secret), {page.worker_id: pseudonym(page.worker_id, secret) for page in pages}
        stop = blind_of(groups)
        found = signs_of(pages, {worker for worker, name in names.items() if name in stop})
        told = {names[WorkerId(worker)]: signs for worker, signs in found.items()}
        _kept[app] = state, Seen(tuple(groups), told)
    return _kept[app][1]


def _earned(app: App) -> dict[str, Decimal]:
    secret = hosting_secret(app.workspace.root)
    return {pseudonym(WorkerId(worker), secret): amount for worker, amount in _paid(app).items()}


def _count(app: App, secret: bytes) -> list[WorkerGroup]:
    known: list[Vote] = []
    if has_known_tiles(app.workspace):
        known = known_votes(app, app.store.faces(rejected=True), heeded_votes(app).counted())
    groups = []
    for question in Question:
        ballots = [*app.store.ballots(question), *(ballot_of(vote) for vote in known if vote.question is question)]
        shown = {one.worker_id: pseudonym(WorkerId(one.worker_id), secret) for one in ballots}
        if (group := group_of(question, ballots, shown)) is not None:
            groups.append(group)
    return groups


def group_of(question: Question, ballots: Sequence[Ballot], names: Mapping[str, str]) -> WorkerGroup | None:
    """The workers of a question under other `names`; None where nobody voted. Answers to known faces are among the
    ballots, on tasks of their own (`gold.as_known`).
    """
    data = QuestionData.from_ballots(question, ballots)
    if not len(data.votes):
        return None
    figures, _ = worker_figures(_renamed(data, names))
    last: dict[str, str] = {}
    for one in ballots:
        name = names[one.worker_id]
        last[name] = max(last.get(name, ""), one.submitted_at)
    rows = [_row(item, data.votes.label_names, last[item.name]) for item in figures]
    return WorkerGroup(question.value, tuple(sorted(rows, key=lambda row: (-row.votes, row.name))))


def blind_of(groups: Sequence[WorkerGroup]) -> set[str]:
    """The workers of whom some question's answers say: stop asking."""
    return {row.name for group in groups for row in group.rows if row.advice.next is Next.STOP}


def ballot_of(vote: Vote) -> Ballot:
    """The vote as plain values."""
    return Ballot(
        str(vote.face_id),
        str(vote.worker_id),
        vote.label,
        vote.kind.value,
        vote.seconds,
        vote.submitted_at.isoformat(),
        vote.simulated,
    )


def _renamed(data: QuestionData, names: Mapping[str, str]) -> QuestionData:
    """Under other names: a flag names the workers that it is about."""
    votes = replace(data.votes, worker_names=tuple(names[name] for name in data.votes.worker_names))
    return replace(data, votes=votes, simulated=frozenset(names[name] for name in data.simulated))


def _row(item: WorkerFigures, labels: Sequence[str], last: str) -> WorkerRow:
    return WorkerRow(
        name=item.name,
        simulated=item.simulated,
        votes=item.votes,
        answers=tuple(zip(labels, item.answers.tolist(), strict=True)),
        agreement=item.agreement,
        gold=item.gold,
        seconds=None if math.isnan(item.median_seconds) else item.median_seconds,
        flags=tuple(flag.evidence for flag in item.flags),
        kinds=tuple(flag.kind for flag in item.flags),
        advice=item.advice,
        earned=_ZERO,
        last=last,
    )


def _paid(app: App) -> dict[str, Decimal]:
    """What each worker was paid on all questions together."""
    total: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for worker, amount, count in app.ledger.earned():
        total[worker] += amount * count
    return dict(total)
