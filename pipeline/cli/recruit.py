"""`galloway recruit`: people from a panel for published HITs, from the link to the pay."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ..wording import counted, one_line
from .console import confirm_price, emit_page, next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ...mturk.recruiting.values import Study
    from ...mturk.requester.recruit.panel import Action
    from ...mturk.requester.recruit.settle import Settled, Step
    from ..recruiting.counter import Counter
    from ..recruiting.paying import PayList
    from ..recruiting.studies import StudyState

__all__ = ["recruit"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
_yes = click.option("--yes", is_flag=True, help="The price is fine.")


def _money(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Decimal | None:
    from ...mturk.requester.errors import MTurkError
    from ...mturk.requester.money import amount

    try:
        return None if value is None else amount(value)
    except MTurkError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def recruit() -> None:
    """People from a panel for published HITs: on Prolific, or by signed links (CloudResearch Connect, SONA, a class).

    \b
    Example:  galloway recruit new faces --prolific --batch a-r1-usable --hits 5 --minutes 8 --title "Look at faces"
              galloway recruit publish faces
              galloway recruit settle faces --dry-run
    """


@contextmanager
def _counter(ctx: click.Context, doing: str = "") -> Iterator[Counter]:
    """The office; with `doing` under the workspace's lock, so that two commands never pay at once."""
    from contextlib import nullcontext

    from ..recruiting.counter import open_counter

    app = open_app(ctx)
    with app.workspace.lock(doing) if doing else nullcontext(), open_counter(app) as counter:
        yield counter


# -- studies ------------------------------------------------------------------------------------------------------


@recruit.command()
@click.argument("name")
@click.option("--prolific", is_flag=True, help="A study on Prolific; a draft of it is made there. Else signed links.")
@click.option("--batch", "batches", multiple=True, required=True, help="A published batch to work on; repeat for more.")
@click.option("--hits", type=click.IntRange(1, 200), default=5, show_default=True, help="HITs that one person does.")
@click.option("--minutes", type=click.IntRange(1, 600), required=True, help="How long these take, reading included.")
@click.option(
    "--places", type=click.IntRange(1, 100_000), default=None, help="People; default: as the open work needs."
)
@click.option("--reward", callback=_money, help="Pay for all of a person's HITs; default: what the HITs pay.")
@click.option("--title", required=True, help="What people read first.")
@click.option("--about", default="", help="What they are asked to do, in a few sentences; default: the title.")
@click.option("--contact", default="", help="Whom they may write to.")
@click.option("--source", default="", help="Where they come from: classroom, sona, connect. Keeps workers apart.")
@click.option("--open-link", is_flag=True, help="One signed link into which the panel fills the ids (Connect, SONA).")
@click.option(
    "--complete-url", default="", help="Where finished people go; {code}, {participant}, {session} are filled in."
)
@click.option("--screened-url", default="", help="Where people go who did not agree, or found no work.")
@click.option("--fee-percent", type=Decimal, default=Decimal("0"), help="What the panel takes on top, in percent.")
@click.option("--budget", callback=_money, help="A wall for everything that this study costs.")
@_json
@click.pass_context
def new(ctx: click.Context, /, name: str, prolific: bool, as_json: bool, **given: Any) -> None:
    """Make the study NAME over published batches: whom to recruit, for how many HITs, at what pay.

    \b
    Example:  galloway recruit new faces --prolific --batch a-r1-usable --hits 5 --minutes 8 --title "Look at faces"
              galloway recruit new class --source classroom --batch a-r1-usable --minutes 10 --title "Look at faces"
    """
    from ..recruiting.studies import Terms, draft_at_panel, make_study

    given |= {"about": given["about"] or given["title"], "places": given["places"] or 0}
    source = "prolific" if prolific else given.pop("source").strip() or "link"
    given.pop("source", None)
    terms = Terms(key=name, profile="prolific" if prolific else "link", source=source, **given)
    with _counter(ctx, "making a study") as counter:
        study = make_study(counter, terms)
        study = draft_at_panel(counter, study)
    result(_study_row(study), as_json, lambda: _priced(study))
    if study.panel_id:
        say(f"A draft stands at Prolific: https://app.prolific.com/researcher/studies/{study.panel_id}")
    next_step(f"galloway recruit publish {name}")


