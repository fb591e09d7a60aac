"""`galloway batch …`: batches after publishing, pay by hand, and taking a batch back."""

from __future__ import annotations

import sys
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from .console import next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ..app import App

__all__ = ["batch"]

_json = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")


def _written(app: App, value: Decimal) -> str:
    from ...mturk.requester.money import written

    return written(value, app.settings.market.currency)


def _amount(_ctx: click.Context, _param: click.Parameter, value: str) -> Decimal:
    from ...mturk.requester.errors import MTurkError
    from ...mturk.requester.money import amount

    try:
        return amount(value)
    except MTurkError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def batch() -> None:
    """Batches after publishing: how far they are, pay by hand, taking one back, blocking a worker.

    \b
    Example:  galloway batch list
    """


@batch.command("list")
@_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """All batches: HITs, answers, price.

    \b
    Example:  galloway batch list --json
    """
    from ...mturk.requester.money import written
    from ..asking.progress import batch_lines

    app = open_app(ctx)
    currency = app.settings.market.currency
    lines = batch_lines(app)
    text = [
        f"{line.batch}  {line.market}  {line.published}/{line.hits} HITs  {line.submitted}/{line.assignments} answers"
        f"  {line.approved} approved  {line.rejected} rejected  {written(line.price, currency)}"
        f"{'  cancelled' if line.cancelled else ''}"
        for line in lines
    ]
    result([asdict(line) for line in lines], as_json, lambda: text or "No batch was published yet.")


@batch.command()
@click.argument("batch_key", metavar="BATCH")
@_json
@click.pass_context
def work(ctx: click.Context, batch_key: str, as_json: bool) -> None:
    """What was submitted for BATCH: assignment, pseudonym, state, time, comment.

    \b
    Example:  galloway batch work 3f9a01-a-usable-r1-0001
    """
    from ..asking.settle import submitted_work

    found = submitted_work(open_app(ctx), batch_key)
    text = [
        f"{item.assignment}  {item.worker}  {item.status:9}  {_time(item.seconds)}  {item.comment}".rstrip()
        for item in found
    ]
    result([asdict(item) for item in found], as_json, lambda: text or "Nothing was collected of it yet.")


@batch.command()
@click.argument("batch_key", metavar="BATCH")
@click.option("--no-pay", is_flag=True, help="Leave what was submitted undecided instead of paying for it.")
@click.option("--gone", is_flag=True, help="What the market does not know of it is gone for good: the market was lost.")
@_json
@click.pass_context
def cancel(ctx: click.Context, batch_key: str, no_pay: bool, gone: bool, as_json: bool) -> None:
    """Take BATCH back: nobody can accept it any more; work in hand may be finished and is paid. Run until it is done.

    \b
    Example:  galloway batch cancel 3f9a01-a-usable-r1-0001
    """
    from ..asking.settle import take_back
    from ..wording import counted

    app = open_app(ctx)
    no_pay = no_pay or not _pays_back(app, batch_key)
    with app.workspace.lock("cancelling"), app.market() as session, stage_progress("cancel") as progress:
        done = take_back(app, session, batch_key, pay=not no_pay, gone=gone, progress=progress)
    data = {**asdict(done), "done": done.done}
    result(
        data,
        as_json,
        lambda: ", ".join(
            (
                f"{counted(done.deleted, 'HIT')} deleted",
                f"{done.never_sent} never sent",
                f"{counted(done.approved, 'answer')} paid",
                f"{counted(done.waiting, 'HIT')} still in work",
                f"{counted(done.undecided, 'answer')} undecided.",
            )
        ),
    )
    if done.waiting and done.until:
        say(f"Workers may finish what they hold, until {done.until:%Y-%m-%d %H:%M} UTC at the latest.")
    next_step("galloway collect" if done.done else f"galloway batch cancel {batch_key}")


def _pays_back(app: App, batch_key: str) -> bool:
    """Say what is paid for what came in; whether it is. At a terminal it asks."""
    from ..asking.due import due_for
    from ..asking.settle import submitted_work

    waiting = [item.assignment for item in submitted_work(app, batch_key) if item.status == "Submitted"]
    due = due_for(app, app.terms(), waiting, batch_key=batch_key)
    if not due.answers:
        return True
    say(f"Pays {due.text(app.settings.market.currency)}, and for what workers still hand in.")
    return not sys.stdin.isatty() or click.confirm("Pay for them?", default=True, err=True)


@batch.command()
@click.argument("assignments", nargs=-1, required=True, metavar="ASSIGNMENT...")
@click.option("--feedback", default="", help="A word to the worker.")
@click.option("--override", is_flag=True, help="Also what was rejected before (within 30 days).")
@click.option("--yes", is_flag=True, help="The sum is fine.")
@_json
@click.pass_context
def approve(
    ctx: click.Context, assignments: tuple[str, ...], feedback: str, override: bool, yes: bool, as_json: bool
) -> None:
    """Approve and pay assignments that were collected; the sum comes first.

    \b
    Example:  galloway batch approve 3A4TN5196KH… --feedback "Thank you" --yes
    """
    from ..asking.due import due_for, past_budget
    from ..errors import SafetyStop

    app = open_app(ctx)
    terms = app.terms()
    due = due_for(app, terms, assignments, override=override)
    if due.answers:
        past = past_budget(app, terms, assignments, override=override)
        say(f"Pays {due.text(app.settings.market.currency)}. {past}".rstrip())
        if not yes and not (sys.stdin.isatty() and click.confirm("Pay it?", err=True)):
            raise SafetyStop("Nothing was paid: confirm the sum with --yes.")
    _settle(ctx, assignments, as_json, feedback=feedback, override=override)


