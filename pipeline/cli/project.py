"""`galloway project`, what Mechanical Turk's website did: page and spreadsheet in, answers as CSV out, pay by it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..projects.template import GALLERY, check_template
from ..wording import counted, one_line
from .console import confirm_price, emit, next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ..app import App
    from ..projects.publish import PlannedBatch

__all__ = ["project"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")


@click.group()
def project() -> None:
    """Any labelling: a page with ${variables} and a spreadsheet become HITs, answers become a CSV.

    \b
    Example:  galloway project new birds --gallery yes-no --reward 0.05
              galloway project publish birds birds.csv --dry-run
              galloway project results birds --out results.csv
    """


@project.command()
@click.argument("name")
@click.option("--template", type=_FILE, help="An HTML file with ${variables}, as on Mechanical Turk's website.")
@click.option("--gallery", type=click.Choice(GALLERY), help="Begin with one of these pages instead.")
@click.option("--title", help="What workers read in the list; default: the name.")
@click.option("--description", help="What they read about it; default: the title.")
@click.option("--keywords", default="", help="For their search.")
@click.option("--reward", default="0.05", show_default=True, help="Pay for one answer.")
@click.option("--assignments", type=click.IntRange(1, 99), default=3, show_default=True, help="Workers for each row.")
@click.option(
    "--seconds",
    type=click.IntRange(1, 86400),
    default=30,
    show_default=True,
    help="How long one answer should take; the hourly pay follows from it.",
)
@click.option("--minutes", type=click.IntRange(1, 525_600), default=30, show_default=True, help="Time allotted.")
@click.option("--lifetime-hours", type=click.IntRange(1, 8760), default=72, show_default=True, help="How long to ask.")
@click.pass_context
def new(ctx: click.Context, /, name: str, template: Path | None, gallery: str | None, **terms: Any) -> None:
    """Make the project NAME from an HTML file or a page of the gallery: projects/NAME/template.html and project.toml.

    \b
    Example:  galloway project new birds --template birds.html --title "Is it a bird?" --reward 0.05 --seconds 20
    """
    from ...mturk.requester.errors import MTurkError
    from ...mturk.requester.money import amount
    from ..projects.project import Terms, make_project

    if (template is None) == (gallery is None):
        raise click.UsageError("Give either --template FILE or --gallery PAGE.")
    try:
        terms["reward"] = amount(terms["reward"])
    except MTurkError as error:
        raise click.BadParameter(str(error), param_hint="--reward") from error
    terms["title"] = (terms["title"] or name).strip()[:128] or name
    terms["description"] = terms["description"] or terms["title"]
    app = open_app(ctx)
    with app.workspace.lock("making a project"):
        made = make_project(app.workspace, name, Terms(**terms), template=template, gallery=gallery or "")
    for doubt in check_template(made.template, name):
        say(doubt)
    say(f"Made {app.workspace.relative(made.folder)}. Columns it needs: {', '.join(made.variables) or 'none'}.")
    next_step(f"galloway project preview {name} FILE.csv")


@project.command("list")
@_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """All projects: pay, columns, how far their batches are.

    \b
    Example:  galloway project list --json
    """
    app = open_app(ctx)
    found = _listed(app)
    text = "\n".join(
        f"{row['name']}  {row['reward']} × {row['assignments']}  columns {', '.join(row['columns']) or 'none'}  "
        f"{counted(row['batches'], 'batch', 'batches')}: {row['submitted']}/{row['places']} answers  "
        f"{one_line(row['title'])}"
        for row in found
    )
    result(found, as_json, lambda: text or "There is no project yet. Make one: galloway project new NAME")


def _listed(app: App) -> list[dict[str, Any]]:
    from ..asking.progress import batch_lines
    from ..projects.project import find_project, find_projects
    from ..projects.publish import sent_batches

    lines = batch_lines(app)
    rows = []
    for name in find_projects(app.workspace):
        one = find_project(app.workspace, name)
        keys = {batch.key for batch in sent_batches(one)}
        mine = [line for line in lines if line.batch in keys]
        rows.append(
            {
                "name": name,
                "title": one.terms.title,
                "reward": one.terms.reward,
                "assignments": one.terms.assignments,
                "columns": list(one.variables),
                "batches": len(mine),
                "submitted": sum(line.submitted for line in mine),
                "places": sum(line.assignments for line in mine),
            }
        )
    return rows


@project.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--rows", type=click.IntRange(1, 100), default=3, show_default=True, help="How many of the first rows.")
@click.pass_context
def preview(ctx: click.Context, name: str, file: Path, rows: int) -> None:
    """Write the pages of the first rows of FILE, as workers see them; open them in a browser.

    \b
    Example:  galloway project preview birds birds.csv
    """
    from ..projects.project import find_project
    from ..projects.publish import preview_pages
    from ..projects.table import read_table

    app = open_app(ctx)
    one = find_project(app.workspace, name)
    table = read_table(file, one.variables)
    for note in table.notes:
        say(note)
    for page in preview_pages(one, table, rows):
        emit(str(page))
    next_step(f"galloway project publish {name} {file} --dry-run")


@project.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Show what would be published and what it costs; send nothing.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@click.option("--turn", type=click.IntRange(1, 999), default=1, help="2 asks the same rows once more.")
@_json
@click.pass_context
def publish(ctx: click.Context, name: str, file: Path, dry_run: bool, yes: bool, turn: int, as_json: bool) -> None:
    """Publish a HIT for every row of FILE (CSV, Excel, Parquet), at the price that is shown.

    The same file is published once, whatever is killed in between: run it again and it goes on.

    \b
    Example:  galloway project publish birds birds.csv --dry-run
              galloway project publish birds birds.csv --yes
    """
    from ..projects.publish import plan_batch, send_batch

    app = open_app(ctx)
    if dry_run:
        planned = plan_batch(app, app.terms(), name, file, turn=turn)
        _told(app, planned)
        result(_priced(planned), as_json, str)
        return
    with app.workspace.lock("publishing"), app.market() as session:
        planned = plan_batch(app, session, name, file, turn=turn)
        confirm_price(_told(app, planned, last=False), yes)
        with stage_progress("publish") as progress:
            done = send_batch(app, session, planned, progress)
    data = _priced(planned) | {"sent": done.sent, "adopted": done.adopted, "already": done.already}
    result(data, as_json, lambda: f"{counted(len(done.hits), 'HIT')} of {done.batch_key} stand at the market.")
    next_step(f"galloway project results {name} --out results.csv")


def _told(app: App, planned: PlannedBatch, *, last: bool = True) -> str:
    """Say what there is to know of the batch; gives its last line, the price, and says that too where `last`."""
    *notes, price = planned.lines(app.settings.market.currency)
    for note in [*notes, price] if last else notes:
        say(note)
    return price


def _priced(planned: PlannedBatch) -> dict[str, Any]:
    price = planned.price
    return {
        "batch": planned.batch.key,
        "hits": price.hits,
        "assignments": price.assignments,
        "total": price.total,
        "fees": price.fees,
        "hourly": price.hourly_wage,
    }


@project.command()
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A .csv or .parquet; default: stdout.")
@click.pass_context
def results(ctx: click.Context, name: str, out: Path | None) -> None:
    """Fetch the answers and write them in the columns of Mechanical Turk's website.

    To pay by the file, fill its columns Approve (an x) and Reject (the reason), and give it to `settle`.

    \b
    Example:  galloway project results birds --out results.csv
              galloway votes report results.csv --out report.html
    """
    from ...curation.spreadsheet import csv_text
    from ..projects.results import project_results, write_results

    app = open_app(ctx)
    with app.workspace.lock("collecting"), app.market() as session, stage_progress("collect") as progress:
        found = project_results(app, session, name, progress)
    for problem in found.problems:
        say(f"Not readable: {problem}")
    if out is None:
        emit(csv_text(found.frame()), nl=False)
        return
    write_results(found, out)
    say(f"{counted(len(found.rows), 'answer')} in {out}.")
    next_step(f"galloway votes report {out} --out report.html")


@project.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@_json
@click.pass_context
def settle(ctx: click.Context, name: str, file: Path, as_json: bool) -> None:
    """Pay and reject by FILE: the results with marks in Approve and reasons in Reject. Twice changes nothing.

    \b
    Example:  galloway project settle birds results.csv
    """
    from ...mturk.requester.money import written
    from ..projects.results import settle_by_file

    app = open_app(ctx)
    with app.workspace.lock("settling"), app.market() as session, stage_progress("settle") as progress:
        done = settle_by_file(app, session, name, file, progress)
    paid = written(done.paid, app.settings.market.currency)
    result(
        asdict(done),
        as_json,
        lambda: (
            f"{done.approved} approved ({paid}), {done.rejected} rejected, {done.already} were before, "
            f"{done.left} left as they are."
        ),
    )
