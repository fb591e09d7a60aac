"""`galloway recruit`: people from a panel for published HITs, from the link to the pay."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...wording import counted, one_line
from ..console import confirm_price, emit_page, next_step, result, say

if TYPE_CHECKING:
    from ....mturk.recruiting.values import Study
    from ....mturk.requester.recruit.panel import Action
    from ...recruiting.studies import StudyState

from .opened import FILE, amount_of, counter_of, json_option, money, yes_option
from .paying import export, paid, redeem, reject, settle

__all__ = ["recruit"]


@click.group()
def recruit() -> None:
    """People from a panel for published HITs: on Prolific, or by signed links (CloudResearch Connect, SONA, a class).

    \b
    Example:  galloway recruit new faces --prolific --batch a-r1-usable --hits 5 --minutes 8 --title "Look at faces"
              galloway recruit publish faces
              galloway recruit settle faces --dry-run
    """


@recruit.command()
@click.argument("name")
@click.option("--prolific", is_flag=True, help="A study on Prolific; a draft of it is made there. Else signed links.")
@click.option("--batch", "batches", multiple=True, required=True, help="A published batch to work on; repeat for more.")
@click.option("--hits", type=click.IntRange(1, 200), default=5, show_default=True, help="HITs that one person does.")
@click.option("--minutes", type=click.IntRange(1, 600), required=True, help="How long these take, reading included.")
@click.option(
    "--places", type=click.IntRange(1, 100_000), default=None, help="People; default: as the open work needs."
)
@click.option("--reward", callback=money, help="Pay for all of a person's HITs; default: what the HITs pay.")
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
@click.option("--budget", callback=money, help="A wall for everything that this study costs.")
@json_option
@click.pass_context
def new(ctx: click.Context, /, name: str, prolific: bool, as_json: bool, **given: Any) -> None:
    """Make the study NAME over published batches: whom to recruit, for how many HITs, at what pay.

    \b
    Example:  galloway recruit new faces --prolific --batch a-r1-usable --hits 5 --minutes 8 --title "Look at faces"
              galloway recruit new class --source classroom --batch a-r1-usable --minutes 10 --title "Look at faces"
    """
    from ...recruiting.studies import Terms, draft_at_panel, make_study

    given |= {"about": given["about"] or given["title"], "places": given["places"] or 0}
    source = "prolific" if prolific else given.pop("source").strip() or "link"
    given.pop("source", None)
    terms = Terms(key=name, profile="prolific" if prolific else "link", source=source, **given)
    with counter_of(ctx, "making a study") as counter:
        study = make_study(counter, terms)
        study = draft_at_panel(counter, study)
    result(_study_row(study), as_json, lambda: _priced(study))
    if study.panel_id:
        say(f"A draft stands at Prolific: https://app.prolific.com/researcher/studies/{study.panel_id}")
    next_step(f"galloway recruit publish {name}")


def _priced(study: Study) -> str:
    reward, hourly, price = (amount_of(study.currency, value) for value in (study.reward, study.hourly, study.price))
    return (
        f"{study.key}: {counted(study.places, 'person', 'people')} × {reward} for {counted(study.hits, 'HIT')} in "
        f"{counted(study.minutes, 'minute')} ({hourly} an hour): {price} with fees, and what tops up the slow"
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
@json_option
@click.pass_context
def status(ctx: click.Context, name: str | None, people: bool, ask: bool, as_json: bool) -> None:
    """How far studies are: people, money, pay by the clock, the link for the panel.

    \b
    Example:  galloway recruit status faces --people
    """
    from ...recruiting.studies import study_state

    with counter_of(ctx) as counter:
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
    people = row["people"]

    def said(value: Decimal) -> str:
        return amount_of(row["currency"], value)

    came = ", ".join(f"{count} {state}" for state, count in sorted(people.items())) or "nobody yet"
    lines = [
        f"{row['key']}  {row['status']}  {one_line(row['title'])}  ({row['source']})",
        f"  {row['places']} places × {row['hits']} HITs at {said(row['reward'])}; came: {came}",
        f"  paid {said(row['paid'])} and {said(row['fees'])} fees; due {said(row['due'])}",
    ]
    if pay := row["pay"]:
        lines.append(
            f"  measured: {pay['median_seconds'] / 60:.1f} minutes (median of {pay['finished']}), that is "
            f"{said(pay['hourly'])} an hour, {said(pay['hourly_with_top_ups'])} with top-ups; {pay['below']} below "
            f"{said(row['floor'])} before them"
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
@yes_option
@click.pass_context
def publish(ctx: click.Context, name: str, yes: bool) -> None:
    """Open the study NAME, at the price that is shown. Run it again after anything: it is published once.

    \b
    Example:  galloway recruit publish faces
    """
    from ....mturk.requester.errors import BudgetExceeded
    from ...recruiting.studies import change_study

    with counter_of(ctx, "publishing a study") as counter:
        study = counter.office.study(name)
        if study.budget is not None and study.price > study.budget:
            raise BudgetExceeded(f"{_priced(study)}. Its budget is {study.budget}; nothing was published.")
        confirm_price(_priced(study), yes)
        study = change_study(counter, name, "PUBLISH")
    say(f"{name} is {study.status}.")
    person = study.signed == "person"
    next_step(f"galloway recruit links {name} PEOPLE.csv" if person else f"galloway recruit settle {name} --every 60")


def _changed(ctx: click.Context, name: str, action: Action) -> None:
    from ...recruiting.studies import change_study

    with counter_of(ctx, "changing a study") as counter:
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
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget the study NAME while nobody took a place of it, so that it can be made anew, without its mistake.

    \b
    Example:  galloway recruit remove faces
    """
    from ...recruiting.studies import remove_study

    with counter_of(ctx, "removing a study") as counter:
        remove_study(counter, name)
    say(f"The study {name} is gone.")
    next_step(f"galloway recruit new {name} …")


@recruit.command()
@click.argument("name")
@click.argument("people", type=FILE)
@click.option("--days", type=click.IntRange(1, 365), help="How long the links are good; default: as long as the study.")
@click.pass_context
def links(ctx: click.Context, name: str, people: Path, days: int | None) -> None:
    """A signed link for each person of the file PEOPLE (columns participant and, if you like, session), as CSV.

    \b
    Example:  galloway recruit links class people.csv > links.csv
    """
    import pandas as pd

    from ....curation.spreadsheet import csv_text
    from ...recruiting.lists import people_in_file
    from ...recruiting.studies import personal_links

    with counter_of(ctx) as counter:
        rows = personal_links(counter, name, people_in_file(people), days=days)
    emit_page(csv_text(pd.DataFrame(rows, columns=["participant", "session", "link"])))


@recruit.command()
@click.pass_context
def listen(ctx: click.Context) -> None:
    """Have Prolific report what happens to the worker site, signed. Without a public address poll: settle --every."""
    from ...recruiting.studies import listen as subscribe

    with counter_of(ctx, "subscribing") as counter:
        made = subscribe(counter)
    say(f"Prolific reports now ({counted(len(made), 'subscription')}).")


for command in (settle, reject, export, paid, redeem):
    recruit.add_command(command)
