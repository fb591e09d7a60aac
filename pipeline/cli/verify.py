"""`galloway verify`: what a film says of itself, and whether that holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from .console import result

__all__ = ["verify"]


@click.command()
@click.argument("film", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def verify(ctx: click.Context, film: Path, as_json: bool) -> None:
    """Say what FILM tells of itself: who made it, when, from what, with whose consent; and whether it still holds.

    Works on any film, outside of a workspace too. Exit code 1 unless its Content Credentials hold.

    \b
    Example:  galloway verify results/clip-swapped.mp4
    """
    from ..provenance.film import look

    found = look(film)
    data = {**asdict(found), "genuine": found.genuine}
    result(data, as_json, found.lines)
    if not found.genuine:
        ctx.exit(1)
