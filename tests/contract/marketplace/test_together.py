"""Many write at the same time, in one server and in two: every place is given once, nobody waits without need, and a
server that freezes in the middle is not waited for."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from botocore.exceptions import ClientError
from galloway.mturk.marketplace.app import Marketplace
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.errors import NothingAvailable, TooLate, WorkError
from galloway.mturk.marketplace.lifecycle import assignments, hits
from galloway.mturk.marketplace.store import Tx
from galloway.mturk.marketplace.store import tables as t
from galloway.mturk.marketplace.store.outage import AWAY

from tests.contract.marketplace.conftest import Starter
from tests.support.marketplace import Bench, FakeClock, mturk_client

on_postgresql = pytest.mark.parametrize(
    "start", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def at_once(*jobs: Callable[[], object]) -> None:
    """Run the jobs at the same time; what one of them raises is raised here."""
    ready, failed = threading.Barrier(len(jobs)), list[BaseException]()

    def run(job: Callable[[], object]) -> None:
        ready.wait()
        try:
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def second_server(bench: Bench) -> Marketplace:
    """Another server of the same marketplace, on the same database."""
    return Marketplace(bench.market.config)


def counted(bench: Bench) -> None:
    """What HITs, groups, workers and requesters say of themselves is what the assignments say."""
    with bench.market.store.read() as tx:
        for hit in tx.conn.execute(sa.select(t.hit)).mappings():
            states = tx.conn.scalars(sa.select(t.assignment.c.state).where(t.assignment.c.hit_id == hit["id"])).all()
            told = {name: hit[name] for name in ("held", "submitted", "approved", "rejected")}
            assert told == {
                "held": states.count("Accepted"),
                "submitted": states.count("Submitted"),
                "approved": states.count("Approved"),
                "rejected": states.count("Rejected"),
            }
            assert sum(told.values()) <= hit["max_assignments"]
        for kind in tx.conn.execute(sa.select(t.hit_type)).mappings():
            mine = sa.and_(t.hit.c.type_id == kind["id"], t.hit.c.status == "Assignable")
            assert kind["open_hits"] == tx.conn.scalar(sa.select(sa.func.count()).select_from(t.hit).where(mine))
        for worker in tx.conn.execute(sa.select(t.worker)).mappings():
            mine = sa.and_(t.assignment.c.worker_id == worker["id"], t.assignment.c.submitted_at.is_not(None))
            assert worker["submitted"] == tx.conn.scalar(
                sa.select(sa.func.count()).select_from(t.assignment).where(mine)
            )


def test_no_place_is_given_twice_by_two_servers(bench: Bench) -> None:
    other = second_server(bench)
    made = [bench.hit(MaxAssignments=2) for _ in range(12)]
    group = made[0]["HITGroupId"]
    workers = [bench.worker(f"w{number}") for number in range(8)]
    done: list[str] = []

    def labour(worker: str, market: Marketplace) -> None:
        while True:
            try:
                taken = market.work.accept(worker, group_id=group)
                if len(done) % 5 == 4:
                    market.work.return_(worker, taken.assignment_id)
                    taken = market.work.accept(worker, group_id=group)
            except NothingAvailable:
                return
            market.work.submit(taken.assignment_id, [("q", taken.assignment_id)])
            done.append(taken.assignment_id)

    jobs = [(worker, (bench.market, other)[place % 2]) for place, worker in enumerate(workers)]
    at_once(*(lambda worker=worker, market=market: labour(worker, market) for worker, market in jobs))
    # Who gave one back may have seen nothing left meanwhile: the rest is done one after the other.
    for worker, market in jobs:
        labour(worker, market)
    assert len(done) == len(set(done)) == 24
    counted(bench)
    other.close()


def test_money_adds_up_while_everybody_writes(start: Starter) -> None:
    bench = start(sandbox=False)
    bench.market.operator.fund("Ada", "1000.00")
    made = [bench.hit(MaxAssignments=6, Reward="1.00")["HITId"] for _ in range(4)]
    workers = [bench.worker(f"w{number}") for number in range(6)]
    sent: list[str] = []

    def labour(worker: str) -> None:
        for name in made:
            sent.append(bench.done(name, worker))

    def decide() -> None:
        client = mturk_client(bench.market.api_wsgi, bench.key, bench.secret)
        decided = 0
        while decided < 24:
            for name in sent[decided:]:
                if decided % 6 == 5:
                    client.reject_assignment(AssignmentId=name, RequesterFeedback="no face")
                else:
                    client.approve_assignment(AssignmentId=name)
                decided += 1
            time.sleep(0.001)

    def publish() -> None:
        client = mturk_client(bench.market.api_wsgi, bench.key, bench.secret)
        for _ in range(6):
            bench.hit(client, Reward="0.50", MaxAssignments=1)

    at_once(decide, publish, *(lambda worker=worker: labour(worker) for worker in workers))
    counted(bench)
    with bench.market.store.read() as tx:
        (row,) = tx.conn.execute(sa.select(t.requester)).mappings()
        booked = tx.conn.scalar(sa.select(sa.func.sum(t.ledger.c.cents)))
    assert (row["approved"], row["rejected"]) == (20, 4)
    assert row["balance_cents"] == booked == 1000_00 - 20 * 100
    assert row["hold_cents"] == 6 * 50, "what the open HITs may cost; nothing of those that are done"


def test_a_token_makes_one_hit_however_often_at_once(bench: Bench) -> None:
    told: list[str] = []

    def publish() -> None:
        client = mturk_client(bench.market.api_wsgi, bench.key, bench.secret)
        try:
            told.append(bench.hit(client, UniqueRequestToken="once")["HITId"])
        except client.exceptions.RequestError as error:
            told.append(str(error))

    at_once(*[publish] * 6)
    assert len([words for words in told if "already exists" in words]) == 5
    assert bench.client.list_hits()["NumResults"] == 1


@on_postgresql
def test_nobody_waits_for_what_others_do_elsewhere(bench: Bench) -> None:
    first, second = (bench.hit(MaxAssignments=2) for _ in range(2))
    worker = bench.worker()
    held, go = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        hits.require(tx, first["HITId"], hold=True)
        held.set()
        assert go.wait(30)

    busy = threading.Thread(target=lambda: bench.market.store.together(hold))
    busy.start()
    assert held.wait(30)
    try:
        taken = bench.work.accept(worker, group_id=first["HITGroupId"])
        assert taken.hit_id == second["HITId"], "the one that is being taken is passed over"
        bench.work.save_draft(taken.assignment_id, [("q", "1")])
        bench.work.submit(taken.assignment_id, [("q", "1")])
    finally:
        go.set()
        busy.join()
    assert bench.work.accept(worker, group_id=first["HITGroupId"]).hit_id == first["HITId"]


@on_postgresql
def test_two_in_each_others_way_both_get_through(bench: Bench) -> None:
    names = [bench.hit()["HITId"] for _ in range(2)]
    meet, tries = threading.Barrier(2), list[str]()

    def cross(order: list[str]) -> None:
        def work(tx: Tx) -> None:
            tries.append(order[0])
            hits.require(tx, order[0], hold=True)
            if tries.count(order[0]) == 1:
                meet.wait(30)
            row = hits.require(tx, order[1], hold=True)
            hits.change(tx, row, max_assignments=row["max_assignments"] + 1)

        bench.market.store.together(work)

    at_once(lambda: cross(names), lambda: cross(names[::-1]))
    # Who begins anew may lock its row again before the one that waits for it has woken up, and they meet once more.
    assert len(tries) >= 3, "one of them began anew"
    assert [bench.client.get_hit(HITId=name)["HIT"]["MaxAssignments"] for name in names] == [4, 4]


@on_postgresql
def test_who_waited_for_a_hit_sees_its_assignment_as_it_is_now(bench: Bench) -> None:
    worker = bench.worker()
    name = bench.work.accept(worker, hit_id=bench.hit()["HITId"]).assignment_id
    told: list[str] = []

    def send() -> None:
        with pytest.raises(TooLate) as refused:
            bench.work.submit(name, [("q", "1")])
        told.append(str(refused.value))

    sending = threading.Thread(target=send)

    def give_back(tx: Tx) -> None:
        row = assignments.find(tx, name)
        assert row is not None
        hits.require(tx, row["hit_id"], hold=True)
        sending.start()
        waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        end, seen = time.monotonic() + 30, 0
        while not seen and time.monotonic() < end:
            with bench.market.store.engine.connect() as look:
                seen = look.scalar(waits) or 0
        assert seen
        assignments.return_(tx, row)

    bench.market.store.together(give_back)
    sending.join()
    assert told and "was returned" in told[0]
    counted(bench)


FROZEN = """
import os, signal, sys
from pathlib import Path
from galloway.mturk.marketplace.app import MarketConfig, open_store
from galloway.mturk.marketplace.lifecycle import hits
store = open_store(MarketConfig(state_dir=Path(sys.argv[1]), database_url=sys.argv[2], patience_seconds=3))
def freeze(tx):
    row = hits.require(tx, sys.argv[3], hold=True)
    hits.change(tx, row, max_assignments=99)
    print("holding", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
if sys.argv[4] == "alone":
    with store.write() as tx:
        freeze(tx)
else:
    store.together(freeze)
"""


@on_postgresql
@pytest.mark.parametrize("how", ["alone", "together"])
def test_a_frozen_server_is_not_waited_for_for_ever(start: Starter, how: str) -> None:
    bench = start(patience_seconds=3)
    hit, worker = bench.hit(LifetimeInSeconds=300 * 86400)["HITId"], bench.worker()
    folder, url = str(bench.market.config.state_dir), bench.market.config.database_url
    frozen = subprocess.Popen(
        [sys.executable, "-c", FROZEN, folder, url, hit, how],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    try:
        assert frozen.stdout is not None and frozen.stdout.readline() == "holding\n"
        began = time.monotonic()
        bench.done(hit, worker)
        assert time.monotonic() - began < 30
        assert bench.client.get_hit(HITId=hit)["HIT"]["MaxAssignments"] == 3, "what it had begun is undone"
    finally:
        frozen.send_signal(signal.SIGCONT)
        _, told = frozen.communicate(timeout=30)
    assert frozen.returncode != 0 and "idle-in-transaction timeout" in told
    counted(bench)


@on_postgresql
def test_time_outs_end_who_waits_who_computes_and_who_holds(start: Starter, caplog: pytest.LogCaptureFixture) -> None:
    """Lock, statement and idle time-out, each on a server with a patience of its own; the others go on."""
    bench = start()
    hit, worker = bench.hit()["HITId"], bench.worker()
    hasty = Marketplace(replace(bench.market.config, patience_seconds=0.5))
    client = mturk_client(hasty.api_wsgi, bench.key, bench.secret)
    began = time.monotonic()

    def hold(tx: Tx) -> None:
        hits.require(tx, hit, hold=True)
        for _ in range(2):
            with pytest.raises(ClientError, match=r"ServiceFault.*does not answer just now"):
                client.update_expiration_for_hit(HITId=hit, ExpireAt=0)

    bench.market.store.together(hold)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "lock timeout" in line
    with pytest.raises(AWAY, match="statement timeout"):
        hasty.store.look(sa.select(sa.func.pg_sleep(60).label("slept")), {})
    with pytest.raises(AWAY, match="idle-in-transaction timeout"), hasty.store.write() as tx:
        bench.done(hit, worker)  # waits for this one, which does nothing more
        tx.conn.execute(sa.select(1))
    assert client.get_hit(HITId=hit)["HIT"]["HITStatus"], "the same server goes on"
    assert time.monotonic() - began < 30
    counted(bench)
    hasty.close()


def test_a_late_sender_comes_after_who_was_before(bench: Bench) -> None:
    """The time of an answer is taken when the HIT is held: a page of answers that was read skips nobody."""
    hit = bench.hit()["HITId"]
    clock: FakeClock = bench.clock
    names = [bench.work.accept(bench.worker(f"w{number}"), hit_id=hit).assignment_id for number in range(2)]
    for name in names:
        clock.forward(seconds=1)
        bench.work.submit(name, [("q", "1")])
    found = bench.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    assert [item["AssignmentId"] for item in found] == names


def test_who_closes_the_account_meanwhile_takes_nothing(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    bench.work.leave(worker, "correct horse")
    with pytest.raises(WorkError, match="closed"):
        bench.work.accept(worker, hit_id=hit)


def test_a_double_click_takes_one_hit_in_two_servers_too(bench: Bench) -> None:
    group, *_ = [bench.hit()["HITGroupId"] for _ in range(9)]
    other = second_server(bench)
    worker = bench.worker()
    for turn in range(4):
        took = list[str]()

        def click(work: Work, once: str = f"form {turn}", took: list[str] = took) -> None:
            took.append(work.accept(worker, group_id=group, once=once).assignment_id)

        at_once(*(partial(click, work) for work in (bench.work, other.work, bench.work)))
        assert len(set(took)) == 1
        assert len(bench.work.current(worker)) == turn + 1
    other.close()
