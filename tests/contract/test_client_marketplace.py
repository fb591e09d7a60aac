"""The requester's library against the embedded marketplace, over HTTP and through unmodified boto3."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from galloway.mturk.marketplace.app import add_requester
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.mturk.requester.cancel import cancel
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.errors import (
    AlreadyExists,
    DoesNotExist,
    InsufficientFunds,
    LedgerError,
    RequestRefused,
    WrongState,
)
from galloway.mturk.requester.markets import resolve_market
from galloway.mturk.requester.money import percent_fees
from galloway.mturk.requester.progress import batch_progress
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import Bonus, approve, bonus, reject
from galloway.mturk.requester.workers import (
    block,
    blocked,
    create_qualification,
    grant,
    grant_known,
    notify,
    qualified,
    revoke,
    unblock,
)

from tests.contract.test_client_spend_once import run_child
from tests.support.mturk import batch, client_for, make_ledger

pytestmark = pytest.mark.enable_socket


@dataclass
class Site:
    """A running marketplace with one requester and the means to work on it."""

    running: RunningMarketplace
    client: MTurkClient
    keys: tuple[str, str]
    workers: dict[str, str]

    def worker(self, name: str) -> str:
        """The id of a worker of that name, who signs up if need be."""
        if name not in self.workers:
            work = self.running.market.work
            session = work.join(work.invite().token, name=name, password="correct horse battery")
            self.workers[name] = session.worker.worker_id
        return self.workers[name]

    def answer(self, name: str, hit_id: str, fields: dict[str, str]) -> str:
        """A worker accepts a HIT and submits; the assignment's id."""
        work = self.running.market.work
        held = work.accept(self.worker(name), hit_id=hit_id)
        work.submit(held.assignment_id, list(fields.items()))
        return held.assignment_id


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with RunningMarketplace(MarketConfig(state_dir=tmp_path / "market")) as running:
        keys = add_requester(running.market.store, "trial")
        yield Site(running, client_for(running.addresses.api, *keys), keys, {})


def test_publish_answer_collect_approve_bonus_delete(site: Site) -> None:
    ledger, client = make_ledger(), site.client
    result = publish(ledger, client, batch(2, places=2))
    assert result.sent == 2
    assert publish(ledger, client, batch(2, places=2)).already == 2
    for name in ("Ann", "Ben"):
        for number, hit in enumerate(result.hits):
            site.answer(name, hit.hit_id, {f"face.{number}": "reject:blurred", "comment": "a < b & ü"})
    found = collect(ledger, client)
    assert collect(ledger, client) == found
    assert len(found) == 4
    assert found[0].answers == {"face.0": "reject:blurred", "comment": "a < b & ü"}
    assert {item.worker_id for item in found} == set(site.workers.values())
    assert batch_progress(ledger, "local", "round-1").complete

    ids = [item.assignment_id for item in found]
    assert approve(ledger, client, ids[:3]).paid == Decimal("0.45")
    assert reject(ledger, client, ids[3:], reason="nothing was marked").done == 1
    assert approve(ledger, client, ids[3:], override_rejection=True).done == 1
    assert approve(ledger, client, ids).already == 4
    assert bonus(ledger, client, [Bonus(ids[0], Decimal("0.05"), "slow page")]).done == 1
    assert [paid.amount for paid in client.list_bonuses(ids[0])] == [Decimal("0.05")]
    assert sum(row.amount * row.count for row in ledger.paid("local")) == Decimal("0.65")
    last = cancel(ledger, client, "round-1")
    assert (last.deleted, last.done) == (2, True)
    assert list(client.list_hits()) == []


def test_a_repeated_token_leads_to_the_hit(site: Site) -> None:
    """The ledger is lost and the listing lags: the error of the used token names the HIT."""
    first = publish(make_ledger(), site.client, batch(1))
    site.client.list_hits = lambda: iter(())  # type: ignore[method-assign]
    second = publish(make_ledger(), site.client, batch(1))
    assert (second.sent, second.adopted) == (0, 1)
    assert second.hits == first.hits


def test_a_lost_ledger_is_found_again_over_many_pages(site: Site) -> None:
    publish(make_ledger(), site.client, batch(105))
    again = publish(make_ledger(), site.client, batch(105))
    assert (again.sent, again.adopted) == (0, 105)


