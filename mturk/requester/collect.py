"""Fetch what workers submitted. Every page; twice changes nothing; an answer once kept stays."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from .answers import parse_answer
from .client import HitInfo, MTurkClient
from .errors import BadAnswer, DoesNotExist
from .gone import Gone
from .ledger import STANDING, Ledger, Row
from .publish import Progress
from .settle import note_approvals

__all__ = ["CollectedAssignment", "collect", "collected", "fetch", "payable"]

_log = logging.getLogger(__name__)
_ENDED = ("Reviewable", "Reviewing", "Disposed")


@dataclass(frozen=True, slots=True)
class CollectedAssignment:
    """One worker's answers to one HIT. `status` is Submitted, Approved or Rejected.

    Where the answer cannot be read, `answers` is empty and `problem` says why; the raw XML stays in the ledger.
    """

    assignment_id: str
    hit_key: str
    batch_key: str
    worker_id: str
    answers: dict[str, str]
    accepted_at: datetime
    submitted_at: datetime
    status: str
    problem: str | None = None

    @property
    def seconds(self) -> float | None:
        """From accept to submit; None where the market's clock was set back between: that is no haste."""
        return (self.submitted_at - self.accepted_at).total_seconds() if self.submitted_at > self.accepted_at else None


def collect(
    ledger: Ledger,
    client: MTurkClient,
    batch_keys: Collection[str] | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> list[CollectedAssignment]:
    """Fetch from the market, then give all that was ever collected for these batches (None: all of the market).

    HITs whose places are all filled and decided are not asked about again. A HIT that is gone from the market is
    marked so; what was collected of it stays. When a HIT ends is taken from the market, not from memory. Approvals
    that happened without us are entered as payments. Raises LedgerError where the market knows no HIT of ours.
    """
    return fetch(ledger, client, batch_keys, progress)


def fetch(
    ledger: Ledger,
    client: MTurkClient,
    batch_keys: Collection[str] | None,
    progress: Progress,
    *,
    believe_gone: bool = False,
) -> list[CollectedAssignment]:
    """As `collect`; with `believe_gone` whatever the market does not know is gone from it."""
    state_key = client.market.state_key
    filled = _settled(ledger, state_key, batch_keys)
    rows = [
        row
        for row in ledger.hits(state_key, batch_keys)
        if row["status"] in STANDING and (row["batch_key"], row["hit_key"]) not in filled
    ]
    # What the market itself says of HITs that are waited for, in one list, whatever their number.
    shown = {hit.hit_id: hit for hit in client.list_hits()} if rows else {}
    gone = Gone(ledger, client, shown.keys(), believed=believe_gone)
    for number, row in enumerate(rows):
        progress("collect", number, len(rows))
        _fetch(ledger, client, row)
        if row["hit_id"] in shown:
            _note_end(ledger, row, shown[row["hit_id"]])
        elif gone.is_gone(row):
            _log.warning("a HIT is gone from the market", extra={"batch": row["batch_key"], "hit": row["hit_key"]})
            ledger.mark_disposed(row["state_key"], row["batch_key"], row["hit_key"])
    progress("collect", len(rows), len(rows))
    note_approvals(ledger, client, None if batch_keys is None else list(batch_keys))
    return collected(ledger, state_key, batch_keys)


def _fetch(ledger: Ledger, client: MTurkClient, row: Row) -> None:
    try:
        found = list(client.list_assignments(row["hit_id"]))
    except DoesNotExist:
        return
    if found:
        new = ledger.keep_assignments(row, found)
        _log.info("collected", extra={"batch": row["batch_key"], "hit": row["hit_key"], "new": new})


def _note_end(ledger: Ledger, row: Row, hit: HitInfo) -> None:
    """One that the market says has ended (its clock may have jumped, or somebody took it back) brings no answer any
    more, whenever its end is; one that was opened again does."""
    ended, at = hit.status in _ENDED, hit.expires_at or row["expires_at"]
    if (ended, at) != (row["status"] == "ended", row["expires_at"]):
        ledger.note_end(row["state_key"], row["batch_key"], row["hit_key"], at, ended=ended)


def _settled(ledger: Ledger, state_key: str, batch_keys: Collection[str] | None) -> set[tuple[str, str]]:
    """(batch, HIT) pairs about which the market has nothing new to say."""
    return {row.key for row in ledger.progress(state_key, batch_keys) if row.approved + row.rejected >= row.places}


def payable(ledger: Ledger, state_key: str, found: Iterable[CollectedAssignment]) -> list[str]:
    """Those that wait for a decision and can still get one: not where the HIT is gone from the market."""
    open_ = [item for item in found if item.status == "Submitted"]
    rows = ledger.hits(state_key, {item.batch_key for item in open_}) if open_ else ()
    gone = {(row["batch_key"], row["hit_key"]) for row in rows if row["status"] == "disposed"}
    return [item.assignment_id for item in open_ if (item.batch_key, item.hit_key) not in gone]


def collected(
    ledger: Ledger, state_key: str, batch_keys: Collection[str] | None = None, *, most: int | None = None
) -> list[CollectedAssignment]:
    """What the ledger holds, without asking the market; in the order of submission. With `most` what has no decision
    comes first, and no more is read."""
    return [_collected(row) for row in ledger.assignments(state_key, batch_keys, answers=True, most=most)]


def _collected(row: Row) -> CollectedAssignment:
    answers: dict[str, str] = {}
    problem: str | None = None
    try:
        answers = parse_answer(row["answer_xml"])
    except BadAnswer as error:
        problem = str(error)
    return CollectedAssignment(
        assignment_id=row["assignment_id"],
        hit_key=row["hit_key"],
        batch_key=row["batch_key"],
        worker_id=row["worker_id"],
        answers=answers,
        accepted_at=row["accepted_at"],
        submitted_at=row["submitted_at"],
        status=row["status"],
        problem=problem,
    )
