"""Take a batch back: expire → wait for work in hand → decide what was submitted → delete. Each step can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .client import MTurkClient
from .collect import collect
from .errors import DoesNotExist, LedgerError, WrongState
from .ledger import Ledger, Row
from .publish import Progress
from .settle import approve

__all__ = ["CancelResult", "cancel"]


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What became of the batch's HITs. While `waiting` is not 0 workers still hold assignments: run it again, at the
    latest after `until`. `undecided` assignments keep their HITs from being deleted."""

    expired: int
    deleted: int
    waiting: int
    undecided: int
    approved: int
    never_sent: int
    until: datetime | None

    @property
    def done(self) -> bool:
        return self.waiting == 0 and self.undecided == 0


def cancel(
    ledger: Ledger,
    client: MTurkClient,
    batch_key: str,
    *,
    approve_submitted: bool = True,
    progress: Progress = lambda _what, _done, _total: None,
) -> CancelResult:
    """Take a batch back as far as it goes now; run it again until `.done`.

    Workers who hold an assignment may finish it; what they submit is kept. With `approve_submitted` it is also paid,
    otherwise it waits for a decision (`undecided`). Nothing is ever rejected here.
    """
    state_key = client.market.state_key
    batch = ledger.batch(state_key, batch_key)
    if batch is None:
        raise LedgerError(f"There is no batch {batch_key} on the market {client.market.name!r}. See: galloway status")
    ledger.mark_cancelled(state_key, batch_key)
    _adopt_lost(ledger, client, batch_key)
    _drop_unsent(ledger, state_key, batch_key)
    rows = [row for row in ledger.hits(state_key, [batch_key]) if row["status"] == "published"]
    expired = _expire(ledger, client, rows, progress)
    collect(ledger, client, [batch_key], progress)
    submitted = [
        row["assignment_id"] for row in ledger.assignments(state_key, [batch_key]) if row["status"] == "Submitted"
    ]
    approved = 0
    if approve_submitted and submitted:
        approved = approve(ledger, client, submitted, feedback="The batch was withdrawn; thank you.").done
    waiting, deleted = _delete(ledger, client, state_key, batch_key, progress)
    undecided = sum(row["status"] == "Submitted" for row in ledger.assignments(state_key, [batch_key]))
    never = sum(row["hit_id"] is None for row in ledger.hits(state_key, [batch_key]))
    until = datetime.now(UTC) + timedelta(seconds=batch["duration_seconds"]) if waiting else None
    return CancelResult(expired, deleted, waiting, undecided, approved, never, until)


def _adopt_lost(ledger: Ledger, client: MTurkClient, batch_key: str) -> None:
    """Record HITs that an earlier publish made without hearing of it, so that they are taken back too."""
    state_key = client.market.state_key
    unsure = {row["annotation"]: row for row in ledger.hits(state_key, [batch_key]) if row["status"] == "intent"}
    if not unsure:
        return
    for info in client.list_hits():
        row = unsure.get(info.annotation)
        if row is not None:
            ledger.mark_published(state_key, batch_key, row["hit_key"], info, adopted=True)


def _drop_unsent(ledger: Ledger, state_key: str, batch_key: str) -> None:
    """HITs that were never sent are not waited for either."""
    for row in ledger.hits(state_key, [batch_key]):
        if row["hit_id"] is None and row["status"] != "disposed":
            ledger.mark_disposed(state_key, batch_key, row["hit_key"])


def _expire(ledger: Ledger, client: MTurkClient, rows: Sequence[Row], progress: Progress) -> int:
    expired = 0
    for number, row in enumerate(rows):
        progress("expire", number, len(rows))
        try:
            client.expire_hit(row["hit_id"])
        except DoesNotExist:
            ledger.mark_disposed(row["state_key"], row["batch_key"], row["hit_key"])
        except WrongState:
            continue
        else:
            expired += 1
    return expired


def _delete(ledger: Ledger, client: MTurkClient, state_key: str, batch_key: str, progress: Progress) -> tuple[int, int]:
    """Delete what can be deleted; how many wait for workers, and how many are gone now."""
    open_hits = {row["hit_key"] for row in ledger.assignments(state_key, [batch_key]) if row["status"] == "Submitted"}
    rows = [row for row in ledger.hits(state_key, [batch_key]) if row["status"] == "published"]
    waiting = deleted = 0
    for number, row in enumerate(rows):
        progress("delete", number, len(rows))
        if row["hit_key"] in open_hits:
            continue
        try:
            client.delete_hit(row["hit_id"])
        except WrongState:
            waiting += 1
            continue
        except DoesNotExist:
            pass
        else:
            deleted += 1
        ledger.mark_disposed(state_key, batch_key, row["hit_key"])
    return waiting, deleted
