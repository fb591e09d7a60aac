"""More answers or more time for a batch that stands at the market, asked for as what shall be: twice is once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .client import HitInfo, MTurkClient
from .errors import AlreadyExists, DoesNotExist, LedgerError, MTurkError
from .gone import Gone
from .ledger import STANDING, Ledger, Row
from .money import FeeSchedule, Quote, quote
from .prices import Prices
from .publish import Progress

__all__ = ["ExtendResult", "extend", "quote_extension"]

_MANY = 10
"""From so many assignments on, AWS took a second fee; a HIT made with fewer could never become one with as many."""


@dataclass(frozen=True, slots=True)
class ExtendResult:
    """How many HITs got more places, how many a later end, and how many are gone from the market."""

    more: int
    later: int
    gone: int


def quote_extension(ledger: Ledger, state_key: str, fees: FeeSchedule, batch_key: str, assignments: int) -> Quote:
    """What the whole batch costs once each of its HITs has `assignments` places; those that are gone stay as they are.

    Raises LedgerError for a batch that is not there, was not sent to its end or was taken back; MTurkError where the
    market could not do it.
    """
    batch = ledger.batch(state_key, batch_key)
    if batch is None:
        raise LedgerError(f"There is no batch {batch_key} on this market. See: galloway status")
    if batch["cancelled_at"] is not None:
        raise LedgerError(f"Batch {batch_key} was taken back; publish a new one instead.")
    rows = ledger.hits(state_key, [batch_key])
    if any(row["hit_id"] is None for row in rows):
        raise LedgerError(f"Batch {batch_key} was not sent to its end. Publish it again first, then extend it.")
    least = min(row["max_assignments"] for row in rows)
    if assignments < batch["max_assignments"]:
        raise MTurkError(
            f"Batch {batch_key} asks {batch['max_assignments']} workers a HIT already; places are added, never taken."
        )
    if least < _MANY <= assignments:
        raise MTurkError(
            f"A HIT that was made for fewer than {_MANY} workers never gets {_MANY} or more (Mechanical Turk's rule). "
            f"Extend to at most {_MANY - 1}, or publish the same once more."
        )
    places = [
        max(assignments, row["max_assignments"]) if row["status"] in STANDING else row["max_assignments"]
        for row in rows
    ]
    return quote(batch["reward"], places, fees, masters=Prices(ledger, state_key, fees).masters(batch_key))


def extend(
    ledger: Ledger,
    client: MTurkClient,
    batch_key: str,
    assignments: int,
    *,
    until: datetime | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> ExtendResult:
    """Bring every HIT of the batch to `assignments` places, and its end to `until` where that is later.

    The price goes into the ledger first, and what the market shows is believed over what was noted: run again after a
    kill, it adds only what is missing. Raises as quote_extension does, before anything is sent.
    """
    state_key = client.market.state_key
    price = quote_extension(ledger, state_key, client.market.fees, batch_key, assignments)
    ledger.extend_batch(state_key, batch_key, assignments, price.total)
    shown = {info.hit_id: info for info in client.list_hits()}
    rows = [row for row in ledger.hits(state_key, [batch_key]) if row["status"] in STANDING]
    return _extended(ledger, client, rows, shown, assignments, until, progress)


def _extended(
    ledger: Ledger,
    client: MTurkClient,
    rows: Sequence[Row],
    shown: dict[str, HitInfo],
    assignments: int,
    until: datetime | None,
    progress: Progress,
) -> ExtendResult:
    more = later = gone = 0
    lost = Gone(ledger, client, shown.keys())
    for number, row in enumerate(rows):
        progress("extend", number, len(rows))
        info = shown.get(row["hit_id"])
        try:
            if info is None:
                info = client.get_hit(row["hit_id"])
            added = _add(client, row, info, assignments)
            longer = _later(client, info, until)
        except DoesNotExist:
            if lost.is_gone(row):
                ledger.mark_disposed(row["state_key"], row["batch_key"], row["hit_key"])
                gone += 1
            continue
        more, later = more + added, later + longer
        ledger.note_places(row["state_key"], row["batch_key"], row["hit_key"], max(assignments, info.max_assignments))
        if added or longer:  # it is open again, until the market says otherwise
            ledger.note_end(row["state_key"], row["batch_key"], row["hit_key"], until if longer else info.expires_at)
    progress("extend", len(rows), len(rows))
    return ExtendResult(more, later, gone)


def _add(client: MTurkClient, row: Row, info: HitInfo, assignments: int) -> bool:
    missing = assignments - info.max_assignments
    if missing <= 0:
        return False
    # One token a step: a call that is sent five times adds once, and another step later is another call.
    parts = (row["state_key"], row["batch_key"], row["hit_key"], f"{info.max_assignments}-{assignments}")
    try:
        client.add_assignments(row["hit_id"], missing, hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:64])
    except AlreadyExists:
        return False
    return True


def _later(client: MTurkClient, info: HitInfo, until: datetime | None) -> bool:
    if until is None or (info.expires_at is not None and info.expires_at >= until):
        return False
    client.expire_hit(info.hit_id, until)
    return True
