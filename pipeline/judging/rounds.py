"""What to ask about a film now: suspicious moments, a sample of the calm ones, again where votes do not settle it.

Frozen before it is sent, as every batch: pictures → moments, pages and terms → pictures where workers look → HITs.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ...curation.types import Progress, no_progress
from ...mturk.requester.money import Quote, quote, written
from ..app import App
from ..asking.progress import commitments, open_hits
from ..engines.frames import open_source
from ..errors import NothingToDo, SafetyStop
from ..market.pictures import hosting_secret
from ..market.session import MarketTerms
from ..stages.measure import command_approved
from ..wording import counted
from ..workspace.judged import (
    Moment,
    SwapBatch,
    SwapTile,
    add_moments,
    add_swap_batch,
    moments_of,
    swap_batches,
    swap_tiles,
    swap_votes,
)
from .film import JudgedFilm, measured_film
from .judge import Judged, judge
from .moments import FrameDoubt, beside, cut, page_of, sampled
from .pictures import show_moments
from .verdicts import MARKED, SECONDS, Page

__all__ = [
    "SAMPLE",
    "Asked",
    "Pictured",
    "SwapRound",
    "begun_batches",
    "check_swap_price",
    "freeze_pages",
    "known_moments",
    "per_page",
    "plan_swap_round",
    "quoted",
    "waiting_moments",
    "wanted",
]

_MOST_ON_A_PAGE = {Page.COMPARE: 10, Page.CLIP: 10, Page.SCRIBBLE: 3}
"""A page has 65,535 bytes, and the boxes over a picture take a fifth of them."""
SAMPLE = 0.1
"""The share of calm moments that is asked, two at least."""
MARKS = 3
"""So many workers mark what covers a face."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Moments that are asked on one kind of page, by so many workers; `excluded` have judged them already."""

    page: Page
    moments: tuple[Moment, ...]
    votes: int
    round: int
    excluded: frozenset[str] = frozenset()


Pictured = tuple[Asked, Mapping[int, tuple[str, ...]]]
"""Moments that are asked, and the hosting keys of each one's pictures, by its number."""


