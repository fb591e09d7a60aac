"""One person reviews a film: the same pages as workers get, without market, invite or money.

What the person says is believed and not asked again; the page that was sent last can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from ...curation.types import Progress, no_progress
from ..app import App
from ..asking.review import own_assignment, own_market, own_name
from ..asking.tasks import elapsed_seconds
from ..errors import NothingToDo, StageError
from ..workspace.judged import (
    Moment,
    SwapBatch,
    SwapTile,
    add_swap_votes,
    mark_swap_sent,
    moments_of,
    retract_swap_votes,
    swap_batches,
    swap_tiles,
    swap_votes,
)
from .answers import SwapVoter, read_swap_votes
from .covers import faces_to_paint
from .film import JudgedFilm, measured_film
from .judge import judge
from .outcome import cover_masks
from .rounds import Asked, SwapRound, freeze_pages, known_moments, wanted
from .verdicts import CANNOT_TELL, MARKED, Page

__all__ = ["OwnPage", "answer_own", "last_own", "next_own", "own_page", "paint_again", "take_back_own"]

_ON_A_PAGE = {Page.COMPARE: 4, Page.CLIP: 3, Page.SCRIBBLE: 2}
_AT_ONCE = 24
"""So many moments are laid out at once: making their loops takes a while, and what is said changes what comes next."""


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A page that waits for the person."""

    key: str
    batch: SwapBatch
    tiles: Mapping[str, SwapTile]


def next_own(app: App, film: JudgedFilm, person: str, progress: Progress = no_progress) -> OwnPage:
    """The page to answer now; where none is open, the next few are made. The caller holds the workspace's lock.

    Raises NothingToDo where nothing is left to ask.
    """
    market = own_market(person)
    found = _open(app, film, market, person)
    if found is not None:
        return found
    planned = _own_round(app, film, person, progress) if film.swapped else _own_painting(app, film)
    for key in freeze_pages(app, market, planned, progress):
        mark_swap_sent(app.workspace, key)
    found = _open(app, film, market, person)
    assert found is not None, "a round holds at least one page"
    return found


def _own_round(app: App, film: JudgedFilm, person: str, progress: Progress) -> SwapRound:
    doubts = measured_film(app, film, progress)
    moments = known_moments(app, film, doubts)
    asked = _own_asked(app, film, person, moments)
    if not asked:
        raise NothingToDo(f"Every moment of {film.name} that is worth a look is judged.")
    return SwapRound(film, tuple(moments), tuple(doubts), tuple(asked), (), (), _ON_A_PAGE)


def _own_painting(app: App, film: JudgedFilm) -> SwapRound:
    """One page of faces of the footage: what is painted says which come next."""
    moments = tuple(faces_to_paint(app, film)[: _ON_A_PAGE[Page.SCRIBBLE]])
    return SwapRound(film, moments, (), (Asked(Page.SCRIBBLE, moments, 1, 1),), (), (), _ON_A_PAGE)


def answer_own(app: App, film: JudgedFilm, person: str, key: str, fields: Mapping[str, str]) -> int:
    """Keep what the person said of a page; how many votes that are. Sent twice, the second one counts.

    Raises BadAnswer for fields that the page does not have, StageError for a page that is not this person's.
    """
    batch, tiles = _page(app, film, person, key)
    voter = SwapVoter(own_name(person), own_assignment(key), datetime.now(UTC), elapsed_seconds(fields), "person")
    votes = read_swap_votes(batch, key, tiles, fields, voter)
    missing = set(tiles) - {vote.tile_key for vote in votes}
    # What was left open is an answer too, or the same page would come for ever.
    open_ = MARKED if batch.page == Page.SCRIBBLE else CANNOT_TELL
    votes += [
        replace(vote, tile_key=tile, moment=tiles[tile].moment, label=open_, mask="")
        for tile in sorted(missing)
        for vote in votes[:1]
    ]
    if not votes:
        raise StageError("Nothing was answered on this page. Say “Cannot tell” where you cannot.")
    retract_swap_votes(app.workspace, own_assignment(key))
    return add_swap_votes(app.workspace, votes)


