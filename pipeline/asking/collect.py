"""Collect: answers → votes, pay settled, decisions recomputed. Doing it twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from ...curation.types import AssignmentId, Decision, FaceId, Progress, Question, Side, Vote, WorkerId, no_progress
from ...mturk.requester.collect import CollectedAssignment
from ...mturk.requester.collect import collect as fetch
from ...mturk.requester.errors import BadAnswer
from ...mturk.requester.settle import approve
from ..app import App
from ..errors import NothingToDo, WorkspaceBusy
from ..market.session import MarketSession
from ..workspace.schema import batch_table
from .batches import tiles_of, waiting_pairs
from .decide import decide
from .tasks import GridTask, elapsed_seconds, parse_answers

__all__ = ["Collected", "collect", "collect_until_answered", "simulated_workers"]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect brought. `problems` are answers that could not be read, with the reason."""

    assignments: int
    new_votes: int
    approved: int
    paid: Decimal
    fees: Decimal
    problems: tuple[str, ...]
    decisions: tuple[Decision, ...]


def collect(app: App, session: MarketSession, *, pay: bool = True, progress: Progress = no_progress) -> Collected:
    """Fetch every submitted assignment of this workspace's batches from the market, keep the votes, pay, decide.

    `pay` approves all that was submitted (work in good faith is paid; what it is worth as evidence is another matter);
    without it, assignments wait for auto-approval or for `galloway market`.
    """
    state_key = session.market.state_key
    batches = _batches(app, state_key)
    assignments = fetch(app.ledger, session.client, list(batches), progress)
    new = 0
    problems: list[str] = []
    for batch_key, (side, question, round_) in batches.items():
        found = [item for item in assignments if item.batch_key == batch_key]
        if found:
            votes = _votes(app, batch_key, side, question, round_, found, problems)
            new += app.store.add_votes(votes)
    open_ids = [item.assignment_id for item in assignments if item.status == "Submitted"]
    approved, paid, fees = 0, Decimal("0.00"), Decimal("0.00")
    if pay and open_ids:
        settled = approve(app.ledger, session.client, open_ids, progress=progress)
        approved, paid, fees = settled.done, settled.paid, settled.fees
    return Collected(len(assignments), new, approved, paid, fees, tuple(problems), tuple(decide(app)))


def collect_until_answered(
    app: App,
    session: MarketSession,
    *,
    pay: bool = True,
    progress: Progress = no_progress,
    pause: Callable[[Collected, int], bool],
) -> tuple[Collected, int]:
    """Look again and again until no page can bring an answer; what was collected, and how many faces still wait.

    The workspace is locked for each look, not between them, so that people can decide and publish meanwhile.
    `pause(collected, waiting)` waits for the next look; where it says False, this one was the last. Raises
    NothingToDo where nothing was published on this market.
    """
    state_key = session.market.state_key
    if not _batches(app, state_key):
        raise NothingToDo(f"Nothing was published on the market {session.market.name}. First: galloway publish")
    with app.workspace.lock("collecting"):
        got = collect(app, session, pay=pay, progress=progress)
    while waiting := len(waiting_pairs(app, state_key)):
        if not pause(got, waiting):
            break
        try:
            with app.workspace.lock("collecting"):
                got = collect(app, session, pay=pay, progress=progress)
        except WorkspaceBusy:
            continue  # the other command is let through; this one looks again after the next pause
    return got, waiting


def _batches(app: App, state_key: str) -> dict[str, tuple[Side, Question, int]]:
    query = sa.select(batch_table).where(batch_table.c.market == state_key).order_by(batch_table.c.planned_at)
    with app.workspace.db.connect() as db:
        return {row.batch_key: (Side(row.side), Question(row.question), row.round) for row in db.execute(query)}


def _votes(
    app: App,
    batch_key: str,
    side: Side,
    question: Question,
    round_: int,
    assignments: Sequence[CollectedAssignment],
    problems: list[str],
) -> list[Vote]:
    pages = tiles_of(app, batch_key)
    simulated = simulated_workers(app)
    votes = []
    for item in assignments:
        tiles = pages.get(item.hit_key, {})
        if item.problem is not None:
            problems.append(f"{item.assignment_id}: {item.problem}")
            continue
        task = GridTask(question, side, [(key, "") for key in tiles], Decimal(0), 0)
        try:
            answers = parse_answers(task, item.answers)
        except BadAnswer as error:
            problems.append(f"{item.assignment_id}: {error}")
            continue
        seconds = elapsed_seconds(item.answers) if item.worker_id in simulated else item.seconds
        for answer in answers:
            votes.append(
                Vote(
                    face_id=FaceId(tiles[answer.key][0]),
                    question=question,
                    label=answer.label,
                    reason=answer.reason,
                    worker_id=WorkerId(item.worker_id),
                    assignment_id=AssignmentId(item.assignment_id),
                    round=round_,
                    submitted_at=item.submitted_at,
                    seconds=None if seconds is None else seconds / len(answers),
                    simulated=item.worker_id in simulated,
                )
            )
    return votes


def simulated_workers(app: App) -> frozenset[str]:
    """Worker ids of simulated workers, noted by whoever ran them."""
    path = app.workspace.root / "market" / "simulated.json"
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()