@pytest.mark.parametrize(
    "fault", [("ledger", "mark_intent", "after", 2), ("client", "create_hit", "after", 2)], ids=("intent", "call")
)
def test_killed_while_publishing(site: Site, tmp_path: Path, fault: tuple[str, str, str, int]) -> None:
    path = tmp_path / "galloway.db"
    endpoint = site.running.addresses.api
    assert run_child("publish", endpoint, path, fault, keys=site.keys) == -signal.SIGKILL
    result = publish(make_ledger(path), site.client, batch(3))
    assert {hit.hit_id for hit in result.hits} == {info.hit_id for info in site.client.list_hits()}
    assert len(result.hits) == 3


def test_a_bonus_token_is_used_once(site: Site) -> None:
    ledger, client = make_ledger(), site.client
    (hit,) = publish(ledger, client, batch(1)).hits
    assignment_id = site.answer("Ann", hit.hit_id, {"face.0": "keep"})
    collect(ledger, client)
    approve(ledger, client, [assignment_id])
    pay = (site.worker("Ann"), assignment_id, Decimal("0.05"), "thanks", "t" * 64)
    client.send_bonus(*pay)
    with pytest.raises(AlreadyExists):
        client.send_bonus(*pay)
    assert len(list(client.list_bonuses(assignment_id))) == 1


def test_cancel_waits_for_work_in_hand(site: Site) -> None:
    ledger, client, work = make_ledger(), site.client, site.running.market.work
    (hit,) = publish(ledger, client, batch(1)).hits
    held = work.accept(site.worker("Ann"), hit_id=hit.hit_id)
    first = cancel(ledger, client, "round-1")
    assert (first.deleted, first.waiting) == (0, 1)
    work.submit(held.assignment_id, [("face.0", "keep")])
    last = cancel(ledger, client, "round-1")
    assert (last.approved, last.deleted, last.done) == (1, 1, True)
    with pytest.raises(LedgerError, match="was cancelled"):
        publish(ledger, client, batch(1))


def test_errors_of_the_real_wire(site: Site) -> None:
    client = site.client
    with pytest.raises(DoesNotExist):
        client.get_hit("3" + "A" * 29)
    (hit,) = publish(make_ledger(), client, batch(1)).hits
    with pytest.raises(WrongState):
        client.delete_hit(hit.hit_id)
    stranger = client_for(site.running.addresses.api, "AKIANOBODY", "secret")
    with pytest.raises(RequestRefused, match="AWS_ACCESS_KEY_ID"):
        stranger.balance()


def test_workers_blocks_messages_and_qualifications(site: Site) -> None:
    client, ann = site.client, site.worker("Ann")
    block(client, ann, "answers at random")
    assert blocked(client) == {ann: "answers at random"}
    unblock(client, ann)
    assert blocked(client) == {}
    held = create_qualification(client, "has judged round 1", "Others are asked now.")
    assert create_qualification(client, "has judged round 1", "Others are asked now.") == held
    grant(client, held, ann, 7)
    assert [(item.worker_id, item.value) for item in qualified(client, held)] == [(ann, 7)]
    revoke(client, held, ann, "a new round")
    assert qualified(client, held) == []
    assert ann in notify(client, [ann], "Hello", "Thank you.")


def test_a_qualification_goes_to_the_workers_whom_the_market_knows(site: Site) -> None:
    held = create_qualification(site.client, "has judged these", "Later rounds ask others.")
    ann = site.worker("Ann")
    strangers = ["A1B2C3D4E5F6G7", "not an id"]
    unknown = grant_known(site.client, held, [*strangers, ann])
    assert unknown == strangers
    assert [item.worker_id for item in qualified(site.client, held)] == [ann]
    with pytest.raises(DoesNotExist):
        grant_known(site.client, "3NOSUCHQUALIFICATION", [ann])


def test_fees_are_the_marketplaces_own(tmp_path: Path) -> None:
    """A production marketplace with 20 %: what we quote is what it takes, to the cent."""
    config = MarketConfig(state_dir=tmp_path / "market", fee_percent=Decimal(20), sandbox=False)
    with RunningMarketplace(config) as running:
        keys = add_requester(running.market.store, "trial")
        market = resolve_market("local", local_endpoint=running.addresses.api, fees=percent_fees(Decimal(20)))
        client, ledger = MTurkClient(market, *keys), make_ledger()
        with pytest.raises(InsufficientFunds, match="nothing was sent"):
            publish(ledger, client, batch(1, reward="0.10", places=10))
        assert list(client.list_hits()) == []
