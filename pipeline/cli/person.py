"""`galloway person …`: the people in the footage, and erasing one of them."""

from __future__ import annotations

import sys

import click

from .console import emit, next_step, open_app, result, say

__all__ = ["person"]


@click.group()
def person() -> None:
    """The people whose faces are here, and erasing one of them.

    \b
    Example:  galloway person list
    """


@person.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Who was named when footage came in, and where.

    \b
    Example:  galloway person list --json
    """
    from ..stages.erase import persons

    found = persons(open_app(ctx))
    lines = [f"{name or 'nobody named'}: {'; '.join(places)}" for name, places in found.items()]
    result(found, as_json, lambda: "\n".join(lines) or "No footage came in yet.")


@person.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would go; erase nothing.")
@click.option("--backups", is_flag=True, help="Delete the copies of the database from before upgrades, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase(ctx: click.Context, name: str, dry_run: bool, backups: bool, yes: bool) -> None:
    """Erase the person NAME: footage, faces, votes on them, references, and all that was made of them, for good.

    Models, previews, results, reports and embeddings go whole: they were made of several faces at once. Databases are
    overwritten. What still holds the name is listed with what to do; what you wrote elsewhere with --output, and your
    own files, are not known here.

    \b
    Example:  galloway person erase "Ann Lee" --dry-run
    """
    from ..errors import SafetyStop
    from ..stages.erase import erase_person, plan_erasure
    from ..stages.status import read_status

    app = open_app(ctx)
    root = app.workspace.root
    with app.workspace.lock("erasing", faces=True):
        planned = plan_erasure(app, name)
        for removal in planned.removals:
            source = removal.source
            counts = f"{len(removal.faces)} faces, {removal.votes} votes, the footage"
            say(f"side {source.side.value}, {source.name}: {counts}")
        for side in planned.sides:
            say(f"side {side.value}: its reference photographs")
        for path in planned.paths:
            say(path.relative_to(root).as_posix())
        if not planned.sides:
            say(f"No footage and no side is {name}'s; the workspace is searched for the name all the same.")
        if dry_run:
            return
        if planned.sides and not yes and not (sys.stdin.isatty() and click.confirm("Erase for good?", err=True)):
            raise SafetyStop("Nothing was erased: confirm with --yes.")
        left = erase_person(app, planned, backups=backups)
    say(f"{planned.faces} faces and {planned.votes} votes are gone." if planned.removals else "Searched.")
    for item in left:
        emit(f"left: {item.path}: {item.why}")
    if not left:
        say(f"Nothing in {root} holds the name any more.")
    next_step(read_status(app).next_command)
