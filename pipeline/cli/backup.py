"""`galloway backup` and `galloway restore`: a workspace as one file, and back."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..wording import typed
from .console import emit, next_step, open_app, say

if TYPE_CHECKING:
    from ..workspace.backup import Backup

__all__ = ["backup", "restore", "say_backup"]

_COMES_BACK = {
    "sources": "give the same files again, galloway ingest --side a|b FILES; their faces and decisions are here",
    "models": "galloway train makes the model anew, from the approved faces",
    "runs": "what was computed on the way is computed again",
    "results": "galloway convert makes the film anew, once footage and model are there",
}
"""How the folders come back that a backup may leave out."""


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--footage/--no-footage", default=True, help="Without: footage, models, runs and results stay out.")
@click.pass_context
def backup(ctx: click.Context, target: Path, footage: bool) -> None:
    """Write the whole workspace into the file TARGET, or into a folder TARGET under a name with the time.

    Workers go on working meanwhile: every database is taken as it stood at one instant. Other commands that change the
    workspace wait (--wait) or say who is at work. The file holds faces and keys: keep it as private as the workspace,
    and delete old ones where somebody's face was erased.

    \b
    Example:  galloway --wait 600 backup /srv/backups
              galloway backup --no-footage ~/my-swap.zip
    """
    from ..engines.stopping import ended_in_order
    from ..workspace.backup import back_up
    from ..workspace.place import read_only

    app = open_app(ctx)
    url = app.settings.market.database
    # What lies on a disk that is mounted read-only changes under nobody's hands, and no lock can be written there.
    still = read_only(app.workspace.root)
    with ended_in_order(), nullcontext() if still else app.workspace.lock("backup"):
        rows = app.workspace.db if app.workspace.rows.place else None
        done = back_up(app.workspace.root, target, postgresql=url, rows=rows, footage=footage, identity=app.settings.id)
    say_backup(done)


def say_backup(done: Backup) -> None:
    """What was written, and how it comes back."""
    emit(str(done.path))
    say(f"{done.files:,} files, {done.size / 1e6:,.1f} MB.")
    for name in done.left_out:
        say(f"Left out: {name}")
    next_step(f"galloway restore {typed(done.path)} FOLDER")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", default="", help="Of a market on PostgreSQL: an empty database, postgresql://….")
def restore(source: Path, folder: Path, database: str) -> None:
    """Bring the backup SOURCE back into a new FOLDER: all of it, checked, or nothing.

    \b
    Example:  galloway restore my-swap-20261126T120000Z.zip my-swap
    """
    from ..engines.stopping import ended_in_order
    from ..workspace.backup import restore as bring_back
    from ..workspace.folder import CONFIG_NAME

    with ended_in_order():
        done = bring_back(source, folder.absolute(), postgresql=database)
    say(f"{done.files:,} files of {done.made_at} are in {folder}.")
    if not (folder / CONFIG_NAME).is_file():
        next_step(f"galloway market --state {typed(folder)}{' --database URL' if done.from_postgresql else ''} serve")
        return
    if done.from_postgresql:
        say(f"Write the new database's address under [market] of {folder / CONFIG_NAME}.")
    if done.rows_were:
        say(f"Its rows were in {done.rows_were} and are in galloway.db now: galloway workspace move brings them back.")
    for name in done.without:
        say(f"The backup was made without {name}/: {_COMES_BACK[name]}")
    next_step(f"cd {typed(folder)} && galloway claim moved   (or: galloway claim copy, where the old one goes on)")
