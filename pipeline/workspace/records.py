"""The workspace's own rows: footage, frozen batches with their tiles.

Everything takes a `Workspace`; each function is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from ...curation.tables import reading, word_of
from ...curation.types import FaceId, PageKind, Question, Side
from .folder import Workspace
from .schema import batch_table, source_table, tile_table

__all__ = [
    "OWN_PAGES",
    "FrozenBatch",
    "FrozenTile",
    "Pages",
    "Source",
    "add_batch",
    "add_source",
    "asked_tiles",
    "audit_times",
    "audited_pairs",
    "drop_source",
    "drop_tiles",
    "frozen_batch",
    "frozen_batches",
    "has_known_tiles",
    "ingested_at",
    "last_published",
    "mark_sent",
    "note_extracted",
    "note_links",
    "note_told",
    "simulated_workers",
    "sources",
    "tiles_of",
    "unfinished_batches",
]


# Footage


@dataclass(frozen=True, slots=True)
class Source:
    """One ingested video, folder of photographs or faceset (`kind` "video", "photos", "faces").

    `path` is absolute; of a faceset it is the alignments. `frames` and `faces` are None before extract; a faceset has
    `faces` at once and never `frames`.
    """

    id: int
    side: Side
    name: str
    kind: str
    path: Path
    sha256: str
    person: str
    basis: str
    note: str
    frames: int | None
    faces: int | None
    engine: str | None


def sources(workspace: Workspace, side: Side | None = None) -> list[Source]:
    """All ingested footage, in the order in which it came."""
    query = sa.select(source_table).order_by(source_table.c.id)
    if side is not None:
        query = query.where(source_table.c.side == side.value)
    with reading(workspace.db) as db:
        return [_source(workspace, row) for row in db.execute(query)]


def _source(workspace: Workspace, row: Any) -> Source:
    side = word_of(Side, row.side)
    workspace.source_record(side, row.name)  # the name is a part of paths: refused here if it leads outside
    return Source(
        id=row.id,
        side=side,
        name=row.name,
        kind=row.kind,
        path=workspace.inside(row.path),
        sha256=row.sha256,
        person=row.person,
        basis=row.basis,
        note=row.note,
        frames=row.frames,
        faces=row.faces,
        engine=row.engine,
    )


def ingested_at(workspace: Workspace) -> dict[int, datetime]:
    """When each source came in, by its id."""
    with reading(workspace.db) as db:
        rows = db.execute(sa.select(source_table.c.id, source_table.c.ingested_at)).all()
    return {row.id: datetime.fromisoformat(row.ingested_at) for row in rows}


def add_source(
    workspace: Workspace,
    side: Side,
    name: str,
    *,
    kind: str,
    path: Path,
    sha256: str,
    person: str,
    basis: str,
    note: str,
    faces: int | None = None,
    engine: str | None = None,
) -> Source:
    """Register footage that came in; one with `faces` needs no extraction."""
    now = datetime.now(UTC).isoformat()
    values = {
        "side": side.value,
        "name": name,
        "kind": kind,
        "path": workspace.relative(path),
        "sha256": sha256,
        "person": person,
        "basis": basis,
        "note": note,
        "ingested_at": now,
        "faces": faces,
        "engine": engine,
        "extracted_at": None if faces is None else now,
    }
    with workspace.db.begin() as db:
        db.execute(source_table.insert().values(**values))
    return next(item for item in sources(workspace, side) if item.name == name)


def note_extracted(workspace: Workspace, source: Source, *, frames: int, faces: int, engine: str) -> None:
    """The faces of the footage were found."""
    values = {"frames": frames, "faces": faces, "engine": engine, "extracted_at": datetime.now(UTC).isoformat()}
    with workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.id == source.id).values(**values))


def note_content(workspace: Workspace, source: Source, *, sha256: str, frames: int | None, faces: int | None) -> Source:
    """A source holds something else now; the source as it is then."""
    with workspace.db.begin() as db:
        changed = source_table.update().where(source_table.c.id == source.id)
        db.execute(changed.values(sha256=sha256, frames=frames, faces=faces))
    return replace(source, sha256=sha256, frames=frames, faces=faces)


def note_told(workspace: Workspace, source: Source, *, person: str, basis: str, note: str) -> Source:
    """Whoever brought a source in said later who is in it, and on what basis; the source as it is then."""
    with workspace.db.begin() as db:
        changed = source_table.update().where(source_table.c.id == source.id)
        db.execute(changed.values(person=person, basis=basis, note=note))
    return replace(source, person=person, basis=basis, note=note)


def drop_source(workspace: Workspace, source: Source) -> None:
    """Forget footage."""
    with workspace.db.begin() as db:
        db.execute(source_table.delete().where(source_table.c.id == source.id))


# Batches


class FrozenTile(NamedTuple):
    """One face of a page: `gold` where its answer is known already, `group` as on the page (0: none)."""

    face_id: FaceId
    gold: bool
    group: int = 0


OWN_PAGES = "review:"
"""The market key of pages that one person answers alone: this and a digest of the person's name."""

