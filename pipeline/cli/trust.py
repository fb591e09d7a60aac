"""`galloway trust`: allow the programs that a workspace names."""

from __future__ import annotations

import sys

import click

from .console import emit, open_app, say

__all__ = ["trust"]


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def trust(ctx: click.Context, yes: bool) -> None:
    """Allow the programs that this workspace's galloway.toml names to be run, from now on and by path.

    A workspace from somebody else runs nothing by itself. Programs of your own environment (GALLOWAY_FACESWAP_HOME,
    GALLOWAY_FACESWAP_PYTHON) and of your config.toml need no question.

    \b
    Example:  galloway trust
    """
    from ..errors import NothingToDo, SafetyStop
    from ..workspace.programs import allow, not_allowed

    app = open_app(ctx)
    found = not_allowed(app.settings.engine)
    if not found:
        raise NothingToDo("This workspace names no program that is not allowed already.")
    say(f"{app.workspace.root / 'galloway.toml'} names programs that would run with your rights:")
    for path in found:
        emit(str(path))
    if not yes and not (sys.stdin.isatty() and click.confirm("Allow them?", err=True)):
        raise SafetyStop("Nothing was allowed: look at them, then confirm with --yes.")
    allow(found)
    say("Allowed.")
