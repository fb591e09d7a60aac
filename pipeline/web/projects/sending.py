"""Spending: publish a table at the price that was shown, go on with a batch, extend it, take it back."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....curation.types import Progress
from ....mturk.requester.errors import MTurkError
from ....mturk.requester.money import written
from ...app import App
from ...errors import SafetyStop, StageError
from ...projects.gate import check_held
from ...projects.publish import plan_again, plan_batch, send_batch
from ...projects.running import cancel_batch, extend_batch, plan_extension
from ...wording import counted
from ..jobs import Work
from ..opened import jobs, open_workspace
from .room import blueprint, named, sheet_of, spends

__all__: list[str] = []

_CHANGED = "Nothing was sent: since you looked, rows, page, terms or price changed. Look at it again."


def _begun(name: str, title: str, work: Work) -> Response:
    jobs().start(title, open_workspace(), work)
    return redirect(url_for("projects.project", name=name), 303)


@blueprint.post("/projects/<name>/sheets/<key>/publish")
@spends
def publish(name: str, key: str) -> Response:
    """Send the table that was shown, at the price that was agreed to; anything else is refused."""
    found = named(name)
    kept, turn, digest = sheet_of(found, key), request.form.get("turn", 1, type=int), request.form.get("digest", "")
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was published: tick that the price is fine.")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("publishing"), app.market() as session:
            planned = plan_batch(
                app, session, name, kept.path, turn=turn, media=kept.media, look=True, progress=progress
            )
            check_held(planned.held)
            if planned.digest != digest:
                raise SafetyStop(_CHANGED)
            done = send_batch(app, session, planned, progress)
        return f"{counted(len(done.hits), 'HIT')} for {written(done.price.total, app.settings.market.currency)}."

    return _begun(name, f"Publish {name}", work)


@blueprint.post("/projects/<name>/batches/<key>/publish")
@spends
def go_on(name: str, key: str) -> Response:
    """Send what is left of a batch that was begun, at its own terms."""
    named(name)

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("publishing"), app.market() as session:
            done = send_batch(app, session, plan_again(app, session, name, key), progress)
        return f"{counted(len(done.hits), 'HIT')} stand at the market; {done.sent} were sent now."

    return _begun(name, f"Publish {key}", work)


@blueprint.get("/projects/<name>/batches/<key>/extend")
@spends
def extension(name: str, key: str) -> str:
    """What more answers or more time for a batch would cost."""
    found, app = named(name), open_workspace()
    assignments, hours = _wanted()
    planned, wrong = None, ""
    if assignments is not None or hours is not None:
        try:
            planned = plan_extension(app, app.terms(), found, key, assignments=assignments, hours=hours)
        except (StageError, SafetyStop, MTurkError) as error:
            wrong = str(error)
    return render_template(
        "projects/extend.html",
        project=found,
        key=key,
        planned=planned,
        wrong=wrong,
        assignments=assignments,
        hours=hours,
        text=planned.text(app.settings.market.currency) if planned else "",
    )


@blueprint.post("/projects/<name>/batches/<key>/extend")
@spends
def extend(name: str, key: str) -> Response:
    """Extend a batch as it was shown."""
    found = named(name)
    (assignments, hours), digest = _wanted(), request.form.get("digest", "")
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was extended: tick that the price is fine.")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("extending"), app.market() as session:
            planned = plan_extension(app, session, found, key, assignments=assignments, hours=hours)
            if planned.digest != digest:
                raise SafetyStop(_CHANGED)
            done = extend_batch(app, session, planned, progress)
        return f"{counted(done.more, 'HIT')} got more places, {done.later} a later end, {done.gone} gone."

    return _begun(name, f"Extend {key}", work)


def _wanted() -> tuple[int | None, int | None]:
    """How many answers a row and how many hours from now; None where nothing was said."""
    values = request.form if request.method == "POST" else request.args
    found = [values.get(name, None, type=int) for name in ("assignments", "hours")]
    for number, most in zip(found, (99, 8760), strict=True):
        if number is not None and not 1 <= number <= most:
            abort(400, f"{number} is not between 1 and {most:,}.")
    return found[0], found[1]


@blueprint.post("/projects/<name>/batches/<key>/cancel")
@spends
def cancel(name: str, key: str) -> Response:
    """Take a batch back as far as it goes now."""
    found = named(name)
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was taken back: tick that you mean it.")
    pay = request.form.get("pay") == "yes"

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("cancelling"), app.market() as session:
            done = cancel_batch(app, session, found, key, pay=pay, progress=progress)
        text = f"{counted(done.deleted, 'HIT')} deleted, {done.never_sent} never sent, {done.approved} answers paid"
        if done.done:
            return f"{text}."
        left = f"{done.waiting} HITs are still in work, {done.undecided} answers undecided"
        return f"{text}; {left}. Take it back again later."

    return _begun(name, f"Take back {key}", work)
