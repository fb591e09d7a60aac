"""`galloway faceset pick`: which faces to train on."""

from __future__ import annotations

from pathlib import Path

import click

from ..console import result, say, stage_progress

__all__ = ["pick"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--against", type=_FOLDER, help="The faces of the clip to be swapped (side A).")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1500, show_default=True, help="So many at most.")
@click.option("--seed", default=1, show_default=True, help="Decides between faces that are alike.")
@click.option("--out", type=click.Path(path_type=Path), help="Copy them into this new folder.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON, with the reason of each.")
def pick(folder: Path, against: Path | None, count: int, seed: int, out: Path | None, as_json: bool) -> None:
    """Pick the best faces that cover the poses, mouths and lights of a clip, and say what lacks.

    FOLDER stays as it is.

    \b
    Example:  galloway faceset pick faces_b --against faces_a -n 500 --out faces_best
    """
    import shutil

    from ....curation.errors import FacesetError
    from ....curation.faceset.pick import lacking
    from ....curation.faceset.pick import pick as chosen_of
    from ....curation.faceset.readiness.view import read_view

    if out is not None and out.exists():
        raise FacesetError(f"{out} is there already; name a new folder with --out.")
    with stage_progress("faces") as progress:
        faces = read_view(folder, progress=progress)
    clip = None
    if against is not None:
        with stage_progress("clip") as progress:
            clip = read_view(against, progress=progress)
    names = [path.name for path in sorted(folder.glob("*.png"))]
    picked = chosen_of(faces, count, clip=clip, seed=seed)
    lacks = lacking(faces, clip) if clip is not None else []
    if out is not None:
        out.mkdir(parents=True)
        for item in picked:
            shutil.copy2(folder / names[item.row], out / names[item.row])
        say(f"Copied into {out}.")
    data = {
        "picked": [{"name": names[item.row], "reason": item.reason} for item in picked],
        "of": len(names),
        "lacking": [{"cell": str(cell), "frames": frames} for cell, frames in lacks],
    }
    result(data, as_json, lambda: "\n".join(f"{names[item.row]}  {item.reason}" for item in picked))
    say(f"{len(picked)} of {len(names)} faces picked.")
    for cell, frames in lacks[:8]:
        say(f"Lacking: {cell} ({frames} of the clip's frames)")
