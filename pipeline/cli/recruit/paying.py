"""`galloway recruit settle`, `reject`, `export`, `paid` and `redeem`: paying recruited people, each once."""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ...wording import counted, one_line
from ..console import confirm_price, emit_page, next_step, result, say, stage_progress

if TYPE_CHECKING:
    from ....mturk.recruiting.values import Study
    from ....mturk.requester.recruit.settle import Settled, Step
    from ...recruiting.paying import PayList

from .opened import FILE, amount_of, counter_of, json_option, money, yes_option

__all__ = ["export", "paid", "redeem", "reject", "settle"]


@click.command()
@click.argument("name")
@click.option("--approve", multiple=True, metavar="SESSION", help="Pay this person whatever speaks against it; repeat.")
@click.option("--budget", callback=money, help="Instead of the study's own.")
@click.option("--dry-run", is_flag=True, help="Say who would be paid what, and why others would not; pay nobody.")
@click.option("--every", type=click.IntRange(5, 86_400), metavar="SECONDS", help="Look again so often, until Ctrl-C.")
@yes_option
@json_option
@click.pass_context
def settle(
    ctx: click.Context,
    name: str,
    approve: tuple[str, ...],
    budget: Decimal | None,
    dry_run: bool,
    every: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask the panel how everybody stands, and pay who is due: the reward, and what is missing to the floor.

    Nobody is paid twice, whatever is killed or lost: run it again and it goes on. Who is paid by a list is noted for
    the next one (`export`). What speaks against paying somebody is said and left to you.

    \b
    Example:  galloway recruit settle faces --dry-run
              galloway recruit settle faces --yes --every 60
    """
    from ...recruiting.paying import preview, settle_again, settle_study

    with counter_of(ctx) as counter:
        steps = preview(counter, name, approve)
        study = counter.office.study(name)
    for step in steps:
        say(f"  {one_line(step.entry.session):<26} {_step_text(study, step)}")
    due = sum((step.amount + study.fee(step.amount) for step in steps), Decimal("0.00"))
    if dry_run:
        rows = [
            {"session": step.entry.session, "do": step.do, "amount": step.amount, "why": step.why} for step in steps
        ]
        result(rows, as_json, lambda: f"{amount_of(study.currency, due)} would be due now; nothing was paid.")
        return
    confirm_price(f"{amount_of(study.currency, due)} is due now, fees included.", yes or (not due and every is None))

    def look() -> None:
        with counter_of(ctx, "paying") as counter, stage_progress("settle") as progress:
            done = settle_study(counter, name, approve=approve, budget=budget, progress=progress)
        result(_settled_row(done), as_json, lambda: _settled_text(study, done))

    def pause(why: str) -> bool:
        if why:
            say(f"{one_line(why)} The next look is in {every} seconds.")
        time.sleep(every or 0)
        return True

    if every is None:
        look()
    else:
        settle_again(look, pause)
    if study.profile == "link":
        next_step(f"galloway recruit export {name} > pay.csv")


def _step_text(study: Study, step: Step) -> str:
    amount = f" {amount_of(study.currency, step.amount)}" if step.amount else ""
    return f"{step.do}{amount}{f': {one_line(step.why)}' if step.why else ''}"


def _settled_row(done: Settled) -> dict[str, Any]:
    row = {"paid": done.paid, "topped_up": done.topped_up, "amount": done.amount, "fees": done.fees}
    look = [{"session": step.entry.session, "why": step.why} for step in done.look]
    return {
        **row,
        "listed": done.listed,
        "doubtful": done.doubtful,
        "waiting": done.waiting,
        "look": look,
        "never_came": list(done.never_came),
    }


def _settled_text(study: Study, done: Settled) -> list[str]:
    money = study.currency
    people = f"Paid {counted(done.paid, 'person', 'people')}, topped up {done.topped_up}"
    lines = [
        f"{people}: {amount_of(money, done.amount)} and {amount_of(money, done.fees)} fees. Waiting: {done.waiting}."
    ]
    if study.profile == "link":
        lines = [f"{counted(done.listed, 'person', 'people')} for the next pay list. Waiting: {done.waiting}."]
    if done.doubtful:
        lines.append(f"Of {done.doubtful} it is not known yet whether they were paid; the next run looks first.")
    lines += [f"Look: {one_line(step.entry.session)}: {one_line(step.why)}" for step in done.look]
    lines += [
        f"Look: {one_line(session)}: handed in at the panel without ever coming here" for session in done.never_came
    ]
    if done.look:
        lines.append(f"To pay: galloway recruit settle {study.key} --approve SESSION")
        lines.append(f"To refuse: galloway recruit reject {study.key} SESSION --category … --reason …")
    return lines


def _categories() -> list[str]:
    from ....mturk.requester.recruit.panel import Category

    return list(get_args(Category))


@click.command()
@click.argument("name")
@click.argument("session")
@click.option("--reason", required=True, help="At least 100 characters, which the person reads.")
@click.option("--category", required=True, help="TOO_QUICKLY, LOW_EFFORT, FAILED_CHECK, NO_CODE, … (Prolific's words).")
@click.pass_context
def reject(ctx: click.Context, name: str, session: str, reason: str, category: str) -> None:
    """Refuse the pay of one person of the study NAME. The reason is one of substance.

    \b
    Example:  galloway recruit reject faces 6a0a1b2c… --category TOO_QUICKLY --reason "You answered …"
    """
    from ...recruiting.paying import refuse_one

    if category.upper() not in _categories():
        raise click.BadParameter(f"one of {', '.join(_categories())}", param_hint="--category")
    with counter_of(ctx, "refusing") as counter:
        refuse_one(counter, name, session, reason=reason, category=category.upper())  # type: ignore[arg-type]
    say(f"{one_line(session)} is refused, with the reason.")


@click.command()
@click.argument("name")
@click.option("--list", "number", type=click.IntRange(1), help="An earlier list again; default: a new one.")
@click.pass_context
def export(ctx: click.Context, name: str, number: int | None) -> None:
    """Who is to be paid, as CSV: participant, session, amount, code. Nobody is ever on two lists.

    \b
    Example:  galloway recruit export class > pay.csv
    """
    from ....curation.spreadsheet import csv_text
    from ...recruiting.paying import next_list, pay_list

    with counter_of(ctx, "making a pay list") as counter:
        found: PayList = pay_list(counter, name, number) if number else next_list(counter, name)
        study = counter.office.study(name)
    emit_page(csv_text(found.rows))
    people = counted(len(found.rows), "person", "people")
    say(f"List {found.number}: {people}, {amount_of(study.currency, found.total)}.")
    next_step(f"galloway recruit paid {name} {found.number}")


@click.command()
@click.argument("name")
@click.argument("number", type=click.IntRange(1))
@click.pass_context
def paid(ctx: click.Context, name: str, number: int) -> None:
    """The pay list NUMBER of the study NAME was paid, at the panel or by hand."""
    from ...recruiting.paying import settle_paid_list

    with counter_of(ctx, "noting a paid list") as counter:
        settled = settle_paid_list(counter, name, number)
    say(f"{counted(settled, 'payment')} of list {number} noted as paid.")


@click.command()
@click.argument("name")
@click.argument("codes", nargs=-1)
@click.option("--file", type=FILE, help="A CSV with a column code, such as a panel's own export.")
@json_option
@click.pass_context
def redeem(ctx: click.Context, name: str, codes: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Take completion codes that people hand in: whose they are. A code is good once.

    \b
    Example:  galloway recruit redeem class ABCDE-FGHIJ-KLMNO
    """
    from ...recruiting.lists import codes_in_file
    from ...recruiting.paying import redeem_all

    wanted = [*codes, *(codes_in_file(file) if file is not None else ())]
    with counter_of(ctx, "taking codes") as counter:
        taken, wrong = redeem_all(counter, name, wanted)
    rows = [{"code": entry.code, "participant": entry.participant, "session": entry.session} for entry in taken]
    result(rows, as_json, lambda: [f"{row['code']}  {row['participant']}" for row in rows])
    for problem in wrong:
        say(problem)
    if wrong:
        sys.exit(1)
