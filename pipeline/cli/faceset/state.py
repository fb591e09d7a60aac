"""`galloway faceset verify|recover|merges`: how a faceset stands, and mending it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import next_step, result, say, stage_progress
from .group import faceset_options, follow, located, own_side

if TYPE_CHECKING:
    from ....curation.faceset.index import FacesetPaths
    from ....curation.faceset.merging.transaction import Manifest
    from ....curation.faceset.verify import Problem

__all__ = ["merges", "recover", "verify"]

_SHOWN = 5


@click.command("verify")
@faceset_options
@click.option(
    "--frames", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="The video or folder the faces came from, too; repeatable.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Do not compare every header with the alignments.")
def verify(
    ctx: click.Context, frames: tuple[Path, ...], quick: bool, faces: Path | None,
    alignments: Path | None, side: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find every disagreement of folder, headers, alignments and footage, and say the command that mends it.

    Exit code 1 where something is wrong. Changes nothing.

    \b
    Example:  galloway faceset verify --side a
    Example:  galloway faceset verify --faces faces/ --alignments clip_alignments.fsa --frames clip.mp4
    """
    from ....curation.faceset.verify import options_for
    from ....curation.faceset.verify import verify as run
    from ...engines.frames import frame_names_of

    paths = located(ctx, faces, alignments, side, need_alignments=False)
    names = frame_names_of(frames) if frames else None
    with stage_progress("verify") as progress:
        problems = run(paths, frames=names, deep=not quick, one_size=not _embedded_only(ctx, paths), progress=progress)
    options = options_for(paths, side)
    rows = [
        {
            "kind": problem.kind,
            "message": problem.message,
            "count": len(problem.names),
            "names": list(problem.names),
            "remedy": problem.remedy.replace("OPTIONS", options),
            "stops": problem.stops,
        }
        for problem in problems
    ]
    told = [line for problem in problems for line in _lines(problem, options)]
    result({"problems": rows}, as_json, lambda: told or "All agrees.")
    if any(problem.stops for problem in problems):
        ctx.exit(1)


def _embedded_only(ctx: click.Context, paths: FacesetPaths) -> bool:
    """Whether the faces are a workspace's and the embedded engine made them all: it takes crops of any size."""
    from ...errors import WorkspaceError
    from ...workspace.folder import Workspace
    from ...workspace.records import sources

    try:
        workspace = Workspace.find(ctx.find_root().obj.get("workspace"))
    except WorkspaceError:
        return False
    if paths.faces_dir != workspace.faces_dir(paths.side):
        return False
    engines = {item.engine for item in sources(workspace, paths.side) if item.faces}
    return engines == {"embedded"}


def _lines(problem: Problem, options: str) -> list[str]:
    count = f" ({len(problem.names)})" if len(problem.names) > 1 else ""
    lines = [f"{'✗' if problem.stops else '!'} {problem.message}{count}"]
    lines += [f"    {name}" for name in problem.names[:_SHOWN]]
    if len(problem.names) > _SHOWN:
        lines.append(f"    … and {len(problem.names) - _SHOWN} more (all with --json)")
    lines.append(f"    mend it: {problem.remedy.replace('OPTIONS', options)}")
    return lines


@click.command("recover")
@faceset_options
def recover(ctx: click.Context, faces: Path | None, alignments: Path | None, side: str | None, as_json: bool) -> None:
    """End what was killed: roll back what was only prepared, finish the rest.

    \b
    Example:  galloway faceset recover --side b
    """
    from ....curation.faceset.merging.merge import recover as run
    from ...errors import NothingToDo

    paths = located(ctx, faces, alignments, side, need_alignments=False)
    with stage_progress("recover") as progress:
        done = run(paths, progress)
        follow(ctx, own_side(faces, alignments, side), progress)
    data = {
        "finished": list(done.finished),
        "rolled_back": list(done.rolled_back),
        "undone": list(done.undone),
        "swept": done.swept,
    }
    if done.is_empty:
        raise NothingToDo("Nothing was left half done.")
    result(
        data,
        as_json,
        lambda: [
            *(f"finished {name}" for name in done.finished),
            *(f"rolled back {name}" for name in done.rolled_back),
            *(f"finished the undo of {name}" for name in done.undone),
            *([f"removed {done.swept} half-written files"] if done.swept else []),
        ],
    )
    next_step("galloway faceset verify (same options)")


@click.command("merges")
@faceset_options
@click.argument("merge_id", required=False)
def merges(
    ctx: click.Context,
    merge_id: str | None,
    faces: Path | None,
    alignments: Path | None,
    side: str | None,
    as_json: bool,
) -> None:
    """List the merges of a faceset; with MERGE_ID, what went in it, why, and on whose votes.

    \b
    Example:  galloway faceset merges --side b
    """
    from ....curation.errors import FacesetError
    from ....curation.faceset.merging.transaction import manifests
    from ...errors import NothingToDo

    paths = located(ctx, faces, alignments, side, need_alignments=False)
    found = list(manifests(paths))
    if merge_id is not None:
        chosen = [row for row in found if row["merge_id"] == merge_id]
        if not chosen:
            raise FacesetError(f"There is no merge {merge_id}. See all: galloway faceset merges")
        result(chosen[0], as_json, lambda: _details(chosen[0]))
        return
    if not found:
        raise NothingToDo("There is no merge yet.")
    rows = [
        {key: row[key] for key in ("merge_id", "state", "created_at", "counts", "digest_before", "digest_after")}
        for row in found
    ]
    result(rows, as_json, lambda: list(map(_summary, found)))
    say(f"{len(found)} merges")


def _summary(row: Manifest) -> str:
    counts = row["counts"]
    cut = sum(len(places) for file in row["rewrites"] for places in file["removed"].values())
    return (
        f"{row['merge_id']}  {row['state']:8}  pictures out {counts['removed']:>6}  entries out {cut:>6}  "
        f"kept {counts['kept']:>6}"
    )


def _details(row: Manifest) -> list[str]:
    lines = [_summary(row), f"digest {row['digest_before']} -> {row['digest_after']}"]
    names = {removal["face_id"]: removal["name"] for removal in row["removals"]}
    for removal in row["removals"]:
        votes = ", ".join(
            f"{vote['voter']}: {vote['label']}{' ' + vote['reason'] if vote['reason'] else ''}"
            for vote in removal["votes"]
        )
        if copied := removal.get("copy_of"):
            votes = f"near-copy of {names.get(copied, copied)}"
        lines.append(f"  - {removal['name']}: {removal['reason'] or removal['status']}  [{votes}]")
    lines += [f"  ~ {move['name']} -> {move['new_name']}" for move in row["moves"]]
    return lines + [f"  note: {note}" for note in row["notes"]]
