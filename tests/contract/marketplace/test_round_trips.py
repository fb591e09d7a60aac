"""On PostgreSQL statements go together where their answers allow it, and what is wrong with one of them is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from galloway.mturk.marketplace.errors import NothingAvailable
from galloway.mturk.marketplace.lifecycle import hits
from galloway.mturk.marketplace.store import Tx, ask, ask_one, tell
from galloway.mturk.marketplace.store import tables as t
from galloway.mturk.marketplace.store.outage import AWAY
from galloway.mturk.marketplace.store.round_trips import FORGOTTEN

from tests.support.marketplace import Bench

pytestmark = pytest.mark.parametrize("start", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
NAMED = sa.select(t.requester.c.name, t.requester.c.seq, (t.requester.c.seq > 0).label("there")).where(
    t.requester.c.name == sa.bindparam("name")
)
BROKEN = sa.select((sa.literal(1) / sa.bindparam("by", type_=sa.BigInteger())).label("part"))
LONG = sa.select(sa.func.repeat(sa.bindparam("word", type_=sa.Text()), 2000, type_=sa.Text()).label("text"))
RENAME = t.requester.update().where(t.requester.c.name == sa.bindparam("was"))


@contextmanager
def traced(bench: Bench, path: Path) -> Iterator[Callable[[], int]]:
    """How often the server was asked and waited for so far, as libpq notes what goes over each connection."""
    drivers = list[Any]()

    def trace(driver: Any, *_: object) -> None:
        driver.pgconn.trace(file.fileno())
        drivers.append(driver)

    def trips() -> int:
        lines = [line.split(b"\t") for line in path.read_bytes().splitlines()]
        return sum(line[1] == b"F" and line[3].strip() in (b"Sync", b"Query") for line in lines if len(line) > 3)

    with path.open("wb") as file:
        sa.event.listen(bench.market.store.engine, "checkout", trace)
        yield trips
        sa.event.remove(bench.market.store.engine, "checkout", trace)
        for driver in drivers:
            driver.pgconn.untrace()


def test_an_assignment_takes_few_round_trips(bench: Bench, tmp_path: Path) -> None:
    made = [bench.hit(MaxAssignments=2) for _ in range(3)]
    worker = bench.worker()
    with traced(bench, tmp_path / "wire") as trips:
        for _ in range(2):
            before = trips()
            taken = bench.work.accept(worker, group_id=made[0]["HITGroupId"])
            assert trips() - before == 3, "the HIT; the worker and how they stand to it; all changes"
            bench.work.submit(taken.assignment_id, [("q", "1")])
            assert 6 <= trips() - before <= 7, "the HIT; all changes; now and then the usual time; the end"


def test_changes_are_seen_by_what_is_asked_after_them(bench: Bench) -> None:
    def work(tx: Tx) -> None:
        tell(tx, RENAME, {"was": "Ada", "name": "Bea"})
        assert ask(tx, (NAMED, {"name": "Ada"}), (NAMED, {"name": "Bea"}))[1][0]["there"] is True
        tell(tx, RENAME, {"was": "Bea", "name": "Cleo"})
        assert tx.conn.scalar(sa.select(t.requester.c.name)) == "Cleo", "by another way, too"
        tell(tx, RENAME, {"was": "Cleo", "name": "Dora ’ ä 脸"})

    bench.market.store.together(work)
    with bench.market.store.read() as tx:
        assert tx.conn.scalar(sa.select(t.requester.c.name)) == "Dora ’ ä 脸"


def test_of_what_fails_nothing_stays(bench: Bench) -> None:
    store = bench.market.store

    def divide(tx: Tx) -> None:
        tell(tx, RENAME, {"was": "Ada", "name": "Bea"})
        ask(tx, (NAMED, {"name": "Bea"}), (BROKEN, {"by": 0}), (NAMED, {"name": "Bea"}))

    def late(tx: Tx) -> None:
        tell(tx, RENAME, {"was": "Ada", "name": "Bea"})
        tell(tx, RENAME, {"was": "Bea", "name": "x" * 300})

    def refuse(tx: Tx) -> None:
        assert ask_one(tx, NAMED, {"name": "Ada"})
        tell(tx, RENAME, {"was": "Ada", "name": "Bea"})
        raise NothingAvailable("none")

    for work, told in ((divide, "division by zero"), (late, "value too long")):
        with pytest.raises(AWAY, match=told):
            store.together(work)
    with pytest.raises(NothingAvailable):
        store.together(refuse)
    assert store.together(lambda tx: ask_one(tx, NAMED, {"name": "Ada"})) is not None
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_what_cannot_be_sent_is_refused(bench: Bench) -> None:
    store = bench.market.store
    with pytest.raises(AWAY, match="number 0"):
        store.together(lambda tx: ask_one(tx, NAMED, {"name": "A\0da"}))
    with pytest.raises(TypeError, match="float"):
        store.together(lambda tx: ask_one(tx, NAMED, {"name": 1.5}))
    assert store.together(lambda tx: ask_one(tx, NAMED, {"name": "Ada"})), "another connection goes on"


def test_much_goes_both_ways_at_once(bench: Bench) -> None:
    """More than sockets hold: the server waits for its answers to be read while it is still sent questions."""
    word = "ab" * 4000
    asked = [(LONG, {"word": word}) for _ in range(12)]
    found = bench.market.store.together(lambda tx: ask(tx, *asked))
    assert [len(rows[0]["text"]) for rows in found] == [2000 * len(word)] * 12


def test_what_the_driver_forgot_is_prepared_anew(bench: Bench) -> None:
    store, tries = bench.market.store, list[int]()

    def work(tx: Tx) -> bool:
        tries.append(1)
        found = ask_one(tx, NAMED, {"name": "Ada"})
        if len(tries) == 1:
            tx.conn.exec_driver_sql("DEALLOCATE ALL")
            ask_one(tx, NAMED, {"name": "Ada"})
        return found is not None

    assert store.together(work)
    assert len(tries) == 2, FORGOTTEN


def test_what_is_due_comes_first(bench: Bench) -> None:
    """Even where a change would have been the first thing that is sent."""
    hit = bench.hit(LifetimeInSeconds=60)["HITId"]
    seen = list[bool]()

    def work(tx: Tx) -> None:
        tell(tx, RENAME, {"was": "Ada", "name": "Bea"})
        seen.append(hits.require(tx, hit)["expiry_noted"])

    bench.clock.forward(seconds=61)
    bench.market.store.together(work)
    assert seen == [True], "the first try asked nothing"


def test_a_connection_that_was_ended_is_replaced(bench: Bench) -> None:
    store = bench.market.store

    def work(tx: Tx) -> None:
        assert ask_one(tx, NAMED, {"name": "Ada"})
        pid = tx.conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        assert store.look(sa.select(sa.func.pg_terminate_backend(pid).label("ended")), {}) == {"ended": True}
        ask_one(tx, NAMED, {"name": "Ada"})

    with pytest.raises(AWAY, match="terminating connection"):
        store.together(work)
    assert store.together(lambda tx: ask_one(tx, NAMED, {"name": "Ada"})), "the next one asks the same server"
