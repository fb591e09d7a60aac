"""Publishing: one HIT for each key, whatever is lost in between."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from galloway.mturk.requester.client import HitInfo
from galloway.mturk.requester.errors import (
    BudgetExceeded,
    InsufficientFunds,
    LedgerError,
    MarketUnreachable,
    MTurkError,
    QuestionTooLarge,
)
from galloway.mturk.requester.markets import resolve_market
from galloway.mturk.requester.publish import HitSpec, publish, quote_batch, request_token
from galloway.mturk.requester.questions import question_digest

from tests.support.mturk import FakeMarket, batch, in_process_client, make_ledger


def test_publishes_every_hit_once_and_knows_it() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    steps: list[tuple[str, int, int | None]] = []
    first = publish(ledger, client, batch(5), lambda *step: steps.append(step))
    assert (first.sent, first.adopted, first.already) == (5, 0, 0)
    assert [hit.hit_key for hit in first.hits] == [f"hit-{n}" for n in range(5)]
    assert {hit.hit_id for hit in first.hits} == set(fake.hits)
    assert steps[-1] == ("publish", 5, 5)
    fake.calls.clear()
    again = publish(ledger, client, batch(5))
    assert (again.sent, again.adopted, again.already) == (0, 0, 5)
    assert again.hits == first.hits
    assert fake.calls == []


def test_what_is_sent() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    spec = batch(1, places=3)
    publish(ledger, in_process_client(fake), spec)
    (hit,) = fake.hits.values()
    token = request_token("local", "round-1", "hit-0", question_digest(spec.hits[0].question_xml))
    assert hit["Reward"] == "0.15"
    assert hit["MaxAssignments"] == 3
    assert hit["Question"] == spec.hits[0].question_xml
    assert hit["RequesterAnnotation"] == f"galloway:{token}:round-1:hit-0"
    assert list(fake.tokens) == [token]
    assert len(token) == 64


def test_token_depends_on_everything_that_makes_a_hit() -> None:
    base = ("local", "round-1", "hit-0", "d" * 64)
    others = [("aws", *base[1:]), (base[0], "round-2", *base[2:]), (*base[:2], "hit-1", base[3]), (*base[:3], "e" * 64)]
    assert len({request_token(*parts) for parts in (base, *others)}) == 5
    assert request_token("a", "bc", "d", "e") != request_token("ab", "c", "d", "e")


@pytest.mark.parametrize("forget_tokens", [False, True])
def test_an_answer_that_was_lost_is_adopted(forget_tokens: bool) -> None:
    """Also after the 24 hours in which the market remembers tokens: the annotation finds it."""
    fake, ledger = FakeMarket(forget_tokens=forget_tokens, drop={"CreateHIT": 1}), make_ledger()
    client = in_process_client(fake)
    with pytest.raises(MarketUnreachable):
        publish(ledger, client, batch(3))
    assert len(fake.hits) == 1
    result = publish(ledger, client, batch(3))
    assert (result.sent, result.adopted, result.already) == (2, 1, 0)
    assert len(fake.hits) == 3


def test_a_token_that_the_market_knows_and_the_list_does_not_is_adopted() -> None:
    """ListHITs may lag behind CreateHIT; then the token's error leads to the HIT."""
    fake, ledger = FakeMarket(drop={"CreateHIT": 1}), make_ledger()
    client = in_process_client(fake)
    with pytest.raises(MarketUnreachable):
        publish(ledger, client, batch(1))
    listing = fake.do_ListHITs
    fake.do_ListHITs = lambda **_: {"HITs": [], "NumResults": 0}  # type: ignore[method-assign]
    result = publish(ledger, client, batch(1))
    fake.do_ListHITs = listing  # type: ignore[method-assign]
    assert (result.sent, result.adopted) == (0, 1)
    assert len(fake.hits) == 1


def test_a_used_token_of_something_else_is_an_error() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    spec = batch(1)
    token = request_token("local", "round-1", "hit-0", question_digest(spec.hits[0].question_xml))
    publish(ledger, client, batch(1, key="other"))
    fake.tokens[token] = next(iter(fake.hits))
    with pytest.raises(LedgerError, match="none with its annotation"):
        publish(ledger, client, spec)


def test_reconciling_reads_every_page() -> None:
    fake, ledger = FakeMarket(page=7), make_ledger()
    publish(ledger, in_process_client(fake), batch(120))
    lost = make_ledger()
    result = publish(lost, in_process_client(fake), batch(120))
    assert (result.sent, result.adopted) == (0, 120)
    assert len(fake.hits) == 120


def test_two_hits_with_one_annotation_stop_everything() -> None:
    fake, ledger = FakeMarket(forget_tokens=True), make_ledger()
    client = in_process_client(fake)
    publish(ledger, client, batch(1))
    (original,) = fake.hits.values()
    fake.hits["3TWIN"] = {**original, "HITId": "3TWIN"}
    with pytest.raises(LedgerError, match="two HITs"):
        publish(make_ledger(), client, batch(1))


