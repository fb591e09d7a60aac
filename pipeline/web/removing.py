"""Taking footage out in the browser: what goes with it and what stays is shown, and confirmed, first."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...curation.types import Progress, Side
from ..app import App
from ..errors import NothingToDo, SafetyStop, StageError
from ..stages.sources import Removal, derived_of, plan_removal, remove_reference, take_out
from ..wording import counted
from .lasting import refuse
from .opened import jobs, may_act, open_workspace

__all__ = ["blueprint", "figure_of", "side_of", "what_goes"]

blueprint = Blueprint("removing", __name__, url_prefix="/footage")
_PATIENCE = 5.0


@blueprint.before_request
def allowed() -> None:
    """Who brings footage in takes it out."""
    if not may_act():
        refuse()


@blueprint.get("/<side>/<name>/remove")
def page(side: str, name: str) -> str:
    """What would go with a source, and what of it would stay; or why it cannot be taken out now."""
    of = side_of(side)
    return what_goes(of, name, lambda app: plan_removal(app, of, name))


def what_goes(side: Side, name: str, plan: Callable[[App], Removal], picture: str = "") -> str:
    """The page of what `plan` would take out: what goes, what stays, or why it cannot go now."""
    app = open_workspace()
    planned, trouble = None, ""
    try:
        planned = plan(app)
    except StageError as error:
        trouble = str(error)
    gone, left = derived_of(app, planned) if planned else ([], [])
    return render_template(
        "remove.html",
        side=side.value,
        name=name,
        picture=picture,
        planned=planned,
        figure=figure_of(planned) if planned else "",
        trouble=trouble,
        gone=[app.workspace.relative(path) for path in gone],
        left=left,
    )


@blueprint.post("/<side>/<name>/remove")
def remove(side: str, name: str) -> Response:
    """Take it out, if it is still what was shown."""
    shown, references = request.form.get("figure", ""), request.form.get("references") == "yes"
    of = side_of(side)
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was removed: tick that you mean it.")

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("removing", faces=True):
            planned = plan_removal(app, of, name)
            if figure_of(planned) != shown:
                raise SafetyStop(
                    f"Nothing was removed: {name} has {figure_of(planned)} now. Look at it again: Footage."
                )
            left = take_out(app, planned, with_votes=True, references=references)
        told = [f"Removed: {shown}."]
        told += [f"What stays: {', '.join(item.path for item in left)}."] if left else []
        return " ".join(told)

    jobs().start("Take footage out", open_workspace(), work)
    return redirect(url_for("pages.overview"), 303)


@blueprint.post("/photograph/<side>/remove")
def remove_photograph(side: str) -> Response:
    """Take one photograph of the person out, by what it holds: where it stands in the list may have changed."""
    of, digest, app = side_of(side), request.form.get("digest", ""), open_workspace()
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was removed: tick that you mean it.")
    try:
        with app.workspace.lock("removing", wait=_PATIENCE):
            left = remove_reference(app, of, digest)
        flash(f"The photograph is gone; side {of.value} has {counted(left, 'photograph')} left.")
    except NothingToDo as gone:  # pressed twice
        flash(str(gone))
    return redirect(url_for("footage.page"), 303)


def figure_of(planned: Removal) -> str:
    """What goes, as it is shown and sent back."""
    return f"{counted(len(planned.faces), 'face')}, {counted(planned.votes, 'vote')}"


def side_of(text: str) -> Side:
    """The side that an address names."""
    if text not in set(Side):
        abort(404, "There are side a and side b.")
    return Side(text)
