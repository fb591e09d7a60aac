"""Answers on pages about a film → votes in the workspace; pay. The same for workers and for one who reviews alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ...curation.types import Progress, no_progress
from ...mturk.requester.collect import collect as fetch
from ...mturk.requester.collect import payable
from ...mturk.requester.errors import BadAnswer
from ...mturk.requester.settle import approve
from ..app import App
from ..asking.progress import open_hits
from ..asking.shown import clear_pictures
from ..asking.tasks import elapsed_seconds
from ..errors import NothingToDo
from ..market.session import MarketSession
from ..workspace.acts import note_act
from ..workspace.judged import SwapBatch, SwapTile, SwapVote, add_swap_votes, swap_batches, swap_tiles
from ..workspace.records import simulated_workers
from .film import JudgedFilm
from .pages import parse_moments
from .verdicts import Page

__all__ = ["SwapCollected", "SwapVoter", "asked_batches", "collect_swap", "read_swap_votes"]


@dataclass(frozen=True, slots=True)
class SwapVoter:
    """Who answered a page, when, and in how many seconds."""

    worker_id: str
    assignment_id: str
    submitted_at: datetime
    seconds: float | None
    kind: str = "worker"
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class SwapCollected:
    """What a collect brought; `waiting` are pages that can still bring an answer."""

    assignments: int
    new_votes: int
    approved: int
    paid: Decimal
    fees: Decimal
    waiting: int
    problems: tuple[str, ...]


def read_swap_votes(
    batch: SwapBatch, hit_key: str, tiles: Mapping[str, SwapTile], answers: Mapping[str, str], voter: SwapVoter
) -> list[SwapVote]:
    """The votes in the fields of a page's form. Raises BadAnswer for fields that the page does not have."""
    said = parse_moments(Page(batch.page), list(tiles), answers)
    return [
        SwapVote(
            assignment_id=voter.assignment_id,
            tile_key=item.key,
            hit_key=hit_key,
            film=batch.film,
            moment=tiles[item.key].moment,
            label=item.label,
            mask=item.mask,
            worker_id=voter.worker_id,
            submitted_at=voter.submitted_at,
            seconds=None if voter.seconds is None else voter.seconds / len(said),
            kind=voter.kind,
            simulated=voter.simulated,
        )
        for item in said
    ]


def asked_batches(app: App, film: JudgedFilm, market: str) -> dict[str, SwapBatch]:
    """What was asked on a market (its state key) about the film, and about those whose place it took: their pages may
    be open yet, and who answered is paid."""
    return {
        batch.key: batch
        for one in film.with_earlier()
        for batch in swap_batches(app.workspace, film=one.id, market=market)
    }


def collect_swap(
    app: App, session: MarketSession, film: JudgedFilm, *, pay: bool = True, progress: Progress = no_progress
) -> SwapCollected:
    """Fetch every answer about the film and those whose place it took, keep the votes, each as one on the film that was
    shown, pay what was submitted. Twice changes nothing.

    Raises NothingToDo where nothing about it was published on this market.
    """
    state_key = session.market.state_key
    batches = asked_batches(app, film, state_key)
    if not batches:
        raise NothingToDo(
            f"Nothing about this film was published on the market {session.market.name}. First: galloway review-swap "
            "publish"
        )
    found = fetch(app.ledger, session.client, list(batches), progress)
    simulated = simulated_workers(app.workspace)
    votes: list[SwapVote] = []
    problems: list[str] = []
    for item in found:
        known = item.worker_id in simulated
        seconds = elapsed_seconds(item.answers) if known else item.seconds
        voter = SwapVoter(item.worker_id, item.assignment_id, item.submitted_at, seconds, simulated=known)
        tiles = swap_tiles(app.workspace, item.batch_key).get(item.hit_key, {})
        try:
            votes += read_swap_votes(batches[item.batch_key], item.hit_key, tiles, item.answers, voter)
        except BadAnswer as error:
            problems.append(f"{item.assignment_id}: {error}")
        if item.problem is not None:
            problems.append(f"{item.assignment_id}: {item.problem}")
    new = add_swap_votes(app.workspace, votes)
    done = (0, Decimal("0.00"), Decimal("0.00"))
    due = payable(app.ledger, state_key, found)
    if pay and due:
        settled = approve(app.ledger, session.client, due, progress=progress)
        done = (settled.done, settled.paid, settled.fees)
    clear_pictures(app, session.hosted)
    if new or done[0]:
        note_act(app.workspace, "collect", f"{new} votes on a film, {done[0]} answers approved", done[1] + done[2])
    return SwapCollected(len(found), new, *done, _waiting(app, state_key, list(batches)), tuple(problems))


def _waiting(app: App, state_key: str, batches: Sequence[str]) -> int:
    return sum(batch_key in set(batches) for batch_key, _ in open_hits(app, state_key))
