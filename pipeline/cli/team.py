"""`galloway team`: who may sign in at the pages of `galloway serve`, what each may do, and who did what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from .console import emit, open_app, result, say

if TYPE_CHECKING:
    from ..workspace.acts import Act

__all__ = ["team"]


@click.group()
def team() -> None:
    """Who may sign in at `galloway serve`: look, decide on faces, spend (publish, pay, merge), or own (invite)."""


@team.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["look", "decide", "spend", "own"]),
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
    from ..stages.members import let_in_anew
    from ..workspace.team import Role

    app = open_app(ctx)
    wanted = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if ask else ""
    made, password = let_in_anew(app, name, Role[role.upper()], wanted)
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
    from ..stages.members import show_out

    show_out(open_app(ctx), name)
    say(f"{name} may not sign in any more.")


@team.command()
@click.option("--who", default="", help="Only what this person did.")
@click.option("--kind", default="", help="Only acts of this kind, such as publish, pay, decide, merge.")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="So many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def log(ctx: click.Context, who: str, kind: str, last: int, as_json: bool) -> None:
    """Who did what, when: every act that spends, decides, merges, removes, invites or makes, newest first.

    On pages it is the person who signed in (or the printed link, by when it was made), on the command line the
    account's name. Rows are never changed.

    \b
    Example:  galloway team log --kind publish
    """
    from ..workspace.acts import KINDS, acts

    if kind and kind not in KINDS:
        raise click.UsageError(f"There is no kind {kind!r}. Choose one of {', '.join(KINDS)}.")
    found = acts(open_app(ctx).workspace, who=who, kind=kind, most=last)
    rows = [{**asdict(item), "at": item.at.isoformat()} for item in found]
    result(rows, as_json, lambda: [_line(item) for item in found] or "Nothing was done yet.")


def _line(item: Act) -> str:
    from ..workspace.acts import KINDS

    at = f"{item.at.astimezone():%Y-%m-%d %H:%M}"
    return ", ".join(part for part in (f"{at}  {item.who} {KINDS[item.kind]}: {item.what}", item.figure) if part)
