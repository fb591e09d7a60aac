"""Decimal rewards, fees, quotes and budgets: the only arithmetic on money.

Fees as Mechanical Turk charged them: 20 % of the reward, another 20 % where a HIT has 10 assignments or more, 5 %
for Masters, at least one cent per assignment, rounded half up to the cent; 20 % of a bonus, at least one cent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .errors import BudgetExceeded, MTurkError

__all__ = [
    "AWS_FEES",
    "CENT",
    "NO_FEES",
    "FeeSchedule",
    "Quote",
    "amount",
    "check_budget",
    "percent_fees",
    "quote",
    "wire",
    "written",
]

CENT = Decimal("0.01")
_ZERO = Decimal("0.00")
_FORMAT = re.compile(r"[0-9]{1,9}(\.[0-9]{0,2})?")


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """What the market takes per assignment: shares of the reward (0.20 is 20 %), and at least `minimum`."""

    rate: Decimal
    many_rate: Decimal
    masters_rate: Decimal
    minimum: Decimal
    many_from: int = 10

    def per_assignment(self, reward: Decimal, max_assignments: int, *, masters: bool = False) -> Decimal:
        """The fee of one assignment of a HIT with `max_assignments` places."""
        share = self.rate
        if max_assignments >= self.many_from:
            share += self.many_rate
        if masters:
            share += self.masters_rate
        return max(self.minimum, _cents(reward * share))

    def per_bonus(self, bonus: Decimal) -> Decimal:
        """The fee of one bonus."""
        return max(self.minimum, _cents(bonus * self.rate))


AWS_FEES = FeeSchedule(Decimal("0.20"), Decimal("0.20"), Decimal("0.05"), CENT)
NO_FEES = FeeSchedule(Decimal(0), Decimal(0), Decimal(0), _ZERO)


def percent_fees(percent: Decimal) -> FeeSchedule:
    """The embedded marketplace's fees at its `fee_percent`: none at 0, otherwise Mechanical Turk's with this rate."""
    if percent <= 0:
        return NO_FEES
    return FeeSchedule(percent / 100, percent / 100, AWS_FEES.masters_rate, CENT)


def amount(value: str | int | Decimal) -> Decimal:
    """An amount of money with exactly two decimals. Raises MTurkError for signs, currency or parts of a cent."""
    if isinstance(value, Decimal) and value.is_finite() and value >= 0 and value == value.quantize(CENT):
        return value.quantize(CENT)
    if not isinstance(value, Decimal) and _FORMAT.fullmatch(str(value)):
        return Decimal(str(value)).quantize(CENT)
    raise MTurkError(f"{value} is not an amount of money. Write it in whole cents without a currency, such as 0.15.")


def wire(value: Decimal) -> str:
    """An amount as the API wants it: "0.15"."""
    return f"{amount(value):f}"


def written(value: Decimal | None, currency: str = "") -> str:
    """An amount as people write it: "$1,234.50", "12.00 EUR", "-$0.30"; "–" for None. Half a cent rounds up."""
    if value is None:
        return "–"
    number = f"{abs(_cents(value)):,.2f}"
    sign = "-" if value < 0 else ""
    return f"{sign}{number} {currency}" if currency[-1:].isalpha() else f"{sign}{currency}{number}"


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a batch costs, before anything is sent. `hourly_wage` is None while the working time is unknown."""

    hits: int
    assignments: int
    reward: Decimal
    rewards: Decimal
    fees: Decimal
    total: Decimal
    hourly_wage: Decimal | None

    def __str__(self) -> str:
        return self.text()

    def text(self, currency: str = "") -> str:
        """The quote in a line: "4 HITs, 12 assignments at $0.15 (about $11.74 an hour): $1.80"."""
        wage = "" if self.hourly_wage is None else f" (about {written(self.hourly_wage, currency)} an hour)"
        parts = f" = {written(self.rewards, currency)} pay + {written(self.fees, currency)} fees" if self.fees else ""
        hits, answers = _count(self.hits, "HIT"), _count(self.assignments, "assignment")
        return f"{hits}, {answers} at {written(self.reward, currency)}{wage}: {written(self.total, currency)}{parts}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def quote(
    reward: Decimal,
    places: Iterable[int],
    fees: FeeSchedule,
    *,
    masters: bool = False,
    seconds: Decimal | None = None,
) -> Quote:
    """What HITs with these numbers of places cost at `reward` each.

    `seconds` is the expected working time of one assignment; the hourly wage follows from it.
    """
    reward = amount(reward)
    counts = list(places)
    rewards = reward * sum(counts)
    fee = sum((fees.per_assignment(reward, count, masters=masters) * count for count in counts), _ZERO)
    wage = _cents(reward * 3600 / seconds) if seconds else None
    return Quote(len(counts), sum(counts), reward, rewards, fee, rewards + fee, wage)


def check_budget(price: Quote, budget: Decimal | None, *, what: str) -> None:
    """Nothing where the price is within the budget (None: no budget). Raises BudgetExceeded otherwise."""
    if budget is not None and price.total > budget:
        raise BudgetExceeded(
            f"{what} would cost {price.total} and the budget is {budget}; nothing was sent. "
            "Ask about fewer faces, ask fewer workers, or raise ask.budget in galloway.toml."
        )
