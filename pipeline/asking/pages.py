"""The pages of a frozen batch as a market gets them: with links to their pictures and the warning that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...mturk.requester.hosting import Hosting
from ...mturk.requester.publish import BatchSpec, HitSpec
from ...mturk.requester.questions import html_question
from ..app import App
from ..gate.look import Rulings, rulings
from ..market.pictures import face_key, picture_id, reference_key, shown_references
from ..market.session import MarketTerms
from ..workspace.gated import Ruling
from ..workspace.records import (
    FrozenBatch,
    FrozenTile,
    Pages,
    frozen_batch,
    tiles_of,
)
from .batches import links_end
from .gate import (
    picture_link,
    warned_references,
    with_warning,
)
from .render import render_hit
from .spec import batch_spec, begun_hits
from .tasks import GridTask, Picture, Tile
from .words import describe

__all__ = ["faces_spec", "frozen_spec", "task_of", "warned"]


def frozen_spec(app: App, terms: MarketTerms, batch_key: str) -> BatchSpec:
    """The spec of a batch that was planned before: what stands at the market word for word as it was sent, the rest
    with links that live as long as its HITs will."""
    batch = replace(frozen_batch(app.workspace, batch_key), links_until=links_end(app))
    spec = faces_spec(app, terms, batch, tiles_of(app.workspace, batch_key))
    return replace(spec, hits=begun_hits(app, terms.market.state_key, batch_key, spec.hits))


def faces_spec(app: App, terms: MarketTerms, batch: FrozenBatch, pages: Pages) -> BatchSpec:
    """The batch as it is published, with its pages."""
    now = rulings(app)
    hits = [
        HitSpec(hit_key, html_question(render_hit(task_of(app, terms.hosting, batch, tiles, now))))
        for hit_key, tiles in pages.items()
    ]
    text = describe(batch.page, batch.side)
    return batch_spec(app, batch, with_warning(text) if warned(app, batch, pages) else text, hits)


def warned(app: App, batch: FrozenBatch, pages: Pages | None = None) -> bool:
    """Whether anything on the batch's pages has a warning."""
    now, pages = rulings(app), pages or tiles_of(app.workspace, batch.key)
    faces = (tile.face_id for tiles in pages.values() for tile in tiles.values())
    beside = batch.page.shows_person and warned_references(app, batch.side)
    return beside or any(now.of(face) is Ruling.WARN for face in faces)


def task_of(app: App, hosting: Hosting, batch: FrozenBatch, tiles: Mapping[str, FrozenTile], now: Rulings) -> GridTask:
    """A page of a frozen batch with the links under which `hosting` shows its pictures, by the rulings of `now`."""
    until, page, side = batch.links_until, batch.page, batch.side
    people = shown_references(app.workspace, side) if page.shows_person else []

    def tile_of(key: str, tile: FrozenTile) -> Tile:
        shown = picture_link(now, hosting, face_key(tile.face_id), tile.face_id, until)
        return Tile(key, shown.url, shown.large, tile.group, shown.clear)

    def photograph(key: str) -> Picture:
        return picture_link(now, hosting, key, picture_id(app.workspace, key), until)

    found = [tile_of(key, tile) for key, tile in tiles.items()]
    references = [photograph(reference_key(side, path.name)) for path in people]
    return GridTask(
        page=page,
        side=side,
        tiles=found,
        reward=batch.reward,
        seconds=batch.seconds,
        references=references,
        currency=app.settings.market.currency,
    )
