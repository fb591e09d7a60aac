"""Frozen batches: what stood on which page is written before anything is sent and never changed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ...curation.types import FaceId
from ..app import App
from ..market.pictures import hosting_secret
from ..workspace.records import FrozenBatch, FrozenTile, add_batch, frozen_batches
from .layout import BatchPlan

__all__ = ["freeze", "links_end", "number_batches", "pages_of", "planned_batch"]

LINK_GRACE = timedelta(days=1)
"""Pictures can be seen so much longer than their HIT lives."""


def number_batches(app: App, plans: Sequence[BatchPlan]) -> list[str]:
    """Batch keys: workspace, side, kind of page, round and a running number."""
    used = len(frozen_batches(app.workspace))
    return [
        f"{app.settings.id}-{plan.need.side.value}-{plan.page.value}-r{plan.need.round}-{used + step:04d}"
        for step, plan in enumerate(plans, 1)
    ]


def _tile_key(secret: bytes, hit_key: str, face_id: FaceId) -> str:
    """Opaque and different on every page, so that a worker cannot follow a face from round to round."""
    return hmac.new(secret, f"{hit_key}|{face_id}".encode(), hashlib.sha256).hexdigest()[:12]


def pages_of(app: App, batch_key: str, plan: BatchPlan) -> dict[str, dict[str, FrozenTile]]:
    """What stands on each page of a plan, by HIT key and tile key."""
    secret = hosting_secret(app.workspace.root)
    pages = {}
    for number, page in enumerate(plan.pages, 1):
        hit_key = f"{batch_key}-{number:04d}"
        pages[hit_key] = {
            _tile_key(secret, hit_key, face_id): FrozenTile(face_id, face_id in page.gold, page.group_of(place))
            for place, face_id in enumerate(page.faces)
        }
    return pages


def links_end(app: App) -> datetime:
    """Until when the pictures can be seen of a page that is sent now, whose HIT lives from then on."""
    # To the full hour: a plan shown by --dry-run and the one that is sent moments later read the same.
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now + timedelta(hours=app.settings.ask.lifetime_hours + 1) + LINK_GRACE


def planned_batch(app: App, market: str, batch_key: str, plan: BatchPlan) -> FrozenBatch:
    """The plan as it would be frozen now for the market with this state key."""
    need = plan.need
    return FrozenBatch(
        key=batch_key,
        market=market,
        side=need.side,
        question=need.question,
        page=plan.page,
        round=need.round,
        votes=need.votes,
        audit=need.audit,
        reward=plan.reward,
        seconds=plan.seconds,
        excluded=tuple(sorted(need.excluded)),
        links_until=links_end(app),
        planned_at=datetime.now(UTC),
    )


def freeze(app: App, market: str, batch_key: str, plan: BatchPlan) -> None:
    """Write down what stands on which page, before anything of it is sent."""
    add_batch(app.workspace, planned_batch(app, market, batch_key, plan), pages_of(app, batch_key, plan))