@batch.command()
@click.argument("assignments", nargs=-1, required=True, metavar="ASSIGNMENT...")
@click.option("--reason", required=True, help="Why; the worker reads it.")
@_json
@click.pass_context
def reject(ctx: click.Context, assignments: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Reject assignments: the worker is not paid and reads why. For work that nobody did, not for honest mistakes.

    \b
    Example:  galloway batch reject 3A4TN5196KH… --reason "All answers were given within one second"
    """
    _settle(ctx, assignments, as_json, reason=reason)


def _settle(ctx: click.Context, assignments: tuple[str, ...], as_json: bool, **options: Any) -> None:
    from ..asking.settle import settle_by_hand

    app = open_app(ctx)
    with app.workspace.lock("settling"), app.market() as session:
        done = settle_by_hand(app, session, assignments, **options)
    result(
        asdict(done),
        as_json,
        lambda: f"{done.done} settled, {done.already} were before, paid {_written(app, done.paid)}.",
    )


@batch.command()
@click.argument("assignment", metavar="ASSIGNMENT")
@click.argument("amount", callback=_amount, metavar="AMOUNT")
@click.option("--reason", required=True, help="Why; the worker reads it.")
@click.option("--key", default="bonus", show_default=True, help="Names the bonus; the same name is paid once.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@_json
@click.pass_context
def bonus(
    ctx: click.Context, assignment: str, amount: Decimal, reason: str, key: str, yes: bool, as_json: bool
) -> None:
    """Pay a bonus of AMOUNT for ASSIGNMENT, once.

    \b
    Example:  galloway batch bonus 3A4TN5196KH… 0.25 --reason "The page was slow" --yes
    """
    from ..asking.settle import pay_bonus
    from ..errors import SafetyStop

    app = open_app(ctx)
    with app.workspace.lock("paying"), app.market() as session:
        fee = session.market.fees.per_bonus(amount)
        say(f"A bonus of {_written(app, amount)} and {_written(app, fee)} fee on the market {session.market.name}.")
        if not yes and not (sys.stdin.isatty() and click.confirm("Pay it?", err=True)):
            raise SafetyStop("Nothing was paid: confirm the price with --yes.")
        done = pay_bonus(app, session, assignment, amount, reason=reason, key=key)
    result(asdict(done), as_json, lambda: f"Paid {_written(app, done.paid)} and {_written(app, done.fees)} fee.")


@batch.command("top-up")
@click.argument("batches", nargs=-1, metavar="[BATCH]…")
@click.option("--dry-run", is_flag=True, help="Say what is missing; pay nothing.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@_json
@click.pass_context
def top_up(ctx: click.Context, batches: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool) -> None:
    """Pay what is missing to `ask.min_hourly_wage` on measured time, as a bonus on each approved answer, once.

    `[ask] top_up = true` lets `galloway collect` do it by itself. Recruited people are topped up by `recruit settle`.

    \b
    Example:  galloway batch top-up --dry-run
    """
    from ..asking.floor import check_top_ups, pay_top_ups, top_ups
    from ..errors import NothingToDo, SafetyStop

    app = open_app(ctx)
    with app.workspace.lock("paying"), app.market() as session:
        found = top_ups(app, session.market.state_key, batches or None)
        if not found:
            raise NothingToDo(f"Nobody is below {_written(app, app.settings.ask.min_hourly_wage)} an hour.")
        due = sum((item.bonus.amount for item in found), Decimal("0.00"))
        fees = sum((session.market.fees.per_bonus(item.bonus.amount) for item in found), Decimal("0.00"))
        people = len({item.worker_id for item in found})
        say(f"{len(found)} answers of {people} people: {_written(app, due)} and {_written(app, fees)} fees.")
        if dry_run:
            rows = [
                {"assignment": item.bonus.assignment_id, "amount": item.bonus.amount, "seconds": item.seconds}
                for item in found
            ]
            result(rows, as_json, lambda: "Nothing was paid.")
            return
        check_top_ups(app, session.market, found)
        if not yes and not (sys.stdin.isatty() and click.confirm("Pay it?", err=True)):
            raise SafetyStop("Nothing was paid: confirm the price with --yes.")
        with stage_progress("top-up") as progress:
            done = pay_top_ups(app, session, found, progress=progress)
    result(asdict(done), as_json, lambda: f"Paid {_written(app, done.paid)} and {_written(app, done.fees)} fees.")


@batch.command("block")
@click.argument("worker", metavar="WORKER")
@click.option("--reason", required=True, help="Why; it stays with you and the market.")
@click.option("--off", is_flag=True, help="Take the block back.")
@click.pass_context
def block_(ctx: click.Context, worker: str, reason: str, off: bool) -> None:
    """Keep WORKER (a pseudonym, as reports show it) from everything that you publish here. Given votes stay.

    \b
    Example:  galloway batch block W-7PH3QK2A --reason "Answers without looking, told twice"
    """
    from ..asking.settle import set_block

    app = open_app(ctx)
    with app.workspace.lock("blocking"), app.market() as session:
        set_block(app, session, worker, reason=reason, off=off)
    say(f"{worker} is {'no longer blocked' if off else 'blocked'}.")


@batch.command()
@_json
@click.pass_context
def blocks(ctx: click.Context, as_json: bool) -> None:
    """The workers whom you blocked, with the reasons.

    \b
    Example:  galloway batch blocks
    """
    from ..asking.settle import blocked_workers

    app = open_app(ctx)
    with app.market() as session:
        found = blocked_workers(app, session)
    text = [f"{name}  {reason}" for name, reason in found.items()]
    result(found, as_json, lambda: text or "Nobody is blocked.")


def _time(seconds: float | None) -> str:
    return "     – s" if seconds is None else f"{seconds:6.0f} s"
