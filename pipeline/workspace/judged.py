"""The rows of a film's review: its moments, the pages that asked about them, and what people said.

Everything takes a `Workspace`; each function is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ...curation.tables import insert_new, reading
from .folder import Workspace
from .schema import moment_table, swap_batch_table, swap_tile_table, swap_vote_table

__all__ = [
    "Moment",
    "SwapBatch",
    "SwapTile",
    "SwapVote",
    "add_moments",
    "add_swap_batch",
    "add_swap_votes",
    "asked_films",
    "drop_reviews",
    "mark_swap_sent",
    "moments_of",
    "rename_voter",
    "retract_swap_votes",
    "swap_batches",
    "swap_media",
    "swap_tiles",
    "swap_votes",
]


@dataclass(frozen=True, slots=True)
class Moment:
    """Frames first..last of a film, counted from 1. `why` is the measure that is noticeable; "" for a calm stretch."""

    number: int
    first: int
    last: int
    why: str

    @property
    def frames(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class SwapBatch:
    """A frozen batch of pages about a film. `market` is the market's state key, `page` the kind of its pages."""

    key: str
    market: str
    film: str
    page: str
    round: int
    votes: int
    reward: Decimal
    seconds: int
    excluded: tuple[str, ...]
    links_until: datetime
    planned_at: datetime
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SwapTile:
    """What stands behind a tile of a page: a moment, and the hosting keys of its pictures."""

    moment: int
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SwapVote:
    """What somebody said of a moment: `label` is a verdict, or "marked" where `mask` says what covers the face."""

    assignment_id: str
    tile_key: str
    hit_key: str
    film: str
    moment: int
    label: str
    mask: str
    worker_id: str
    submitted_at: datetime
    seconds: float | None
    kind: str
    simulated: bool


def moments_of(workspace: Workspace, film: str) -> list[Moment]:
    """What the film was cut into, in order; empty where nobody was asked about it yet."""
    query = sa.select(moment_table).where(moment_table.c.film == film).order_by(moment_table.c.number)
    with reading(workspace.db) as db:
        return [Moment(row.number, row.first, row.last, row.why) for row in db.execute(query)]


def asked_films(workspace: Workspace) -> frozenset[str]:
    """The SHA-256 of all films about which people were asked."""
    with reading(workspace.db) as db:
        return frozenset(db.execute(sa.select(moment_table.c.film).distinct()).scalars())


def add_moments(workspace: Workspace, film: str, moments: Sequence[Moment]) -> None:
    """Keep what the film is cut into; a moment that is known stays as it is."""
    if moments:
        with workspace.db.begin() as db:
            insert_new(db, moment_table, [{"film": film, **asdict(moment)} for moment in moments])


def add_swap_batch(workspace: Workspace, batch: SwapBatch, pages: Mapping[str, Mapping[str, SwapTile]]) -> None:
    """Write down what stands on which page, before anything of it is sent."""
    values = asdict(batch) | {
        "batch_key": batch.key,
        "reward": str(batch.reward),
        "excluded": json.dumps(batch.excluded),
        "links_until": batch.links_until.isoformat(),
        "planned_at": batch.planned_at.isoformat(),
        "published_at": None,
    }
    values.pop("key")
    rows = [
        {
            "batch_key": batch.key,
            "hit_key": hit_key,
            "tile_key": key,
            "moment": tile.moment,
            "position": place,
            "media": json.dumps(tile.media),
        }
        for hit_key, tiles in pages.items()
        for place, (key, tile) in enumerate(tiles.items())
    ]
    with workspace.db.begin() as db:
        db.execute(sa.insert(swap_batch_table).values(values))
        db.execute(sa.insert(swap_tile_table), rows)


def mark_swap_sent(workspace: Workspace, batch_key: str) -> None:
    """All that is ever sent of the batch was sent."""
    table = swap_batch_table
    unsent = table.c.batch_key == batch_key, table.c.published_at.is_(None)
    with workspace.db.begin() as db:
        db.execute(sa.update(table).where(*unsent).values(published_at=datetime.now(UTC).isoformat()))


