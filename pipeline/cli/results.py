"""`galloway results …`: what a converted film is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ..stages.measure import FilmMeasured

__all__ = ["results"]


@click.group()
def results() -> None:
    """What a converted film is worth."""


@results.command()
@click.argument("film", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def measure(ctx: click.Context, film: Path, as_json: bool) -> None:
    """Measure a film that `convert` wrote: identity, pose, expression, synchronisation, steadiness, border, colour.

    The names are the field's (IDBench-V, CanonSwap), the networks those that are installed: compare films measured here
    with each other, not with a paper. Writes FILM.measures.json beside the film.

    \b
    Example:  galloway results measure results/clip-swapped.mp4
    """
    from ..stages.measure import command_without, figures_of, measure_film, worth_a_look
    from ..wording import counted

    app = open_app(ctx)
    with stage_progress("measure") as progress:
        done = measure_film(app, film, progress)
    data = {"film": str(done.film), "source": done.source, "written": str(done.written), **figures_of(done.found)}
    result(data, as_json, lambda: _table(done))
    ranges = worth_a_look(done.found)
    doubtful, measured = int((done.found.doubt() > 1).sum()), len(done.found.frames)
    if ranges:
        say(f"Worth a look: {', '.join(ranges)}.")
    if doubtful > measured / 2:
        whole = counted(measured, "swapped frame")
        say(f"That is {doubtful} of {whole}: to leave them out would leave little of the swap.")
        next_step("galloway faceset readiness --side b   (what side B lacks), then train longer: galloway train")
    elif ranges:
        say("Frames that cannot be mended keep their own pixels:")
        next_step(command_without(app, film, ranges))


def _table(done: FilmMeasured) -> list[str]:
    from ..measures.values import NOTICEABLE, SERIES

    found = done.found
    lines = [f"{'':18}{'mean':>9}{'worst':>9}{'frame':>7}{'noticeable':>12}"]
    for name in SERIES:
        worst, frame = found.worst(name)
        lines.append(f"{name:18}{_told(found.mean(name))}{_told(worst)}{frame or '':>7}{NOTICEABLE[name]:12g}")
    lines.append("")
    lines += [f"{name:18}{_told(value)}" for name, value in found.whole.items()]
    lines += ["", str(done.written)]
    return lines


def _told(value: Any) -> str:
    return f"{'–':>9}" if value != value else f"{value:9.3f}"
