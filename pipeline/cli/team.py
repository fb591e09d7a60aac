"""`galloway team`: who may sign in at the pages of `galloway serve`, and what each may do."""

from __future__ import annotations

import click

from .console import emit, open_app, result, say

__all__ = ["team"]


@click.group()
def team() -> None:
    """Who may sign in at `galloway serve`: look, decide on faces, or spend (publish, pay, merge, invite)."""


@team.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["look", "decide", "spend"]),
    default="look",
    show_default=True,
    help="Each may do what the ones before it may.",
)
@click.option("--ask", is_flag=True, help="Type the password yourself; else one is made and printed once.")
@click.pass_context
def add(ctx: click.Context, name: str, role: str, ask: bool) -> None:
    """Let NAME sign in; somebody who is there gets the new role and password.

    \b
    Example:  galloway team add Ann --role decide
    """
    from ..workspace.team import Role, add_member, new_password

    app = open_app(ctx)
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if ask else new_password()
    with app.workspace.lock("changing the team"):
        made = add_member(app.workspace.root, name, Role[role.upper()], password)
    say(f"{made.name} may {made.role.word}. The password, shown this once:" if not ask else f"{made.name} may {role}.")
    if not ask:
        emit(password)


@team.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Who may sign in."""
    from ..workspace.team import members

    found = members(open_app(ctx).workspace.root)
    rows = [{"name": item.name, "role": item.role.word} for item in found]
    empty = "Nobody but who has the link that galloway serve prints. Add somebody: galloway team add NAME"
    result(rows, as_json, lambda: [f"{row['role']:<7} {row['name']}" for row in rows] or empty)


@team.command()
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """NAME may not sign in any more; who is signed in by it is signed out."""
    from ..workspace.team import remove_member

    app = open_app(ctx)
    with app.workspace.lock("changing the team"):
        remove_member(app.workspace.root, name)
    say(f"{name} may not sign in any more.")