def _priced(study: Study) -> str:
    return (
        f"{study.key}: {counted(study.places, 'person', 'people')} × {study.currency}{study.reward} for "
        f"{counted(study.hits, 'HIT')} in {counted(study.minutes, 'minute')} "
        f"({study.currency}{study.hourly} an hour): {study.currency}{study.price} with fees, and what tops up the slow"
    )


def _study_row(study: Study) -> dict[str, Any]:
    row = asdict(study)
    row |= {"places": study.places, "hourly": study.hourly, "price": study.price}
    del row["codes"]
    return row


@recruit.command()
@click.argument("name", required=False)
@click.option("--people", is_flag=True, help="Everybody who came, too.")
@click.option("--ask", is_flag=True, help="Ask Prolific where its study stands, too.")
@_json
@click.pass_context
def status(ctx: click.Context, name: str | None, people: bool, ask: bool, as_json: bool) -> None:
    """How far studies are: people, money, pay by the clock, the link for the panel.

    \b
    Example:  galloway recruit status faces --people
    """
    from ..recruiting.studies import study_state

    with _counter(ctx) as counter:
        office = counter.office
        studies = [office.study(name)] if name else list(office.studies())
        states = [study_state(counter, study) for study in studies]
        rows = [_state_row(state) for state in states]
        for row, state in zip(rows, states, strict=True):
            if people:
                row["people_list"] = [_person_row(entry) for entry in office.entries(state.study.key)]
            if ask and state.study.panel_id:
                row["at_panel"] = counter.prolific().progress(state.study) if state.study.taskflow else {}
                row["at_panel_submissions"] = len(counter.prolific().submissions(state.study))
    result(
        rows,
        as_json,
        lambda: (
            [line for row in rows for line in (*_state_text(row), "")][:-1]
            or "There is no study yet: galloway recruit new NAME"
        ),
    )


def _state_row(state: StudyState) -> dict[str, Any]:
    row = _study_row(state.study)
    row |= {"people": state.people, "paid": state.paid, "fees": state.fees, "due": state.due}
    row |= {"links": list(state.links), "no_link": state.no_link}
    row["pay"] = None if state.pay is None else asdict(state.pay)
    return row


def _person_row(entry: Any) -> dict[str, Any]:
    names = ("participant", "session", "state", "outcome", "panel_state", "done", "approved", "rejected", "seconds")
    return {name: getattr(entry, name) for name in names}


def _state_text(row: dict[str, Any]) -> list[str]:
    money, people = row["currency"], row["people"]
    came = ", ".join(f"{count} {state}" for state, count in sorted(people.items())) or "nobody yet"
    lines = [
        f"{row['key']}  {row['status']}  {one_line(row['title'])}  ({row['source']})",
        f"  {row['places']} places × {row['hits']} HITs at {money}{row['reward']}; came: {came}",
        f"  paid {money}{row['paid']} and {money}{row['fees']} fees; due {money}{row['due']}",
    ]
    if pay := row["pay"]:
        lines.append(
            f"  measured: {pay['median_seconds'] / 60:.1f} minutes (median of {pay['finished']}), that is "
            f"{money}{pay['hourly']} an hour, {money}{pay['hourly_with_top_ups']} with top-ups; {pay['below']} below "
            f"{money}{row['floor']} before them"
        )
    lines += [f"  link: {link}" for link in row["links"]]
    if row["no_link"]:
        lines.append(f"  link: {row['no_link']}")
    if "at_panel_submissions" in row:
        lines.append(
            f"  at Prolific: {counted(row['at_panel_submissions'], 'submission')} {row['at_panel'] or ''}".rstrip()
        )
    for one in row.get("people_list", ()):
        time_taken = "" if one["seconds"] is None else f"  {one['seconds'] / 60:.1f} min"
        at_panel = f"  at the panel: {one_line(one['panel_state'])}" if one["panel_state"] else ""
        lines.append(
            f"  {one_line(one['session']):<26} {one['state']:<9} {one['done']}/{row['hits']}{time_taken}{at_panel}"
        )
    return lines


