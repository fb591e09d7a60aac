"""faceswap's alignments jobs: `galloway faceset missing-alignments|missing-frames|…|remove-faces|rename`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import next_step, open_app, result, say, stage_progress
from .group import faceset_options, follow, located, own_side

if TYPE_CHECKING:
    from ....curation.faceset.index import FaceIndex, FacesetPaths
    from ....curation.faceset.merging.plan import MergePlan

__all__ = [
    "leftover_faces",
    "missing_alignments",
    "missing_frames",
    "multi_faces",
    "no_faces",
    "odd_sizes",
    "remove_faces",
    "rename",
    "undo",
]

_frames_option = click.option(
    "--frames",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="The video, or the folder of pictures, that the alignments belong to; repeatable.",
)


def _output_option(*choices: str) -> Callable[[Any], Any]:
    return click.option(
        "--output",
        type=click.Choice(["console", *choices]),
        default="console",
        show_default=True,
        help="Print the names; or write a list beside the faces; or move the files into a folder there.",
    )


def _index(paths: FacesetPaths) -> FaceIndex:
    from ....curation.faceset.index import FaceIndex

    index = FaceIndex.load(paths)
    if paths.faces_dir.is_dir():
        with stage_progress("read") as progress:
            index.refresh(ids=False, content=False, progress=progress)
        index.save()
    else:
        index.refresh_alignments()
    for name, reason in index.unusable.items():
        say(f"Passed over {name}: {reason}")
    return index


def _report(
    job: str, names: list[str], as_json: bool, output: str, folder: Path, *, moves: list[str] | None = None
) -> None:
    """Print, list or move. `moves` are the files to move where they differ from what is printed."""
    from datetime import datetime

    from ....curation.faceset.jobs import move_files, write_list

    data: dict[str, object] = {"job": job, "count": len(names), "items": names}
    now = datetime.now().astimezone()
    if names and output == "file":
        data["file"] = str(write_list(folder, job.replace("-", "_"), names, now))
    if names and output == "move":
        data["folder"] = str(move_files(folder, job.replace("-", "_"), moves if moves is not None else names, now))
    where = data.get("file") or data.get("folder")
    result(data, as_json, lambda: names if not where else str(where))
    say(f"{job}: {len(names)} found")


@click.command("missing-alignments")
@faceset_options
@_frames_option
@_output_option("file")
def missing_alignments(
    ctx: click.Context, frames: tuple[Path, ...], output: str, faces: Path | None, alignments: Path | None,
    side: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Frames of a video or folder that the alignments do not know.

    \b
    Example:  galloway faceset missing-alignments --alignments clip_alignments.fsa --frames clip.mp4
    """
    from ....curation.faceset import jobs
    from ...engines.frames import frame_names_of

    paths = located(ctx, faces, alignments, side)
    names = jobs.missing_alignments(_index(paths), frame_names_of(frames))
    _report("missing-alignments", names, as_json, output, paths.alignments_dir)


