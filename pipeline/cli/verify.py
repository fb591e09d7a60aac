"""`galloway verify`: what a film says of itself, and whether that holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import result

if TYPE_CHECKING:
    from ..consent.lineage import Film

__all__ = ["verify"]


@click.command()
@click.argument("film", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def verify(ctx: click.Context, film: Path, as_json: bool) -> None:
    """Say what FILM tells of itself: who made it, when, from what, with whose consent; and whether it still holds.

    Works on any film or folder of frames, outside of a workspace too. What lost its tags and signature on the way is
    known by the mark in its pixels: the workspace that made it says what film it was. It is looked for in the first 958
    frames: cut off what comes before a swap that begins later. Exit code 1 unless the Content Credentials hold.

    \b
    Example:  galloway verify results/clip-swapped.mp4
    """
    from ..provenance.film import look

    found = look(film)
    made = _made_here(ctx, found.mark) if found.mark else None
    data = {**asdict(found), "genuine": found.genuine, "film": made and asdict(made)}
    result(data, as_json, lambda: [*found.lines(), *_origin(made, found.mark)])
    if not found.genuine:
        ctx.exit(1)


def _made_here(ctx: click.Context, mark: str) -> Film | None:
    """The film with that mark, where the command runs in a workspace or with `-w`."""
    from ..consent.lineage import film_marked
    from ..errors import WorkspaceError
    from ..workspace.folder import Workspace

    start = ctx.find_root().obj.get("workspace")
    try:
        workspace = Workspace.find(start)
    except WorkspaceError:
        if start:
            raise
        return None
    return film_marked(workspace, mark)


def _origin(made: Film | None, mark: str) -> list[str]:
    if made is not None:
        return [f"That mark is of {made.path}, made here {made.made_at} by the training {made.run}."]
    return ["Which film that was knows the workspace it was made in: galloway -w FOLDER verify FILM"] if mark else []
