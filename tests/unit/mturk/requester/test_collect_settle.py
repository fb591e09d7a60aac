"""Collecting twice changes nothing; paying twice is not possible; cancelling can be resumed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from galloway.mturk.requester.cancel import cancel
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.collect import collect, collected, payable
from galloway.mturk.requester.errors import (
    BudgetExceeded,
    InsufficientFunds,
    LedgerError,
    MarketUnreachable,
    MTurkError,
    WrongState,
)
from galloway.mturk.requester.extend import quote_extension
from galloway.mturk.requester.ledger import Ledger
from galloway.mturk.requester.markets import resolve_market
from galloway.mturk.requester.money import AWS_FEES
from galloway.mturk.requester.progress import batch_progress
from galloway.mturk.requester.publish import MASTERS, publish
from galloway.mturk.requester.settle import Bonus, approve, bonus, note_approvals, reject

from tests.support.mturk import FakeMarket, batch, in_process_client, make_ledger

Setting = tuple[FakeMarket, Ledger, MTurkClient]


@pytest.fixture
def setting() -> Setting:
    """Two published HITs, three answers to the first, one to the second."""
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake)
    hits = publish(ledger, client, batch(2)).hits
    for worker in ("AONE", "ATWO", "ATHREE"):
        fake.submit(hits[0].hit_id, worker, {"face.0": "keep", "comment": f"from {worker}"})
    fake.submit(hits[1].hit_id, "AONE", {"face.1": "reject:blurred"})
    return fake, ledger, client


def paid(ledger: Ledger) -> tuple[Decimal, Decimal]:
    """What workers got, and the market's fees."""
    rows = ledger.paid("local")
    fees = sum((row.fee * row.count for row in rows), Decimal(0))
    return sum((row.amount * row.count for row in rows), Decimal(0)), fees


def test_collects_answers_with_their_times(setting: Setting) -> None:
    _, ledger, client = setting
    found = collect(ledger, client)
    assert [item.worker_id for item in found] == ["AONE", "ATWO", "ATHREE", "AONE"]
    assert found[3].answers == {"face.1": "reject:blurred"}
    assert (found[3].batch_key, found[3].hit_key, found[3].status) == ("round-1", "hit-1", "Submitted")
    assert found[0].submitted_at.tzinfo is not None
    assert found[0].seconds == pytest.approx(60, abs=1)


def test_when_a_hit_ends_is_the_markets_word(setting: Setting) -> None:
    """A market whose clock jumped, or somebody else, ended it: nobody waits for its page any more."""
    fake, ledger, client = setting
    first, second = (row.hit_id for row in ledger.progress("local"))
    fake.hits[str(second)]["HITStatus"] = "Reviewable"
    collect(ledger, client)
    said = {row.hit_id: (row.status, row.expires_at) for row in ledger.progress("local")}
    assert (said[first][0], said[second][0]) == ("published", "ended")
    assert all(end is not None and end > datetime.now(UTC) for _, end in said.values()), "that is no end of its own"
    (open_, live) = ledger.sums("local")[0].progress.assignments, ledger.sums("local")[0].live
    assert (open_, live) == (6, 4), "three places of the one, one answer of the other"
    fake.hits[str(second)]["HITStatus"] = "Assignable"
    collect(ledger, client)
    assert {row.status for row in ledger.progress("local")} == {"published"}, "it may be opened again"


def test_keys_of_another_requester_abandon_nothing(setting: Setting) -> None:
    _, ledger, client = setting
    other = FakeMarket(number=count(1000))
    publish(make_ledger(), stranger := in_process_client(other), batch(1))
    for act in (collect, lambda ledger, client: cancel(ledger, client, "round-1")):
        with pytest.raises(LedgerError, match="galloway batch cancel round-1 --gone"):
            act(ledger, stranger)
    assert {row["status"] for row in ledger.hits("local")} == {"published"}
    assert ledger.batches("local")[0]["cancelled_at"] is None
    assert len(collect(ledger, client)) == 4


