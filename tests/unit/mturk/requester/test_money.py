"""Money: the contract's worked examples, and the laws around them."""

from decimal import Decimal

import pytest
from galloway.mturk.marketplace.rules.money import written as shown_by_the_marketplace
from galloway.mturk.requester.errors import BudgetExceeded, MTurkError
from galloway.mturk.requester.money import (
    AWS_FEES,
    NO_FEES,
    FeeSchedule,
    amount,
    check_budget,
    percent_fees,
    quote,
    wire,
    written,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("reward", "places", "masters", "fee", "total"),
    [
        ("0.05", 3, False, "0.03", "0.18"),
        ("0.10", 10, False, "0.40", "1.40"),
        ("1.00", 3, True, "0.75", "3.75"),
        ("0.01", 1, False, "0.01", "0.02"),
        ("0.52", 1, False, "0.10", "0.62"),
        ("1.00", 10, True, "4.50", "14.50"),
    ],
)
def test_contract_examples(reward: str, places: int, masters: bool, fee: str, total: str) -> None:
    price = quote(Decimal(reward), [places], AWS_FEES, masters=masters)
    assert (price.fees, price.total) == (Decimal(fee), Decimal(total))


def test_rounds_half_up_at_half_a_cent() -> None:
    fees = FeeSchedule(Decimal("0.5"), Decimal(0), Decimal(0), Decimal("0.01"))
    assert fees.per_assignment(Decimal("0.21"), 1) == Decimal("0.11")
    assert fees.per_assignment(Decimal("0.25"), 1) == Decimal("0.13")


def test_bonus_fee_is_at_least_a_cent() -> None:
    assert AWS_FEES.per_bonus(Decimal("0.01")) == Decimal("0.01")
    assert AWS_FEES.per_bonus(Decimal("1.00")) == Decimal("0.20")


def test_embedded_marketplace_is_free_by_default() -> None:
    assert percent_fees(Decimal(0)) is NO_FEES
    assert percent_fees(Decimal(20)) == AWS_FEES
    assert quote(Decimal("0.15"), [3, 3], NO_FEES).total == Decimal("0.90")


def test_hourly_wage_follows_from_seconds() -> None:
    price = quote(Decimal("0.15"), [3], NO_FEES, seconds=Decimal(48))
    assert price.hourly_wage == Decimal("11.25")
    assert str(price) == "1 HIT, 3 assignments at 0.15 (about 11.25 an hour): 0.45"
    dear = quote(Decimal("0.15"), [3, 3], AWS_FEES)
    assert dear.text("$") == "2 HITs, 6 assignments at $0.15: $1.08 = $0.90 pay + $0.18 fees"


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("3.17", "$", "$3.17"),
        ("3.17", "EUR", "3.17 EUR"),
        ("1234.5", "€", "€1,234.50"),
        ("0", "US$", "US$0.00"),
        ("-0.30", "$", "-$0.30"),
        ("3.17", "", "3.17"),
        (None, "$", "–"),
    ],
)
def test_amounts_read_as_people_write_them(value: str | None, currency: str, text: str) -> None:
    """The requester's side, the marketplace's pages: the same amount reads the same everywhere."""
    exact = None if value is None else Decimal(value)
    assert written(exact, currency) == text
    assert shown_by_the_marketplace(exact, currency) == text


@pytest.mark.parametrize("text", ["-1", "$1", "0.123", "1e3", "", "nan", "1,50"])
def test_what_is_not_money(text: str) -> None:
    with pytest.raises(MTurkError):
        amount(text)


@pytest.mark.parametrize("value", [Decimal("0.001"), Decimal("-0.01"), Decimal("NaN"), Decimal("Infinity")])
def test_decimals_that_are_not_money(value: Decimal) -> None:
    with pytest.raises(MTurkError):
        amount(value)


def test_wire_format() -> None:
    assert [wire(Decimal(text)) for text in ("5", "0.1", "1E+1")] == ["5.00", "0.10", "10.00"]
    assert amount("5.") == Decimal("5.00")


@given(
    st.integers(1, 5000).map(lambda cents: Decimal(cents) / 100),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
    st.booleans(),
)
def test_quote_is_the_sum_of_its_hits(reward: Decimal, places: list[int], masters: bool) -> None:
    whole = quote(reward, places, AWS_FEES, masters=masters)
    parts = [quote(reward, [count], AWS_FEES, masters=masters) for count in places]
    assert whole.total == sum(part.total for part in parts) == whole.rewards + whole.fees
    assert whole.assignments == sum(places)
    assert whole.fees >= Decimal("0.01") * sum(places)


def test_budget_is_a_wall() -> None:
    price = quote(Decimal("0.50"), [2], NO_FEES)
    check_budget(price, Decimal("1.00"), what="Batch x")
    check_budget(price, None, what="Batch x")
    with pytest.raises(BudgetExceeded, match=r"Batch x would cost 1\.00 and the budget is 0\.99"):
        check_budget(price, Decimal("0.99"), what="Batch x")