def test_state_of_two_markets_never_mixes() -> None:
    ledger, here, there = make_ledger(), FakeMarket(), FakeMarket()
    other = resolve_market("https://turk.example.org")
    publish(ledger, in_process_client(here), batch(2))
    result = publish(ledger, in_process_client(there, market=other), batch(2))
    assert result.sent == 2
    assert set(here.tokens).isdisjoint(there.tokens)
    assert {row["state_key"] for row in ledger.hits("local")} == {"local"}
    assert len(ledger.batches()) == 2


def test_budget_is_checked_before_anything_is_written() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    with pytest.raises(BudgetExceeded):
        publish(ledger, in_process_client(fake), batch(3, budget="1.34"))
    assert fake.calls == []
    assert ledger.batches() == []
    assert publish(ledger, in_process_client(fake), batch(3, budget="1.35")).price.total == Decimal("1.35")


def test_balance_covers_the_whole_batch_or_nothing_is_sent() -> None:
    fake, ledger = FakeMarket(available="1.34"), make_ledger()
    with pytest.raises(InsufficientFunds, match=r"still needs 1\.35 and the balance on 'local' is 1\.34"):
        publish(ledger, in_process_client(fake), batch(3))
    assert "CreateHIT" not in fake.calls
    fake.available = "1.35"
    assert publish(ledger, in_process_client(fake), batch(3)).sent == 3


def test_the_rest_of_a_batch_needs_only_the_rest_of_the_money() -> None:
    fake, ledger = FakeMarket(drop={"CreateHIT": 1}), make_ledger()
    client = in_process_client(fake)
    with pytest.raises(MarketUnreachable):
        publish(ledger, client, batch(3))
    fake.available = "0.90"
    assert publish(ledger, client, batch(3)).sent == 2


def test_other_terms_under_the_same_key_are_refused() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    publish(ledger, client, batch(2))
    for other in (batch(3), batch(2, reward="0.20"), batch(2, places=5)):
        with pytest.raises(LedgerError, match="begun"):
            publish(ledger, client, other)
    assert len(fake.hits) == 2


def test_a_resumed_hit_shows_the_page_of_the_new_run_under_the_old_token() -> None:
    """Image links end; a page rendered for the resumed run has fresh ones. It is still the same HIT."""
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    fake.available = "0"
    with pytest.raises(InsufficientFunds):
        publish(ledger, client, batch(1))
    fake.available = "100"
    fresh = batch(1, page="fresh")
    publish(ledger, client, fresh)
    (hit,) = fake.hits.values()
    assert hit["Question"] == fresh.hits[0].question_xml
    row = ledger.hit("local", "round-1", "hit-0")
    assert row["question"] == fresh.hits[0].question_xml
    assert row["token"] in fake.tokens
    assert row["token"] == request_token("local", "round-1", "hit-0", question_digest(batch(1).hits[0].question_xml))


def test_an_adopted_hit_is_recorded_with_the_question_that_workers_see() -> None:
    fake, ledger = FakeMarket(drop={"CreateHIT": 1}), make_ledger()
    client = in_process_client(fake)
    with pytest.raises(MarketUnreachable):
        publish(ledger, client, batch(1))
    publish(ledger, client, batch(1, page="never sent"))
    row = ledger.hit("local", "round-1", "hit-0")
    assert row["question"] == batch(1).hits[0].question_xml
    assert row["adopted"]


def test_quote_counts_places_of_single_hits_and_masters() -> None:
    spec = replace(batch(2, reward="1.00"), hits=[HitSpec("a", batch(1).hits[0].question_xml, 1), batch(1).hits[0]])
    fees = resolve_market("aws").fees
    assert quote_batch(spec, fees).total == Decimal("4.80")
    masters = replace(spec, qualifications=[{"QualificationTypeId": "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"}])
    assert quote_batch(masters, fees).total == Decimal("5.00")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 129},
        {"title": ""},
        {"description": "x" * 2001},
        {"keywords": "x" * 1001},
        {"max_assignments": 0},
        {"lifetime": timedelta(seconds=29)},
        {"duration": timedelta(days=366)},
        {"auto_approval_delay": timedelta(days=31)},
        {"hits": []},
        {"hits": [HitSpec("a", "<x/>"), HitSpec("a", "<x/>")]},
        {"batch_key": "x" * 101},
        {"qualifications": [{}] * 11},
    ],
)
def test_limits_that_boto3_lets_through(change: dict[str, object]) -> None:
    fake = FakeMarket()
    with pytest.raises(MTurkError, match="nothing was sent"):
        publish(make_ledger(), in_process_client(fake), replace(batch(1), **change))  # type: ignore[arg-type]
    assert fake.calls == []


def test_a_question_that_is_too_large_is_named() -> None:
    with pytest.raises(QuestionTooLarge, match="HIT big of batch round-1"):
        publish(make_ledger(), in_process_client(FakeMarket()), replace(batch(1), hits=[HitSpec("big", "x" * 65_536)]))


def test_the_intent_is_committed_before_the_call() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    seen: list[str] = []
    create = client.create_hit

    def watch(request: object) -> HitInfo:
        seen.extend(row["status"] for row in ledger.hits("local"))
        return create(request)  # type: ignore[arg-type]

    client.create_hit = watch  # type: ignore[method-assign]
    publish(ledger, client, batch(2))
    assert seen == ["intent", "planned", "published", "intent"]
