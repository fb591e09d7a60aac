"""What published batches can still cost: the answers that are there, and the places that can still bring one."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_UP, Decimal

from ...mturk.requester.money import CENT
from ..app import App
from ..asking.batches import open_hits

__all__ = ["commitments", "committed"]

_ZERO = Decimal("0.00")


def committed(app: App, state_key: str) -> Decimal:
    """Money of a market that is spent or may still be asked for."""
    return sum(commitments(app, state_key).values(), _ZERO)


def commitments(app: App, state_key: str) -> dict[str, Decimal]:
    """The same for each batch. A batch costs at most its price; places that ended unanswered, because the batch was
    taken back or its time is over, and rejected answers cost nothing. Bonuses come on top."""
    still_open = open_hits(app, state_key)
    answered: Counter[tuple[str, str]] = Counter()
    for row in app.ledger.assignments(state_key):
        if row["status"] != "Rejected":
            answered[row["batch_key"], row["hit_key"]] += 1
    places: Counter[str] = Counter()
    live: Counter[str] = Counter()
    for row in app.ledger.hits(state_key):
        key = (row["batch_key"], row["hit_key"])
        places[row["batch_key"]] += row["max_assignments"]
        live[row["batch_key"]] += row["max_assignments"] if key in still_open else answered[key]
    bonuses: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for row in app.ledger.payments(state_key):
        if row["kind"] == "bonus" and row["status"] == "done":
            bonuses[row["batch_key"]] += row["amount"] + row["fee"]
    return {
        batch["batch_key"]: _share(batch["price"], live[batch["batch_key"]], places[batch["batch_key"]])
        + bonuses[batch["batch_key"]]
        for batch in app.ledger.batches(state_key)
    }


def _share(price: Decimal, live: int, places: int) -> Decimal:
    """All HITs of a batch have as many places, so each place costs the same."""
    return price if live >= places else (price * live / places).quantize(CENT, ROUND_UP)
