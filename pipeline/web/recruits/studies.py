"""People from a panel, in the browser: studies, how far they are, opening and closing them, paying."""

from __future__ import annotations

from decimal import Decimal
from typing import cast, get_args

from flask import abort, redirect, render_template, request, url_for
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response

from ....curation.spreadsheet import csv_text
from ....curation.types import Progress
from ....mturk.requester.errors import BudgetExceeded, MTurkError
from ....mturk.requester.money import amount, written
from ....mturk.requester.recruit.panel import Action
from ...app import App
from ...asking import progress as asked
from ...errors import NothingToDo
from ...recruiting.counter import open_counter
from ...recruiting.paying import next_list, pay_list, settle_paid_list, settle_study
from ...recruiting.studies import StudyState, Terms, change_study, draft_at_panel, make_study, remove_study, study_state
from ..opened import jobs, open_workspace
from .room import blueprint

__all__: list[str] = []


@blueprint.get("/")
def listing() -> str:
    """All studies: people, money, pay by the clock; and the form for a new one."""
    app = open_workspace()
    batches = [row.key for row in asked.batches(app) if row.market == "local"]
    return render_template("recruits.html", states=_states(app), batches=batches)


def _states(app: App) -> list[StudyState]:
    if not app.settings.market.database and not (app.workspace.root / "market" / "market.db").is_file():
        return []  # looking makes no marketplace
    with open_counter(app) as counter:
        return [study_state(counter, study) for study in counter.office.studies()]


@blueprint.post("/")
def new() -> Response:
    """A new study over published batches; on Prolific a draft of it."""
    terms = _terms(request.form)

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("making a study"), open_counter(app) as counter:
            study = draft_at_panel(counter, make_study(counter, terms))
        reward, price = (written(value, study.currency) for value in (study.reward, study.price))
        return f"{study.key}: {study.places} people at {reward}, {price} in all."

    jobs().start("New study", open_workspace(), work)
    return redirect(url_for("recruits.listing"), 303)


def _terms(form: ImmutableMultiDict[str, str]) -> Terms:
    def whole(name: str, usual: int) -> int:
        text = form.get(name, "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else usual

    def money(name: str) -> Decimal | None:
        try:
            return amount(form[name].strip()) if form.get(name, "").strip() else None
        except MTurkError as error:
            abort(400, str(error))

    prolific, title = form.get("panel") == "prolific", form.get("title", "").strip()
    if not title or not form.getlist("batch"):
        abort(400, "A study needs a title, and at least one batch to work on.")
    return Terms(
        key=form.get("name", "").strip().lower(),
        profile="prolific" if prolific else "link",
        source="prolific" if prolific else form.get("source", "").strip() or "link",
        title=title,
        about=form.get("about", "").strip() or title,
        contact=form.get("contact", "").strip(),
        batches=tuple(form.getlist("batch")),
        hits=max(1, whole("hits", 5)),
        minutes=max(1, whole("minutes", 10)),
        places=whole("places", 0),
        reward=money("reward"),
        open_link=form.get("open_link") == "yes",
        complete_url=form.get("complete_url", "").strip(),
        screened_url="",
        fee_percent=money("fee_percent") or Decimal(0),
        budget=money("budget"),
    )


@blueprint.post("/<key>/change")
def change(key: str) -> Response:
    """Publish (at the price that is shown), pause, go on or stop."""
    action = request.form.get("action", "")
    if action not in get_args(Action):
        abort(400, "Publish, pause, start or stop.")
    if action == "PUBLISH" and request.form.get("yes") != "yes":
        abort(400, "Nothing was published: tick that the price is fine.")

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("changing a study"), open_counter(app) as counter:
            study = counter.office.study(key)
            if action == "PUBLISH" and study.budget is not None and study.price > study.budget:
                raise BudgetExceeded(
                    f"{study.price} is above the study's budget of {study.budget}; nothing was published."
                )
            return f"{key} is {change_study(counter, key, cast(Action, action)).status}."

    jobs().start("Study", open_workspace(), work)
    return redirect(url_for("recruits.listing"), 303)


@blueprint.post("/<key>/remove")
def remove(key: str) -> Response:
    """Forget a study of which nobody took a place."""

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("removing a study"), open_counter(app) as counter:
            remove_study(counter, key)
        return f"The study {key} is gone; it can be made anew."

    jobs().start("Study", open_workspace(), work)
    return redirect(url_for("recruits.listing"), 303)


@blueprint.post("/<key>/settle")
def settle(key: str) -> Response:
    """Pay who is due, or note them for the next list."""
    if request.form.get("yes") != "yes":
        abort(400, "Nobody was paid: tick that whoever is due shall be.")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("paying"), open_counter(app) as counter:
            done = settle_study(counter, key, progress=progress)
            money = counter.office.study(key).currency
        paid, fees = written(done.amount, money), written(done.fees, money)
        parts = [f"{done.paid} paid and {done.topped_up} topped up: {paid} and {fees} fees."]
        parts += [f"{done.listed} for the next pay list."] if done.listed else []
        parts += [f"{done.waiting} wait."] if done.waiting else []
        parts += [f"Of {done.doubtful} it is not known yet; the next run looks first."] if done.doubtful else []
        parts += [f"Look at {step.entry.session}: {step.why}." for step in done.look[:20]]
        return " ".join(parts)

    jobs().start("Settle", open_workspace(), work)
    return redirect(url_for("recruits.listing"), 303)


@blueprint.post("/<key>/list")
def export(key: str) -> Response:
    """Who is to be paid, as CSV: a new list, or the one that is named."""
    number, app = request.form.get("number", ""), open_workspace()
    with app.workspace.lock("making a pay list"), open_counter(app) as counter:
        try:
            found = pay_list(counter, key, int(number)) if number.isdigit() else next_list(counter, key)
        except NothingToDo as nothing:
            abort(409, str(nothing))
    headers = {"Content-Disposition": f"attachment; filename=pay-{key}-{found.number}.csv"}
    return Response(csv_text(found.rows), mimetype="text/csv", headers=headers)


@blueprint.post("/<key>/paid")
def paid(key: str) -> Response:
    """A list was paid."""
    number = request.form.get("number", "")

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("noting a paid list"), open_counter(app) as counter:
            return f"{settle_paid_list(counter, key, int(number) if number.isdigit() else 0)} payments noted as paid."

    jobs().start("Pay list", open_workspace(), work)
    return redirect(url_for("recruits.listing"), 303)
