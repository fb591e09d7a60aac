"""Rewards, bonuses and fees in whole cents.

Fees as MTurk charged them: a percentage of reward or bonus, the same again on rewards from ten assignments on, 5 % more
for Masters, each at least one cent, rounded half up.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

__all__ = [
    "ABSURD_HOURLY",
    "LARGEST_CENTS",
    "MANY",
    "bonus_fee",
    "format_cents",
    "hourly",
    "parse_amount",
    "reward_fee",
    "to_decimal",
    "written",
]

_AMOUNT = re.compile(r"([0-9]+)\.?([0-9]{0,2})")
LARGEST_CENTS = 100_000_00
"""No single reward or bonus may be larger; it keeps sums inside 64 bits."""
MANY = 10
"""From so many assignments on, a HIT costs the second percentage."""
ABSURD_HOURLY = Decimal(100)
"""Above it nobody earned an hour of such work: the time is that of pages handed in unread, or of one answer."""


def parse_amount(text: str) -> int:
    """Cents of "5", "5." or "0.05". Raises ValueError for anything else, and above 100,000."""
    match = _AMOUNT.fullmatch(text)
    if match is None or len(match[1].lstrip("0")) > 12:
        raise ValueError(f"{text[:40]!r} is not an amount like 0.05")
    cents = int(match[1]) * 100 + int((match[2] + "00")[:2])
    if cents > LARGEST_CENTS:
        raise ValueError(f"{text} is more than {format_cents(LARGEST_CENTS)}")
    return cents


def format_cents(cents: int) -> str:
    """Cents as MTurk writes money: "0.05"."""
    return f"{cents // 100}.{cents % 100:02d}"


def to_decimal(cents: int) -> Decimal:
    """Cents as a Decimal with two places."""
    return Decimal(cents).scaleb(-2)


def written(value: Decimal | None, currency: str) -> str:
    """An amount as people read it: "$1,234.50", "12.00 EUR"; "–" for None."""
    if value is None:
        return "–"
    number = f"{abs(value):,.2f}"
    sign = "-" if value < 0 else ""
    return f"{sign}{number} {currency}" if currency[-1:].isalpha() else f"{sign}{currency}{number}"


def hourly(cents: int, milliseconds: int | None) -> Decimal | None:
    """What pay for so much time is an hour, to the cent; None without a time, and where the figure is absurd."""
    if not milliseconds:
        return None
    figure = (to_decimal(cents) * 3_600_000 / milliseconds).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return figure if figure <= ABSURD_HOURLY else None


def _fee(cents: int, percent: Decimal) -> int:
    if percent <= 0 or cents <= 0:
        return 0
    exact = Decimal(cents) * percent / 100
    return max(1, int(exact.to_integral_value(ROUND_HALF_UP)))


def reward_fee(cents: int, *, percent: Decimal, assignments: int, masters: bool = False) -> int:
    """Fee in cents on one assignment's reward. At 20 %: 5 cents cost 1, 10 cents in ten places 4."""
    if percent <= 0:
        return 0
    rate = percent * (2 if assignments >= MANY else 1) + (5 if masters else 0)
    return _fee(cents, rate)


def bonus_fee(cents: int, *, percent: Decimal) -> int:
    """Fee in cents on one bonus."""
    return _fee(cents, percent)