@recruit.command()
@click.argument("name")
@_yes
@click.pass_context
def publish(ctx: click.Context, name: str, yes: bool) -> None:
    """Open the study NAME, at the price that is shown. Run it again after anything: it is published once.

    \b
    Example:  galloway recruit publish faces
    """
    from ...mturk.requester.errors import BudgetExceeded
    from ..recruiting.studies import change_study

    with _counter(ctx, "publishing a study") as counter:
        study = counter.office.study(name)
        if study.budget is not None and study.price > study.budget:
            raise BudgetExceeded(f"{_priced(study)}. Its budget is {study.budget}; nothing was published.")
        confirm_price(_priced(study), yes)
        study = change_study(counter, name, "PUBLISH")
    say(f"{name} is {study.status}.")
    person = study.signed == "person"
    next_step(f"galloway recruit links {name} PEOPLE.csv" if person else f"galloway recruit settle {name} --every 60")


def _changed(ctx: click.Context, name: str, action: Action) -> None:
    from ..recruiting.studies import change_study

    with _counter(ctx, "changing a study") as counter:
        study = change_study(counter, name, action)
    say(f"{name} is {study.status}.")


@recruit.command()
@click.argument("name")
@click.pass_context
def pause(ctx: click.Context, name: str) -> None:
    """Let nobody new in; who has begun goes on. `start` opens it again."""
    _changed(ctx, name, "PAUSE")


@recruit.command()
@click.argument("name")
@click.pass_context
def start(ctx: click.Context, name: str) -> None:
    """Go on with a study that was paused."""
    _changed(ctx, name, "START")


@recruit.command()
@click.argument("name")
@click.pass_context
def stop(ctx: click.Context, name: str) -> None:
    """End the study; who has begun may finish, and is paid."""
    _changed(ctx, name, "STOP")
    next_step(f"galloway recruit settle {name} --dry-run")


@recruit.command()
@click.argument("name")
@click.argument("people", type=_FILE)
@click.option("--days", type=click.IntRange(1, 365), help="How long the links are good; default: as long as the study.")
@click.pass_context
def links(ctx: click.Context, name: str, people: Path, days: int | None) -> None:
    """A signed link for each person of the CSV file PEOPLE (columns participant and, if you like, session), as CSV.

    \b
    Example:  galloway recruit links class people.csv > links.csv
    """
    import pandas as pd

    from ...curation.spreadsheet import csv_text
    from ..recruiting.studies import personal_links

    table = pd.read_csv(people, dtype=str, keep_default_na=False)
    if "participant" not in table.columns:
        raise click.UsageError(f"{people} has no column participant.")
    who = [name.strip() for name in table["participant"]]
    sessions = [name.strip() for name in table["session"]] if "session" in table.columns else who
    with _counter(ctx) as counter:
        rows = personal_links(counter, name, list(zip(who, sessions, strict=True)), days=days)
    emit_page(csv_text(pd.DataFrame(rows, columns=["participant", "session", "link"])))


@recruit.command()
@click.pass_context
def listen(ctx: click.Context) -> None:
    """Have Prolific report what happens to the worker site, signed. Without a public address poll: settle --every."""
    from ..recruiting.studies import listen as subscribe

    with _counter(ctx, "subscribing") as counter:
        made = subscribe(counter)
    say(f"Prolific reports now ({counted(len(made), 'subscription')}).")


# -- pay ----------------------------------------------------------------------------------------------------------


