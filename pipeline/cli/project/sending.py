"""`galloway project publish`, `extend` and `cancel`: what spends money, each at the price that is shown."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...wording import counted
from ..console import confirm_price, next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ...app import App
    from ...projects.publish import PlannedBatch

__all__ = ["cancel", "extend", "publish"]

_json = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--media",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with the pictures, sounds and films that cells name: they are hosted for workers.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be published and what it costs; send nothing.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@click.option("--turn", type=click.IntRange(1, 999), default=1, help="2 asks the same rows once more.")
@_json
@click.pass_context
def publish(
    ctx: click.Context, name: str, file: Path, media: Path | None, dry_run: bool, yes: bool, turn: int, as_json: bool
) -> None:
    """Publish a HIT for every row of FILE (CSV, Excel, Parquet), at the price that is shown.

    The same file is published once, whatever is killed in between: run it again and it goes on.

    \b
    Example:  galloway project publish birds birds.csv --dry-run
              galloway project publish birds birds.csv --media pictures --yes
    """
    from ...projects.gate import check_held
    from ...projects.publish import plan_batch, send_batch

    app = open_app(ctx)
    if dry_run:
        planned = plan_batch(app, app.terms(), name, file, turn=turn, media=media, look=False)
        _told(app, planned)
        result(_priced(planned), as_json, str)
        return
    with app.workspace.lock("publishing"), app.market() as session:
        planned = plan_batch(app, session, name, file, turn=turn, media=media, look=True)
        check_held(planned.held)
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


@click.command()
@click.argument("name")
@click.argument("batch_key", metavar="[BATCH]", default="")
@click.option("--assignments", type=click.IntRange(1, 99), help="How many workers answer each row in all.")
@click.option("--hours", type=click.IntRange(1, 8760), help="For how many hours from now it can be answered.")
@click.option("--dry-run", is_flag=True, help="Show what it would cost; send nothing.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@_json
@click.pass_context
def extend(
    ctx: click.Context,
    name: str,
    batch_key: str,
    assignments: int | None,
    hours: int | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """More answers or more time for a batch of NAME, at the price that is shown. Twice is once.

    \b
    Example:  galloway project extend birds --assignments 5 --hours 48 --dry-run
              galloway project extend birds birds-0f3a9c11d2e4-r1 --hours 48 --yes
    """
    from ...projects.project import find_project
    from ...projects.running import extend_batch, plan_extension

    if assignments is None and hours is None:
        raise click.UsageError("Say what is wanted: --assignments N, --hours N, or both.")
    app = open_app(ctx)
    one = find_project(app.workspace, name)
    currency = app.settings.market.currency
    if dry_run:
        planned = plan_extension(app, app.terms(), one, batch_key, assignments=assignments, hours=hours)
        say(planned.text(currency))
        result({"batch": planned.batch.key, "more": planned.more, "total": planned.price.total}, as_json, str)
        return
    with app.workspace.lock("extending"), app.market() as session:
        planned = plan_extension(app, session, one, batch_key, assignments=assignments, hours=hours)
        confirm_price(f"{planned.batch.key}: {planned.text(currency)}", yes)
        with stage_progress("extend") as progress:
            done = extend_batch(app, session, planned, progress)
    data = {"batch": planned.batch.key, "more": planned.more, "total": planned.price.total, "hits": asdict(done)}
    result(
        data,
        as_json,
        lambda: f"{counted(done.more, 'HIT')} got more places, {done.later} a later end, {done.gone} gone.",
    )


@click.command()
@click.argument("name")
@click.argument("batch_key", metavar="[BATCH]", default="")
@click.option("--no-pay", is_flag=True, help="Leave what was submitted undecided instead of paying for it.")
@_json
@click.pass_context
def cancel(ctx: click.Context, name: str, batch_key: str, no_pay: bool, as_json: bool) -> None:
    """Take a batch of NAME back: nobody can accept it any more; work in hand may be finished. Run until it is done.

    \b
    Example:  galloway project cancel birds
    """
    from ...projects.project import find_project
    from ...projects.running import cancel_batch

    app = open_app(ctx)
    one = find_project(app.workspace, name)
    with app.workspace.lock("cancelling"), app.market() as session, stage_progress("cancel") as progress:
        done = cancel_batch(app, session, one, batch_key, pay=not no_pay, progress=progress)
    parts = (
        f"{counted(done.deleted, 'HIT')} deleted",
        f"{done.never_sent} never sent",
        f"{counted(done.approved, 'answer')} paid",
        f"{counted(done.waiting, 'HIT')} still in work",
        f"{counted(done.undecided, 'answer')} undecided.",
    )
    result({**asdict(done), "done": done.done}, as_json, lambda: ", ".join(parts))
    if done.waiting and done.until:
        say(f"Workers may finish what they hold, until {done.until:%Y-%m-%d %H:%M} UTC at the latest.")
    next_step(f"galloway project {'results' if done.done else 'cancel'} {name}")
