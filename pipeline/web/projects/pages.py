"""Looking: the list of projects, one project with its tables and batches, and its pages as workers see them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, abort, jsonify, render_template

from ....mturk.requester.money import quote
from ...market.local import running_market
from ...market.session import MarketTerms
from ...projects.export import exported
from ...projects.project import Project, Terms, find_project, find_projects
from ...projects.publish import pages_of
from ...projects.running import ProjectBatch, project_batches
from ...projects.sheets import sheets
from ...projects.table import read_table
from ...projects.template import GALLERY, preview_page
from ..opened import open_workspace
from .room import blueprint, named, sheet_of

__all__: list[str] = []

_PREVIEW_CSP = "sandbox allow-scripts allow-modals allow-popups; form-action 'none'; frame-ancestors 'self'"
"""A preview runs the requester's own scripts, in an origin of its own: our pages and cookies stay out of its reach."""
_ROWS = 100
"""So many of the first rows can be looked at."""


def hourly(terms: Terms, market: MarketTerms) -> Decimal | None:
    """What the pay amounts to an hour."""
    return quote(terms.reward, [1], market.market.fees, seconds=Decimal(terms.seconds)).hourly_wage


@blueprint.get("/projects")
def listing() -> str:
    app = open_workspace()
    projects = [find_project(app.workspace, name) for name in find_projects(app.workspace)]
    batches = project_batches(app, projects)
    rows = [(project, batches[project.name], _answers(batches[project.name])) for project in projects]
    return render_template("projects/list.html", rows=rows, gallery=GALLERY, terms=app.terms(), hourly=hourly)


def _answers(batches: list[ProjectBatch]) -> tuple[int, int]:
    lines = [batch.line for batch in batches if batch.line is not None]
    return sum(line.submitted for line in lines), sum(line.assignments for line in lines)


@blueprint.get("/projects/<name>")
def project(name: str) -> str:
    found, app = named(name), open_workspace()
    terms = app.terms()
    local = app.settings.market.name == "local"
    batches = project_batches(app, [found])[name]
    return render_template(
        "projects/project.html",
        project=found,
        batches=batches,
        sheets=sheets(found),
        wage=hourly(found.terms, terms),
        market=running_market(app.workspace) if local else None,
        local=local,
        waits=any(batch.state == "open" for batch in batches),
        requirements=_requirements(found),
    )


def _requirements(found: Project) -> list[str]:
    """Who may accept, in words."""
    terms = found.terms
    lines = [f"live in {', '.join(terms.countries)}"] if terms.countries else []
    lines += [f"{terms.approved_hits:,} approved answers or more"] if terms.approved_hits else []
    lines += [f"{terms.approved_percent} % of their answers approved"] if terms.approved_percent else []
    if terms.qualification:
        least = "" if terms.qualification_least is None else f", with {terms.qualification_least} or more"
        lines.append(f"hold {terms.qualification}{least}")
    return lines


@blueprint.get("/projects/<name>/page")
def sample(name: str) -> Response:
    """The page without data: each variable shows its name."""
    found = named(name)
    return _preview(preview_page(found.template, {variable: f"[{variable}]" for variable in found.variables}))


@blueprint.get("/projects/<name>/sheets/<key>/rows/<int:number>")
def row(name: str, key: str, number: int) -> Response:
    """The page of one of the first rows."""
    found = named(name)
    sheet = sheet_of(found, key)
    table = read_table(sheet.path, found.variables, called=sheet.name)
    if not 1 <= number <= min(len(table.rows), _ROWS):
        abort(404, f"There is no row {number}; the first {_ROWS} can be looked at.")
    return _preview(pages_of(found, table.part(number - 1, 1), sheet.media)[0])


def _preview(page: str) -> Response:
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _PREVIEW_CSP
    return response


@blueprint.get("/projects/<name>/export.zip")
def export(name: str) -> Response:
    """Page, terms and the tables that were sent."""
    return Response(
        exported(named(name)),
        mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
    )


@blueprint.get("/api/projects")
def api_projects() -> Any:
    """Every project with its batches; money as text."""
    app = open_workspace()
    projects = [find_project(app.workspace, name) for name in find_projects(app.workspace)]
    batches = project_batches(app, projects)
    return jsonify(
        [
            {
                "name": one.name,
                "title": one.terms.title,
                "reward": str(one.terms.reward),
                "assignments": one.terms.assignments,
                "columns": list(one.variables),
                "batches": [_batch(batch) for batch in batches[one.name]],
            }
            for one in projects
        ]
    )


def _batch(batch: ProjectBatch) -> dict[str, Any]:
    line = batch.line
    found: dict[str, Any] = {"batch": batch.key, "state": batch.state}
    if line is not None:
        found |= {"market": line.market, "hits": line.hits, "published": line.published, "price": str(line.price)}
        found |= {"assignments": line.assignments, "submitted": line.submitted}
        found |= {"approved": line.approved, "rejected": line.rejected}
    return found
