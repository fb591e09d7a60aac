"""`galloway faceset readiness|card|diff`: is it enough, what is in it, and what changed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ....curation.faceset.readiness.page import ReadinessPage
    from ...app import App

__all__ = ["card", "diff", "readiness"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--against", type=_FOLDER, help="The faces of the clip to be swapped (side A).")
@click.option("--side", type=click.Choice(["a", "b"]), default="b", show_default=True, help="In a workspace.")
@click.option("--headers-only", is_flag=True, help="Do not read pixels: faster; no light, sharpness or near-copies.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A threshold, e.g. --set near=10.")
@click.option("-o", "--output", type=_FILE, help="The report; default: reports/readiness-b.html, or ./readiness.html.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def readiness(
    ctx: click.Context,
    folder: Path | None,
    against: Path | None,
    side: str,
    headers_only: bool,
    values: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Say whether a faceset is enough to train on, and whether it covers what side A's clip needs, frame by frame.

    In a workspace: side B's faces against side A's. Elsewhere: FOLDER of face PNGs. Writes one HTML file.

    \b
    Example:  galloway faceset readiness
    Example:  galloway faceset readiness faces_b --against faces_a -o ready.html
    """
    from ....curation.faceset.readiness.values import thresholds_from

    thresholds = thresholds_from(values)
    if folder is None:
        app = open_app(ctx)
        folder, against, target = _workspace_folders(app, side, against)
        output = output or target
    else:
        app = None
        output = output or Path("readiness.html")
    from ....curation.faceset.readiness.assess import assess
    from ....curation.faceset.readiness.page import ReadinessPage
    from ....curation.faceset.readiness.picture import readiness_svg
    from ....curation.faceset.readiness.view import read_view
    from ...stages.picking import known_embeddings

    with known_embeddings(app) if app is not None else contextlib.nullcontext() as cache:
        with stage_progress("faces") as progress:
            options = f"--side {side}" if app is not None else ""
            faces = read_view(folder, pixels=not headers_only, cache=cache, options=options, progress=progress)
        clip = None
        if against is not None:
            with stage_progress("clip") as progress:
                clip = read_view(against, pixels=not headers_only, progress=progress)
    found = assess(faces, clip, thresholds)
    title = f"Readiness of {folder.name if app is None else f'side {side.upper()}'}"
    pictures = [readiness_svg(faces, clip, found, narrow=narrow) for narrow in (False, True)]
    page = ReadinessPage(title, found, faces, clip, *pictures)
    _write(output, page)
    result(page.as_dict(), as_json, lambda: page.to_text().split("\n"))
    say(f"Look: {output}")
    if app is not None:
        next_step("galloway train" if found.state != "poor" else "galloway ingest --side b MORE_FOOTAGE")


@click.command()
@click.option("--side", type=click.Choice(["a", "b"]), help="Default: every approved side.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def card(ctx: click.Context, side: str | None, as_json: bool) -> None:
    """Write an approved faceset's card: what is in it, who, on what basis, what was asked and what was left out.

    \b
    Example:  galloway faceset card --side b
    """
    from ....curation.faceset.cards.page import card_text
    from ....curation.types import Side
    from ...errors import NotApproved
    from ...stages.cards import make_card, write_card

    app = open_app(ctx)
    sides = [Side(side)] if side else [item for item in Side if app.standing_merge(item) is not None]
    if not sides:
        raise NotApproved("No side is approved yet. Approve one: galloway merge")
    cards = [make_card(app, item) for item in sides]
    for item in cards:
        page, path = write_card(app, item)
        say(f"Look: {page} (and {path.name})")
    result([item.as_dict() for item in cards], as_json, lambda: "\n\n".join(map(card_text, cards)).split("\n"))
    next_step("galloway train")


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def diff(ctx: click.Context, old: str, new: str, as_json: bool) -> None:
    """Say what changed between two facesets or merges. Exit code 0, whether or not they differ.

    OLD and NEW are folders of face PNGs, cards' JSON files, or merges' manifests; in a workspace also the id of a card
    or merge, or a side's letter: what is approved now, or the faces as they lie.

    \b
    Example:  galloway faceset diff backup/faces faces
    Example:  galloway faceset diff reports/card-b-0001.json b
    Example:  galloway faceset diff faces_galloway/merges/20260504-*.json
    """
    from ...errors import WorkspaceError
    from ...stages.cards import compare

    app = None
    with contextlib.suppress(WorkspaceError):
        app = open_app(ctx)
    with stage_progress("diff") as progress:
        found = compare(app, old, new, progress)
    result(found.as_dict(), as_json, lambda: found.to_text().split("\n"))


def _workspace_folders(app: App, side: str, against: Path | None) -> tuple[Path, Path | None, Path]:
    from ....curation.types import Side

    chosen = Side(side)
    if against is None and chosen is Side.B:
        clip = app.workspace.faces_dir(Side.A)
        against = clip if clip.is_dir() and any(clip.glob("*.png")) else None
        if against is None:
            say("Side A has no faces yet: coverage of the clip is left out.")
    return app.workspace.faces_dir(chosen), against, app.workspace.path("reports", f"readiness-{side}.html")


def _write(path: Path, page: ReadinessPage) -> None:
    """The HTML file and, beside it, the same as JSON; each appears whole or not at all."""
    from ....curation.files import write_atomic

    for target, text in ((path, page.to_html()), (path.with_suffix(".json"), page.to_json())):
        write_atomic(target, text, durable=False)
