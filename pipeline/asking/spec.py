"""What the market is told of a frozen batch, of faces as of moments of a film: terms, words, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

from ...mturk.requester.publish import BatchSpec, HitSpec
from ..app import App
from .words import TaskText

__all__ = ["batch_spec", "begun_hits"]


class _Frozen(Protocol):
    """The terms of a batch that was planned."""

    @property
    def key(self) -> str: ...
    @property
    def reward(self) -> Decimal: ...
    @property
    def votes(self) -> int: ...
    @property
    def seconds(self) -> int: ...


def batch_spec(
    app: App,
    batch: _Frozen,
    text: TaskText,
    hits: list[HitSpec],
    qualifications: Sequence[Mapping[str, Any]] = (),
) -> BatchSpec:
    """The batch as it is published: its own pay and votes, the workspace's times."""
    ask = app.settings.ask
    return BatchSpec(
        batch_key=batch.key,
        title=text.title,
        description=text.description,
        keywords=text.keywords,
        reward=batch.reward,
        max_assignments=batch.votes,
        lifetime=timedelta(hours=ask.lifetime_hours),
        duration=timedelta(minutes=ask.assignment_minutes),
        auto_approval_delay=timedelta(hours=ask.auto_approve_hours),
        hits=hits,
        expected_seconds=Decimal(batch.seconds),
        qualifications=qualifications,
    )


def begun_hits(app: App, market: str, batch_key: str, anew: Sequence[HitSpec]) -> list[HitSpec]:
    """The pages of a batch on a market (its state key): where it was begun, those that stand there word for word as
    they were sent. The rest as they are made `anew`: a HIT lives from its sending, and so have its links to pictures
    to."""
    fresh = {hit.key: hit for hit in anew}
    rows = app.ledger.hits(market, [batch_key], questions=True)
    kept = [HitSpec(row["hit_key"], row["question"]) for row in rows]
    sent = {row["hit_key"] for row in rows if row["hit_id"] is not None}
    return [hit if hit.key in sent else fresh.get(hit.key, hit) for hit in kept] or list(anew)
