"""What a round that goes on costs: as it was frozen, said before, and within the budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from galloway.pipeline.app import App
from galloway.pipeline.errors import SafetyStop
from galloway.pipeline.judging.covers import footage_to_paint, plan_painting
from galloway.pipeline.judging.film import JudgedFilm
from galloway.pipeline.judging.rounds import SwapRound, check_swap_price, freeze_pages, plan_swap_round
from galloway.pipeline.market.session import MarketTerms
from galloway.pipeline.workspace.judged import swap_batches

from tests.support.judged import call_covered, film_app
from tests.support.workspace import galloway

Plan = Callable[[App, MarketTerms, JudgedFilm], SwapRound]


def with_ask(app: App, **changed: Decimal) -> App:
    """The workspace with other settings of what is asked."""
    ask = app.settings.ask.model_copy(update=changed)
    return App(replace(app.workspace, settings=app.settings.model_copy(update={"ask": ask})))


@pytest.mark.parametrize("plan", [plan_swap_round, plan_painting])
def test_a_round_that_goes_on_is_priced_as_it_was_frozen_and_stops_at_the_budget(tmp_path: Path, plan: Plan) -> None:
    app, film = film_app(tmp_path / "ws")
    if plan is plan_painting:
        call_covered(app)
        film = footage_to_paint(app)
    terms = app.terms()
    first = plan(app, terms, film)
    assert first.price > 0
    freeze_pages(app, terms.market.state_key, first)  # and the process is killed
    going_on = plan(with_ask(app, reward=Decimal("1.00")), terms, film)
    assert [batch.key for batch in going_on.resumed] == [batch.key for batch in swap_batches(app.workspace)]
    assert (going_on.price, going_on.quotes) == (first.price, first.quotes), "the frozen terms"
    told = going_on.lines("$")
    assert "(goes on with one that was begun): " in told[0]
    assert told[-1] == f"Total ${first.price}."
    with pytest.raises(SafetyStop, match=rf"This round costs \${first.price}"):
        check_swap_price(with_ask(app, budget=first.price - Decimal("0.01")), terms, going_on)
    check_swap_price(with_ask(app, budget=first.price), terms, going_on)


def test_the_dry_run_says_the_price_of_what_goes_on(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    terms = app.terms()
    planned = plan_swap_round(app, terms, film)
    freeze_pages(app, terms.market.state_key, planned)
    shown = galloway(app, "review-swap", "publish", "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    assert Decimal(json.loads(shown.stdout)["total"]) == planned.price > 0
    assert f"Total ${planned.price}." in shown.stderr
