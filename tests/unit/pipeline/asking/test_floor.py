"""The floor on measured time: what is missing, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from galloway.mturk.requester.collect import CollectedAssignment
from galloway.pipeline.asking.floor import missing, worked_seconds
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 11, 25, 9, tzinfo=UTC)


def _answer(span: float, **answers: str) -> CollectedAssignment:
    return CollectedAssignment("3X", "h", "b", "A1", answers, START, START + timedelta(seconds=span), "Approved")


@pytest.mark.parametrize(
    ("span", "elapsed", "seconds"),
    [(60, "45000", 45), (60, "", 60), (60, "900000", 60), (60, "-1", 60), (0, "5000", 0)],
)
def test_time_is_what_the_page_measured_where_that_can_be_true(span: float, elapsed: str, seconds: float) -> None:
    assert worked_seconds(_answer(span, elapsed=elapsed)) == seconds


@given(st.decimals(0, 5, places=2), st.integers(0, 7_200_000), st.decimals(0, 30, places=2))
def test_pay_with_the_top_up_is_the_floor_and_not_a_cent_more(reward: Decimal, ms: int, floor: Decimal) -> None:
    seconds = ms / 1000
    extra = missing(reward, seconds, floor)
    owed = floor * Decimal(str(seconds)) / 3600
    assert reward + extra >= owed
    assert extra == 0 or reward + extra - owed < Decimal("0.01")
