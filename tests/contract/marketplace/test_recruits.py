"""Recruited people on every database: landing, work, pay lists, erasing, and where they came from."""

from __future__ import annotations

from decimal import Decimal

from galloway.mturk.marketplace.office.recruiting import Recruiting, recorded_sources

from tests.support.marketplace import Bench
from tests.support.recruits import SITE, given, link_study, two_hits


def test_from_the_link_to_the_paid_list(bench: Bench) -> None:
    office, study = Recruiting(bench.market.store), link_study((two_hits(bench),), status="published")
    office.add_study(study)
    link = given(office.person_link(study, SITE, "ann", "s1", None))
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    for _ in range(2):
        bench.work.submit(bench.work.go_on(worker), [("q", "1")])
    bench.work.finish(worker)
    (entry,) = office.entries("class")
    assert (entry.state, entry.done) == ("pending", 2)
    for _ in range(2):
        office.intend(entry, "reward", Decimal("1.00"), Decimal("0.00"), "")
    bench.work.quit(worker, erase=True)
    assert (office.make_list("class"), office.make_list("class"), office.list_paid("class", 1)) == (1, 0, 1)
    (entry,) = office.entries("class")
    assert entry.state == "paid" and "ann" not in entry.participant + entry.session
    found = recorded_sources(bench.market.config.state_dir, bench.market.config.url)
    assert (dict(found.of_worker), found.rewards) == ({worker: "classroom"}, {"classroom": Decimal("1.00")})
