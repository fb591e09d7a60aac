"""What the assignments of published batches cost: by the terms under which each batch was quoted."""

from __future__ import annotations

from decimal import Decimal

from .ledger import STANDING, Ledger, Row
from .money import FeeSchedule, quote

__all__ = ["Prices"]


class Prices:
    """The prices of one market's batches, read from the ledger once for a run."""

    def __init__(self, ledger: Ledger, state_key: str, fees: FeeSchedule) -> None:
        self._ledger, self._state_key, self._fees = ledger, state_key, fees
        self._batches: dict[str, tuple[Row, dict[str, Row], bool]] = {}

    def of(self, row: Row) -> tuple[Decimal, Decimal]:
        """(reward, fee) of an assignment."""
        batch, hits, masters = self._batch(row["batch_key"])
        places = hits[row["hit_key"]]["max_assignments"]
        return batch["reward"], self._fees.per_assignment(batch["reward"], places, masters=masters)

    def masters(self, batch_key: str) -> bool:
        """Whether a batch was quoted for Masters, who cost another 5 %."""
        return self._batch(batch_key)[2]

    def _batch(self, batch_key: str) -> tuple[Row, dict[str, Row], bool]:
        found = self._batches.get(batch_key)
        if found is None:
            batch = self._ledger.batch(self._state_key, batch_key)
            assert batch is not None
            hits = self._ledger.hits(self._state_key, [batch_key])
            found = batch, {row["hit_key"]: row for row in hits}, _for_masters(batch, hits, self._fees)
            self._batches[batch_key] = found
        return found


def _for_masters(batch: Row, hits: list[Row], fees: FeeSchedule) -> bool:
    """Told by the price in the ledger: it is to the cent the one with Masters, and not the one without."""
    if not fees.masters_rate:
        return False
    noted = [row["max_assignments"] for row in hits]
    # An extension notes the price first and the places afterwards, of HITs that are gone never.
    most = [max(count, batch["max_assignments"]) for count in noted]
    standing = [
        wide if row["status"] in STANDING else count for row, count, wide in zip(hits, noted, most, strict=True)
    ]
    with_them, without = (
        {quote(batch["reward"], places, fees, masters=masters).total for places in (noted, most, standing)}
        for masters in (True, False)
    )
    return batch["price"] in with_them - without