def test_a_batch_of_other_keys_waits_for_them_beside_batches_of_ours(setting: Setting) -> None:
    _, ledger, client = setting
    colleague = in_process_client(FakeMarket(number=count(1000)))
    publish(ledger, colleague, batch(1, key="round-2"))
    assert collect(ledger, colleague) == []
    result = cancel(ledger, colleague, "round-1")
    assert (result.deleted, result.waiting, result.done) == (0, 2, False)
    assert {row["status"] for row in ledger.hits("local")} == {"published"}
    assert len(collect(ledger, client)) == 4


def test_a_hit_that_was_deleted_at_the_market_is_gone_alone(setting: Setting) -> None:
    fake, ledger, client = setting
    del fake.hits[next(iter(fake.hits))]
    collect(ledger, client)
    assert [row["status"] for row in ledger.hits("local")] == ["disposed", "published"]


def test_what_the_market_forgot_long_ago_is_gone(setting: Setting) -> None:
    fake, ledger, client = setting
    collect(ledger, client)
    publish(ledger, client, batch(1, key="round-2"))
    for row in ledger.hits("local", ["round-1"]):
        del fake.hits[row["hit_id"]]
        ledger.note_end("local", "round-1", row["hit_key"], datetime.now(UTC) - timedelta(days=121), ended=True)
    assert len(collect(ledger, client)) == 4
    assert {row["status"] for row in ledger.hits("local", ["round-1"])} == {"disposed"}


def test_a_lost_market_has_a_way_out(setting: Setting) -> None:
    """Answers that came stay; what was not paid on the market that is gone cannot be, and is not tried again."""
    _, ledger, client = setting
    collect(ledger, client)
    anew = in_process_client(FakeMarket(number=count(1000)))
    with pytest.raises(LedgerError, match="batch cancel round-1 --gone"):
        collect(ledger, anew)
    result = cancel(ledger, anew, "round-1", gone=True)
    assert (result.done, result.approved, result.undecided) == (True, 0, 0)
    assert {row["status"] for row in ledger.hits("local")} == {"disposed"}
    assert payable(ledger, "local", kept := collect(ledger, anew)) == [] and len(kept) == 4
    publish(ledger, anew, batch(1, key="round-2"))
    assert len(collect(ledger, anew)) == 4


def test_collecting_twice_changes_nothing(setting: Setting) -> None:
    _, ledger, client = setting
    first = collect(ledger, client, ["round-1"])
    assert collect(ledger, client, ["round-1"]) == first == collected(ledger, "local")
    assert collect(ledger, client, ["other"]) == []


def test_every_page_is_read() -> None:
    fake, ledger = FakeMarket(page=2), make_ledger()
    client = in_process_client(fake)
    (hit,) = publish(ledger, client, batch(1, places=9)).hits
    for number in range(9):
        fake.submit(hit.hit_id, f"A{number}", {})
    assert len(collect(ledger, client)) == 9


def test_a_kept_answer_is_never_overwritten(setting: Setting) -> None:
    fake, ledger, client = setting
    collect(ledger, client)
    for row in fake.assignments.values():
        row |= {"Answer": "", "AssignmentStatus": "Approved"}
    again = collect(ledger, client)
    assert again[0].answers["face.0"] == "keep"
    assert {item.status for item in again} == {"Approved"}


def test_an_unreadable_answer_is_kept_and_named(setting: Setting) -> None:
    fake, ledger, client = setting
    fake.submit(next(iter(fake.hits)), "AFOUR", {}, xml="<broken")
    found = collect(ledger, client)[-1]
    assert found.answers == {}
    assert found.problem is not None
    assert ledger.assignments("local", answers=True)[-1]["answer_xml"] == "<broken"


def test_a_hit_that_is_gone_keeps_its_answers(setting: Setting) -> None:
    fake, ledger, client = setting
    before = collect(ledger, client)
    for hit in fake.hits.values():
        hit["HITStatus"] = "Disposed"
    assert collect(ledger, client) == before
    fake.calls.clear()
    collect(ledger, client)
    assert fake.calls == []


