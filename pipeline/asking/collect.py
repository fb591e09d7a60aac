"""Collect: answers → votes, pay settled, decisions recomputed. Doing it twice changes nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...curation.types import AssignmentId, Decision, Progress, Vote, WorkerId, no_progress
from ...mturk.requester.collect import CollectedAssignment, payable
from ...mturk.requester.collect import collect as fetch
from ...mturk.requester.errors import BadAnswer, BudgetExceeded
from ...mturk.requester.settle import SettleResult, approve
from ..app import App
from ..checking.kept import keep_crew
from ..checking.standing import note_scores
from ..errors import NothingToDo, WorkspaceBusy
from ..market.session import MarketSession
from ..privacy.clock import mind
from ..workspace.acts import note_act
from ..workspace.records import FrozenBatch, FrozenTile, frozen_batches, simulated_workers, tiles_of
from .ballots import Voter, read_votes
from .decide import decide
from .floor import pay_top_ups, top_ups
from .progress import waiting_faces
from .shown import clear_pictures
from .tasks import elapsed_seconds

__all__ = ["Collected", "collect", "collect_until_answered"]


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
    privacy: tuple[str, ...] = ()
    """What the retention clock took, and what it says that it will take."""


def collect(app: App, session: MarketSession, *, pay: bool = True, progress: Progress = no_progress) -> Collected:
    """Fetch every submitted assignment of this workspace's batches from the market, keep the votes, pay, decide, give
    workers their score on known faces, and remove the hosted pictures that no page shows any more.

    `pay` approves all that was submitted (work in good faith is paid; what it is worth as evidence is another matter);
    without it, assignments wait for auto-approval or for `galloway market`.
    """
    state_key = session.market.state_key
    batches = frozen_batches(app.workspace, state_key)
    assignments = fetch(app.ledger, session.client, [batch.key for batch in batches], progress)
    new = 0
    problems: list[str] = []
    for batch in batches:
        found = [item for item in assignments if item.batch_key == batch.key]
        if found:
            new += app.store.add_votes(_votes(app, batch, found, problems))
    open_ids = payable(app.ledger, state_key, assignments)
    approved, paid, fees = 0, Decimal("0.00"), Decimal("0.00")
    if pay and open_ids:
        settled = approve(app.ledger, session.client, open_ids, progress=progress)
        approved, paid, fees = settled.done, settled.paid, settled.fees
    if pay and app.settings.ask.top_up:
        more = _topped_up(app, session, problems)
        paid, fees = paid + more.paid, fees + more.fees
    decisions = tuple(decide(app))
    if new:
        note_scores(app, session)
        keep_crew(app)
    if new or approved or paid:
        note_act(app.workspace, "collect", f"{new} votes, {approved} answers approved", paid + fees)
    clear_pictures(app, session.hosted)
    return Collected(len(assignments), new, approved, paid, fees, tuple(problems), decisions, tuple(mind(app)))


def _topped_up(app: App, session: MarketSession, problems: list[str]) -> SettleResult:
    """Bring pay up to the floor on measured time, as far as the budget goes; what it does not cover is said."""
    try:
        # A batch that is approved only now shows its new status at the next look.
        return pay_top_ups(app, session, top_ups(app, session.market.state_key))
    except BudgetExceeded as stop:
        problems.append(str(stop))
        return SettleResult(0, 0, Decimal("0.00"), Decimal("0.00"))


def collect_until_answered(
    app: App,
    session: MarketSession,
    *,
    pay: bool = True,
    progress: Progress = no_progress,
    patient: bool = False,
    pause: Callable[[Collected, int], bool],
) -> tuple[Collected, int]:
    """Look again and again until no page can bring an answer; what was collected, and how many faces still wait.

    The workspace is locked for each look, not between them, so that people can decide and publish meanwhile.
    `pause(collected, waiting)` waits for the next look; where it says False, this one was the last. `patient` waits for
    another command at the first look, too. Raises NothingToDo where nothing was published on this market.
    """
    state_key = session.market.state_key
    if not frozen_batches(app.workspace, state_key):
        raise NothingToDo(f"Nothing was published on the market {session.market.name}. First: galloway publish")
    with app.workspace.lock("collecting", wait=math.inf if patient else None):
        got = collect(app, session, pay=pay, progress=progress)
    while waiting := len(waiting_faces(app, state_key)):
        if not pause(got, waiting):
            break
        try:
            with app.workspace.lock("collecting"):
                got = collect(app, session, pay=pay, progress=progress)
        except WorkspaceBusy:
            continue  # the other command is let through; this one looks again after the next pause
    return got, waiting


def _votes(app: App, batch: FrozenBatch, assignments: Sequence[CollectedAssignment], problems: list[str]) -> list[Vote]:
    pages = tiles_of(app.workspace, batch.key)
    simulated = simulated_workers(app.workspace)
    votes = []
    for item in assignments:
        if item.problem is not None:
            problems.append(f"{item.assignment_id}: {item.problem}")
            continue
        tiles = pages.get(item.hit_key)
        if not tiles:  # all of its faces were removed since, with what was said of them
            continue
        known = item.worker_id in simulated
        voter = Voter(
            WorkerId(item.worker_id),
            AssignmentId(item.assignment_id),
            item.submitted_at,
            seconds=elapsed_seconds(item.answers) if known else item.seconds,
            simulated=known,
        )
        try:
            votes += read_votes(batch, tiles, _of_those_there(app, batch, item, tiles), voter)
        except BadAnswer as error:
            problems.append(f"{item.assignment_id}: {error}")
    return votes


def _of_those_there(
    app: App, batch: FrozenBatch, item: CollectedAssignment, tiles: Mapping[str, FrozenTile]
) -> Mapping[str, str]:
    """The answers without those on faces that stood on the page as it was sent and were removed since."""
    known = {f"face.{key}" for key in tiles} | {f"group.{tile.group}" for tile in tiles.values()}
    others = {name for name in item.answers if name.startswith(("face.", "group.")) and name not in known}
    if not others:
        return item.answers
    page = app.ledger.hit(batch.market, batch.key, item.hit_key)["question"]
    gone = {name for name in others if re.search(rf"\b{re.escape(name)}\b", page)}
    return {name: value for name, value in item.answers.items() if name not in gone}
