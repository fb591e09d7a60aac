"""Frozen batches: what stood on which page is written before anything is sent and never changed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from ...curation.types import FaceId, Question
from ...mturk.requester.publish import BatchSpec
from ..app import App
from ..market.pictures import hosting_secret
from ..market.session import MarketSession
from ..workspace.schema import batch_table, tile_table
from .needs import BatchPlan

__all__ = [
    "LINK_GRACE",
    "Waiting",
    "audited_pairs",
    "freeze",
    "number_batches",
    "open_hits",
    "pages_of",
    "tiles_of",
    "unfinished_batches",
    "waiting_pairs",
]

LINK_GRACE = timedelta(days=1)
"""Pictures can be seen so much longer than their HIT lives."""

Waiting = set[tuple[FaceId, Question]]


def unfinished_batches(app: App, state_key: str) -> tuple[str, ...]:
    """Batches that were planned but not fully sent, oldest first."""
    query = (
        sa.select(batch_table.c.batch_key)
        .where(batch_table.c.market == state_key, batch_table.c.published_at.is_(None))
        .order_by(batch_table.c.planned_at)
    )
    with app.workspace.db.connect() as db:
        return tuple(db.execute(query).scalars())


def waiting_pairs(app: App, state_key: str) -> Waiting:
    """(face, question) pairs on pages that can still bring votes: not gold tiles, and the page is still open."""
    answerable = open_hits(app, state_key)
    planned = set(unfinished_batches(app, state_key))
    query = sa.select(tile_table.c.batch_key, tile_table.c.hit_key, tile_table.c.face_id, batch_table.c.question).where(
        tile_table.c.batch_key == batch_table.c.batch_key, tile_table.c.gold.is_(False)
    )
    with app.workspace.db.connect() as db:
        return {
            (FaceId(row.face_id), Question(row.question))
            for row in db.execute(query)
            if (row.batch_key, row.hit_key) in answerable or row.batch_key in planned
        }


def audited_pairs(app: App, state_key: str) -> frozenset[tuple[FaceId, Question]]:
    """Pairs that stood on a page of an audit."""
    query = sa.select(tile_table.c.face_id, batch_table.c.question).where(
        tile_table.c.batch_key == batch_table.c.batch_key,
        batch_table.c.market == state_key,
        batch_table.c.audit.is_(True),
        tile_table.c.gold.is_(False),
    )
    with app.workspace.db.connect() as db:
        return frozenset((FaceId(row.face_id), Question(row.question)) for row in db.execute(query))


def open_hits(app: App, state_key: str) -> set[tuple[str, str]]:
    """(batch, HIT) keys whose page can still bring an answer: places left, and nobody's time is over yet."""
    answered = Counter((row["batch_key"], row["hit_key"]) for row in app.ledger.assignments(state_key))
    grace = timedelta(minutes=app.settings.ask.assignment_minutes)
    now = datetime.now(UTC)
    return {
        (row["batch_key"], row["hit_key"])
        for row in app.ledger.hits(state_key)
        if row["status"] != "disposed"
        and answered[row["batch_key"], row["hit_key"]] < row["max_assignments"]
        and (row["expires_at"] is None or row["expires_at"] + grace > now)
    }


def tiles_of(app: App, batch_key: str) -> dict[str, dict[str, tuple[FaceId, bool]]]:
    """The frozen tiles of a batch: HIT key → tile key → (face, whether it is gold), in grid order."""
    query = sa.select(tile_table).where(tile_table.c.batch_key == batch_key).order_by(tile_table.c.position)
    pages: dict[str, dict[str, tuple[FaceId, bool]]] = {}
    with app.workspace.db.connect() as db:
        for row in db.execute(query):
            pages.setdefault(row.hit_key, {})[row.tile_key] = (FaceId(row.face_id), bool(row.gold))
    return pages


def number_batches(app: App, plans: Sequence[BatchPlan]) -> list[str]:
    """Batch keys: workspace, side, question, round and a running number."""
    with app.workspace.db.connect() as db:
        used = db.execute(sa.select(sa.func.count()).select_from(batch_table)).scalar_one()
    return [
        f"{app.settings.id}-{plan.need.side.value}-{plan.need.question.value}-r{plan.need.round}-{used + step:04d}"
        for step, plan in enumerate(plans, 1)
    ]


def _tile_key(secret: bytes, hit_key: str, face_id: FaceId) -> str:
    """Opaque and different on every page, so that a worker cannot follow a face from round to round."""
    return hmac.new(secret, f"{hit_key}|{face_id}".encode(), hashlib.sha256).hexdigest()[:12]


def pages_of(app: App, batch_key: str, plan: BatchPlan) -> dict[str, dict[str, FaceId]]:
    secret = hosting_secret(app.workspace.root)
    pages = {}
    for number, page in enumerate(plan.pages, 1):
        hit_key = f"{batch_key}-{number:04d}"
        pages[hit_key] = {_tile_key(secret, hit_key, face_id): face_id for face_id in page.faces}
    return pages


def freeze(app: App, session: MarketSession, spec: BatchSpec, plan: BatchPlan) -> None:
    need = plan.need
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    until += timedelta(hours=app.settings.ask.lifetime_hours + 1) + LINK_GRACE
    tiles = [
        {
            "batch_key": spec.batch_key,
            "hit_key": hit_key,
            "tile_key": key,
            "face_id": face_id,
            "position": position,
            "gold": face_id in page.gold,
        }
        for (hit_key, keys), page in zip(pages_of(app, spec.batch_key, plan).items(), plan.pages, strict=True)
        for position, (key, face_id) in enumerate(keys.items())
    ]
    with app.workspace.db.begin() as db:
        db.execute(
            batch_table.insert().values(
                batch_key=spec.batch_key,
                market=session.market.state_key,
                side=need.side.value,
                question=need.question.value,
                round=need.round,
                votes=need.votes,
                audit=need.audit,
                reward=str(plan.reward),
                seconds=plan.seconds,
                excluded=json.dumps(sorted(need.excluded)),
                links_until=until.isoformat(),
                planned_at=datetime.now(UTC).isoformat(),
            )
        )
        db.execute(tile_table.insert(), tiles)