def swap_batches(workspace: Workspace, *, film: str = "", market: str = "") -> list[SwapBatch]:
    """The batches about a film, on a market, or all, oldest first."""
    table = swap_batch_table
    query = sa.select(table).order_by(table.c.planned_at, table.c.batch_key)
    if film:
        query = query.where(table.c.film == film)
    if market:
        query = query.where(table.c.market == market)
    with reading(workspace.db) as db:
        return [_batch(row) for row in db.execute(query)]


def _batch(row: Any) -> SwapBatch:
    sent = row.published_at
    return SwapBatch(
        key=row.batch_key,
        market=row.market,
        film=row.film,
        page=row.page,
        round=row.round,
        votes=row.votes,
        reward=Decimal(row.reward),
        seconds=row.seconds,
        excluded=tuple(json.loads(row.excluded)),
        links_until=datetime.fromisoformat(row.links_until),
        planned_at=datetime.fromisoformat(row.planned_at),
        published_at=None if sent is None else datetime.fromisoformat(sent),
    )


def swap_tiles(workspace: Workspace, batch_key: str) -> dict[str, dict[str, SwapTile]]:
    """What stands on each page of a batch, by HIT key and tile key, in order."""
    table = swap_tile_table
    query = sa.select(table).where(table.c.batch_key == batch_key).order_by(table.c.hit_key, table.c.position)
    pages: dict[str, dict[str, SwapTile]] = {}
    with reading(workspace.db) as db:
        for row in db.execute(query):
            tile = SwapTile(row.moment, tuple(json.loads(row.media)))
            pages.setdefault(row.hit_key, {})[row.tile_key] = tile
    return pages


def swap_media(workspace: Workspace) -> set[str]:
    """The hosting keys of every picture and loop that was made for a review."""
    with reading(workspace.db) as db:
        rows = db.execute(sa.select(swap_tile_table.c.media)).scalars().all()
    return {key for row in rows for key in json.loads(row)}


def swap_votes(workspace: Workspace, film: str) -> list[SwapVote]:
    """What was said of the film, in the order in which it came."""
    table = swap_vote_table
    query = sa.select(table).where(table.c.film == film)
    query = query.order_by(table.c.submitted_at, table.c.assignment_id, table.c.moment)
    with reading(workspace.db) as db:
        return [
            SwapVote(**{**row._mapping, "submitted_at": datetime.fromisoformat(row.submitted_at)})
            for row in db.execute(query)
        ]


def add_swap_votes(workspace: Workspace, votes: Iterable[SwapVote]) -> int:
    """Keep these votes; how many were new. An assignment's vote on a tile is kept once."""
    rows = [asdict(vote) | {"submitted_at": vote.submitted_at.isoformat()} for vote in votes]
    if not rows:
        return 0
    with workspace.db.begin() as db:
        before = db.execute(sa.select(sa.func.count()).select_from(swap_vote_table)).scalar_one()
        insert_new(db, swap_vote_table, rows)
        after = db.execute(sa.select(sa.func.count()).select_from(swap_vote_table)).scalar_one()
    return int(after - before)


def retract_swap_votes(workspace: Workspace, assignment_id: str) -> None:
    """Take back what one assignment said."""
    table = swap_vote_table
    with workspace.db.begin() as db:
        db.execute(sa.delete(table).where(table.c.assignment_id == assignment_id))


def rename_voter(workspace: Workspace, old: str, new: str) -> None:
    """Have votes stand under another name, as where a person who reviewed is erased."""
    table = swap_vote_table
    with workspace.db.begin() as db:
        db.execute(sa.update(table).where(sa.func.lower(table.c.worker_id) == old.lower()).values(worker_id=new))


def drop_reviews(workspace: Workspace, films: Collection[str] | None = None) -> set[str]:
    """Forget the reviews of these films (None: of all): moments, pages, votes. The hosting keys of pictures that no
    page shows any more."""
    before = swap_media(workspace)
    tiles, batches = swap_tile_table, swap_batch_table
    with workspace.db.begin() as db:
        known = set(db.execute(sa.select(moment_table.c.film)).scalars())
        gone = known if films is None else known & set(films)
        keys = sa.select(batches.c.batch_key).where(batches.c.film.in_(gone))
        db.execute(sa.delete(tiles).where(tiles.c.batch_key.in_(keys)))
        for table in (swap_vote_table, batches, moment_table):
            db.execute(sa.delete(table).where(table.c.film.in_(gone)))
    return before - swap_media(workspace)
