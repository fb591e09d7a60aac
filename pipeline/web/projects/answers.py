"""Answers: fetched, looked at, downloaded, paid for by the same file come back, and taken as votes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ....curation.errors import CurationError
from ....curation.files import write_atomic
from ....curation.spreadsheet import csv_text
from ....curation.truth import Truth
from ....curation.truth.files import decisions_text
from ....curation.truth.formats.mturk import flattened
from ....curation.types import Progress
from ....mturk.marketplace.pages.words import Spoken
from ....mturk.requester.money import written
from ....mturk.requester.workers import pseudonym
from ...app import App
from ...errors import NothingToDo, StageError
from ...market.pictures import hosting_secret
from ...projects.project import Project
from ...projects.results import Results, known_results, parquet, plan_settling, project_results, settle_by_file
from ...projects.sheets import keep_table
from ...projects.votes import RowVotes, project_votes, votes_report
from ...wording import counted
from ..opened import jobs, open_workspace
from ..pages import REPORT_CSP
from .room import blueprint, named, spends

__all__: list[str] = []

_PAGE = 100
_JSON = "Answer.taskAnswers"
_ROWS = 200


@blueprint.post("/projects/<name>/collect")
@spends
def collect(name: str) -> BaseResponse:
    """Fetch the answers from the market; nothing is decided or paid by that."""
    named(name)

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("collecting"), app.market() as session:
            found = project_results(app, session, name, progress)
        lines = [f"{counted(len(found.rows), 'answer')} so far."]
        lines += [f"Not readable: {problem}" for problem in found.problems[:3]]
        return " ".join(lines)

    jobs().start(f"Fetch answers to {name}", open_workspace(), work)
    return redirect(url_for("projects.project", name=name), 303)


@blueprint.get("/projects/<name>/results")
def results(name: str) -> str:
    """The answers that were fetched, newest last; workers by their pseudonyms."""
    found = named(name)
    table = _known(found)
    page = max(1, request.args.get("page", 1, type=int))
    rows = table.rows[(page - 1) * _PAGE : page * _PAGE]
    secret = hosting_secret(open_workspace().workspace.root)
    return render_template(
        "projects/results.html",
        project=found,
        rows=[{**row, _JSON: _said(row), "WorkerId": pseudonym(row["WorkerId"], secret)} for row in rows],
        inputs=[column for column in table.columns if column.startswith("Input.")],
        answers=[column for column in table.columns if column.startswith("Answer.")],
        count=len(table.rows),
        page=page,
        pages=max(1, -(-len(table.rows) // _PAGE)),
        problems=table.problems,
        open=sum(row["AssignmentStatus"] == "Submitted" for row in table.rows),
    )


def _said(row: Mapping[str, str]) -> str:
    """The answer of crowd elements in a line, instead of their JSON: "kind: Fink, sure: true"."""
    given = row.get(_JSON, "")
    try:
        parts = flattened(json.loads(given or "[]"))
    except (ValueError, RecursionError):
        return given
    return ", ".join(f"{name.removesuffix('.label')}: {text}" for name, text in parts.items())


def _known(found: Project) -> Results:
    app = open_workspace()
    try:
        return known_results(app, app.terms(), found.name)
    except NothingToDo:
        return Results((), (), ())


@blueprint.get("/projects/<name>/results.csv")
@spends
def results_csv(name: str) -> Response:
    """The website's file. It holds the market's own worker ids, so that it is for those who pay."""
    return _file(csv_text(_known(named(name)).frame()).encode(), "text/csv", f"{name}-results.csv")


@blueprint.get("/projects/<name>/results.parquet")
@spends
def results_parquet(name: str) -> Response:
    """The same as Parquet."""
    return _file(parquet(_known(named(name))), "application/vnd.apache.parquet", f"{name}-results.parquet")


def _file(body: bytes, kind: str, name: str) -> Response:
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.post("/projects/<name>/settle")
@spends
def settle_check(name: str) -> str:
    """What a file of results would approve and reject, and what that costs; nothing is decided yet."""
    found, app = named(name), open_workspace()
    given = request.files.get("file")
    data = given.read() if given is not None else b""
    if given is None or not data:
        abort(400, "Choose the results' CSV with its columns Approve and Reject filled.")
    key = hashlib.sha256(data).hexdigest()[:16]
    path = _marked(found, key)
    with app.workspace.lock("keeping a file", wait=5):
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, data, private=True)
    marks, wrong = None, ""
    try:
        marks = plan_settling(app, app.terms(), name, path)
    except (StageError, NothingToDo, CurationError) as error:
        wrong = str(error).replace(str(path), given.filename or "The file")
    return render_template("projects/settle.html", project=found, marks=marks, wrong=wrong, key=key)


@blueprint.post("/projects/<name>/settle/<key>")
@spends
def settle(name: str, key: str) -> BaseResponse:
    """Decide and pay as it was shown."""
    found = named(name)
    path = _marked(found, key)
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was decided: tick that you mean it.")
    if not path.is_file():
        abort(404, "That file is not here any more. Give it again.")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("settling"), app.market() as session:
            done = settle_by_file(app, session, name, path, progress)
        paid = written(done.paid, app.settings.market.currency)
        return f"{done.approved} approved ({paid}), {done.rejected} rejected, {done.already} were before."

    jobs().start(f"Settle {name}", open_workspace(), work)
    return redirect(url_for("projects.project", name=name), 303)


def _marked(found: Project, key: str) -> Path:
    if not (len(key) == 16 and all(letter in "0123456789abcdef" for letter in key)):
        abort(404, "There is no such file.")
    return found.folder / "settled" / f"{key}.csv"


# Votes


@dataclass(frozen=True, slots=True)
class Decided:
    """What the votes say of one row."""

    task: str
    label: str
    posterior: float
    votes: int
    status: str


@blueprint.get("/projects/<name>/votes")
def votes(name: str) -> str:
    """What is true of each row by the workers' votes, and what is worth another one."""
    found = named(name)
    asked, wrong, cast, truth, again = request.args.get("question", ""), "", None, None, 0
    try:
        cast = _cast(name, asked)
        truth = cast.truth()
        again = len(cast.again(votes_report(cast, name, truth)).rows)
    except (NothingToDo, CurationError) as error:
        wrong = str(error)
    return render_template(
        "projects/votes.html",
        project=found,
        asked=asked,
        wrong=wrong,
        rows=_decided(truth)[:_ROWS] if truth else [],
        count=len(cast.rows) if cast else 0,
        notes=cast.source.notes if cast else (),
        again=again,
        questions=_questions(_known(found)),
    )


