"""Preparing, for those who may decide: making a project, changing it, giving it a table with its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ....curation.errors import CurationError
from ....mturk.requester.errors import MTurkError
from ...errors import SafetyStop, StageError
from ...projects.project import Project, Terms, change_project, make_project, read_terms
from ...projects.publish import PlannedBatch, plan_batch
from ...projects.sheets import Sheet, add_files, keep_sheet
from ...projects.table import Table, read_table
from ...projects.template import GALLERY, check_template, gallery_page
from ...wording import counted
from ...workspace.team import Role
from ..door import role
from ..opened import open_workspace
from .room import blueprint, named, sheet_of

__all__: list[str] = []

_FIELDS = tuple(Terms.model_fields)
_DEFAULTS = {
    name: field.default if isinstance(field.default, (int, Decimal)) else ""
    for name, field in Terms.model_fields.items()
}
_SHOWN = 5


@blueprint.get("/projects/new")
def new() -> str:
    """The form of a new project, with a page of the gallery where one was chosen."""
    _may_prepare()
    chosen = request.args.get("gallery", "")
    if chosen and chosen not in GALLERY:
        abort(404, f"There is no page {chosen[:60]} in the gallery.")
    values = {"template": gallery_page(chosen) if chosen else "", "name": chosen, "title": GALLERY.get(chosen, "")}
    return _form(None, values)


@blueprint.post("/projects/new")
def make() -> Response | tuple[str, int]:
    """A new project."""
    values = _values()
    app = open_workspace()
    try:
        with app.workspace.lock("making a project", wait=5):
            made = make_project(app.workspace, values["name"], _terms(values), values["template"])
    except StageError as wrong:
        return _form(None, values, str(wrong)), 400
    return _told(made, "made")


@blueprint.get("/projects/<name>/edit")
def edit(name: str) -> str:
    """The form of a project as it is."""
    _may_prepare()
    found = named(name)
    said = found.terms.model_dump(mode="json")
    values = {key: ", ".join(value) if key == "countries" else value for key, value in said.items()}
    return _form(found, values | {"template": found.template, "name": name})


@blueprint.post("/projects/<name>/edit")
def change(name: str) -> Response | tuple[str, int]:
    """The project with other terms or another page; what was sent stays."""
    found, values, app = named(name), _values(), open_workspace()
    try:
        with app.workspace.lock("changing a project", wait=5):
            made = change_project(app.workspace, found, _terms(values), values["template"])
    except StageError as wrong:
        return _form(found, values | {"name": name}, str(wrong)), 400
    return _told(made, "changed")


def _may_prepare() -> None:
    """Its form is for those who may send it."""
    if (role() or 0) < Role.DECIDE:
        abort(403, "You may look; making and changing projects takes somebody who may decide.")


def _values() -> dict[str, Any]:
    """What the form says; a page that was uploaded goes before one that was pasted."""
    values: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("name", *_FIELDS)}
    given = request.files.get("page")
    data = given.read() if given is not None else b""
    values["template"] = _decoded(data) if data else request.form.get("template", "").replace("\r\n", "\n")
    return values


def _decoded(data: bytes) -> str:
    """A page's text: UTF-16 or UTF-8 where it is, else Windows' code page."""
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise BadRequest("The page is no text: choose an HTML file.")


def _terms(values: Mapping[str, Any]) -> Terms:
    given = {name: values[name] for name in _FIELDS if values[name] != ""}
    return read_terms({"description": given.get("title", ""), **given}, "The form")


def _form(found: Project | None, values: Mapping[str, Any], wrong: str = "") -> str:
    shown = {name: "" if value is None else value for name, value in {**_DEFAULTS, **values}.items()}
    shown |= {name: "" for name in ("approved_hits", "approved_percent") if str(shown[name]) == "0"}
    return render_template("projects/form.html", project=found, values=shown, wrong=wrong, gallery=GALLERY)


def _told(made: Project, how: str) -> Response:
    for doubt in check_template(made.template, made.name):
        flash(doubt)
    columns = ", ".join(made.variables)
    flash(
        f"{made.name} is {how}. "
        + (f"Its table needs the columns {columns}." if columns else "Its page shows no data.")
    )
    return redirect(url_for("projects.project", name=made.name), 303)


@blueprint.post("/projects/<name>/sheets")
def upload(name: str) -> Response | tuple[str, int]:
    """Keep a table, and the files that its cells name."""
    found, app = named(name), open_workspace()
    given = request.files.get("table")
    if given is None or not given.filename:
        abort(400, "Choose a table: CSV from a spreadsheet, or Excel.")
    media = [item for item in request.files.getlist("media") if item.filename]
    with app.workspace.lock("keeping a table", wait=5):
        sheet = keep_sheet(found, given.filename, given.read())
        count = add_files(sheet, ((item.filename or "", item.read()) for item in media))
    if count:
        flash(f"{counted(count, 'file')} came with it.")
    return redirect(url_for("projects.sheet", name=name, key=sheet.id), 303)


@blueprint.get("/projects/<name>/sheets/<key>")
def sheet(name: str, key: str) -> str:
    """A table: its first rows as workers see them, and what publishing it costs."""
    found = named(name)
    kept = sheet_of(found, key)
    turn = request.args.get("turn", 1, type=int)
    table, planned, wrong = _planned(found, kept, turn)
    number = min(max(1, request.args.get("row", 1, type=int)), len(table.rows) if table else 1, 100)
    return render_template(
        "projects/sheet.html",
        project=found,
        sheet=kept,
        table=table,
        shown=table.rows[:_SHOWN] if table else (),
        planned=planned,
        wrong=wrong,
        row=number,
        turn=turn,
        budget=open_workspace().settings.ask.budget,
        notice=open_workspace().terms().market.notice,
    )


def _planned(found: Project, kept: Sheet, turn: int) -> tuple[Table | None, PlannedBatch | None, str]:
    """The table, what would be sent, and why it cannot be, where one of them is missing."""
    app = open_workspace()
    table = None
    try:
        if not 1 <= turn <= 999:
            raise StageError("A turn is a number from 1 to 999.")
        table = read_table(kept.path, found.variables, called=kept.name)
        planned = plan_batch(app, app.terms(), found.name, kept.path, turn=turn, media=kept.media)
    except (StageError, SafetyStop, CurationError, MTurkError) as wrong:
        return table, None, str(wrong).replace(str(kept.path), kept.name)
    return table, planned, ""
