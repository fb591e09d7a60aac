"""`galloway init|ingest|status|doctor`: the workspace itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.console import next_step, open_app, result, say, side_option, stage_progress

if TYPE_CHECKING:
    from pipeline.app import App

__all__ = ["doctor", "ingest", "init", "status"]

_BASES = ("own", "consent", "licence", "public-domain")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--name", help="How workers see the requester; default: the folder's name.")
def init(folder: Path, name: str | None) -> None:
    """Make a workspace in FOLDER (default: here). An existing one is left as it is.

    \b
    Example:  galloway init my-swap
    """
    from pipeline.stages.setup import make_workspace

    workspace, made = make_workspace(folder, name)
    say(f"{'Made' if made else 'There already is'} a workspace at {workspace.root}")
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    next_step(f"{where}galloway ingest --side a VIDEO --person NAME --basis {'|'.join(_BASES)} --reference PHOTO")


@click.command()
@side_option()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
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
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def ingest(
    ctx: click.Context,
    side: str,
    path: Path | None,
    person: str,
    basis: str | None,
    note: str,
    references: tuple[Path, ...],
    fix: bool,
    as_json: bool,
) -> None:
    """Add footage to side A or B: a video, or a folder of photographs. With --reference alone, only photographs of
    the person are added.

    \b
    Example:  galloway ingest --side a clip.mp4 --person "Ann" --basis consent --reference ann.jpg
    """
    from curation.types import Side
    from pipeline.stages.ingest import add_references
    from pipeline.stages.ingest import ingest as run

    app = open_app(ctx)
    chosen = Side(side)
    if path is None and not references:
        raise click.UsageError("Give a video or a folder of photographs, or photographs with --reference.")
    data: dict[str, object] = {"side": side}
    with app.workspace.lock("ingesting"):
        if references:
            data["references"] = [item.name for item in add_references(app, chosen, references)]
            say(f"Side {side} has {len(references)} more reference photographs.")
        if path is not None:
            basis = basis or _ask_basis(path)
            checked = _doctored(app, path, fix)
            with stage_progress("ingest") as progress:
                done = run(app, checked, chosen, person=person, basis=basis, note=note, progress=progress)
            data |= {"source": done.source.name, "added": done.added, "skipped": list(done.skipped)}
            say(f"{'Added' if done.added else 'Already here:'} {done.source.kind} {done.source.name} on side {side}.")
            if done.skipped:
                say(f"Left out, no photographs: {', '.join(done.skipped[:10])}")
    result(data, as_json, lambda: "")
    other = "b" if side == "a" else "a"
    next_step(f"galloway ingest --side {other} … or, with both sides here: galloway extract")


def _ask_basis(path: Path) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"Say on what basis the face in {path.name} may be used: --basis {'|'.join(_BASES)}")
    answer: str = click.prompt(
        "On what basis may this face be used?", type=click.Choice(_BASES), err=True, default="consent"
    )
    return answer


def _doctored(app: App, path: Path, fix: bool) -> Path:
    from pipeline.stages.setup import examine_video

    if path.is_dir():
        return path
    outcome = examine_video(app, path, fix=fix)
    for line in outcome.lines:
        say(line)
    return outcome.path


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say where the work stands and which command comes next."""
    from pipeline.stages.status import read_status

    found = read_status(open_app(ctx))
    result(found.as_dict(), as_json, found.as_text)
    next_step(found.next_command)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check this machine: Python, engines, video tools, market, workspace. Exit code 1 if something is wrong."""
    from pipeline.stages.doctor import examine

    checks = examine(ctx.find_root().obj.get("workspace"))
    data = [{"area": area, "check": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy} for area, c in checks]

    def text() -> str:
        lines = []
        for area, check in checks:
            mark = "ok  " if check.ok else "FAIL"
            lines.append(f"{mark} {area:<10} {check.name}: {check.detail}")
            if not check.ok and check.remedy:
                lines.append(f"     {'':<10} → {check.remedy}")
        return "\n".join(lines)

    result(data, as_json, text)
    if any(not check.ok and area != "faceswap" for area, check in checks):
        ctx.exit(1)