def last_own(app: App, film: JudgedFilm, person: str) -> str:
    """The key of the page that this person sent last; "" where none was sent."""
    mine = [vote for vote in swap_votes(app.workspace, film.id) if vote.worker_id == own_name(person)]
    return max(mine, key=lambda vote: vote.submitted_at).hit_key if mine else ""


def take_back_own(app: App, film: JudgedFilm, person: str, key: str) -> None:
    """Take the page `key` back, which this person sent last: it opens again. Where another one is the last by now,
    nothing is done. Raises NothingToDo where none was sent."""
    last = last_own(app, film, person)
    if not last:
        raise NothingToDo("There is no page to take back.")
    if last == key:
        retract_swap_votes(app.workspace, own_assignment(key))


def paint_again(app: App, film: JudgedFilm, person: str, frame: int) -> str:
    """The key of a page with the moment that begins with this frame alone, for whoever paints it better: what the
    person says then counts instead of what was painted, which stays until then. The caller holds the workspace's lock.

    Raises StageError where nothing is painted there.
    """
    if not any(item.first == frame and item.mask.any() for item in cover_masks(app, film)):
        raise StageError(f"Nobody painted on frame {frame} of {film.name}. Look: galloway paint show")
    market = own_market(person)
    moment = next(moment for moment in moments_of(app.workspace, film.id) if moment.first == frame)
    for page in _opened(app, film, market, person):
        if {tile.moment for tile in page.tiles.values()} == {moment.number}:
            return page.key
    asked = Asked(Page.SCRIBBLE, (moment,), 1, 1)
    (batch,) = freeze_pages(app, market, SwapRound(film, (moment,), (), (asked,), (), (), _ON_A_PAGE))
    mark_swap_sent(app.workspace, batch)
    return next(iter(swap_tiles(app.workspace, batch)))


def own_page(app: App, film: JudgedFilm, person: str, key: str) -> OwnPage:
    """A page of this person's. Raises StageError where there is none of that key."""
    batch, tiles = _page(app, film, person, key)
    return OwnPage(key, replace(batch, reward=Decimal(0)), tiles)


def _own_asked(app: App, film: JudgedFilm, person: str, moments: list[Moment]) -> list[Asked]:
    """What is to be asked, once each, without what this person was asked before; what a crowd left open comes too."""
    votes = swap_votes(app.workspace, film.id)
    mine = {(vote.moment, vote.label == MARKED) for vote in votes if vote.worker_id == own_name(person)}
    marked = {vote.moment: 1 for vote in votes if vote.label == MARKED}
    judged = judge(moments, votes, app.settings.ask.method)
    found = wanted(moments, judged, film.id, votes=1, most=10**6, marked=marked)
    left = [
        replace(
            item,
            moments=tuple(m for m in item.moments if (m.number, item.page is Page.SCRIBBLE) not in mine)[:_AT_ONCE],
        )
        for item in found
    ]
    return [item for item in left if item.moments]


def _open(app: App, film: JudgedFilm, market: str, person: str) -> OwnPage | None:
    return next(_opened(app, film, market, person), None)


def _opened(app: App, film: JudgedFilm, market: str, person: str) -> Iterator[OwnPage]:
    done = {vote.hit_key for vote in swap_votes(app.workspace, film.id) if vote.worker_id == own_name(person)}
    for batch in swap_batches(app.workspace, film=film.id, market=market):
        for key, tiles in swap_tiles(app.workspace, batch.key).items():
            if key not in done:
                yield OwnPage(key, replace(batch, reward=Decimal(0)), tiles)


def _page(app: App, film: JudgedFilm, person: str, key: str) -> tuple[SwapBatch, Mapping[str, SwapTile]]:
    for batch in swap_batches(app.workspace, film=film.id, market=own_market(person)):
        if key.startswith(f"{batch.key}-"):
            tiles = swap_tiles(app.workspace, batch.key).get(key)
            if tiles is not None:
                return batch, tiles
    raise StageError(
        f"There is no page {key} in this review. Open it again: galloway "
        f"{'review-swap' if film.swapped else 'paint'} alone"
    )
