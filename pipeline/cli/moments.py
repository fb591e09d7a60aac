"""Rounds of questions about a film or its footage: what `review-swap` and `paint` do alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .console import agrees_to_pay, confirm_price, next_step, result, say, stage_progress, together

if TYPE_CHECKING:
    from ..app import App
    from ..judging.answers import SwapCollected
    from ..judging.film import JudgedFilm
    from ..judging.rounds import SwapRound
    from ..market.session import MarketTerms

    Plan = Callable[[MarketTerms], SwapRound]

__all__ = [
    "collect_options",
    "collect_round",
    "collected",
    "json_option",
    "publish_options",
    "publish_round",
    "show_round",
]

json_option = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
publish_options = together(
    click.option("--dry-run", is_flag=True, help="Show what would be published and what it costs; send nothing."),
    click.option("--yes", is_flag=True, help="The price is fine."),
    json_option,
)
collect_options = together(
    click.option("--no-pay", is_flag=True, help="Do not approve; assignments wait for auto-approval."),
    click.option("--yes", is_flag=True, help="The sum is fine: do not ask at a terminal."),
    json_option,
)


def show_round(app: App, plan: Plan, command: str, as_json: bool) -> None:
    """Print what a round would ask and cost; send nothing."""
    from ..judging.rounds import check_swap_price

    terms = app.terms()
    planned = plan(terms)
    for line in planned.lines(app.settings.market.currency):
        say(line)
    result(_planned(planned), as_json, lambda: "Nothing was sent.")
    check_swap_price(app, terms, planned)
    next_step(f"galloway {command} publish --yes")


def publish_round(app: App, plan: Plan, command: str, yes: bool, as_json: bool) -> None:
    """Send a round once its price is agreed to."""
    from ..judging.sending import publish_swap_round

    with app.workspace.lock("publishing"), app.market() as session:
        if session.market.notice:
            say(session.market.notice)
        planned = plan(session)
        confirm_price(planned.lines(app.settings.market.currency), yes)
        with stage_progress("publish") as progress:
            done = publish_swap_round(app, session, planned, progress)
        batches = [{"batch": i.batch_key, "hits": len(i.hits), "sent": i.sent, "price": i.price.total} for i in done]
        result(batches, as_json, lambda: [f"{item['batch']}: {item['hits']} HITs" for item in batches])
        if session.market.worker_url:
            say(f"Workers find them at {session.market.worker_url}")
    next_step(f"galloway {command} collect")


def _planned(planned: SwapRound) -> dict[str, Any]:
    return {
        "film": planned.film.name,
        "moments": len(planned.moments),
        "asked": [
            {
                "page": item.page.value,
                "votes": item.votes,
                "moments": [[moment.first, moment.last, moment.why] for moment in item.moments],
            }
            for item in planned.asked
        ],
        "total": planned.price,
    }


def collect_round(app: App, film: JudgedFilm, no_pay: bool, yes: bool) -> SwapCollected:
    """Fetch the answers about a film, pay what was agreed to, say which cannot be read."""
    from ..judging.answers import asked_batches, collect_swap

    keys = set(asked_batches(app, film, app.terms().market.state_key))
    no_pay = no_pay or not agrees_to_pay(app, yes, keys)
    with app.workspace.lock("collecting"), app.market() as session, stage_progress("collect") as progress:
        got = collect_swap(app, session, film, pay=not no_pay, progress=progress)
    for problem in got.problems:
        say(f"Unreadable answer: {problem}")
    return got


def collected(got: SwapCollected) -> dict[str, Any]:
    """What a collect brought, as plain values."""
    names = ("assignments", "new_votes", "approved", "paid", "fees", "waiting")
    return {name: getattr(got, name) for name in names}
