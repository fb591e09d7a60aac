"""A project's settings in the browser: what it asks, pays and works with; the figures that change are shown first."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...mturk.requester.errors import MTurkError
from ...mturk.requester.markets import Market
from ..app import App
from ..asking import progress
from ..errors import NothingToDo, StageError
from ..stages.configure import GROUPS, Cost, by_environment, configure, cost_of, foreseen, now
from .opened import may_own, open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("configuring", __name__, url_prefix="/project-settings")
_KEYS = tuple(choice.key for _, choices in GROUPS for choice in choices)


@blueprint.before_request
def allowed() -> None:
    """Everybody sees the settings; what the work may cost and how it is done is for the owner to say."""
    if request.method == "POST" and not may_own():
        abort(
            403, "What a project may cost and how it works is for the owner to say: galloway team add NAME --role own"
        )


@blueprint.get("")
def page() -> str:
    """The settings as they are, with what they amount to."""
    return _page({key: now(open_workspace().settings, key) for key in _KEYS})


@blueprint.post("")
def keep() -> Response | str | tuple[str, int]:
    """Write what was changed into galloway.toml; with `look`, only show what it would amount to."""
    app = open_workspace()
    given = {key: request.form[key][:60] for key in _KEYS if key in request.form}
    seen = {key: request.form.get(f"seen-{key}", "") for key in given}
    shown = {key: now(app.settings, key) for key in _KEYS} | given
    try:
        if "look" in request.form:
            return _page(shown, seen=seen, then=cost_of(foreseen(app, given, seen)))
        configure(app, given, seen)
    except NothingToDo as nothing:
        flash(str(nothing))
        return redirect(url_for("configuring.page"), 303)
    except StageError as wrong:
        return _page(shown, seen=seen, wrong=str(wrong)), 400
    flash("The settings are kept; what is published from now on follows them.")
    return redirect(url_for("configuring.page"), 303)


def _page(
    shown: Mapping[str, str], *, seen: Mapping[str, str] | None = None, then: Cost | None = None, wrong: str = ""
) -> str:
    """`shown` stands in the fields, `seen` is what stood there at first."""
    app = open_workspace()
    sums = app.ledger.sums()
    market, no_market = _market(app)
    return render_template(
        "configuring.html",
        groups=GROUPS,
        market=market,
        no_market=no_market,
        shown=shown,
        seen=seen or shown,
        above={key: by_environment(key) for key in _KEYS},
        cost=cost_of(app.settings),
        then=then,
        faces=app.settings.ask.faces_per_hit,
        spent=progress.spent(app, progress.batches(app, sums), sums)[0],
        budget=app.settings.ask.budget,
        wrong=wrong,
    )


def _market(app: App) -> tuple[Market | None, str]:
    """Where HITs go, as it is known without asking it; None and why where galloway.toml names none that there is."""
    try:
        return app.terms().market, ""
    except MTurkError as wrong:
        return None, str(wrong)
