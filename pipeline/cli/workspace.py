"""`galloway init|ingest|status|doctor`: the workspace itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import next_step, open_app, result, say, say_misfits, side_option, stage_progress

if TYPE_CHECKING:
    from ...curation.types import Side
    from ..app import App
    from ..stages.ingest import Footage, Ingested

__all__ = ["doctor", "ingest", "init", "status"]

_BASES = ("own", "consent", "licence", "public-domain")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--name", help="How workers see the requester; default: the folder's name.")
@click.option(
    "--database",
    default="",
    help="Its rows in an empty PostgreSQL database, postgresql://USER@HOST:5432/NAME; default: a file in the folder.",
)
def init(folder: Path, name: str | None, database: str) -> None:
    """Make a workspace in FOLDER (default: here). An existing one is left as it is.

    \b
    Example:  galloway init my-swap
    """
    from ..stages.setup import make_workspace

    workspace, made = make_workspace(folder, name, database=database)
    say(f"{'Made' if made else 'There already is'} a workspace at {workspace.root}")
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    next_step(f"{where}galloway ingest --side a VIDEO --person NAME --basis {'|'.join(_BASES)} --reference PHOTO")


@click.command()
@side_option()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--faces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead of footage: a folder of face PNGs that faceswap extracted. Others: galloway faceset import, first.",
)
@click.option(
    "--alignments",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --faces: their alignments file. Default: made from the PNGs' headers.",
)
@click.option("--person", default="", help="Who is in it; the name stays in the workspace, workers never see it.")
@click.option("--basis", type=click.Choice(_BASES), help="On what basis this face may be used.")
@click.option("--note", default="", help="Anything that backs the basis: where the consent is kept, a licence's URL.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A photograph of the person for identity checks; repeat it for more. A face that was extracted is fine.",
)
@click.option("--fix", is_flag=True, help="Mend what the video doctor finds before ingesting.")
@click.option("--together", is_flag=True, help="Photographs named one by one are one source, wherever they lie.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def ingest(
    ctx: click.Context,
    side: str,
    paths: tuple[Path, ...],
    faces: Path | None,
    alignments: Path | None,
    person: str,
    basis: str | None,
    note: str,
    references: tuple[Path, ...],
    fix: bool,
    together: bool,
    as_json: bool,
) -> None:
    """Add footage to side A or B: videos, photographs, and folders of them. With --faces, faces that were extracted
    elsewhere; with --reference alone, only photographs of the person. `galloway source remove` takes footage out again.

    Pictures that cannot be read are named and left out. A table `urls.csv` beside photographs (file, source, licence,
    person, date) becomes part of their record.

    \b
    Example:  galloway ingest --side a clip.mp4 --person "Ann" --basis consent --reference ann.jpg
    Example:  galloway ingest --side b takes/*.mov --person "Bob" --basis own --fix
    Example:  galloway ingest --side b --faces faces/ --alignments clip_alignments.fsa --basis own
    """
    from ...curation.types import Side
    from ..asking.sight import look_at
    from ..stages.ingest import Footage, footage_in
    from ..stages.status import read_status

    app = open_app(ctx)
    chosen = Side(side)
    if not paths and faces is None and not references:
        raise click.UsageError("Give videos or photographs, --faces FOLDER, or --reference PHOTO.")
    if paths and faces is not None:
        raise click.UsageError("Give footage or --faces, one at a time.")
    if alignments is not None and faces is None:
        raise click.UsageError("--alignments belongs to --faces FOLDER.")
    data: dict[str, object] = {"side": side}
    with app.workspace.lock("ingesting", faces=faces is not None):
        if references:
            data["references"] = _add_each(app, chosen, references)
        given = [Footage(faces)] if faces is not None else footage_in(paths, together=together)
        if given:
            who = {"person": person, "basis": basis or _ask_basis(given[0].path), "note": note}
            data["sources"] = _bring_each(app, chosen, given, faces is not None, alignments, fix, who)
        if (faces is not None or references) and app.settings.ask.learns:
            with stage_progress("look") as progress:
                look_at(app, chosen, progress)
    result(data, as_json, lambda: "")
    _say_references(app, chosen)
    say_misfits(app)
    next_step(read_status(app).next_command)
    if faces is not None:
        say(f"Do faces and alignments agree? galloway faceset verify --side {side}")


def _say_references(app: App, side: Side) -> None:
    from ..asking.decide import asked_questions
    from ..market.pictures import reference_files

    if "identity" in asked_questions(app)[side] and not reference_files(app.workspace, side):
        say(
            f"Side {side.value} has no photograph of the person yet; later rounds ask with one. Add it: "
            f"galloway ingest --side {side.value} --reference PHOTO"
        )


def _add_each(app: App, side: Side, photographs: tuple[Path, ...]) -> list[str]:
    """Bring in one photograph of the person after the other; what fails is told at the end, with the others in."""
    from ...curation.errors import FacesetError
    from ..errors import StageError
    from ..jobs.uploads import drop_taken_in
    from ..stages.ingest import add_references
    from ..wording import counted

    names: list[str] = []
    failed: list[str] = []
    for photograph in photographs:
        try:
            names += [item.name for item in add_references(app, side, [photograph])]
        except FacesetError as error:
            if len(photographs) == 1:
                raise
            failed.append(str(error))
        else:
            drop_taken_in(app.workspace, [photograph])
    if names:
        say(f"Side {side.value} has {counted(len(names), 'more reference photograph')}.")
    if failed:
        raise StageError(f"{len(failed)} of {len(photographs)} did not come in:", *failed)
    return names


def _bring_each(
    app: App, side: Side, given: list[Footage], faces: bool, alignments: Path | None, fix: bool, who: dict[str, str]
) -> list[dict[str, object]]:
    """Bring in one after the other; what fails is told at the end, with the others in."""
    from ..errors import StageError
    from ..jobs.uploads import drop_taken_in
    from ..wording import counted
    from ..workspace.records import sources

    data: list[dict[str, object]] = []
    failed: list[str] = []
    left_out = 0
    for footage in given:
        try:
            done = _bring_in(app, side, footage, faces, alignments, fix, who)
        except StageError as error:
            if len(given) == 1:
                raise
            left_out += 1
            failed.extend(error.lines)
            continue
        drop_taken_in(app.workspace, footage.files)
        skipped, broken = list(done.skipped), list(done.broken)
        data.append(
            {
                "source": done.source.name,
                "added": done.added,
                "brought_back": done.brought_back,
                "skipped": skipped,
                "broken": broken,
            }
        )
        did = "Added" if done.added else "Brought back:" if done.brought_back else "Already here:"
        say(f"{did} {done.source.kind} {done.source.name} on side {side.value}.")
        same = [item for item in sources(app.workspace) if item.sha256 == done.source.sha256]
        elsewhere = [item for item in same if item.side is not side]
        if done.added and elsewhere:
            say(
                f"The same footage is on side {elsewhere[0].side.value}, too. If that was not meant: "
                f"galloway source remove --side {side.value} {done.source.name}"
            )
        if done.skipped:
            say(f"Left out, no {done.source.kind}: {', '.join(done.skipped[:10])}")
        for line in (*done.broken, *done.notes):
            say(line)
        if done.broken:
            say(f"Left out because they cannot be read: {counted(len(done.broken), 'picture')}. The rest is in.")
    if failed:
        raise StageError(f"{left_out} of {len(given)} did not come in:", *failed)
    return data


def _bring_in(
    app: App, side: Side, footage: Footage, faces: bool, alignments: Path | None, fix: bool, who: dict[str, str]
) -> Ingested:
    from ..stages.ingest import ingest as run
    from ..stages.ingest_faces import ingest_faces

    if faces:
        with stage_progress("ingest") as progress:
            return ingest_faces(app, footage.path, side, alignments=alignments, progress=progress, **who)
    checked, mended_from = _doctored(app, footage, fix)
    with stage_progress("ingest") as progress:
        return run(app, checked, side, mended_from=mended_from, progress=progress, **who)


def _ask_basis(path: Path) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"Say on what basis the face in {path.name} may be used: --basis {'|'.join(_BASES)}")
    answer: str = click.prompt(
        "On what basis may this face be used?", type=click.Choice(_BASES), err=True, default="consent"
    )
    return answer


def _doctored(app: App, footage: Footage, fix: bool) -> tuple[Footage, str | None]:
    from ..stages.ingest import Footage
    from ..stages.setup import examine_video

    if footage.path.is_dir():
        return footage, None
    outcome = examine_video(app, footage.path, fix=fix)
    for line in outcome.lines:
        say(line)
    return Footage(outcome.path), outcome.mended_from


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say where the work stands and which command comes next."""
    from ..stages.status import read_status

    found = read_status(open_app(ctx))
    result(found.as_dict(), as_json, found.as_lines)
    next_step(found.next_command)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check this machine: Python, engines, video tools, market, workspace. Exit code 1 if something is wrong."""
    from ..stages.doctor import examine

    checks = examine(ctx.find_root().obj.get("workspace"))
    data = [
        {"area": area, "check": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy, "wish": c.wish}
        for area, c in checks
    ]

    def text() -> list[str]:
        lines = []
        for area, check in checks:
            mark = "ok  " if check.ok else "wish" if check.wish else "FAIL"
            lines.append(f"{mark} {area:<10} {check.name}: {check.detail}")
            if not check.ok and check.remedy:
                lines.append(f"     {'':<10} → {check.remedy}")
        return lines

    result(data, as_json, text)
    if any(not check.ok and not check.wish and area != "faceswap" for area, check in checks):
        ctx.exit(1)
