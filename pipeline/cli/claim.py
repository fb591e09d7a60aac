"""`galloway claim`: say what a copied or moved workspace is."""

from __future__ import annotations

import click

from .console import open_app, say

__all__ = ["claim"]


@click.command()
@click.argument("what", type=click.Choice(["moved", "copy"]))
@click.pass_context
def claim(ctx: click.Context, what: str) -> None:
    """Say what this folder is, where Galloway found that it is not where it was made.

    moved: it is the workspace, and the old folder is not used any more. copy: both are used; this one gets an identity
    of its own, and the HITs that stand at other markets stay the original's. The marketplace of its own in the folder
    was copied too, with its HITs and workers, and goes on by itself.

    \b
    Example:  galloway claim moved
    """
    from ..stages.claim import claim_copy
    from ..wording import counted
    from ..workspace.acts import note_act
    from ..workspace.database.home import shares_rows, take_home
    from ..workspace.place import record_place

    app = open_app(ctx)
    if what == "copy":
        shares_rows(app.workspace.root)
    else:
        record_place(app.workspace.root)
        take_home(app.workspace.root, app.settings)
    with app.workspace.lock("claiming it"):
        if what == "moved":
            note_act(app.workspace, "claim", "moved")
            say(f"The workspace is {app.workspace.root} from now on.")
            return
        left = claim_copy(app)
    say(f"{app.workspace.root} is a workspace of its own from now on.")
    if left:
        say(f"{counted(left, 'HIT')} at other markets stay with the original: their answers are collected there.")
