"""Pay on measured time: what a finished person is owed, and what is missing to it.

Prolific asks for at least £6 or $8 an hour on the measured median; we hold the floor for each person, which holds it
for the median. Time counts from landing to the last page, up to what the study allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from math import ceil, sqrt
from statistics import median

from .values import Entry, Study

__all__ = ["MeasuredPay", "maximum_minutes", "measured_pay", "top_up"]

_CENT = Decimal("0.01")


def maximum_minutes(minutes: int) -> int:
    """How long a submission may take that is expected to take `minutes`: 2 + 2t + 2√t, as Prolific reckons."""
    return ceil(2 + 2 * minutes + 2 * sqrt(minutes))


def top_up(study: Study, seconds: float) -> Decimal:
    """What is missing to the floor after `seconds` of work: 0 or more, rounded up to the cent."""
    counted = min(Decimal(str(seconds)), Decimal(60 * maximum_minutes(study.minutes)))
    owed = (study.floor * counted / 3600).quantize(_CENT, ROUND_CEILING)
    return max(Decimal("0.00"), owed - study.reward)


@dataclass(frozen=True, slots=True)
class MeasuredPay:
    """The finished people's time and pay: median seconds, what that is an hour without and with top-ups, and how many
    of them are below the floor without."""

    finished: int
    median_seconds: float
    hourly: Decimal
    hourly_with_top_ups: Decimal
    below: int
    top_ups: Decimal


def measured_pay(study: Study, entries: Iterable[Entry]) -> MeasuredPay | None:
    """What the study's people earned so far by the clock; None where nobody has finished."""
    times = [entry.seconds for entry in entries if entry.outcome == "COMPLETED" and entry.seconds]
    if not times:
        return None
    middle = median(times)
    missing = [top_up(study, seconds) for seconds in times]
    return MeasuredPay(
        len(times),
        middle,
        _hourly(study.reward, middle),
        _hourly(study.reward + top_up(study, middle), middle),
        sum(part > 0 for part in missing),
        sum(missing, Decimal("0.00")),
    )


def _hourly(amount: Decimal, seconds: float) -> Decimal:
    return (amount * 3600 / Decimal(str(seconds))).quantize(_CENT, ROUND_HALF_UP)