def _cast(name: str, asked: str) -> RowVotes:
    app = open_workspace()
    return project_votes(app, app.terms(), name, {"label": asked} if asked else None)


def _questions(table: Results) -> list[str]:
    return [column.removeprefix("Answer.") for column in table.columns if column.startswith("Answer.")]


def _decided(truth: Truth) -> list[Decided]:
    records: list[dict[str, Any]] = truth.to_frame().to_dict("records")  # type: ignore[assignment]
    return [Decided(**record | {"label": record["label"] or ""}) for record in records]


@blueprint.get("/projects/<name>/votes/document")
def votes_document(name: str) -> Response:
    """The agreement report, the same file that `galloway votes report project:NAME` writes."""
    named(name)
    report = votes_report(_cast(name, request.args.get("question", "")), f"Agreement report: {name}")
    response = Response(report.to_html(Spoken(g.language)), mimetype="text/html")
    response.headers["Content-Security-Policy"] = REPORT_CSP
    if request.args.get("save"):
        response.headers["Content-Disposition"] = f'attachment; filename="{name}-agreement.html"'
    return response


@blueprint.get("/projects/<name>/decisions.csv")
def decisions(name: str) -> Response:
    """task, label, posterior, votes, status of every row."""
    named(name)
    text = decisions_text(_cast(name, request.args.get("question", "")).truth())
    return _file(text.encode(), "text/csv", f"{name}-decisions.csv")


@blueprint.post("/projects/<name>/votes/again")
def ask_again(name: str) -> BaseResponse:
    """Make a table of the rows worth another vote, to publish at a price that is shown first."""
    found, app = named(name), open_workspace()
    cast = _cast(name, request.form.get("question", ""))
    table = cast.again(votes_report(cast, name))
    if not table.rows:
        raise NothingToDo("No row is worth another vote.")
    with app.workspace.lock("keeping a table", wait=5):
        sheet = keep_table(found, f"{name}-again-{len(table.rows)}.csv", table)
    flash(f"{counted(len(table.rows), 'row')} worth another vote.")
    return redirect(url_for("projects.sheet", name=name, key=sheet.id), 303)
