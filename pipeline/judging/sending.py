"""A film's review goes to workers: what they may see of it, the pages, the HITs.

Frozen before it is sent, as every batch: pictures → moments, pages and terms → pictures where workers look → HITs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from ...curation.types import Progress, Side, no_progress
from ...mturk.requester.publish import BatchSpec, HitSpec, PublishResult, look_up
from ...mturk.requester.publish import publish as send
from ...mturk.requester.questions import html_question
from ..app import App
from ..asking.batches import links_end
from ..asking.gate import (
    LOOK,
    check_pictures,
    check_references,
    opted_in,
    picture_link,
    warned_references,
    with_warning,
)
from ..asking.publish import held_back
from ..asking.shown import with_veils
from ..asking.spec import batch_spec, begun_hits
from ..asking.tasks import Picture
from ..checking.standing import requirements
from ..consent.gate import check_consent
from ..errors import NothingToDo, SafetyStop
from ..gate.look import look_at_media, rulings
from ..market.media import note_shown
from ..market.pictures import picture_id, put_pictures, reference_key, shown_references, veiled_key
from ..market.session import MarketSession
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.gated import Known, Ruling
from ..workspace.judged import Moment, SwapBatch, SwapTile, mark_swap_sent, swap_batches, swap_tiles
from .pages import TEXTS, MomentTask, MomentTile, render_moments
from .rounds import Pictured, SwapRound, check_swap_price, freeze_pages
from .verdicts import Page

__all__ = ["publish_swap_round"]


def publish_swap_round(
    app: App, session: MarketSession, planned: SwapRound, progress: Progress = no_progress
) -> list[PublishResult]:
    """Freeze what is new, put its pictures where they will be looked at, send every batch that is not fully sent.

    The caller holds the workspace's lock since before the round was planned.
    """
    check_consent(app, "clean")
    check_swap_price(app, session, planned)
    check_references(app, Side.B)
    keys = freeze_pages(app, session.market.state_key, planned, progress, seen=partial(_seen, app, progress))
    if not keys and not planned.resumed:
        raise NothingToDo("You keep out all pictures of the moments that would be asked about: galloway gate list")
    batches = {batch.key: batch for batch in swap_batches(app.workspace, film=planned.film.id)}
    note_act(app.workspace, "publish", f"{len(planned.moments)} moments of a film", planned.price)
    at_market = look_up(session.client, progress)
    done = []
    for batch in [*planned.resumed, *(batches[key] for key in keys)]:
        _show(app, session, batch, progress)
        spec = _spec(app, session, batch)
        done.append(send(app.ledger, session.client, spec, progress, at_market=at_market))
        mark_swap_sent(app.workspace, batch.key)
    return done


def _seen(app: App, progress: Progress, pictured: Sequence[Pictured]) -> list[Pictured]:
    """The moments of which workers may see all pictures. Raises SafetyStop, before anything is frozen, where the gate
    holds one: nobody said yet what becomes of it."""
    about = {
        key: Known(_frames(moment), "face") for item, media in pictured for moment in item.moments
        for key in media[moment.number]
    }  # fmt: skip
    look_at_media(app, about, progress)
    now = rulings(app)
    held = [
        moment for item, media in pictured for moment in item.moments
        if any(now.of(key) is Ruling.HELD for key in media[moment.number])
    ]  # fmt: skip
    if held:
        raise SafetyStop(
            f"{counted(len(held), 'moment')} of the film, {_frames(held[0])} first, would show what is likely "
            "sexual, as a model judges that knows nothing of violence. Nothing was sent. Look, and say what becomes of "
            f"them: {LOOK}"
        )
    kept = []
    for item, media in pictured:
        shown = (one for one in item.moments if all(now.of(key) is not Ruling.KEEP_OUT for key in media[one.number]))
        if left := tuple(shown):
            kept.append((replace(item, moments=left), media))
    return kept


def _frames(moment: Moment) -> str:
    return f"frames {moment.first}-{moment.last}"


def _show(app: App, session: MarketSession, batch: SwapBatch, progress: Progress) -> None:
    keys = sorted(_media(app, batch))
    check_pictures(rulings(app), batch.key, keys)
    note_shown(app.workspace, session.market.state_key, batch.key, keys)
    put_pictures(app.workspace, app.store, session.hosting, with_veils(app, [*keys, *_references(app)]), progress)


def _media(app: App, batch: SwapBatch) -> set[str]:
    pages = swap_tiles(app.workspace, batch.key).values()
    return {key for tiles in pages for tile in tiles.values() for key in tile.media}


def _references(app: App) -> list[str]:
    return [reference_key(Side.B, path.name) for path in shown_references(app.workspace, Side.B)]


def _warned(app: App, batch: SwapBatch) -> bool:
    now = rulings(app)
    return warned_references(app, Side.B) or any(now.of(key) is Ruling.WARN for key in _media(app, batch))


def _spec(app: App, session: MarketSession, batch: SwapBatch) -> BatchSpec:
    """As it is frozen; what stands at the market as it was sent."""
    batch = replace(batch, links_until=links_end(app))
    anew = [
        HitSpec(hit_key, html_question(render_moments(_task(app, session, batch, tiles))))
        for hit_key, tiles in swap_tiles(app.workspace, batch.key).items()
    ]
    hits = begun_hits(app, session.market.state_key, batch.key, anew)
    away = held_back(app, session, batch.excluded, "moments")
    text, only = TEXTS[Page(batch.page)], [*requirements(app, session), *away]
    if _warned(app, batch):
        text, only = with_warning(text), [*only, *opted_in(session)]
    return batch_spec(app, batch, text, hits, only)


def _task(app: App, session: MarketSession, batch: SwapBatch, tiles: Mapping[str, SwapTile]) -> MomentTask:
    until, now = batch.links_until, rulings(app)

    def tile_of(key: str, media: tuple[str, ...]) -> MomentTile:
        clear = tuple(session.hosting.url(name, until) for name in media)
        if all(now.of(name) is not Ruling.WARN for name in media):
            return MomentTile(key, clear)
        return MomentTile(key, tuple(session.hosting.url(veiled_key(name), until) for name in media), clear)

    def photograph(key: str) -> Picture:
        return picture_link(now, session.hosting, key, picture_id(app.workspace, key), until)

    return MomentTask(
        page=Page(batch.page),
        tiles=[tile_of(key, tile.media) for key, tile in tiles.items()],
        reward=batch.reward,
        seconds=batch.seconds,
        references=[photograph(key) for key in _references(app)],
        currency=app.settings.market.currency,
    )