@dataclass(frozen=True, slots=True)
class SwapRound:
    """What would be published about a film, and its price. `resumed` are batches that were begun and not fully sent;
    `quotes` are of these, at their frozen terms, and then of what is `asked`."""

    film: JudgedFilm
    moments: tuple[Moment, ...]
    doubts: tuple[FrameDoubt, ...]
    asked: tuple[Asked, ...]
    quotes: tuple[Quote, ...]
    resumed: tuple[SwapBatch, ...]
    per_page: Mapping[Page, int]

    @property
    def price(self) -> Decimal:
        return sum((item.total for item in self.quotes), Decimal("0.00"))

    @property
    def digest(self) -> str:
        """The same for the same pages and price: what was confirmed is what is sent."""
        parts = [f"{self.film.id} {self.price}", *(batch.key for batch in self.resumed)]
        parts += [
            f"{item.page} {item.votes} {item.round} {moment.number}" for item in self.asked for moment in item.moments
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def lines(self, currency: str) -> list[str]:
        """The round for people, the price last."""
        begun, fresh = self.quotes[: len(self.resumed)], self.quotes[len(self.resumed) :]
        told = [
            f"{batch.key} (goes on with one that was begun): {price.text(currency)}"
            for batch, price in zip(self.resumed, begun, strict=True)
        ]
        for item, price in zip(self.asked, fresh, strict=True):
            suspicious = sum(bool(moment.why) for moment in item.moments)
            told.append(
                f"{item.page.value}: {counted(len(item.moments), 'moment')} ({suspicious} suspicious), {item.votes} "
                f"votes each: {price.text(currency)}"
                if self.film.swapped
                else f"{counted(len(item.moments), 'face')} called covered, painted by {item.votes} people each: "
                f"{price.text(currency)}"
            )
        if self.resumed or not self.film.swapped:
            return [*told, f"Total {written(self.price, currency)}."]
        frames = sum(moment.frames for item in self.asked for moment in item.moments)
        every = sum(moment.frames for moment in self.moments)
        told.append(
            f"Total {written(self.price, currency)} for {counted(frames, 'frame')} of {every} that show the whole swap."
        )
        return told


def known_moments(app: App, film: JudgedFilm, doubts: Sequence[FrameDoubt]) -> list[Moment]:
    """What the film is cut into: as it was when it was first asked about, else by its measures."""
    return moments_of(app.workspace, film.id) or cut(doubts, open_source(film.path).rate)


def wanted(
    moments: Sequence[Moment], judged: Sequence[Judged], film: str, *, votes: int, most: int, marked: Mapping[int, int]
) -> list[Asked]:
    """What is to be asked, by what was said so far: a pure rule.

    Suspicious moments and the sample of calm ones get `votes` at first; what is in dispute gets one more at a time up
    to `most`; the neighbours of a calm one that does not hold are asked, too. Where something covers the
    face, it is marked (`marked`: how many did, by moment).
    """
    by_number = {item.moment.number: item for item in judged}
    broken = {
        number: item.status in ("broken", "disputed") and not item.moment.why
        for number, item in by_number.items()
        if item.status != "unasked"
    }
    first = [moment for moment in moments if moment.why]
    calm = [*sampled(moments, film, SAMPLE), *beside(moments, broken)]
    numbers = sorted({moment.number for moment in (*first, *calm)})
    fresh = [by_number[number].moment for number in numbers if by_number[number].status == "unasked"]
    open_ = [i.moment for i in judged if i.status == "disputed" and i.asked < most and not i.by_person]
    found = [
        Asked(page, tuple(moment for moment in chosen if page_of(moment) is page), count, number)
        for chosen, count, number in ((fresh, votes, 1), (open_, 1, 2))
        for page in (Page.COMPARE, Page.CLIP)
    ]
    covered = [
        item.moment
        for item in judged
        if item.status == "broken" and "covered" in item.fault.split("/") and not marked.get(item.moment.number)
    ]
    return [item for item in (*found, Asked(Page.SCRIBBLE, tuple(covered), MARKS, 1)) if item.moments]


def plan_swap_round(app: App, terms: MarketTerms, film: JudgedFilm, progress: Progress = no_progress) -> SwapRound:
    """What to publish about the film now. Nothing is written but the film's measures, where it has none.

    Raises NothingToDo where all is settled or asked.
    """
    doubts = measured_film(app, film, progress)
    moments = known_moments(app, film, doubts)
    state_key = terms.market.state_key
    resumed = begun_batches(app, state_key, film)
    asked = [] if resumed else _asked(app, state_key, film, moments)
    if not asked and not resumed:
        _nothing(app, state_key, film, moments)
    sizes = {page: per_page(app, page) for page in Page}
    quotes = quoted(app, terms, resumed, asked, sizes)
    return SwapRound(film, tuple(moments), tuple(doubts), tuple(asked), quotes, resumed, sizes)


def begun_batches(app: App, state_key: str, film: JudgedFilm) -> tuple[SwapBatch, ...]:
    """What was frozen about the film for this market and not fully sent: it goes first."""
    batches = swap_batches(app.workspace, film=film.id, market=state_key)
    return tuple(batch for batch in batches if batch.published_at is None)


def _asked(app: App, state_key: str, film: JudgedFilm, moments: Sequence[Moment]) -> list[Asked]:
    votes = swap_votes(app.workspace, film.id)
    waiting = waiting_moments(app, state_key, film.id)
    ask = app.settings.ask
    marked: dict[int, int] = {}
    for vote in votes:
        if vote.label == MARKED:
            marked[vote.moment] = marked.get(vote.moment, 0) + 1
    found = wanted(
        moments, judge(moments, votes, ask.method), film.id, votes=ask.votes, most=ask.max_votes, marked=marked
    )
    kept = []
    for item in found:
        left = tuple(m for m in item.moments if (item.page is Page.SCRIBBLE, m.number) not in waiting)
        numbers = {moment.number for moment in left}
        voters = {
            vote.worker_id
            for vote in votes
            if vote.moment in numbers
            and vote.kind == "worker"
            and (vote.label == MARKED) == (item.page is Page.SCRIBBLE)
        }
        if left:
            kept.append(replace(item, moments=left, excluded=frozenset(voters)))
    return kept


def waiting_moments(app: App, state_key: str, film: str) -> set[tuple[bool, int]]:
    """(whether it is to be marked, moment) on pages that can still bring an answer."""
    answerable = open_hits(app, state_key)
    return {
        (batch.page == Page.SCRIBBLE, tile.moment)
        for batch in swap_batches(app.workspace, film=film, market=state_key)
        for hit_key, tiles in swap_tiles(app.workspace, batch.key).items()
        if (batch.key, hit_key) in answerable
        for tile in tiles.values()
    }


def _nothing(app: App, state_key: str, film: JudgedFilm, moments: Sequence[Moment]) -> None:
    if not moments:
        raise NothingToDo(f"No frame of {film.name} is swapped; there is nothing to review.")
    if waiting_moments(app, state_key, film.id):
        raise NothingToDo("Every moment that needs an answer is on an open page. Next: galloway review-swap collect")
    raise NothingToDo(
        "Every moment is settled, or has as many votes as ask.max_votes allows. Next: "
        f"{command_approved(app, film.path)}"
    )


def per_page(app: App, page: Page) -> int:
    """As many moments as the reward pays for at the least wage an hour."""
    ask = app.settings.ask
    paid = float(ask.reward / max(ask.min_hourly_wage, Decimal("0.01")) * 3600)
    return max(1, min(_MOST_ON_A_PAGE[page], int(paid // SECONDS[page])))


def quoted(
    app: App, terms: MarketTerms, resumed: Sequence[SwapBatch], asked: Sequence[Asked], sizes: Mapping[Page, int]
) -> tuple[Quote, ...]:
    """The price of each batch that goes on, at its frozen terms, and of each that is asked, `sizes` moments a page."""
    return tuple(
        [_frozen_quote(app, terms, batch) for batch in resumed]
        + [_fresh_quote(app, terms, item, sizes[item.page]) for item in asked]
    )


def _frozen_quote(app: App, terms: MarketTerms, batch: SwapBatch) -> Quote:
    pages = swap_tiles(app.workspace, batch.key)
    return quote(batch.reward, [batch.votes] * len(pages), terms.market.fees, seconds=Decimal(batch.seconds))


def _fresh_quote(app: App, terms: MarketTerms, item: Asked, size: int) -> Quote:
    hits = -(-len(item.moments) // size)
    seconds = Decimal(SECONDS[item.page] * -(-len(item.moments) // hits))
    return quote(app.settings.ask.reward, [item.votes] * hits, terms.market.fees, seconds=seconds)


def check_swap_price(app: App, terms: MarketTerms, planned: SwapRound) -> None:
    """Raise SafetyStop where the round goes over the budget, or pays less than the floor on a paying market."""
    ask, currency = app.settings.ask, app.settings.market.currency
    spent = commitments(app, terms.market.state_key)
    before = sum(spent.values(), Decimal("0.00"))
    begun = zip(planned.resumed, planned.quotes, strict=False)  # the quotes of what is asked follow
    new = planned.price - sum((price.total for batch, price in begun if batch.key in spent), Decimal("0.00"))
    if ask.budget is not None and before + new > ask.budget:
        raise SafetyStop(
            f"This round costs {written(new, currency)}, {written(before, currency)} is spent or committed, "
            f"and the budget is {written(ask.budget, currency)}. Raise ask.budget in galloway.toml, or answer the "
            f"pages yourself: galloway {'review-swap' if planned.film.swapped else 'paint'} alone"
        )
    for price in planned.quotes:
        if terms.market.paying and price.hourly_wage is not None and price.hourly_wage < ask.min_hourly_wage:
            raise SafetyStop(
                f"The pay amounts to {written(price.hourly_wage, currency)} an hour, below the floor of "
                f"{written(ask.min_hourly_wage, currency)}. Raise ask.reward in galloway.toml."
            )


def freeze_pages(
    app: App,
    market: str,
    planned: SwapRound,
    progress: Progress = no_progress,
    *,
    seen: Callable[[Sequence[Pictured]], Sequence[Pictured]] | None = None,
) -> list[str]:
    """Write down what stands on which page of the round, with its pictures; the batches' keys.

    `seen` is given all moments with their pictures and says which of them stand on pages.
    """
    add_moments(app.workspace, planned.film.id, planned.moments)
    used = {batch.key for batch in swap_batches(app.workspace, film=planned.film.id)}
    pictured = [_pictured(app, planned, item, progress) for item in planned.asked]
    keys = []
    for item, media in pictured if seen is None else seen(pictured):
        number = next(n for n in range(1, 10**6) if _batch_key(app, planned.film, item.page, n) not in used)
        key = _batch_key(app, planned.film, item.page, number)
        used.add(key)
        pages = _pages(app, key, item, media, planned.per_page[item.page])
        most = max(len(tiles) for tiles in pages.values())
        add_swap_batch(app.workspace, _batch(app, market, key, planned.film.id, item, most), pages)
        keys.append(key)
    return keys


def _pictured(app: App, planned: SwapRound, item: Asked, progress: Progress) -> Pictured:
    shown = dict.fromkeys(item.moments, item.page)
    return item, show_moments(app, planned.film, shown, _stills(item, planned.doubts), progress)


def _batch_key(app: App, film: JudgedFilm, page: Page, number: int) -> str:
    return f"{app.settings.id}-swap-{film.id[:8]}-{page.value}-{number:04d}"


def _stills(item: Asked, doubts: Sequence[FrameDoubt]) -> dict[int, int]:
    """The frame of each moment in which its measure is worst: that is the one to look at."""
    worst = {}
    for moment in item.moments:
        inside = [one for one in doubts if moment.first <= one.frame <= moment.last]
        if moment.why and inside and item.page is Page.COMPARE:
            worst[moment.number] = max(inside, key=lambda one: (one.measure == moment.why, one.doubt)).frame
    return worst


def _pages(
    app: App, key: str, item: Asked, media: Mapping[int, tuple[str, ...]], size: int
) -> dict[str, dict[str, SwapTile]]:
    """The moments dealt to pages of about the same length, in an order that is not the film's: nobody is led by what
    came before."""
    order = sorted(item.moments, key=lambda moment: hashlib.sha256(f"{key}|{moment.number}".encode()).digest())
    count = -(-len(order) // size)
    secret = hosting_secret(app.workspace.root)
    pages: dict[str, dict[str, SwapTile]] = {}
    for number in range(count):
        hit_key = f"{key}-{number + 1:04d}"
        pages[hit_key] = {
            hmac.new(secret, f"{hit_key}|{m.number}".encode(), hashlib.sha256).hexdigest()[:12]: SwapTile(
                m.number, media[m.number]
            )
            for m in order[number::count]
        }
    return pages


def _batch(app: App, market: str, key: str, film: str, item: Asked, most: int) -> SwapBatch:
    now = datetime.now(UTC)
    ask = app.settings.ask
    return SwapBatch(
        key=key,
        market=market,
        film=film,
        page=item.page.value,
        round=item.round,
        votes=item.votes,
        reward=ask.reward,
        seconds=SECONDS[item.page] * most,
        excluded=tuple(sorted(item.excluded)),
        links_until=now + timedelta(hours=ask.lifetime_hours + 1, minutes=ask.assignment_minutes),
        planned_at=now,
    )
