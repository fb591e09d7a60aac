"""What paying costs, said before it is done: what Collect can pay at most, and what approving certain answers does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ...mturk.requester.money import FeeSchedule, written
from ...mturk.requester.prices import Prices
from ...mturk.requester.progress import BatchSum
from ..app import App
from ..market.session import MarketTerms
from ..wording import counted
from ..workspace.records import frozen_batches
from .progress import budget_left

__all__ = ["Due", "agreed", "due_at_most", "due_for", "past_budget"]


@dataclass(frozen=True, slots=True)
class Due:
    """So many answers, what their workers get, and what the market takes."""

    answers: int
    rewards: Decimal
    fees: Decimal

    @property
    def total(self) -> Decimal:
        return self.rewards + self.fees

    def text(self, currency: str) -> str:
        """For people: the answers and the sum, with its parts where the market takes something."""
        of = f", {written(self.fees, currency)} of it fees" if self.fees else ""
        return f"{counted(self.answers, 'answer')} for {written(self.total, currency)}{of}"


def agreed(shown: str, due: Due) -> bool:
    """Whether somebody who was shown this sum agreed to what is due: as much, or less by now."""
    try:
        return not due.answers or due.total <= Decimal(shown)
    except InvalidOperation:
        return False


def due_at_most(
    app: App,
    terms: MarketTerms,
    batch_keys: Collection[str] | None = None,
    sums: Sequence[BatchSum] | None = None,
) -> Due:
    """What fetching answers to these batches (None: those about faces) can still pay on this market, as it was said
    when they were published: for those that came and are undecided, and for every place that can still be answered.
    `sums` are the ledger's, if at hand."""
    state_key = terms.market.state_key
    ours = {batch.key for batch in frozen_batches(app.workspace, state_key)} if batch_keys is None else batch_keys
    left = {
        row.progress.batch_key: max(0, row.live - row.progress.approved)
        for row in (app.ledger.sums(state_key) if sums is None else sums)
        if row.state_key == state_key and row.progress.batch_key in ours
    }
    return _due(app, state_key, terms.market.fees, left)


def due_for(
    app: App, terms: MarketTerms, assignments: Sequence[str], *, batch_key: str | None = None, override: bool = False
) -> Due:
    """What approving these answers pays; with `override` also for those that were rejected. Those that were paid cost
    nothing again, and of those that are not known here the act itself says so. `batch_key`: all are of this batch."""
    state_key, wanted = terms.market.state_key, set(assignments)
    undecided = {"Submitted", "Rejected"} if override else {"Submitted"}
    there = app.ledger.assignments(state_key, None if batch_key is None else [batch_key])
    rows = [row for row in there if row["assignment_id"] in wanted]
    chosen = Counter(row["batch_key"] for row in rows if row["status"] in undecided)
    return _due(app, state_key, terms.market.fees, chosen)


def past_budget(
    app: App, terms: MarketTerms, assignments: Sequence[str], *, batch_key: str | None = None, override: bool = False
) -> str:
    """What to say before these answers are approved where that passes the budget, else "": it is a person's word all
    the same. What was submitted is committed already, and what was rejected is not."""
    left = budget_left(app, terms.market.state_key)
    more, known = (
        due_for(app, terms, assignments, batch_key=batch_key, override=also).total for also in (override, False)
    )
    if left is None or more - known <= left:
        return ""
    past = written(more - known - left, app.settings.market.currency)
    return f"That is {past} past the budget (ask.budget in galloway.toml)."


def _due(app: App, state_key: str, fees: FeeSchedule, answers: dict[str, int]) -> Due:
    rewards = fee = Decimal("0.00")
    prices = Prices(app.ledger, state_key, fees)
    for batch in app.ledger.batches(state_key):
        key, places = batch["batch_key"], batch["max_assignments"]
        if not (count := answers.get(key, 0)):
            continue
        rewards += batch["reward"] * count
        fee += fees.per_assignment(batch["reward"], places, masters=prices.masters(key)) * count
    return Due(sum(answers.values()), rewards, fee)
