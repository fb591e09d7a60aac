"""`galloway market requester`: whose keys the API takes, what they may spend."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import emit, result, say

if TYPE_CHECKING:
    pass

from .opened import opened_store, table

__all__ = ["requester"]


@click.group()
def requester() -> None:
    """Who may publish HITs."""


@requester.command("add")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def add_requester(ctx: click.Context, name: str, as_json: bool) -> None:
    """Make a requester NAME and print the keys; the secret is shown only now.

    \b
    Example:  galloway market requester add "Vision lab"
    """
    from ....mturk.marketplace.app import add_requester as add

    with opened_store(ctx) as store:
        access, secret = add(store, name)
    found = {"name": name, "access_key": access, "secret_key": secret}
    result(found, as_json, lambda: f"export AWS_ACCESS_KEY_ID={access} AWS_SECRET_ACCESS_KEY={secret}")


@requester.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_requesters(ctx: click.Context, as_json: bool) -> None:
    """Requesters, their open HITs, undecided work and balance."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        found = [asdict(row) for row in Operator(store).requesters()]
    result(
        found,
        as_json,
        lambda: table(found, ("requester_id", "name", "keys", "open_hits", "undecided", "balance")),
    )


@requester.command("revoke")
@click.argument("name")
@click.pass_context
def revoke_requester(ctx: click.Context, name: str) -> None:
    """Close the keys of the requester NAME and take their HITs off the worker site."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        Operator(store).revoke_requester(name)
    say(f"{name} can no longer sign requests.")


@requester.command("fund")
@click.argument("name")
@click.argument("amount")
@click.pass_context
def fund_requester(ctx: click.Context, name: str, amount: str) -> None:
    """Add AMOUNT to the account of the requester NAME (with `serve --ledger`).

    \b
    Example:  galloway market requester fund "Vision lab" 250.00
    """
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        balance = Operator(store).fund(name, amount)
    emit(f"{balance}")


@requester.command("layout")
@click.argument("name")
@click.argument("title")
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def add_layout(ctx: click.Context, name: str, title: str, page: Path) -> None:
    """Store the HTML file PAGE as a HITLayout of the requester NAME and print its HITLayoutId.

    A page without a form gets one, with a Submit button, as on MTurk's website; what it lacks besides is said.
    """
    from ....mturk.marketplace.office.operator import Operator
    from ....mturk.marketplace.rules.pages import check_page
    from ....mturk.marketplace.rules.questions import with_form

    html = page.read_text(encoding="utf-8")
    with opened_store(ctx) as store:
        emit(Operator(store).add_layout(name, title, html))
    for words in check_page(with_form(html), template=True).doubtful:
        say(words)


# -- workers ------------------------------------------------------------------------------------------------------