@click.command("missing-frames")
@faceset_options
@_frames_option
@_output_option("file")
def missing_frames(
    ctx: click.Context, frames: tuple[Path, ...], output: str, faces: Path | None, alignments: Path | None,
    side: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Frames that the alignments know and the video or folder does not have.

    \b
    Example:  galloway faceset missing-frames --alignments clip_alignments.fsa --frames clip.mp4
    """
    from ....curation.faceset import jobs
    from ...engines.frames import frame_names_of

    paths = located(ctx, faces, alignments, side)
    names = jobs.missing_frames(_index(paths), frame_names_of(frames))
    _report("missing-frames", names, as_json, output, paths.alignments_dir)


@click.command("no-faces")
@faceset_options
@_output_option("file")
def no_faces(
    ctx: click.Context, output: str, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Frames without a face.

    \b
    Example:  galloway faceset no-faces --side a
    """
    from ....curation.faceset import jobs

    paths = located(ctx, faces, alignments, side)
    _report("no-faces", jobs.no_faces(_index(paths)), as_json, output, paths.alignments_dir)


@click.command("multi-faces")
@faceset_options
@_output_option("file", "move")
def multi_faces(
    ctx: click.Context, output: str, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Frames with more than one face, with their PNGs; --output move puts those PNGs into a folder of their own.

    \b
    Example:  galloway faceset multi-faces --faces faces/ --output move
    """
    from ....curation.faceset import jobs

    paths = located(ctx, faces, alignments, side)
    found = jobs.multi_faces(_index(paths))
    pictures = [name for names in found.values() for name in names]
    lines = [f"{frame}: {', '.join(names) or 'no picture'}" for frame, names in found.items()]
    _report("multi-faces", lines, as_json, output, paths.faces_dir, moves=pictures)


@click.command("leftover-faces")
@faceset_options
@_output_option("file", "move")
def leftover_faces(
    ctx: click.Context, output: str, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Face PNGs that the alignments do not know. faceswap dropped this job in 2021.

    Alignments of faceswap 1.0 and older know faces by a hash of their pixels; those are matched by hash, and where a
    pixel changed, by likeness, with a warning.

    \b
    Example:  galloway faceset leftover-faces --faces faces/ --output move
    """
    from ....curation.faceset import jobs
    from ....curation.faceset.dialects.old_hashes import has_hashes, leftover_by_hash

    paths = located(ctx, faces, alignments, side)
    if has_hashes(paths):
        names, warnings = leftover_by_hash(paths)
        for line in warnings:
            say(line)
    else:
        names = jobs.leftover_faces(_index(paths))
    _report("leftover-faces", names, as_json, output, paths.faces_dir)


@click.command("odd-sizes")
@faceset_options
@_output_option("file", "move")
def odd_sizes(
    ctx: click.Context, output: str, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Face PNGs that are not square, or not as large as most: faceswap's training refuses them.

    With --output move they are set aside; `galloway faceset remove-faces` then takes them out of the alignments.

    \b
    Example:  galloway faceset odd-sizes --faces faces/ --output move
    """
    from ....curation.faceset.crop_sizes import crop_sizes
    from ....curation.faceset.verify import options_for

    paths = located(ctx, faces, alignments, side, need_alignments=False)
    names = list(crop_sizes(paths.faces_dir, _index(paths).faces).odd)
    _report("odd-sizes", names, as_json, output, paths.faces_dir)
    if names and output == "move":
        next_step(f"galloway faceset remove-faces {options_for(paths, side)}")


_dry_run = click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")


@click.command("remove-faces")
@faceset_options
@_dry_run
def remove_faces(
    ctx: click.Context, dry_run: bool, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Take out of the alignments what has no PNG in the folder any more, as faceswap's job does: places are renumbered,
    PNGs renamed, headers follow. Can be taken back: galloway faceset undo.

    \b
    Example:  galloway faceset remove-faces --faces faces/ --alignments clip_alignments.fsa
    """
    from ....curation.faceset.merging.removal import plan_removal

    own = own_side(faces, alignments, side)
    paths = located(ctx, faces, alignments, side)
    with stage_progress("plan") as progress:
        plan = plan_removal(paths, digest=own is not None, progress=progress)
    _apply(ctx, plan, dry_run, as_json, own)


@click.command("rename")
@faceset_options
@_dry_run
def rename(
    ctx: click.Context, dry_run: bool, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool
) -> None:
    """Give every PNG the name that its header says: <frame>_<place>.png.

    \b
    Example:  galloway faceset rename --faces faces/
    """
    from ....curation.faceset.merging.removal import plan_rename

    own = own_side(faces, alignments, side)
    paths = located(ctx, faces, alignments, side, need_alignments=False)
    with stage_progress("plan") as progress:
        plan = plan_rename(paths, digest=own is not None, progress=progress)
    _apply(ctx, plan, dry_run, as_json, own)


def _apply(ctx: click.Context, plan: MergePlan, dry_run: bool, as_json: bool, side: str | None) -> None:
    """Apply a plan without decisions, or show it. `side` is the workspace's, None for a folder of its own."""
    from ....curation.faceset.merging.merge import apply_merge
    from ....curation.types import no_progress
    from ...errors import NothingToDo

    for note in plan.notes:
        say(note)
    cut = sum(len(places) for rewrite in plan.rewrites for places in rewrite.removed.values())
    renumbered = sum(move.index != move.new_index for move in plan.moves)
    renamed = {move.name: move.new_name for move in plan.moves if move.name != move.new_name}
    data: dict[str, object] = {"removed": cut, "renumbered": renumbered, "renamed": renamed, "kept": plan.kept}
    text = f"{cut} removed from the alignments, {renumbered} renumbered, {len(renamed)} renamed, {plan.kept} kept"
    if plan.is_empty:
        if not dry_run:  # a run before may have been killed here, or a picture be back
            follow(ctx, side, no_progress)
        raise NothingToDo("Nothing else is to do." if plan.notes else "Folder and alignments agree; nothing to do.")
    if dry_run:
        result(data, as_json, lambda: f"Would be: {text}")
        return
    with stage_progress("apply") as progress:
        done = apply_merge(plan, progress)
        follow(ctx, side, progress)
    result({**data, "merge_id": done.merge_id, "manifest": str(done.manifest)}, as_json, lambda: text)
    say(f"Manifest: {done.manifest}")
    next_step("galloway faceset verify (same options)")


@click.command("undo")
@faceset_options
@click.argument("merge_id", required=False)
def undo(
    ctx: click.Context,
    merge_id: str | None,
    faces: Path | None,
    alignments: Path | None,
    side: str | None,
    as_json: bool,
) -> None:
    """Take MERGE_ID (default: the newest) back, byte for byte. For merges of votes: galloway merge undo.

    \b
    Example:  galloway faceset undo --faces faces/ --alignments clip_alignments.fsa
    """
    from ....curation.faceset.merging.merge import undo_merge
    from ....curation.types import Side
    from ...stages.merge import refuse_approved

    paths = located(ctx, faces, alignments, side)
    own = own_side(faces, alignments, side)
    if own is not None:
        refuse_approved(open_app(ctx), Side(own), merge_id)
    with stage_progress("undo") as progress:
        done = undo_merge(paths, merge_id, progress)
        follow(ctx, own, progress)
    data = {"merge_id": done.merge_id, "restored": done.removed, "renamed": done.renamed, "faces": done.kept}
    result(data, as_json, lambda: f"{done.merge_id} is taken back: {done.kept} faces stand.")
