"""What workers' browsers fetch: there before the first HIT of a round is sent, gone once no page can show it."""

from __future__ import annotations

from collections.abc import Iterable

from ...curation.types import Progress, Side, no_progress
from ...mturk.requester.hosting import Hosting
from ..app import App
from ..market.pictures import face_key, put_pictures, reference_key, shown_references
from ..market.session import MarketSession
from ..workspace.records import frozen_batch, frozen_batches, tiles_of, unfinished_batches
from .progress import open_hits

__all__ = ["clear_pictures", "show_pictures"]


def show_pictures(
    app: App, session: MarketSession, batch_keys: Iterable[str], progress: Progress = no_progress
) -> None:
    """Put the pictures of frozen batches where their links lead. Twice changes nothing."""
    keys: set[str] = set()
    for batch_key in batch_keys:
        keys |= _references(app, frozen_batch(app.workspace, batch_key).side)
        pages = tiles_of(app.workspace, batch_key).values()
        keys |= {face_key(tile.face_id) for tiles in pages for tile in tiles.values()}
    put_pictures(app.workspace, app.store, session.hosting, keys, progress)


def clear_pictures(app: App, hosting: Hosting) -> int:
    """Remove the pictures that no page of any market can show any more; how many were removed."""
    batches = frozen_batches(app.workspace)
    shown: set[str] = set()
    for market in {batch.market for batch in batches}:
        answerable, planned = open_hits(app, market), set(unfinished_batches(app.workspace, market))
        begun = {batch_key for batch_key, _hit_key in answerable} | planned
        for batch in (item for item in batches if item.market == market and item.key in begun):
            shown |= _references(app, batch.side)
            for hit_key, tiles in tiles_of(app.workspace, batch.key).items():
                if batch.key in planned or (batch.key, hit_key) in answerable:
                    shown |= {face_key(tile.face_id) for tile in tiles.values()}
    return hosting.keep_only(shown)


def _references(app: App, side: Side) -> set[str]:
    return {reference_key(side, path.name) for path in shown_references(app.workspace, side)}
