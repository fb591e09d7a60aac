"""How far HITs and batches are, as the ledger counts them; no answer is loaded for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

__all__ = ["BatchProgress", "BatchSum", "HitProgress", "Paid", "batch_progress", "summed"]


@dataclass(frozen=True, slots=True)
class HitProgress:
    """How far one HIT is: its places, and how many answers came, by what became of them."""

    state_key: str
    batch_key: str
    hit_key: str
    hit_id: str | None
    group_id: str | None
    status: str
    expires_at: datetime | None
    places: int
    answers: int
    approved: int
    rejected: int

    @property
    def key(self) -> tuple[str, str]:
        """(batch, HIT)."""
        return self.batch_key, self.hit_key


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is, from the ledger alone."""

    batch_key: str
    hits: int
    published: int
    assignments: int
    submitted: int
    approved: int
    rejected: int
    group_id: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every place was filled."""
        return self.published == self.hits and self.submitted >= self.assignments


@dataclass(frozen=True, slots=True)
class BatchSum:
    """How far a batch is, summed by the database; `live` are the places that are, or can still be, paid for."""

    state_key: str
    progress: BatchProgress
    live: int


@dataclass(frozen=True, slots=True)
class Paid:
    """So many payments of one batch were done alike: approvals or bonuses, of one amount and fee."""

    state_key: str
    batch_key: str
    kind: str
    amount: Decimal
    fee: Decimal
    count: int


class CountsHits(Protocol):
    """A ledger, as far as it counts."""

    def progress(self, state_key: str | None = None, batch_keys: Iterable[str] | None = None) -> list[HitProgress]:
        """How far HITs are: all, those of a market, or those of some batches."""


def batch_progress(ledger: CountsHits, state_key: str, batch_key: str) -> BatchProgress:
    """How far a batch is."""
    return summed(batch_key, ledger.progress(state_key, [batch_key]))


def summed(batch_key: str, hits: Collection[HitProgress]) -> BatchProgress:
    """How far a batch is whose HITs are so far; `group_id` is the first of the groups in which workers find them."""
    return BatchProgress(
        batch_key,
        hits=len(hits),
        published=sum(row.hit_id is not None for row in hits),
        assignments=sum(row.places for row in hits),
        submitted=sum(row.answers for row in hits),
        approved=sum(row.approved for row in hits),
        rejected=sum(row.rejected for row in hits),
        group_id=min((row.group_id for row in hits if row.group_id is not None), default=None),
    )
