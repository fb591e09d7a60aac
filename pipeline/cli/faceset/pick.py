"""`galloway faceset pick`: which faces to train on."""

from __future__ import annotations

from pathlib import Path

import click

from ..console import next_step, open_app, result, say, stage_progress

__all__ = ["pick"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--against", type=_FOLDER, help="The faces of the clip to be swapped (side A).")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1500, show_default=True, help="So many at most.")
@click.option("--seed", default=1, show_default=True, help="Decides between faces that are alike.")
@click.option("--out", type=click.Path(path_type=Path), help="Copy them into this new folder.")
@click.option("-o", "--output", type=_FILE, help="The page; default: reports/pick-b.html in a workspace, else none.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON, with the reason of each.")
@click.pass_context
def pick(
    ctx: click.Context,
    folder: Path | None,
    against: Path | None,
    count: int,
    seed: int,
    out: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Pick the best faces that cover the poses, mouths and lights of a clip, and say what lacks, with a map.

    In a workspace: side B's faces for side A's clip; `galloway train --best N` trains on what this picks. Elsewhere:
    FOLDER of face PNGs, which stays as it is.

    \b
    Example:  galloway faceset pick -n 500
    Example:  galloway faceset pick faces_b --against faces_a -n 500 --out faces_best
    """
    import shutil

    from ....curation.errors import FacesetError
    from ....curation.types import Side
    from ...stages.picking import best_of, pick_page, write_pick

    if out is not None and out.exists():
        raise FacesetError(f"{out} is there already; name a new folder with --out.")
    inside = folder is None
    with stage_progress("faces") as progress:
        if folder is None:
            if against is not None:
                raise click.UsageError("--against needs a FOLDER; a workspace knows its clip.")
            app = open_app(ctx)
            folder = app.workspace.faces_dir(Side.B)
            output = output or app.workspace.path("reports", "pick-b.html")
            page = best_of(app, count, seed=seed, progress=progress)
        else:
            page = pick_page(folder, against, count, seed=seed, progress=progress)
    if out is not None:
        out.mkdir(parents=True)
        for name in page.chosen:
            shutil.copy2(folder / name, out / name)
        say(f"Copied into {out}.")
    result(page.as_dict(), as_json, page.to_text)
    say(page.summary())
    for line in page.lacks():
        say(line)
    if output is not None:
        write_pick(page, output)
        say(f"Look: {output}")
    if inside:
        next_step(f"galloway train --best {count}")
