"""The operator page: requesters, workers, open HITs, what is stuck, what failed; export and erase a worker.

It is entered with the operator link that the terminal prints at start-up (`/operator/enter?token=…`), not with a
worker's account.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..errors import OperatorError
from ..office.operator import Operator
from .portal import json_file, portal

__all__ = ["pages"]


pages = Blueprint("operator", __name__, url_prefix="/operator")
_INVITE_DAYS = 14


def _desk() -> Operator:
    desk = portal().desk
    assert desk is not None
    return desk


def _cookie() -> str:
    return f"{portal().cookie}_operator"


@pages.before_request
def only_the_operator() -> None:
    """Everything but the door needs the operator's cookie."""
    g.worker = None
    if request.endpoint == "operator.enter" or _desk().admits(request.cookies.get(_cookie(), "")):
        return
    abort(403, "This page is for the operator. Open the operator link that the marketplace printed when it started.")


@pages.get("/enter")
def enter() -> BaseResponse:
    """The door: the token of the printed link becomes a cookie."""
    token = request.args.get("token", "")
    if not _desk().admits(token):
        abort(403, "This operator link is not valid. The marketplace prints the right one when it starts.")
    response = redirect(url_for("operator.overview"), 303)
    response.set_cookie(_cookie(), token, httponly=True, samesite="Strict", secure=portal().secure, path="/operator")
    return response


@pages.get("/")
def overview() -> str:
    """Everything at a glance."""
    return _page("")


@pages.post("/invite")
def invite() -> str:
    """A new invite link."""
    uses = request.form.get("uses", "1")
    count = int(uses) if uses.isascii() and uses.isdigit() and 0 < int(uses) <= 1000 else 1
    made = portal().work.invite(note=request.form.get("note", "")[:200], uses=count, valid=timedelta(days=_INVITE_DAYS))
    return _page(f"{portal().config.addresses.worker}{url_for('accounts.join', token=made.token)}")


@pages.get("/workers/<worker_id>.json")
def export(worker_id: str) -> BaseResponse:
    """Everything stored about a worker, to hand to that person."""
    try:
        stored = _desk().export_worker(worker_id)
    except OperatorError as error:
        abort(404, str(error))
    name = "".join(character for character in worker_id if character.isalnum())
    return json_file(stored, f"worker-{name}.json")


@pages.get("/workers/<worker_id>/erase")
def confirm_erase(worker_id: str) -> str:
    """Ask once more."""
    return render_template("operator/erase.html", worker_id=worker_id)


@pages.post("/workers/<worker_id>/erase")
def erase(worker_id: str) -> BaseResponse:
    """Erase a worker's personal data."""
    try:
        _desk().erase_worker(worker_id)
    except OperatorError as error:
        abort(404, str(error))
    return redirect(url_for("operator.overview"), 303)


@pages.post("/appeals/<assignment_id>")
def decide(assignment_id: str) -> BaseResponse | tuple[str, int]:
    """Decide an appeal: pay after all, or let the rejection stand with an answer."""
    form = request.form
    try:
        _desk().decide_appeal(
            assignment_id, pay=form.get("pay") == "yes", answer=form.get("answer", "")[:2000], by=form.get("by", "")
        )
    except OperatorError as error:
        abort(422, str(error))
    return redirect(url_for("operator.overview"), 303)


def _page(link: str) -> str:
    return render_template("operator/overview.html", overview=_desk().overview(), link=link, days=_INVITE_DAYS)
