"""Coming from a panel: the page behind a signed link, the way through the study, its end, and the panel's reports."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...errors import BadForm, NotEligible
from ..portal import portal, signed_in

__all__ = ["keep_on_the_way", "pages"]

pages = Blueprint("recruits", __name__, url_prefix="/recruit")
_LARGEST_REPORT = 64 * 1024
_BACK_SECONDS = 8
_FOR_ALL = ("recruits.welcome", "recruits.enter", "recruits.decline", "recruits.hook")


def keep_on_the_way() -> Response | None:
    """A recruited person sees the study, not the market: for `before_request` of the pages of the market."""
    return redirect(url_for("recruits.way")) if g.get("worker") is not None and g.worker.source else None


def _given() -> dict[str, str]:
    values: Mapping[str, str] = request.form if request.method == "POST" else request.args
    return {name: value for name, value in values.items() if len(value) <= 200}


@pages.get("/<key>")
def welcome(key: str) -> str:
    """What is asked, for what pay, what is kept: before anything is stored."""
    given = _given()
    found = portal().work.welcome(key, given)
    return render_template("worker/recruit_welcome.html", found=found, study=found.study, given=given)


@pages.post("/<key>/enter")
def enter(key: str) -> Response:
    """The person agreed."""
    given = _given()
    session = portal().work.enter(key, given, stamp=given.pop("stamp", ""))
    return portal().remember(redirect(url_for("recruits.way"), 303), session)


@pages.post("/<key>/decline")
def decline(key: str) -> str:
    """The person did not agree."""
    back = portal().work.decline(key, _given())
    return render_template("worker/recruit_left.html", back=back, erased=False)


@pages.before_request
def only_recruits() -> None:
    """The pages on the way need the session that agreeing began."""
    mine = g.get("worker") is not None and g.worker.source
    if not mine and request.endpoint not in _FOR_ALL:
        abort(403, "Your session is over. Open the link again that brought you here: you go on where you were.")


@pages.get("/")
def way() -> str | Response:
    """How far I am; after the end the code, and the way back to the panel."""
    found = portal().work.way(signed_in().worker_id)
    if found is None:
        abort(404, "You have begun nothing here.")
    shown = {"way": found, "study": found.study, "entry": found.entry, "wait": _BACK_SECONDS}
    page = render_template("worker/recruit_way.html", **shown)
    # A header and no script: it works everywhere, and the page says what it does.
    headers = {"Refresh": f"{_BACK_SECONDS}; url={found.back}"} if found.back else {}
    return Response(page, mimetype="text/html", headers=headers)


@pages.post("/next")
def go_on() -> Response:
    """The page at hand, or the next one."""
    assignment_id = portal().work.go_on(signed_in().worker_id)
    if not assignment_id:
        return redirect(url_for("recruits.way"), 303)
    return redirect(url_for("tasks.working", assignment_id=assignment_id), 303)


@pages.post("/finish")
def finish() -> Response:
    """The end."""
    portal().work.finish(signed_in().worker_id)
    return redirect(url_for("recruits.way"), 303)


@pages.post("/quit")
def leave() -> Response:
    """Leave the study; with `erase` everything about me goes, too."""
    erase = request.form.get("erase") == "1"
    portal().work.quit(signed_in().worker_id, erase=erase)
    page = render_template("worker/recruit_left.html", back="", erased=erase)
    return portal().forget(Response(page, mimetype="text/html"))


@pages.post("/hooks/<source>")
def hook(source: str) -> tuple[str, int]:
    """A panel's report, if it is signed and fresh; twice is once."""
    body = request.get_data(cache=False)
    if len(body) > _LARGEST_REPORT:
        abort(413)
    try:
        portal().work.hear(source, dict(request.headers), body)
    except NotEligible as error:
        return str(error), 403
    except BadForm as error:
        return str(error), 400
    return "", 204
