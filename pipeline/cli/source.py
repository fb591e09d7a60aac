"""`galloway source …`: the footage of a workspace, and taking some of it out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..wording import counted, noun
from .console import emit, emit_page, next_step, open_app, result, say, side_option, stage_progress

__all__ = ["source"]


@click.group()
def source() -> None:
    """Footage after it came in: what there is, and taking some of it out.

    \b
    Example:  galloway source list
    """


@source.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """All footage: side, name, kind, person, basis, faces.

    \b
    Example:  galloway source list --json
    """
    from ..workspace.records import sources

    known = sources(open_app(ctx).workspace)
    data = [
        {
            "side": item.side.value, "name": item.name, "kind": item.kind, "person": item.person, "basis": item.basis,
            "frames": item.frames, "faces": item.faces, "engine": item.engine,
        }
        for item in known
    ]  # fmt: skip
    lines = [
        f"side {item.side.value}  {item.name}  {item.kind}  {item.person or 'nobody named'} ({item.basis})  "
        + ("not extracted yet" if item.faces is None else counted(item.faces, "face"))
        for item in known
    ]
    result(data, as_json, lambda: lines or "No footage came in yet.")


@source.command()
@side_option()
@click.argument("name")
@click.option("--from", "given", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="JSON to set.")
@click.option("--clear", is_flag=True, help="Forget the regions: every face counts again.")
@click.option("--preview", "shown", type=click.Path(path_type=Path), help="Write the film with its regions shaded.")
@click.option("--json", "as_json", is_flag=True, help="The regions as JSON, as --from reads them.")
@click.pass_context
def mask(
    ctx: click.Context, side: str, name: str, given: Path | None, clear: bool, shown: Path | None, as_json: bool
) -> None:
    """Mask parts of the source NAME out: faces whose centre lies in one are not asked about, not approved, not swapped.

    Regions are rectangles and polygons with frame numbers, and move in straight lines between them; the footage is not
    touched. Without an option: what there is. `galloway serve` draws them (Facesets, "Mask out").

    \b
    Example:  galloway source mask --side a clip --from others.json
    Example:  galloway source mask --side a clip --preview masked.mp4
    """
    from ...curation.types import Side, Status
    from ..asking.decide import decide
    from ..stages.masking import clear_regions, find_source, masked_faces, preview, set_regions
    from ..stages.status import next_command
    from ..video.regions import regions_json

    app = open_app(ctx)
    one = find_source(app, Side(side), name)
    if given is not None or clear:
        with app.workspace.lock("masking"):
            if clear:
                clear_regions(app, one)
            if given is not None:
                set_regions(app, one, given.read_bytes(), given.name)
            decide(app)
    found = masked_faces(app, one)
    if shown is not None:
        with stage_progress("preview") as progress:
            say(f"Look: {preview(app, one, shown, progress)}")
    if as_json:
        emit_page(regions_json(found.regions))
        return
    for region in found.regions.regions:
        frames = f"frames {region.first}-{region.last}" if region.first is not None else "all frames"
        emit(f"{region.name or 'region'}: {frames}, keys at {', '.join(str(key.frame) for key in region.keys)}")
    many = len(found.faces)
    regions = counted(len(found.regions.regions), "masked region")
    emit(f"{counted(many, 'face')} of {name} {noun(many, 'lies', 'lie')} in {regions}.")
    inside = {face.face_id for face in found.faces}
    kept = sum(
        item.question is None and item.status is Status.APPROVED and item.face_id in inside
        for item in app.store.decisions()
    )
    if kept:
        emit(
            f"{counted(kept, 'face')} of these people judged and kept: in the faceset they stay, and training learns "
            "from them. To take them out, reject them under Faces: galloway serve"
        )
    following = next_command(app)
    # A film is here, and who is swapped in it may be others now.
    next_step("galloway convert" if following == "galloway serve" and side == Side.A.value else following)


@source.command()
@side_option()
@click.option("--remove", "name", help="Delete the photograph of this name for good, as cut and as given.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def photographs(ctx: click.Context, side: str, name: str | None, as_json: bool) -> None:
    """The photographs of a side's person, by name; with --remove, one less.

    They stand beside the question who a face is. One that is on an open page stays until its answers are collected.

    \b
    Example:  galloway source photographs --side a
    Example:  galloway source photographs --side a --remove ann-2.jpg
    """
    from ...curation.types import Side
    from ..errors import NothingToDo
    from ..market.pictures import reference_files
    from ..stages.sources import reference_digest, remove_reference

    app, of = open_app(ctx), Side(side)
    if name is not None:
        with app.workspace.lock("removing"):
            found = next((path for path in reference_files(app.workspace, of) if path.name == name), None)
            if found is None:
                raise NothingToDo(f"Side {side} has no photograph named {name!r}. See: galloway source photographs")
            remove_reference(app, of, reference_digest(found))
        say("Removed.")
    names = [path.name for path in reference_files(app.workspace, of)]
    result({"side": side, "photographs": names}, as_json, lambda: names or "No photographs of the person.")


@source.command()
@side_option()
@click.argument("name")
@click.option("--photograph", "picture", help="Only this photograph of it, by its name in sources/.")
@click.option("--dry-run", is_flag=True, help="Show what would go; remove nothing.")
@click.option("--with-votes", is_flag=True, help="Also where people voted on its faces: their votes go, too.")
@click.option("--references", is_flag=True, help="The side's reference photographs, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(
    ctx: click.Context,
    side: str,
    name: str,
    picture: str | None,
    dry_run: bool,
    with_votes: bool,
    references: bool,
    yes: bool,
) -> None:
    """Take the source NAME out: its footage in the workspace, its faces and what was decided on them, for good.

    For footage that came in on the wrong side, or that may no longer be used. Reports, embeddings, its results and the
    history of undone merges go with it; what else may have been made of it is listed. Your own file is not touched.
    To erase a person: galloway person erase NAME

    \b
    Example:  galloway source remove --side b wrong-clip
    Example:  galloway source remove --side b holiday --photograph holiday_beach.jpg
    """
    from ...curation.types import Side
    from ..errors import SafetyStop
    from ..stages.one_photograph import plan_photograph, take_photograph_out
    from ..stages.sources import derived_of, plan_removal, take_out
    from ..stages.status import read_status

    if picture is not None and references:
        raise click.UsageError("--references goes with the whole source, not with one --photograph of it.")
    app = open_app(ctx)
    with app.workspace.lock("removing", faces=True):
        one = picture is not None
        planned = plan_photograph(app, Side(side), name, picture) if picture else plan_removal(app, Side(side), name)
        what = f"{len(planned.faces)} faces with {planned.votes} votes, and the copy of the footage"
        say(f"{picture or name} on side {side}: {what}.")
        for path in derived_of(app, planned)[0]:
            say(f"with it: {path.relative_to(app.workspace.root).as_posix()}")
        if dry_run:
            return
        if not yes and not (sys.stdin.isatty() and click.confirm("Remove them for good?", err=True)):
            raise SafetyStop("Nothing was removed: confirm with --yes.")
        left = (
            take_photograph_out(app, planned, with_votes=with_votes)
            if one
            else take_out(app, planned, with_votes=with_votes, references=references)
        )
    say("Removed." if not left else "Removed. What is left:")
    for item in left:
        emit(f"left: {item.path}: {item.why}")
    next_step(read_status(app).next_command)
