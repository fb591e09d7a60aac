"""The floor on measured time: what is missing, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from galloway.mturk.requester.collect import CollectedAssignment
from galloway.mturk.requester.errors import BudgetExceeded
from galloway.mturk.requester.ledger_tables import assignment as assignment_table
from galloway.mturk.requester.ledger_tables import hit as hit_table
from galloway.mturk.requester.money import NO_FEES
from galloway.pipeline.app import App
from galloway.pipeline.asking.collect import _topped_up
from galloway.pipeline.asking.due import due_for, past_budget
from galloway.pipeline.asking.floor import missing, pay_top_ups, top_ups, worked_seconds
from galloway.pipeline.asking.progress import committed
from galloway.pipeline.asking.settle import pay_bonus
from galloway.pipeline.workspace.folder import Workspace
from hypothesis import given
from hypothesis import strategies as st

from tests.support.web import full_workspace

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


def _with_budget(root: Path, budget: str) -> App:
    text = f'name="trial"\n[ask]\nmethod="majority"\nbudget="{budget}"\ntop_up=true\nmin_hourly_wage="15"\n'
    (root / "galloway.toml").write_text(text, encoding="utf-8")
    return App(Workspace.open(root))


def _session() -> Any:
    """A market on which bonuses are paid."""
    client = SimpleNamespace(send_bonus=lambda *_: None, list_bonuses=lambda _: iter(()))
    client.market = SimpleNamespace(fees=NO_FEES, state_key="local", name="local")
    return SimpleNamespace(market=client.market, client=client)


def test_what_a_batch_that_was_taken_back_no_longer_costs_is_room_for_top_ups(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    app = App(full_workspace(root, faces=4, simulated=()))
    for row in app.ledger.hits("local"):
        app.ledger.mark_disposed("local", row["batch_key"], row["hit_key"])
    assert committed(app, "local") == Decimal("0.45"), "its price was 0.90"
    problems: list[str] = []
    assert _topped_up(_with_budget(root, "0.80"), _session(), problems).paid > 0
    assert problems == []


def test_top_ups_and_bonuses_beside_open_places_stay_below_the_budget(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    app = App(full_workspace(root, faces=4, simulated=()))
    with app.workspace.db.begin() as db:
        db.execute(hit_table.update().values(expires_at=datetime.now(UTC) + timedelta(hours=1)))
    work = app.ledger.assignments("local")[0]
    paid = {"state_key": "local", "payment_key": "bonus:1", "kind": "bonus", "amount": Decimal("0.15")}
    paid |= {name: work[name] for name in ("batch_key", "assignment_id", "worker_id")}
    app.ledger.intend_payment({**paid, "fee": Decimal("0.00"), "reason": "slow page", "token": "t"})
    app.ledger.mark_paid("local", "bonus:1")
    before = committed(app, "local")
    assert before == Decimal("1.05"), "0.90 can be asked for, 0.15 is paid"
    problems: list[str] = []
    assert _topped_up(_with_budget(root, "1.06"), _session(), problems).paid == 0
    assert committed(app, "local") == before
    assert "and $0.01 is left of the budget; nothing was topped up. Raise ask.budget" in problems[0]
    short = _with_budget(root, "1.06")
    found = top_ups(short, "local")
    with pytest.raises(BudgetExceeded, match=r"missing to the floor.*galloway batch top-up"):
        pay_top_ups(short, _session(), found)
    killed = _session()
    killed.client.send_bonus = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        pay_top_ups(_with_budget(root, "9"), killed, found[:1])
    begun = [item for item in top_ups(short, "local") if item.begun]
    assert pay_top_ups(short, _session(), begun).done == 1, "what was begun is finished"


def test_a_bonus_by_hand_stays_below_the_budget_and_one_that_was_begun_is_finished(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    app = App(full_workspace(root, faces=4, simulated=()))
    work, room = app.ledger.assignments("local")[0]["assignment_id"], Decimal("0.10")
    app = _with_budget(root, str(committed(app, "local") + room))
    with pytest.raises(BudgetExceeded, match=r"costs \$0\.11.*nothing was paid.*ask\.budget"):
        pay_bonus(app, _session(), work, Decimal("0.11"), reason="slow page", key="bonus")
    assert [row for row in app.ledger.payments("local") if row["kind"] == "bonus"] == []
    killed = _session()
    killed.client.send_bonus = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        pay_bonus(app, killed, work, room, reason="slow page", key="bonus")
    app = _with_budget(root, "0.01")
    assert pay_bonus(app, _session(), work, room, reason="slow page", key="bonus").paid == room


def test_who_approves_what_was_rejected_reads_that_the_budget_is_passed(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    app = App(full_workspace(root, faces=4, simulated=()))
    work = app.ledger.assignments("local")[0]["assignment_id"]
    with app.workspace.db.begin() as db:
        db.execute(assignment_table.update().where(assignment_table.c.assignment_id == work).values(status="Rejected"))
    app = _with_budget(root, str(committed(app, "local") + Decimal("0.01")))
    terms = _session()
    due = due_for(app, terms, [work], override=True).total
    assert past_budget(app, terms, [work]) == ""
    told = f"That is ${due - Decimal('0.01')} past the budget (ask.budget in galloway.toml)."
    assert past_budget(app, terms, [work], override=True) == told
    assert past_budget(_with_budget(root, "9"), terms, [work], override=True) == ""
