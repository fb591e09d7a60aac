"""The next round as a page shows it: as it was planned last, and where that is old, planned at once if there are few
faces, else by a job. Planning weighs every vote and lays out every page, minutes at 100,000 faces; sending plans again,
and sends nothing where the price or the pages are others than those that were shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from weakref import WeakKeyDictionary

from ...curation.listing import Wanted, count_faces
from ...curation.types import Progress, Side, no_progress
from ...mturk.requester.money import Quote
from ..app import App
from ..errors import NothingToDo, SafetyStop
from ..gate.words import held as held_pictures
from ..market.pictures import reference_files
from ..market.session import MarketTerms
from ..workspace.masked import regions_path
from ..workspace.records import sources
from .crowd import Crowd
from .publish import Round, check_budget, plan_round
from .screening import grid_order

__all__ = ["AT_ONCE", "Offer", "forget_offer", "make_offer", "offer_now"]

AT_ONCE = 4_000
"""Up to so many faces a page waits for the plan."""
_HOLDS = timedelta(hours=1)
"""Pages that others hold come back with time: an older plan is shown as old."""

_READ = ("features", "left-out", "persons", "screen")
"""How the files of reports/ begin that a plan reads and that decisions do not follow."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What of a round is shown: its batches with title and price, what is said of it, and why it cannot be sent
    (`wall`). `nothing` is why there is none; `fresh`: nothing that it rests on changed since `made_at`."""

    made_at: datetime
    batches: tuple[tuple[str, str, Quote], ...] = ()
    resumed: tuple[str, ...] = ()
    crowds: tuple[Crowd, ...] = ()
    held: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    stuck: int = 0
    faces: int = 0
    price: Decimal = Decimal("0.00")
    digest: str = ""
    notice: str = ""
    wall: str = ""
    nothing: str = ""
    unlooked: int = 0
    fresh: bool = True


_kept: WeakKeyDictionary[App, tuple[tuple[object, ...], Offer]] = WeakKeyDictionary()


def _plan(app: App, *, look_most: int, progress: Progress = no_progress) -> Offer:
    """Plan the next round; nothing is written. No more than `look_most` pictures are looked at for it."""
    terms = app.terms()
    try:
        planned = plan_round(app, terms, order=grid_order(app), look_most=look_most, keep=False, progress=progress)
    except NothingToDo as nothing:
        return Offer(nothing=str(nothing), made_at=datetime.now(UTC))
    return _offer(planned, terms.market.notice or "", _wall(app, terms, planned))


def make_offer(app: App, *, look_most: int, progress: Progress = no_progress) -> Offer:
    """Plan the next round, and keep in this process what a page shows of it."""
    state = _state(app)
    _kept[app] = state, _plan(app, look_most=look_most, progress=progress)
    return _kept[app][1]


def forget_offer(app: App) -> None:
    """Keep no offer: what it says of pictures that nobody looked at is no longer true."""
    _kept.pop(app, None)


def offer_now(app: App, *, look_most: int, at_once: int = AT_ONCE) -> Offer | None:
    """What to show now: the plan that was kept, as long as nothing that it rests on changed. Else planned anew where
    there are up to `at_once` faces, and the old one where there are more; None where nobody planned yet."""
    state, offer = _kept.get(app, ((), None))
    if offer is not None and state == _state(app) and datetime.now(UTC) - offer.made_at < _HOLDS:
        return offer
    if count_faces(app.workspace.db, Wanted(gone=False)) <= at_once:
        return make_offer(app, look_most=look_most)
    return None if offer is None else replace(offer, fresh=False)


def _state(app: App) -> tuple[object, ...]:
    """The same as long as a plan would most likely be the same; where it is not, sending finds it out. Settings are no
    part of it: they come with a new App."""
    run = app.store.last_run()
    return (
        app.store.vote_state(),
        None if run is None else run.id,
        tuple(app.ledger.sums()),
        held_pictures(app),
        tuple(_stamps(app)),
        count_faces(app.workspace.db, Wanted(gone=False)),
    )


def _stamps(app: App) -> Iterator[tuple[str, int]]:
    """When the files that a plan reads were written: photographs, what was seen on faces and who is left out, masks."""
    reports = app.workspace.root / "reports"
    seen = [path for name in _READ for path in sorted(reports.glob(f"{name}-*"))]
    regions = [regions_path(app.workspace, item.side, item.name) for item in sources(app.workspace)]
    photographs = [path for side in Side for path in reference_files(app.workspace, side)]
    for path in (*photographs, *seen, *regions):
        with suppress(OSError):
            yield app.workspace.relative(path), path.stat().st_mtime_ns


def _offer(planned: Round, notice: str, wall: str) -> Offer:
    return Offer(
        batches=tuple((spec.batch_key, spec.title, quote) for spec, quote in planned.batches()),
        resumed=planned.resumed,
        crowds=planned.crowds,
        held=planned.held,
        advice=planned.advice,
        stuck=len(planned.stuck),
        faces=planned.faces,
        price=planned.price,
        digest=planned.digest,
        notice=notice,
        wall=wall,
        unlooked=planned.unlooked,
        made_at=datetime.now(UTC),
    )


def _wall(app: App, terms: MarketTerms, planned: Round) -> str:
    """Why this round cannot be sent; "" where it can."""
    try:
        check_budget(app, terms, planned)
    except SafetyStop as stop:
        return str(stop)
    return ""
