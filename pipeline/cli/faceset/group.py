"""`galloway faceset …`: look at, mend, convert and compare facesets, in a workspace or by explicit paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import open_app, together
from ..lazy import CommandTable, LazyGroup

if TYPE_CHECKING:
    from ....curation.faceset.index import FacesetPaths
    from ....curation.types import Progress

__all__ = ["SUBCOMMANDS", "faceset", "faceset_options", "follow", "located", "own_side"]

SUBCOMMANDS: CommandTable = {
    "verify": ("faceset.state:verify", "Find every disagreement of folder, headers, alignments and video."),
    "recover": ("faceset.state:recover", "End a merge or undo that was killed."),
    "merges": ("faceset.state:merges", "List the merges, or show one: what went, why, on whose votes."),
    "missing-alignments": ("faceset.jobs:missing_alignments", "Frames that the alignments do not know."),
    "missing-frames": ("faceset.jobs:missing_frames", "Frames that only the alignments know."),
    "no-faces": ("faceset.jobs:no_faces", "Frames without a face."),
    "multi-faces": ("faceset.jobs:multi_faces", "Frames with more than one face."),
    "leftover-faces": ("faceset.jobs:leftover_faces", "Face PNGs that the alignments do not know."),
    "odd-sizes": ("faceset.jobs:odd_sizes", "Face PNGs that are not square, or not as large as most."),
    "remove-faces": ("faceset.jobs:remove_faces", "Take out of the alignments what has no PNG any more."),
    "rename": ("faceset.jobs:rename", "Give every PNG the name that its header says."),
    "undo": ("faceset.jobs:undo", "Take the newest remove-faces or rename back."),
    "from-faces": ("faceset.dialects:from_faces", "Make alignments out of the PNGs' headers."),
    "export": (
        "faceset.dialects:export",
        "Write JSON that faceswap imports, tables, COCO, or DeepFaceLab's faces.",
    ),
    "import": ("faceset.dialects:import_", "Take in faceswap 0.9 to 3, DeepFaceLab or plain pictures."),
    "readiness": ("faceset.readiness:readiness", "Is it enough, and does it cover what side A's clip needs?"),
    "pick": ("faceset.pick:pick", "Pick the best faces that cover a clip's poses, mouths and lights."),
    "card": ("faceset.readiness:card", "A dataset card: what is in it, from where, on whose word."),
    "diff": ("faceset.readiness:diff", "What changed between two facesets or merges."),
    "translate": ("faceset.translate:translate", "An old faceswap command line in today's words."),
}


@click.group(cls=LazyGroup, table=SUBCOMMANDS)
def faceset() -> None:
    """Look at, mend, convert and compare facesets and alignments.

    Every command takes explicit paths, or a workspace with --side.

    \b
    Example:  galloway faceset verify --side b
    Example:  galloway faceset remove-faces --faces faces/ --alignments clip_alignments.fsa
    """


def faceset_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--faces`, `--alignments`, `--side` and `--json`, in front of the command's own options."""
    options = together(
        click.option(
            "--faces",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="The folder of face PNGs.",
        ),
        click.option(
            "--alignments",
            type=click.Path(exists=True, path_type=Path),
            help="The .fsa (or old .json) file, or a folder of *_alignments.fsa. Default: the one beside the faces.",
        ),
        click.option("--side", type=click.Choice(["a", "b"]), help="In a workspace: whose faceset."),
        click.option("--json", "as_json", is_flag=True, help="The result as JSON."),
    )
    return click.pass_context(options(command))


def located(
    ctx: click.Context, faces: Path | None, alignments: Path | None, side: str | None, *, need_alignments: bool = True
) -> FacesetPaths:
    """Where the faceset is: from explicit paths, else from the workspace.

    With explicit paths, manifests and rejected faces go to `<faces>_galloway/` beside the faces.
    """
    from ....curation.errors import FacesetError
    from ....curation.faceset.index import FacesetPaths
    from ....curation.types import Side

    if faces is None and alignments is None:
        from ...workspace.folder import Workspace

        if side is None:
            raise click.UsageError("Name a faceset: --side a or b in a workspace, or --faces DIR --alignments FILE.")
        workspace = Workspace.find(ctx.find_root().obj.get("workspace"))
        chosen = Side(side)
        return FacesetPaths(
            chosen,
            workspace.faces_dir(chosen),
            workspace.alignments_dir(chosen),
            workspace.merges_dir(chosen),
            workspace.rejected_dir(chosen),
        )
    if faces is None:
        assert alignments is not None
        folder = alignments if alignments.is_dir() else alignments.parent
        faces = folder / "faces"
    chosen = Side(side or "a")
    try:
        return FacesetPaths.of_folder(faces, alignments, chosen)
    except FacesetError as ambiguous:
        if need_alignments:
            raise click.UsageError(str(ambiguous)) from None
        return FacesetPaths.of_folder(faces, faces.resolve().parent, chosen)


def own_side(faces: Path | None, alignments: Path | None, side: str | None) -> str | None:
    """The side whose folder of the workspace is meant; None where options name another folder."""
    return side if faces is None and alignments is None else None


def follow(ctx: click.Context, side: str | None, progress: Progress) -> None:
    """Bring the workspace's tables to its folder of `side`, as `own_side` has it."""
    from ....curation.types import Side
    from ...stages.merge import follow_folder

    if side is not None:
        follow_folder(open_app(ctx), Side(side), progress)
