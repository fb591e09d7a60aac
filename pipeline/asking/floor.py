"""The floor on measured time: who worked longer than a page was paid for gets the rest on top, to the cent, once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from ...curation.types import Progress, no_progress
from ...mturk.requester.collect import CollectedAssignment, collected
from ...mturk.requester.errors import BudgetExceeded
from ...mturk.requester.ledger import Ledger
from ...mturk.requester.markets import Market
from ...mturk.requester.money import written
from ...mturk.requester.settle import Bonus, SettleResult, bonus
from ..app import App
from ..market.session import MarketSession
from ..recruiting.counter import sources_of
from ..workspace.acts import note_act
from ..workspace.records import simulated_workers
from .progress import budget_left
from .tasks import elapsed_seconds

__all__ = ["FLOOR_KEY", "TopUp", "check_top_ups", "missing", "pay_top_ups", "top_ups", "worked_seconds"]

FLOOR_KEY = "floor"
"""The name of the bonus: there is one for an assignment."""
_CENT, _ZERO = Decimal("0.01"), Decimal("0.00")


@dataclass(frozen=True, slots=True)
class TopUp:
    """What is missing to the floor on one approved assignment, and the seconds that it is reckoned from."""

    bonus: Bonus
    batch: str
    worker_id: str
    seconds: float
    begun: bool = False
    """It was written down and may have been sent: it is looked for and finished."""


def worked_seconds(item: CollectedAssignment) -> float:
    """How long somebody worked: what the page measured while it was looked at, where it says so and can be true, else
    from accept to submit."""
    span = item.seconds or 0.0
    return min(elapsed_seconds(item.answers) or span, span)


def missing(reward: Decimal, seconds: float, floor: Decimal) -> Decimal:
    """What is missing to `floor` an hour: 0 or more, rounded up to the cent."""
    owed = (floor * Decimal(str(seconds)) / 3600).quantize(_CENT, ROUND_CEILING)
    return max(_ZERO, owed - reward)


def top_ups(app: App, state_key: str, batches: Collection[str] | None = None) -> list[TopUp]:
    """What is missing on approved assignments of people, on the market of that key, and was not paid yet. Recruited
    people are topped up through their panel; programs are not paid by the hour."""
    others = simulated_workers(app.workspace) | sources_of(app).of_worker.keys()
    found = []
    for item in collected(app.ledger, state_key, batches):
        if item.status == "Approved" and item.worker_id not in others:
            made = _top_up(app.ledger, state_key, item, app.settings.ask.min_hourly_wage)
            found += [] if made is None else [made]
    return found


def _top_up(ledger: Ledger, state_key: str, item: CollectedAssignment, floor: Decimal) -> TopUp | None:
    earlier = ledger.payment(state_key, f"bonus:{item.assignment_id}:{FLOOR_KEY}")
    seconds = worked_seconds(item)
    if earlier is not None:
        begun = Bonus(item.assignment_id, earlier["amount"], earlier["reason"], FLOOR_KEY)
        return None if earlier["status"] == "done" else TopUp(begun, item.batch_key, item.worker_id, seconds, True)
    batch = ledger.batch(state_key, item.batch_key)
    assert batch is not None
    amount = missing(batch["reward"], min(seconds, batch["duration_seconds"]), floor)
    if not amount:
        return None
    reason = f"You worked {seconds:.0f} seconds on this; this makes it {floor} an hour."
    return TopUp(Bonus(item.assignment_id, amount, reason, FLOOR_KEY), item.batch_key, item.worker_id, seconds)


def check_top_ups(app: App, market: Market, found: Collection[TopUp]) -> None:
    """Raise BudgetExceeded where the budget does not cover them; where all were begun they are finished."""
    left = budget_left(app, market.state_key)
    cost = sum((item.bonus.amount + market.fees.per_bonus(item.bonus.amount) for item in found), _ZERO)
    if left is None or cost <= left or all(item.begun for item in found):
        return
    currency = app.settings.market.currency
    raise BudgetExceeded(
        f"{written(cost, currency)} is missing to the floor, and {written(max(left, _ZERO), currency)} is left of the "
        "budget; nothing was topped up. Raise ask.budget in galloway.toml, then: galloway batch top-up"
    )


def pay_top_ups(
    app: App, session: MarketSession, found: list[TopUp], *, progress: Progress = no_progress
) -> SettleResult:
    """Pay them, each once, whatever is run again. Raises BudgetExceeded as `check_top_ups`."""
    check_top_ups(app, session.market, found)
    done = bonus(app.ledger, session.client, [item.bonus for item in found], progress=progress)
    if done.done:
        note_act(app.workspace, "pay", f"{done.done} answers brought up to the floor", done.paid + done.fees)
    return done
