"""`galloway project results`, `settle` and `reask`: answers out, pay by them, and the rows to ask again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ...wording import counted, typed
from ..console import emit_page, next_step, open_app, result, say, stage_progress

__all__ = ["reask", "results", "settle"]

_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("name")
@click.option("--out", type=_OUT, help="A .csv or .parquet; default: stdout.")
@click.pass_context
def results(ctx: click.Context, name: str, out: Path | None) -> None:
    """Fetch the answers and write them in the columns of Mechanical Turk's website.

    To pay by the file, fill its columns Approve (an x) and Reject (the reason), and give it to `settle`.

    \b
    Example:  galloway project results birds --out results.csv
              galloway votes report project:birds --out report.html
    """
    from ....curation.spreadsheet import csv_text
    from ...projects.results import project_results, write_results

    app = open_app(ctx)
    with app.workspace.lock("collecting"), app.market() as session, stage_progress("collect") as progress:
        found = project_results(app, session, name, progress)
    for problem in found.problems:
        say(f"Not readable: {problem}")
    if out is None:
        emit_page(csv_text(found.frame()))
        return
    write_results(found, out)
    say(f"{counted(len(found.rows), 'answer')} in {out}.")
    next_step(f"galloway votes report project:{name} --out report.html")


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def settle(ctx: click.Context, name: str, file: Path, as_json: bool) -> None:
    """Pay and reject by FILE: the results with marks in Approve and reasons in Reject. Twice changes nothing.

    \b
    Example:  galloway project settle birds results.csv
    """
    from ....mturk.requester.money import written
    from ...projects.results import settle_by_file

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


@click.command()
@click.argument("name")
@click.option("--out", type=_OUT, required=True, help="The .csv to write: rows to publish once more.")
@click.option("--label-column", help="The one question of several that is meant.")
@click.pass_context
def reask(ctx: click.Context, name: str, out: Path, label_column: str | None) -> None:
    """Write the rows worth another vote, most to gain first, of the answers that were fetched.

    \b
    Example:  galloway project reask birds --out again.csv
              galloway project publish birds again.csv --dry-run
    """
    from ....curation.files import write_atomic
    from ....curation.spreadsheet import csv_text
    from ...projects.votes import project_votes, votes_report

    app = open_app(ctx)
    columns = {"label": label_column} if label_column else {}
    votes = project_votes(app, app.terms(), name, columns)
    again = votes.again(votes_report(votes, name))
    write_atomic(out, csv_text(again.frame()))
    say(f"{counted(len(again.rows), 'row')} worth another vote in {out}.")
    next_step(f"galloway project publish {name} {typed(out)} --dry-run")
