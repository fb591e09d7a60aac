"""`galloway project`, what Mechanical Turk's website did: page and spreadsheet in, answers as CSV out, pay by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...projects.template import GALLERY, check_template, gallery_page
from ...wording import counted, typed
from ..console import emit, next_step, open_app, result, say
from .answers import reask, results, settle
from .sending import cancel, extend, publish

if TYPE_CHECKING:
    from ...app import App

__all__ = ["project"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def project() -> None:
    """Any labelling: a page with ${variables} and a spreadsheet become HITs, answers become a CSV.

    \b
    Example:  galloway project new birds --gallery yes-no --reward 0.05
              galloway project publish birds birds.csv --media pictures --dry-run
              galloway project results birds --out results.csv
              galloway votes report project:birds --out report.html
    The same in a browser: galloway serve, page Projects.
    """


for command in (publish, extend, cancel, results, settle, reask):
    project.add_command(command)


@project.command()
@click.argument("name")
@click.option("--template", type=_FILE, help="An HTML file with ${variables}, as on Mechanical Turk's website.")
@click.option("--gallery", type=click.Choice(tuple(GALLERY)), help="Begin with one of these pages instead.")
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
@click.option("--countries", default="", help="Only workers who live there: DE,AT,CH. Default: anywhere.")
@click.option("--approved-hits", default=0, help="Only workers with at least so many approved answers.")
@click.option(
    "--approved-percent", default=0, help="Only workers of whose answers at least so many percent were approved."
)
@click.option("--qualification", default="", metavar="ID", help="Only workers who hold this qualification.")
@click.option("--qualification-least", type=click.IntRange(0), help="… with at least this score.")
@click.pass_context
def new(ctx: click.Context, /, name: str, template: Path | None, gallery: str | None, **terms: Any) -> None:
    """Make the project NAME from an HTML file or a page of the gallery: projects/NAME/template.html and project.toml.

    \b
    Example:  galloway project new birds --template birds.html --title "Is it a bird?" --reward 0.05 --seconds 20
    """
    from ....mturk.requester.errors import MTurkError
    from ....mturk.requester.money import amount
    from ...projects.project import make_project, page_text, read_terms

    if template is not None and gallery is None:
        html, called = page_text(template), str(template)
    elif gallery is not None and template is None:
        html, called = gallery_page(gallery), gallery
    else:
        raise click.UsageError("Give either --template FILE or --gallery PAGE.")
    try:
        terms["reward"] = amount(terms["reward"])
    except MTurkError as error:
        raise click.BadParameter(str(error), param_hint="--reward") from error
    terms["title"] = (terms["title"] or name).strip()[:128] or name
    terms["description"] = terms["description"] or terms["title"]
    app = open_app(ctx)
    with app.workspace.lock("making a project"):
        made = make_project(app.workspace, name, read_terms(terms, "The options"), html, called=called)
    for doubt in check_template(made.template, name):
        say(doubt)
    say(f"Made {app.workspace.relative(made.folder)}. Columns it needs: {', '.join(made.variables) or 'none'}.")
    next_step(f"galloway project preview {name} FILE.csv")


@project.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """All projects: pay, columns, how far their batches are.

    \b
    Example:  galloway project list --json
    """
    app = open_app(ctx)
    found = _listed(app)
    text = [
        f"{row['name']}  {row['reward']} × {row['assignments']}  columns {', '.join(row['columns']) or 'none'}  "
        f"{counted(row['batches'], 'batch', 'batches')}: {row['submitted']}/{row['places']} answers  "
        f"{row['title']}"
        for row in found
    ]
    result(found, as_json, lambda: text or "There is no project yet. Make one: galloway project new NAME")


def _listed(app: App) -> list[dict[str, Any]]:
    from ...projects.project import find_project, find_projects
    from ...projects.running import project_batches

    projects = [find_project(app.workspace, name) for name in find_projects(app.workspace)]
    batches = project_batches(app, projects)
    rows = []
    for one in projects:
        lines = [batch.line for batch in batches[one.name] if batch.line is not None]
        rows.append(
            {
                "name": one.name,
                "title": one.terms.title,
                "reward": one.terms.reward,
                "assignments": one.terms.assignments,
                "columns": list(one.variables),
                "batches": len(lines),
                "keys": [line.batch for line in lines],
                "submitted": sum(line.submitted for line in lines),
                "places": sum(line.assignments for line in lines),
            }
        )
    return rows


@project.command()
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--rows", type=click.IntRange(1, 100), default=3, show_default=True, help="How many of the first rows.")
@click.option("--media", type=_FOLDER, help="A folder with the pictures, sounds and films that cells name.")
@click.pass_context
def preview(ctx: click.Context, name: str, file: Path, rows: int, media: Path | None) -> None:
    """Write the pages of the first rows of FILE, as workers see them; open them in a browser. Nothing can be sent
    from them.

    \b
    Example:  galloway project preview birds birds.csv --media pictures
    """
    from ...projects.project import find_project
    from ...projects.publish import preview_pages
    from ...projects.table import read_table

    app = open_app(ctx)
    one = find_project(app.workspace, name)
    table = read_table(file, one.variables)
    for note in table.notes:
        say(note)
    for page in preview_pages(one, table, rows, media):
        emit(str(page))
    also = f" --media {typed(media)}" if media else ""
    next_step(f"galloway project publish {name} {typed(file)}{also} --dry-run")


@project.command()
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .zip to write.")
@click.pass_context
def export(ctx: click.Context, name: str, out: Path) -> None:
    """Write page, terms and the tables that were sent as one zip: unpack it into another workspace's projects/, or
    give the page and a table to another program.

    \b
    Example:  galloway project export birds --out birds.zip
    """
    from ....curation.files import write_atomic
    from ...projects.export import exported
    from ...projects.project import find_project

    write_atomic(out, exported(find_project(open_app(ctx).workspace, name)))
    say(f"Wrote {out}.")