Pages = Mapping[str, Mapping[str, FrozenTile]]
"""HIT key → tile key → tile, in grid order."""


@dataclass(frozen=True, slots=True)
class FrozenBatch:
    """What was planned of a batch before anything of it was sent. `excluded` workers must not see it; an `audit` asks
    settled faces once more; its pictures can be seen until `links_until`."""

    key: str
    market: str
    side: Side
    question: Question
    page: PageKind
    round: int
    votes: int
    audit: bool
    reward: Decimal
    seconds: int
    excluded: tuple[str, ...]
    links_until: datetime
    planned_at: datetime
    closed: bool = False
    """Nothing more of it is sent: all was, or it was taken back."""


def frozen_batches(workspace: Workspace, market: str | None = None) -> list[FrozenBatch]:
    """The batches of a market (None: of all), oldest first."""
    query = sa.select(batch_table).order_by(batch_table.c.planned_at)
    if market is not None:
        query = query.where(batch_table.c.market == market)
    with reading(workspace.db) as db:
        return [_batch(row) for row in db.execute(query)]


def frozen_batch(workspace: Workspace, key: str) -> FrozenBatch:
    with reading(workspace.db) as db:
        return _batch(db.execute(sa.select(batch_table).where(batch_table.c.batch_key == key)).one())


def _batch(row: Any) -> FrozenBatch:
    return FrozenBatch(
        key=row.batch_key,
        market=row.market,
        side=word_of(Side, row.side),
        question=word_of(Question, row.question),
        page=word_of(PageKind, row.page),
        round=row.round,
        votes=row.votes,
        audit=bool(row.audit),
        reward=Decimal(row.reward),
        seconds=row.seconds,
        excluded=tuple(json.loads(row.excluded)),
        links_until=datetime.fromisoformat(row.links_until),
        planned_at=datetime.fromisoformat(row.planned_at),
        closed=row.published_at is not None,
    )


def add_batch(workspace: Workspace, batch: FrozenBatch, pages: Pages) -> None:
    """Write a batch and its tiles, at once or not at all."""
    values = {
        "batch_key": batch.key,
        "market": batch.market,
        "side": batch.side.value,
        "question": batch.question.value,
        "page": batch.page.value,
        "round": batch.round,
        "votes": batch.votes,
        "audit": batch.audit,
        "reward": str(batch.reward),
        "seconds": batch.seconds,
        "excluded": json.dumps(batch.excluded),
        "links_until": batch.links_until.isoformat(),
        "planned_at": batch.planned_at.isoformat(),
    }
    tiles = [
        {
            "batch_key": batch.key,
            "hit_key": hit_key,
            "tile_key": key,
            "face_id": tile.face_id,
            "position": position,
            "gold": tile.gold,
            "group_number": tile.group,
        }
        for hit_key, page in pages.items()
        for position, (key, tile) in enumerate(page.items())
    ]
    with workspace.db.begin() as db:
        db.execute(batch_table.insert().values(**values))
        db.execute(tile_table.insert(), tiles)


def note_links(workspace: Workspace, key: str, until: datetime) -> None:
    """The links of the batch's pages that are sent from now on end then."""
    with workspace.db.begin() as db:
        changed = batch_table.update().where(batch_table.c.batch_key == key)
        db.execute(changed.values(links_until=until.isoformat()))


def mark_sent(workspace: Workspace, key: str) -> None:
    """All that is ever sent of the batch was sent."""
    unsent = batch_table.c.batch_key == key, batch_table.c.published_at.is_(None)
    with workspace.db.begin() as db:
        db.execute(batch_table.update().where(*unsent).values(published_at=datetime.now(UTC).isoformat()))