@recruit.command()
@click.argument("name")
@click.option("--approve", multiple=True, metavar="SESSION", help="Pay this person whatever speaks against it; repeat.")
@click.option("--budget", callback=_money, help="Instead of the study's own.")
@click.option("--dry-run", is_flag=True, help="Say who would be paid what, and why others would not; pay nobody.")
@click.option("--every", type=click.IntRange(5, 86_400), metavar="SECONDS", help="Look again so often, until Ctrl-C.")
@_yes
@_json
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
    from ..recruiting.paying import preview, settle_study

    with _counter(ctx) as counter:
        steps = preview(counter, name, approve)
        study = counter.office.study(name)
    for step in steps:
        say(f"  {one_line(step.entry.session):<26} {_step_text(study, step)}")
    due = sum((step.amount + study.fee(step.amount) for step in steps), Decimal("0.00"))
    if dry_run:
        rows = [
            {"session": step.entry.session, "do": step.do, "amount": step.amount, "why": step.why} for step in steps
        ]
        result(rows, as_json, lambda: f"{study.currency}{due} would be due now; nothing was paid.")
        return
    confirm_price(f"{study.currency}{due} is due now, fees included.", yes or (not due and every is None))
    while True:
        with _counter(ctx, "paying") as counter, stage_progress("settle") as progress:
            done = settle_study(counter, name, approve=approve, budget=budget, progress=progress)
        result(_settled_row(done), as_json, lambda done=done: _settled_text(study, done))  # type: ignore[misc]
        if every is None:
            break
        time.sleep(every)
    if study.profile == "link":
        next_step(f"galloway recruit export {name} > pay.csv")


def _step_text(study: Study, step: Step) -> str:
    amount = f" {study.currency}{step.amount}" if step.amount else ""
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
    lines = [f"{people}: {money}{done.amount} and {money}{done.fees} fees. Waiting: {done.waiting}."]
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
    from ...mturk.requester.recruit.panel import Category

    return list(get_args(Category))


@recruit.command()
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
    from ..recruiting.paying import refuse_one

    if category.upper() not in _categories():
        raise click.BadParameter(f"one of {', '.join(_categories())}", param_hint="--category")
    with _counter(ctx, "refusing") as counter:
        refuse_one(counter, name, session, reason=reason, category=category.upper())  # type: ignore[arg-type]
    say(f"{one_line(session)} is refused, with the reason.")


@recruit.command()
@click.argument("name")
@click.option("--list", "number", type=click.IntRange(1), help="An earlier list again; default: a new one.")
@click.pass_context
def export(ctx: click.Context, name: str, number: int | None) -> None:
    """Who is to be paid, as CSV: participant, session, amount, code. Nobody is ever on two lists.

    \b
    Example:  galloway recruit export class > pay.csv
    """
    from ...curation.spreadsheet import csv_text
    from ..recruiting.paying import next_list, pay_list

    with _counter(ctx, "making a pay list") as counter:
        found: PayList = pay_list(counter, name, number) if number else next_list(counter, name)
        study = counter.office.study(name)
    emit_page(csv_text(found.rows))
    say(f"List {found.number}: {counted(len(found.rows), 'person', 'people')}, {study.currency}{found.total}.")
    next_step(f"galloway recruit paid {name} {found.number}")


@recruit.command()
@click.argument("name")
@click.argument("number", type=click.IntRange(1))
@click.pass_context
def paid(ctx: click.Context, name: str, number: int) -> None:
    """The pay list NUMBER of the study NAME was paid, at the panel or by hand."""
    from ..recruiting.paying import settle_paid_list

    with _counter(ctx, "noting a paid list") as counter:
        settled = settle_paid_list(counter, name, number)
    say(f"{counted(settled, 'payment')} of list {number} noted as paid.")


@recruit.command()
@click.argument("name")
@click.argument("codes", nargs=-1)
@click.option("--file", type=_FILE, help="A CSV with a column code, such as a panel's own export.")
@_json
@click.pass_context
def redeem(ctx: click.Context, name: str, codes: tuple[str, ...], file: Path | None, as_json: bool) -> None:
    """Take completion codes that people hand in: whose they are. A code is good once.

    \b
    Example:  galloway recruit redeem class ABCDE-FGHIJ-KLMNO
    """
    import pandas as pd

    from ..recruiting.paying import redeem_all

    wanted = list(codes)
    if file is not None:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        if "code" not in table.columns:
            raise click.UsageError(f"{file} has no column code.")
        wanted += [code for code in table["code"] if code.strip()]
    with _counter(ctx, "taking codes") as counter:
        taken, wrong = redeem_all(counter, name, wanted)
    rows = [{"code": entry.code, "participant": entry.participant, "session": entry.session} for entry in taken]
    result(rows, as_json, lambda: [f"{row['code']}  {row['participant']}" for row in rows])
    for problem in wrong:
        say(problem)
    if wrong:
        sys.exit(1)
