"""What workers' browsers fetch: there before the first HIT of a round is sent, gone once no page can show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...curation.types import Progress, Side, no_progress
from ...mturk.requester.hosting import Hosting
from ..app import App
from ..errors import StageError
from ..gate.look import rulings
from ..market.media import ShownMedia, shown_media
from ..market.pictures import face_key, picture_id, put_pictures, reference_key, shown_references, veiled_key
from ..market.session import MarketSession
from ..workspace.gated import Ruling
from ..workspace.records import frozen_batch, frozen_batches, tiles_of, unfinished_batches
from .gate import check_pictures
from .progress import open_hits

__all__ = ["clear_pictures", "show_pictures", "with_veils"]


def show_pictures(
    app: App, session: MarketSession, batch_keys: Iterable[str], progress: Progress = no_progress
) -> None:
    """Put the pictures of frozen batches where their links lead. Twice changes nothing.

    Raises SafetyStop where one of them may not be seen any more.
    """
    keys: set[str] = set()
    now = rulings(app)
    for batch_key in batch_keys:
        keys |= _references(app, frozen_batch(app.workspace, batch_key).side)
        pages = tiles_of(app.workspace, batch_key).values()
        faces = {tile.face_id for tiles in pages for tile in tiles.values()}
        check_pictures(now, batch_key, faces)
        keys |= {face_key(face) for face in faces}
    put_pictures(app.workspace, app.store, session.hosting, with_veils(app, keys), progress)


def with_veils(app: App, keys: Iterable[str]) -> set[str]:
    """These hosting keys, and those of the blurred pictures of what has a warning among them."""
    now, found = rulings(app), set(keys)
    return found | {veiled_key(key) for key in found if now.of(picture_id(app.workspace, key)) is Ruling.WARN}


def clear_pictures(app: App, hosted: Callable[[], Hosting]) -> int:
    """Remove the pictures that no page of any market can show any more; how many were removed.

    None where `hosted` says that there is no place for pictures: work without any is published without one.
    """
    try:
        hosting = hosted()
    except StageError:
        return 0
    batches = frozen_batches(app.workspace)
    shown = _shown_media(app, shown_media(app.workspace))
    for market in {batch.market for batch in batches}:
        answerable, planned = open_hits(app, market), set(unfinished_batches(app.workspace, market))
        begun = {batch_key for batch_key, _hit_key in answerable} | planned
        for batch in (item for item in batches if item.market == market and item.key in begun):
            shown |= _references(app, batch.side)
            for hit_key, tiles in tiles_of(app.workspace, batch.key).items():
                if batch.key in planned or (batch.key, hit_key) in answerable:
                    shown |= {face_key(tile.face_id) for tile in tiles.values()}
    return hosting.keep_only(shown | {veiled_key(key) for key in shown})


def _shown_media(app: App, media: Iterable[ShownMedia]) -> set[str]:
    """What pages of other labelling can still show: also those of a batch that was noted and not planned yet."""
    found: set[str] = set()
    answerable = {market: open_hits(app, market) for market in {item.state_key for item in media}}
    for item in media:
        waits = app.ledger.batch(item.state_key, item.batch_key) is None
        if waits or any(batch_key == item.batch_key for batch_key, _ in answerable[item.state_key]):
            found |= item.keys
    return found


def _references(app: App, side: Side) -> set[str]:
    return {reference_key(side, path.name) for path in shown_references(app.workspace, side)}