def test_settled_hits_are_not_asked_about_again(setting: Setting) -> None:
    fake, ledger, client = setting
    approve(ledger, client, [item.assignment_id for item in collect(ledger, client)])
    fake.calls.clear()
    collect(ledger, client)
    assert fake.calls == ["ListHITs", "ListAssignmentsForHIT"]
    progress = batch_progress(ledger, "local", "round-1")
    assert (progress.hits, progress.published, progress.assignments) == (2, 2, 6)
    assert (progress.submitted, progress.approved, progress.rejected) == (4, 4, 0)
    assert not progress.complete


def test_approving_pays_once(setting: Setting) -> None:
    fake, ledger, client = setting
    ids = [item.assignment_id for item in collect(ledger, client)]
    result = approve(ledger, client, ids)
    assert (result.done, result.already, result.paid) == (4, 0, Decimal("0.60"))
    again = approve(ledger, client, ids * 2)
    assert (again.done, again.already, again.paid) == (0, 4, Decimal("0.00"))
    assert fake.calls.count("ApproveAssignment") == 4
    assert paid(ledger) == (Decimal("0.60"), Decimal("0.00"))


@pytest.mark.parametrize("operation", ["ApproveAssignment", "RejectAssignment"])
def test_a_decision_whose_answer_was_lost_is_recorded_once(setting: Setting, operation: str) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    fake.drop = {operation: 1}

    def decide() -> object:
        if operation == "RejectAssignment":
            return reject(ledger, client, [first], reason="left half of it")
        return approve(ledger, client, [first])

    with pytest.raises(MarketUnreachable):
        decide()
    assert ledger.payments("local")[0]["status"] == "intent"
    decide()
    (row,) = ledger.payments("local")
    assert row["status"] == "done"
    assert fake.assignments[first]["AssignmentStatus"] == ledger.assignments("local")[0]["status"]


