"""`galloway workspace where|move`: the database that holds the workspace's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .console import emit, next_step, open_app, result, say

if TYPE_CHECKING:
    from ..workspace.database.moving import Moved

__all__ = ["workspace"]


@click.group()
def workspace() -> None:
    """Where the workspace's rows are: faces, votes, decisions, the ledger. A file of the folder, galloway.db, or one
    database of a PostgreSQL server, for several people and machines at once. Footage, faces and models are files and
    stay in the folder.
    """


@workspace.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def where(ctx: click.Context, as_json: bool) -> None:
    """Say which database has the rows, and how many each table has."""
    from ..workspace.database.home import SQLITE
    from ..workspace.database.moving import row_counts

    app = open_app(ctx)
    place, rows = app.workspace.rows.place or SQLITE, row_counts(app.workspace)
    result(
        {"database": place, "rows": rows},
        as_json,
        lambda: [place, *(f"{count:>10,}  {name}" for name, count in rows.items() if count)],
    )


@workspace.command()
@click.option(
    "--to",
    required=True,
    metavar="DATABASE",
    help="postgresql://USER:PASSWORD@HOST:5432/NAME, an empty database; or sqlite: back into the folder.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be moved; change nothing.")
@click.pass_context
def move(ctx: click.Context, to: str, dry_run: bool) -> None:
    """Move the rows into another database: copied, counted and compared, then all of them are there, or none.

    Nobody can write meanwhile. Programs that have the old place open (galloway serve) are refused by it afterwards and
    have to be started again. galloway.toml names the new place without the password: that belongs into
    GALLOWAY_WORKSPACE__DATABASE or ~/.pgpass. A copy of galloway.db stays in backups/.

    \b
    Example:  galloway workspace move --to postgresql://ann@db.example:5432/swap
              galloway workspace move --to sqlite
    """
    from ..app import App
    from ..workspace.database.home import SQLITE
    from ..workspace.database.moving import (
        as_noted,
        check_target,
        move_to_postgresql,
        move_to_sqlite,
        row_counts,
        take_back,
    )

    back = to == "sqlite"
    app = App(as_noted(open_app(ctx).workspace, "" if back else to))
    if dry_run:
        there = SQLITE if back else check_target(app.workspace, to)
        total = sum(row_counts(app.workspace).values())
        say(f"{total:,} rows would go from {app.workspace.rows.place or SQLITE} to {there}. Nothing was changed.")
        return
    take_back(app.workspace)
    with app.workspace.lock("moving the rows"):
        done = move_to_sqlite(app.workspace) if back else move_to_postgresql(app.workspace, to)
    _say_moved(done)


def _say_moved(done: Moved) -> None:
    emit(done.now)
    say(f"{sum(done.rows.values()):,} rows of {len(done.rows)} tables went from {done.before} to {done.now}, compared.")
    say("Start again what was running here, such as galloway serve.")
    if done.kept is not None:
        say(f"{done.kept} is a copy of what was in the folder. Delete it once you trust the new place.")
    if done.now != "galloway.db":
        say("The password is not written down: put it into GALLOWAY_WORKSPACE__DATABASE or ~/.pgpass.")
    next_step("galloway status")
