"""Take a batch back: expire → wait for work in hand → decide what was submitted → delete. Each step can be resumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .client import HitInfo, MTurkClient
from .collect import collected, fetch, payable
from .errors import DoesNotExist, LedgerError, WrongState
from .gone import Gone
from .ledger import STANDING, Ledger, Row
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
    gone: bool = False,
    progress: Progress = lambda _what, _done, _total: None,
) -> CancelResult:
    """Take a batch back as far as it goes now; run it again until `.done`.

    Workers who hold an assignment may finish it; what they submit is kept. With `approve_submitted` it is also paid,
    otherwise it waits for a decision (`undecided`). Nothing is ever rejected here.

    Raises LedgerError where the market knows no HIT of ours; with `gone`, what it does not know is gone from it, and
    what was answered there can no longer be paid.
    """
    state_key = client.market.state_key
    batch = ledger.batch(state_key, batch_key)
    if batch is None:
        raise LedgerError(f"There is no batch {batch_key} on the market {client.market.name!r}. See: galloway status")
    rows = _standing(ledger, state_key, batch_key)
    shown = {hit.hit_id: hit for hit in client.list_hits()} if rows or _unsure(ledger, state_key, batch_key) else {}
    lost = Gone(ledger, client, shown.keys(), believed=gone)
    lost.check(rows)
    ledger.mark_cancelled(state_key, batch_key)
    _adopt_lost(ledger, shown.values(), state_key, batch_key)
    _drop_unsent(ledger, state_key, batch_key)
    expired = _expire(ledger, client, _standing(ledger, state_key, batch_key), lost, progress)
    found = fetch(ledger, client, [batch_key], progress, believe_gone=gone)
    submitted = payable(ledger, state_key, found)
    approved = 0
    if approve_submitted and submitted:
        approved = approve(ledger, client, submitted, feedback="The batch was withdrawn; thank you.").done
    waiting, deleted = _delete(ledger, client, batch_key, lost, progress)
    undecided = len(payable(ledger, state_key, collected(ledger, state_key, [batch_key])))
    never = sum(row["hit_id"] is None for row in ledger.hits(state_key, [batch_key]))
    until = datetime.now(UTC) + timedelta(seconds=batch["duration_seconds"]) if waiting else None
    return CancelResult(expired, deleted, waiting, undecided, approved, never, until)


def _standing(ledger: Ledger, state_key: str, batch_key: str) -> list[Row]:
    return [row for row in ledger.hits(state_key, [batch_key]) if row["status"] in STANDING]


def _unsure(ledger: Ledger, state_key: str, batch_key: str) -> dict[str, Row]:
    """Annotation → HIT of which nobody knows whether it was made."""
    return {row["annotation"]: row for row in ledger.hits(state_key, [batch_key]) if row["status"] == "intent"}


def _adopt_lost(ledger: Ledger, shown: Iterable[HitInfo], state_key: str, batch_key: str) -> None:
    """Record HITs that an earlier publish made without hearing of it, so that they are taken back too."""
    unsure = _unsure(ledger, state_key, batch_key)
    for info in shown:
        row = unsure.get(info.annotation)
        if row is not None:
            ledger.mark_published(state_key, batch_key, row["hit_key"], info, adopted=True)


def _drop_unsent(ledger: Ledger, state_key: str, batch_key: str) -> None:
    """HITs that were never sent are not waited for either."""
    for row in ledger.hits(state_key, [batch_key]):
        if row["hit_id"] is None and row["status"] != "disposed":
            ledger.mark_disposed(state_key, batch_key, row["hit_key"])


def _expire(ledger: Ledger, client: MTurkClient, rows: Sequence[Row], lost: Gone, progress: Progress) -> int:
    expired = 0
    for number, row in enumerate(rows):
        progress("expire", number, len(rows))
        try:
            client.expire_hit(row["hit_id"])
        except DoesNotExist:
            if lost.is_gone(row):
                ledger.mark_disposed(row["state_key"], row["batch_key"], row["hit_key"])
        except WrongState:
            continue
        else:
            expired += 1
    return expired


def _delete(ledger: Ledger, client: MTurkClient, batch_key: str, lost: Gone, progress: Progress) -> tuple[int, int]:
    """Delete what can be deleted; how many wait for workers or for the keys with which they were sent, and how many
    are gone now."""
    state_key = client.market.state_key
    open_hits = {row["hit_key"] for row in ledger.assignments(state_key, [batch_key]) if row["status"] == "Submitted"}
    rows = _standing(ledger, state_key, batch_key)
    waiting = deleted = 0
    for number, row in enumerate(rows):
        progress("delete", number, len(rows))
        if row["hit_key"] in open_hits:
            continue
        try:
            client.delete_hit(row["hit_id"])
        except (WrongState, DoesNotExist):
            if not lost.is_gone(row):
                waiting += 1
                continue
        else:
            deleted += 1
        ledger.mark_disposed(state_key, batch_key, row["hit_key"])
    return waiting, deleted