def test_rejecting_needs_a_reason(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    with pytest.raises(MTurkError, match="needs a reason"):
        reject(ledger, client, [first], reason="  ")
    assert fake.assignments[first]["AssignmentStatus"] == "Submitted"


def test_a_rejection_can_be_overruled(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    assert reject(ledger, client, [first], reason="empty").paid == 0
    with pytest.raises(LedgerError, match=r"with an override \(--override\)"):
        approve(ledger, client, [first])
    assert approve(ledger, client, [first], override_rejection=True).paid == Decimal("0.15")
    assert fake.assignments[first]["AssignmentStatus"] == "Approved"
    assert approve(ledger, client, [first]).already == 1
    with pytest.raises(LedgerError, match="cannot become Rejected"):
        reject(ledger, client, [first], reason="again")


@pytest.mark.parametrize("lost", [False, True])
def test_approvals_without_us_are_entered_as_payments_once(setting: Setting, lost: bool) -> None:
    """By the auto-approval delay, by hand, or by an approval of ours of which we never heard."""
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    if lost:
        fake.drop = {"ApproveAssignment": 1}
        with pytest.raises(MarketUnreachable):
            approve(ledger, client, [first])
    fake.assignments[first]["AssignmentStatus"] = "Approved"
    for _ in range(2):
        collect(ledger, client)
        assert approve(ledger, client, [first]).already == 1
        (row,) = ledger.payments("local")
        assert row["status"] == "done"
        assert paid(ledger)[0] == Decimal("0.15")


def test_approved_between_collecting_and_approving(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    fake.assignments[first]["AssignmentStatus"] = "Approved"
    assert approve(ledger, client, [first]).already == 1
    assert paid(ledger)[0] == Decimal("0.15")


def test_what_was_not_collected_cannot_be_settled(setting: Setting) -> None:
    fake, ledger, client = setting
    with pytest.raises(LedgerError, match="galloway collect"):
        approve(ledger, client, list(fake.assignments))


@pytest.mark.parametrize("forget_tokens", [False, True])
def test_a_bonus_whose_answer_was_lost_is_paid_once(setting: Setting, forget_tokens: bool) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    fake.forget_tokens, fake.drop = forget_tokens, {"SendBonus": 1}
    gift = [Bonus(first, Decimal("0.05"), "slow page")]
    with pytest.raises(MarketUnreachable):
        bonus(ledger, client, gift)
    assert bonus(ledger, client, gift).already == 1
    assert bonus(ledger, client, gift).already == 1
    assert len(fake.bonuses) == 1


def test_two_like_bonuses_of_two_keys_are_two(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    gifts = [Bonus(first, Decimal("0.05"), "thanks", key) for key in ("one", "two")]
    bonus(ledger, client, gifts[:1])
    fake.forget_tokens, fake.drop = True, {"SendBonus": 1}
    with pytest.raises(MarketUnreachable):
        bonus(ledger, client, gifts)
    bonus(ledger, client, gifts)
    assert len(fake.bonuses) == 2


def test_bonus_walls(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    gift = Bonus(first, Decimal("0.05"), "thanks")
    with pytest.raises(BudgetExceeded):
        bonus(ledger, client, [gift], budget=Decimal("0.04"))
    for wrong in (Bonus(first, Decimal(0), "x"), Bonus(first, Decimal("0.05"), " ")):
        with pytest.raises(MTurkError):
            bonus(ledger, client, [wrong])
    fake.available = "0.01"
    with pytest.raises(InsufficientFunds):
        bonus(ledger, client, [gift])
    assert ledger.payments("local") == []
    fake.available = "1.00"
    assert bonus(ledger, client, [gift]).paid == Decimal("0.05")
    with pytest.raises(LedgerError, match="another key"):
        bonus(ledger, client, [Bonus(first, Decimal("0.06"), "thanks")])


def test_fees_are_recorded_with_the_payment() -> None:
    fake, ledger = FakeMarket(), make_ledger()
    client = in_process_client(fake, market=resolve_market("https://turk.example.org", fees=resolve_market("aws").fees))
    client._pace = None
    (hit,) = publish(ledger, client, batch(1, reward="0.10", places=10)).hits
    fake.submit(hit.hit_id, "AONE", {})
    result = approve(ledger, client, [item.assignment_id for item in collect(ledger, client)])
    assert (result.paid, result.fees) == (Decimal("0.10"), Decimal("0.04"))


def _masters(ledger: Ledger, reward: str) -> tuple[FakeMarket, MTurkClient]:
    """Two HITs of two places for Masters at Mechanical Turk's fees, an answer to each."""
    fake = FakeMarket()
    client = in_process_client(fake, market=resolve_market("https://turk.example.org", fees=AWS_FEES))
    client._pace = None
    wanted = [{"QualificationTypeId": min(MASTERS), "Comparator": "Exists"}]
    spec = replace(batch(2, reward=reward, places=2), qualifications=wanted, budget=None)
    for number, made in enumerate(publish(ledger, client, spec).hits):
        fake.submit(made.hit_id, f"A{number}", {})
    return fake, client


def test_masters_cost_what_was_quoted() -> None:
    ledger = make_ledger()
    _, client = _masters(ledger, "1.00")
    (row,) = ledger.batches()
    assert row["price"] == Decimal("5.00")
    first, second = (item.assignment_id for item in collect(ledger, client))
    result = approve(ledger, client, [first])
    assert (result.paid, result.fees) == (Decimal("1.00"), Decimal("0.25"))
    client.approve(second)
    collect(ledger, client)
    note_approvals(ledger, client)
    assert [payment["fee"] for payment in ledger.payments(None)] == [Decimal("0.25"), Decimal("0.25")]
    more = quote_extension(ledger, row["state_key"], AWS_FEES, row["batch_key"], 3)
    assert (more.assignments, more.total) == (6, Decimal("7.50"))
    # Killed after the price was noted: the places come later, and it is a batch for Masters meanwhile.
    ledger.extend_batch(row["state_key"], row["batch_key"], 3, more.total)
    assert quote_extension(ledger, row["state_key"], AWS_FEES, row["batch_key"], 3).total == Decimal("7.50")


def test_others_do_not_cost_what_masters_do() -> None:
    ledger, fake = make_ledger(), FakeMarket()
    client = in_process_client(fake, market=resolve_market("https://turk.example.org", fees=AWS_FEES))
    client._pace = None
    publish(ledger, client, replace(batch(2, reward="1.00", places=2), budget=None))
    (row,) = ledger.batches()
    about = row["state_key"], AWS_FEES, row["batch_key"], 3
    ledger.extend_batch(row["state_key"], row["batch_key"], 3, quote_extension(ledger, *about).total)
    assert quote_extension(ledger, *about).total == Decimal("7.20")


def test_cancel_pays_what_was_done_and_deletes_the_rest(setting: Setting) -> None:
    fake, ledger, client = setting
    held = list(fake.hits)[1]
    fake.hits[held]["held"] = True
    first = cancel(ledger, client, "round-1")
    assert (first.expired, first.approved, first.deleted, first.waiting, first.undecided) == (2, 4, 1, 1, 0)
    assert not first.done
    assert first.until is not None
    fake.submit(held, "ALATE", {"face.1": "keep"})
    fake.hits[held]["held"] = False
    last = cancel(ledger, client, "round-1")
    assert (last.approved, last.deleted, last.waiting) == (1, 1, 0)
    assert last.done
    assert {hit["HITStatus"] for hit in fake.hits.values()} == {"Disposed"}
    assert len(collected(ledger, "local")) == 5
    assert cancel(ledger, client, "round-1").done
    with pytest.raises(LedgerError, match="was cancelled"):
        publish(ledger, client, batch(2))


def test_what_has_no_decision_is_read_first_and_no_more_than_is_shown(setting: Setting) -> None:
    _, ledger, client = setting
    everything = [item.assignment_id for item in collect(ledger, client)]
    assert ledger.wanted_and_came() == (sum(row.places for row in ledger.progress()), len(everything))
    approve(ledger, client, everything[:2])
    assert set(ledger.undecided("local", "round-1")) == set(everything[2:])
    shown = collected(ledger, "local", ["round-1"], most=3)
    assert [item.assignment_id for item in shown] == [*everything[2:], everything[0]][:3]


def test_cancel_can_leave_the_decision_to_a_person(setting: Setting) -> None:
    _, ledger, client = setting
    result = cancel(ledger, client, "round-1", approve_submitted=False)
    assert (result.approved, result.deleted, result.undecided) == (0, 0, 4)
    reject(ledger, client, [item.assignment_id for item in collected(ledger, "local")], reason="empty")
    assert cancel(ledger, client, "round-1").deleted == 2


def test_cancel_finds_hits_that_publish_never_heard_of() -> None:
    ledger = make_ledger()
    client = in_process_client(FakeMarket(drop={"CreateHIT": 1}))
    with pytest.raises(MarketUnreachable):
        publish(ledger, client, batch(2))
    result = cancel(ledger, client, "round-1")
    assert (result.deleted, result.never_sent) == (1, 1)
    assert {row["status"] for row in ledger.hits("local")} == {"disposed"}
    assert cancel(ledger, client, "round-1").done
    with pytest.raises(LedgerError, match="no batch other"):
        cancel(ledger, client, "other")


def test_state_errors_of_unknown_kind_are_not_swallowed(setting: Setting) -> None:
    fake, ledger, client = setting
    first = collect(ledger, client)[0].assignment_id
    fake.assignments[first]["AssignmentStatus"] = "Rejected"
    with pytest.raises(LedgerError, match="is Rejected at the market"):
        approve(ledger, client, [first])
    assert ledger.payments("local") == []
    with pytest.raises(WrongState):
        client.approve(first)
