"""`galloway faceset from-faces|export|import`: other formats in and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...wording import typed
from ..console import next_step, open_app, result, say, stage_progress
from .group import faceset_options, follow, located, own_side

if TYPE_CHECKING:
    from ....curation.faceset.index import FacesetPaths
    from ....curation.faceset.png.types import Alignments
    from ....curation.types import Progress
    from ...app import App

__all__ = ["export", "from_faces", "import_"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_dialect = click.option(
    "--dialect",
    type=click.Choice(["v2.3", "v3"]),
    default="v2.3",
    show_default=True,
    help="How .fsa keeps numbers; both faceswap lines read both.",
)


@click.command("from-faces")
@click.option("--faces", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The folder of face PNGs.")
@click.option(
    "--alignments",
    type=click.Path(exists=True, path_type=Path),
    help="Alignments that are there still: looked at, never written. Default: those beside the faces.",
)
@click.option("--side", type=click.Choice(["a", "b"]), help="In a workspace: whose faces.")
@click.option("-o", "--output", type=_FILE, help="Default: alignments.fsa beside the faces. Never overwritten.")
@_dialect
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def from_faces(
    ctx: click.Context, faces: Path | None, alignments: Path | None, side: str | None, output: Path | None,
    dialect: Any, as_json: bool,
) -> None:  # fmt: skip
    """Make alignments out of the PNGs' headers, where the .fsa was lost. Where faces of a frame were deleted, later
    ones move up: their headers and names follow, as faceswap's job has it. Can be taken back: galloway faceset undo.

    \b
    Example:  galloway faceset from-faces --faces faces/ -o clip_alignments.fsa
    """
    from PIL import Image

    from ....curation.errors import FacesetError
    from ....curation.faceset.dialects.imports import alignments_from_headers
    from ....curation.faceset.fsa.alignments import write_alignments
    from ....curation.faceset.merging.merge import apply_merge
    from ....curation.faceset.merging.removal import plan_closing
    from ....curation.faceset.png.headers import read_png

    own = own_side(faces, alignments, side)
    paths = located(ctx, faces, alignments, side, need_alignments=False)
    target = output or paths.faces_dir.parent / "from_faces_alignments.fsa"
    if target.exists():
        raise FacesetError(f"{target} is there already. Name another: --output FILE")
    names = sorted(path for path in paths.faces_dir.glob("*.png") if not path.name.startswith("."))

    def pictures() -> Iterator[Any]:
        with stage_progress("from-faces") as progress:
            for done, path in enumerate(names):
                progress("reading", done, len(names))
                header, pixels = read_png(path)
                yield header, Image.fromarray(pixels)

    found, warnings = alignments_from_headers(pictures())
    for line in warnings:
        say(line)
    with stage_progress("from-faces") as progress:
        plan = plan_closing(paths, digest=own is not None, progress=progress)
        if not plan.is_empty:
            # Before the alignments: a run that is killed in between finds headers without gaps when it runs again.
            done = apply_merge(plan, progress)
            follow(ctx, own, progress)
            say(f"{len(plan.moves)} pictures have their new places in header and name. Manifest: {done.manifest}")
    write_alignments(target, found, dialect)
    data = {
        "alignments": str(target),
        "frames": len(found.frames),
        "faces": found.face_count,
        "renumbered": len(plan.moves),
    }
    result(data, as_json, lambda: f"{target}: {found.face_count} faces in {len(found.frames)} frames")
    say("Frames without a face are not in it: no picture tells of them.")


_SUFFIX = {
    "json": ".json",
    "fsa": ".fsa",
    "csv": ".csv",
    "parquet": ".parquet",
    "coco": ".coco.json",
    "dfl": "_dfl",
    "pak": ".pak",
}
_DFL = ("dfl", "pak")


@click.command("export")
@faceset_options
@click.option("--to", "--format", "kind", type=click.Choice(sorted(_SUFFIX)), required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Default: faceset with the kind's suffix, in this folder. For dfl, a new folder.",
)
@_dialect
@click.option("--ids", is_flag=True, help="Fill the table's face_id column; decodes every picture once.")
def export(
    ctx: click.Context, kind: str, output: Path | None, dialect: Any, ids: bool, faces: Path | None,
    alignments: Path | None, side: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write the alignments as JSON that both faceswap lines import, as .fsa of either dialect, as a table, or as COCO;
    or the faces as DeepFaceLab reads them, one JPG each (dfl) or one faceset.pak (pak). An .fsa of a workspace carries
    what training learnt of things before the faces: faceswap uses it with `convert -M custom_face`.

    \b
    Example:  galloway faceset export --alignments clip_alignments.fsa --to json -o import.json
    Example:  galloway faceset export --side b --to parquet -o faces.parquet
    Example:  galloway faceset export --side b --to dfl -o aligned
    """
    from ....curation.faceset.dialects.dfl_write import masks_left_out, write_dfl, write_pak

    paths = located(ctx, faces, alignments, side, need_alignments=kind not in _DFL)
    app = open_app(ctx) if faces is None and alignments is None else None
    target = output or Path(f"faceset{_SUFFIX[kind]}")
    if kind != "dfl" and target.is_dir():
        raise click.UsageError(f"{target} is a folder. Name a file: --output FILE")
    with stage_progress("export") as progress:
        if kind in _DFL:
            count = (write_dfl if kind == "dfl" else write_pak)(paths.faces_dir, target, progress=progress)
        else:
            count = _export(paths, kind, target, dialect, ids, app if kind == "fsa" else None, progress)
    result({"output": str(target), "faces": count}, as_json, lambda: f"{target}: {count} faces")
    if kind in _DFL:
        say("For DeepFaceLab's models of type whole_face or narrower. For type head, extract anew in DeepFaceLab.")
        for mask, faces_with in masks_left_out(paths.faces_dir).items():
            say(f"Left out: the {mask} masks of {faces_with} faces. DeepFaceLab makes its own: train XSeg there.")


