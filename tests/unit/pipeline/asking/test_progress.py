"""What published batches can still cost: the wall that a budget is measured against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.tables import vote_table
from galloway.mturk.requester.ledger_tables import assignment as assignment_table
from galloway.mturk.requester.ledger_tables import hit as hit_table
from galloway.mturk.requester.progress import batch_progress, summed
from galloway.pipeline.app import App
from galloway.pipeline.asking.heeded import heeded_votes
from galloway.pipeline.asking.progress import batch_lines, batches, commitments, committed, hits, waiting_pairs
from galloway.pipeline.stages.status import read_status

from tests.support.web import full_workspace

pytestmark = pytest.mark.both_databases

KEY = "abc123-a-usable-r1-0001"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """One batch of two HITs with three places at 0.15 each: the first answered and paid, the second open."""
    found = App(full_workspace(tmp_path / "ws", faces=4))
    _expire_at(found, datetime.now(UTC) + timedelta(hours=1))
    return found


def _expire_at(app: App, when: datetime) -> None:
    with app.workspace.db.begin() as db:
        db.execute(hit_table.update().values(expires_at=when))


@pytest.mark.parametrize(
    "look",
    [
        lambda app: batch_progress(app.ledger, "local", KEY),
        lambda app: committed(app, "local"),
        lambda app: waiting_pairs(app, "local"),
        batch_lines,
        batches,
        lambda app: hits(app, KEY),
        read_status,
    ],
    ids=["progress", "committed", "waiting", "lines", "rows", "hits", "status"],
)
def test_how_far_a_batch_is_is_counted_by_the_database(app: App, look: Callable[[App], object]) -> None:
    """Not by loading every answer: 5,000 of them took a hundred times as long as a count."""
    sent: list[str] = []
    sa.event.listen(app.workspace.db, "before_cursor_execute", lambda *args: sent.append(args[2]))
    look(app)
    assert sent
    assert not [text for text in sent if "answer_xml" in text]


def test_the_databases_sums_are_those_of_its_hits(app: App) -> None:
    """Also where one HIT's time is over, answers were rejected, and a bonus was paid."""
    late = app.ledger.hits("local")[1]["hit_key"]
    now = datetime.now(UTC)
    for over in (timedelta(minutes=-5), timedelta(minutes=5), timedelta(days=-1)):
        with app.workspace.db.begin() as db:
            db.execute(hit_table.update().where(hit_table.c.hit_key == late).values(expires_at=now + over))
        (row,) = app.ledger.sums("local", now=now)
        each = app.ledger.progress("local")
        held = timedelta(seconds=app.ledger.batches("local")[0]["duration_seconds"])
        live = [
            one.places
            if one.answers < one.places and one.expires_at is not None and one.expires_at + held > now
            else one.answers - one.rejected
            for one in each
        ]
        assert (row.progress, row.live) == (summed(KEY, each), sum(live))
    assert app.ledger.sums("another market") == []
    done = [row for row in app.ledger.payments("local") if row["status"] == "done"]
    assert sum(one.amount * one.count for one in app.ledger.paid("local")) == sum(row["amount"] for row in done)
    assert sum(amount * count for _, amount, count in app.ledger.earned()) == sum(row["amount"] for row in done)
    assert app.ledger.count_answers() == len(app.ledger.assignments("local"))


def test_an_open_batch_may_cost_its_price(app: App) -> None:
    assert commitments(app, "local") == {KEY: Decimal("0.90")}
    assert committed(app, "another market") == 0


def test_places_whose_time_is_over_cost_nothing(app: App) -> None:
    _expire_at(app, datetime.now(UTC) - timedelta(days=1))
    assert committed(app, "local") == Decimal("0.45")


def test_a_batch_that_was_taken_back_costs_what_was_answered(app: App) -> None:
    app.ledger.mark_cancelled("local", KEY)
    for row in app.ledger.hits("local"):
        app.ledger.mark_disposed("local", KEY, row["hit_key"])
    assert committed(app, "local") == Decimal("0.45")


def test_rejected_answers_cost_nothing_and_bonuses_come_on_top(app: App) -> None:
    _expire_at(app, datetime.now(UTC) - timedelta(days=1))
    first, second, _ = app.ledger.assignments("local")
    with app.workspace.db.begin() as db:
        db.execute(
            sa.text("update assignment set status = 'Rejected' where assignment_id = :key"),
            {"key": first["assignment_id"]},
        )
    payment = {
        "state_key": "local", "payment_key": "bonus:1", "kind": "bonus", "batch_key": KEY,
        "assignment_id": second["assignment_id"], "worker_id": second["worker_id"], "amount": Decimal("0.20"),
        "fee": Decimal("0.04"), "reason": "slow page", "token": "t",
    }  # fmt: skip
    app.ledger.intend_payment(payment)
    assert committed(app, "local") == Decimal("0.30")
    app.ledger.mark_paid("local", "bonus:1")
    assert committed(app, "local") == Decimal("0.54")


def test_status_and_report_count_the_same_votes(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws"))
    before, work = app.store.count_votes(), app.ledger.assignments("local")[0]["assignment_id"]
    cast = app.store.votes()[0].assignment_id
    with app.workspace.db.begin() as db:
        given = db.execute(vote_table.update().where(vote_table.c.assignment_id == cast).values(assignment_id=work))
    assert read_status(app).votes == len(heeded_votes(app)) == before
    with app.workspace.db.begin() as db:
        db.execute(assignment_table.update().where(assignment_table.c.assignment_id == work).values(status="Rejected"))
    assert read_status(app).votes == len(heeded_votes(app)) == before - given.rowcount < before