def unfinished_batches(workspace: Workspace, market: str) -> tuple[str, ...]:
    """Batches that were planned but not fully sent, oldest first."""
    query = (
        sa.select(batch_table.c.batch_key)
        .where(batch_table.c.market == market, batch_table.c.published_at.is_(None))
        .order_by(batch_table.c.planned_at)
    )
    with reading(workspace.db) as db:
        return tuple(db.execute(query).scalars())


def last_published(workspace: Workspace) -> datetime | None:
    """When the newest round was frozen, or None. The last run before it is what this round started from."""
    with reading(workspace.db) as db:
        newest = db.scalar(sa.select(sa.func.max(batch_table.c.planned_at)))
    return datetime.fromisoformat(newest) if newest else None


def tiles_of(workspace: Workspace, key: str) -> dict[str, dict[str, FrozenTile]]:
    """The frozen tiles of a batch, as `Pages`."""
    query = sa.select(tile_table).where(tile_table.c.batch_key == key).order_by(tile_table.c.position)
    pages: dict[str, dict[str, FrozenTile]] = {}
    with reading(workspace.db) as db:
        for row in db.execute(query):
            pages.setdefault(row.hit_key, {})[row.tile_key] = FrozenTile(
                FaceId(row.face_id), bool(row.gold), row.group_number
            )
    return pages


def has_known_tiles(workspace: Workspace) -> bool:
    """Whether any page ever had a face whose answer was known already."""
    with reading(workspace.db) as db:
        return (
            db.execute(sa.select(tile_table.c.hit_key).where(tile_table.c.gold.is_(True)).limit(1)).first() is not None
        )


def asked_tiles(workspace: Workspace, market: str) -> list[tuple[str, str, FaceId, Question]]:
    """(batch, HIT, face, question) of every tile that was frozen for the market, once for each question that its page
    answers; gold left out."""
    wanted = (tile_table.c.batch_key, tile_table.c.hit_key, tile_table.c.face_id, batch_table.c.page)
    with reading(workspace.db) as db:
        rows = db.execute(sa.select(*wanted).where(*_asked(market)))
        return [
            (row.batch_key, row.hit_key, FaceId(row.face_id), question)
            for row in rows
            for question in word_of(PageKind, row.page).questions
        ]


def audited_pairs(workspace: Workspace, market: str) -> frozenset[tuple[FaceId, Question]]:
    """(face, question) pairs that stood on a page of an audit."""
    query = sa.select(tile_table.c.face_id, batch_table.c.page).where(*_asked(market), batch_table.c.audit.is_(True))
    with reading(workspace.db) as db:
        return frozenset(
            (FaceId(row.face_id), question)
            for row in db.execute(query)
            for question in word_of(PageKind, row.page).questions
        )


def audit_times(workspace: Workspace) -> dict[tuple[FaceId, Question], datetime]:
    """When each (face, question) pair that was audited, on any market, was first put on an audit's page."""
    columns = tile_table.c.face_id, batch_table.c.question, sa.func.min(batch_table.c.planned_at).label("since")
    query = (
        sa.select(*columns)
        .where(tile_table.c.batch_key == batch_table.c.batch_key, batch_table.c.audit.is_(True))
        .where(tile_table.c.gold.is_(False))
        .group_by(tile_table.c.face_id, batch_table.c.question)
    )
    with reading(workspace.db) as db:
        return {
            (FaceId(row.face_id), word_of(Question, row.question)): datetime.fromisoformat(row.since)
            for row in db.execute(query)
        }


def _asked(market: str) -> tuple[sa.ColumnElement[bool], ...]:
    same = tile_table.c.batch_key == batch_table.c.batch_key
    return same, batch_table.c.market == market, tile_table.c.gold.is_(False)


def drop_tiles(workspace: Workspace, faces: Sequence[FaceId]) -> None:
    """Forget on which pages these faces stood."""
    with workspace.db.begin() as db:
        for start in range(0, len(faces), 500):
            db.execute(tile_table.delete().where(tile_table.c.face_id.in_(faces[start : start + 500])))


def simulated_workers(workspace: Workspace) -> frozenset[str]:
    """Worker ids of simulated workers, noted by whoever ran them."""
    path = workspace.root / "market" / "simulated.json"
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return frozenset()
    return frozenset(item for item in found if isinstance(item, str)) if isinstance(found, list) else frozenset()