def _export(
    paths: FacesetPaths, kind: str, target: Path, dialect: Any, ids: bool, app: App | None, progress: Progress
) -> int:
    import json

    from ....curation.errors import FacesetError
    from ....curation.faceset.dialects.tables import faces_table, write_coco, write_table
    from ....curation.faceset.fsa.alignments import Alignments, export_json, read_alignments, write_alignments
    from ....curation.files import write_atomic

    if target.exists() and any(target.samefile(path) for path in paths.alignments_files()):
        raise FacesetError(f"{target} is the file that is read. Name another: --output FILE")
    if kind in ("csv", "parquet"):
        table = faces_table(paths, ids=ids)
        write_table(table, target if target.suffix == f".{kind}" else target.with_suffix(f".{kind}"))
        return len(table)
    if kind == "coco":
        return write_coco(paths, target)
    merged = Alignments()
    for path in paths.alignments_files():
        found = read_alignments(path)
        for line in found.warnings:
            say(line)
        clash = merged.frames.keys() & found.frames.keys()
        if clash:
            raise FacesetError(f"Two alignments files know {min(clash)}. Export them one by one: --alignments FILE")
        merged.frames.update(found.frames)
    if kind == "json":
        write_atomic(target, json.dumps(export_json(merged)).encode())
    else:
        if target.exists():
            raise FacesetError(f"{target} is there already. Name another: --output FILE")
        write_alignments(target, _masked(app, paths, merged, progress), dialect)
    return merged.face_count


def _masked(app: App | None, paths: FacesetPaths, found: Alignments, progress: Progress) -> Alignments:
    """The alignments with the occlusion masks of the workspace's newest model that has them."""
    from ...stages.masks import handed_on

    masked, count = handed_on(app, paths.faces_dir, found, progress) if app is not None else (found, 0)
    if count:
        say(f"{count} faces carry the occlusion mask custom_face. In faceswap: convert -M custom_face")
    return masked


@click.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A new folder, or a .fsa file.")
@click.option(
    "--alignments",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Alignments to find pictures without a header in: by pixel hash, likeness or name.",
)
@_dialect
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def import_(source: Path, output: Path, alignments: Path | None, dialect: Any, as_json: bool) -> None:
    """Take in faces or alignments of other programs and other times; nothing in them is executed.

    SOURCE is a folder, .zip or faceset.pak of pictures (faceswap 0.9 to 3, DeepFaceLab, or plain ones together with
    --alignments), or an alignments file (.fsa or .json of any age), which becomes a .fsa that both faceswap lines
    read.

    \b
    Example:  galloway faceset import aligned/ -o imported
    Example:  galloway faceset import old/alignments.json -o clip_alignments.fsa
    """
    if source.suffix.lower() in (".fsa", ".json"):
        _import_alignments(source, output, dialect, as_json)
        return
    from ....curation.faceset.dialects.imports import import_pictures
    from ....curation.faceset.fsa.alignments import read_alignments

    known = read_alignments(alignments) if alignments is not None else None
    with stage_progress("import") as progress:
        done = import_pictures(source, output, known=known, dialect=dialect, progress=progress)
    for line in [*done.warnings, *(f"refused {name}: {why}" for name, why in done.refused.items())]:
        say(line)
    data = {
        "faces": {kind: len(names) for kind, names in done.faces.items()},
        "unknown": done.unknown,
        "refused": done.refused,
        "warnings": done.warnings,
        "alignments": str(done.alignments),
    }
    kinds = ", ".join(f"{len(names)} by {kind}" for kind, names in done.faces.items()) or "no face"
    result(data, as_json, lambda: f"{output}: {kinds}; {len(done.unknown)} unknown, {len(done.refused)} refused")
    if done.unknown:
        first = ", ".join(done.unknown[:3]) + " …" * (len(done.unknown) > 3)
        say(f"Nobody knows {first}; they stay where they are.")
    if done.unknown and known is None:
        say("Pictures that carry nothing can come in as footage: galloway ingest --side b FOLDER")
    next_step(f"galloway faceset verify --faces {typed(output / 'faces')}")


def _import_alignments(source: Path, output: Path, dialect: Any, as_json: bool) -> None:
    from ....curation.errors import FacesetError
    from ....curation.faceset.fsa.alignments import read_alignments, write_alignments

    if output.suffix != ".fsa" or output.exists():
        raise FacesetError(f"{output} must be a new .fsa file. Name one: --output FILE.fsa")
    found = read_alignments(source)
    for line in found.warnings:
        say(line)
    write_alignments(output, found, dialect)
    data = {"alignments": str(output), "was": found.dialect, "frames": len(found.frames), "faces": found.face_count}
    result(data, as_json, lambda: f"{output}: {found.face_count} faces in {len(found.frames)} frames")
    say("Cut the faces anew from the frames: faceswap extract -D file -A file, or galloway extract")
