"""Joining by invite link, signing in and out, leaving."""

from __future__ import annotations

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...errors import BadForm, SignInRefused, SlowDown
from ..guards import local_path
from ..portal import json_file, portal, require_worker, signed_in

__all__ = ["pages"]

pages = Blueprint("accounts", __name__)


@pages.get("/join/<token>")
def join(token: str) -> str:
    """The form behind an invite link."""
    invite = portal().work.read_invite(token)
    return render_template("worker/join.html", invite=invite, error="", name="", country="", subdivision="")


@pages.post("/join/<token>")
def join_now(token: str) -> Response | tuple[str, int]:
    """Make the account and sign in."""
    work, form = portal().work, request.form
    given = {name: form.get(name, "").strip() for name in ("name", "country", "subdivision")}
    try:
        session = work.join(token, password=form.get("password", ""), **given)
    except BadForm as error:
        invite = work.read_invite(token)
        return render_template("worker/join.html", invite=invite, error=str(error), **given), 422
    return portal().remember(redirect(url_for("tasks.listing", said="joined"), 303), session)


@pages.get("/sign-in")
def sign_in() -> str | Response:
    """The sign-in form."""
    target = local_path(request.args.get("next"))
    if g.worker is not None:
        return redirect(target)
    return render_template("worker/sign_in.html", error="", name="", target=target)


@pages.post("/sign-in")
def sign_in_now() -> Response | tuple[str, int, dict[str, str]]:
    """Sign in; the marketplace counts failures for the name and for the address."""
    form = request.form
    name, target = form.get("name", "").strip(), local_path(form.get("next"))
    try:
        session = portal().work.sign_in(name, form.get("password", ""), address=request.remote_addr or "")
    except (SignInRefused, SlowDown) as error:
        slow = isinstance(error, SlowDown)
        headers = {"Retry-After": str(error.seconds)} if isinstance(error, SlowDown) else {}
        page = render_template("worker/sign_in.html", error=str(error), name=name, target=target)
        return page, 429 if slow else 403, headers
    return portal().remember(redirect(target, 303), session)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    portal().work.sign_out(request.cookies.get(portal().cookie, ""))
    return portal().forget(redirect(url_for("accounts.sign_in"), 303))


@pages.get("/account")
def account() -> str | Response:
    """Who I am here, and the way out."""
    return require_worker() or _account(said=request.args.get("said", ""))


def _account(*, error: str = "", changed: str = "", said: str = "") -> str:
    """`error` is about leaving, `changed` why a password was not changed."""
    return render_template("worker/account.html", error=error, changed=changed, done=said)


@pages.post("/account/password")
def password() -> Response | tuple[str, int, dict[str, str]]:
    """Another password, after the present one was given; all other sessions end."""
    stranger = require_worker()
    if stranger is not None:
        return stranger
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        keep = request.cookies.get(portal().cookie, "")
        portal().work.change_password(signed_in().worker_id, old, new, keep=keep)
    except (SignInRefused, BadForm) as error:
        return _account(changed=str(error)), 403 if isinstance(error, SignInRefused) else 422, {}
    except SlowDown as error:
        return _account(changed=str(error)), 429, {"Retry-After": str(error.seconds)}
    return redirect(url_for("accounts.account", said="password"), 303)


@pages.get("/account/checks")
def checks() -> str | Response:
    """What requesters compare in answers and times, and what can follow from it."""
    return require_worker() or render_template("worker/checks.html")


@pages.get("/account/data.json")
def data() -> Response:
    """Everything that is stored about me, as a file."""
    stranger, desk = require_worker(), portal().desk
    if stranger is not None:
        return stranger
    if desk is None:
        abort(404)
    return json_file(desk.export_worker(signed_in().worker_id), "my-data.json")


@pages.post("/account/leave")
def leave() -> Response | tuple[str, int]:
    """Close the account after the password was given once more."""
    stranger = require_worker()
    if stranger is not None:
        return stranger
    try:
        portal().work.leave(signed_in().worker_id, request.form.get("password", ""))
    except SignInRefused as error:
        return _account(error=str(error)), 403
    return portal().forget(redirect(url_for("accounts.left"), 303))


@pages.get("/goodbye")
def left() -> str:
    """Said after leaving."""
    g.worker = None
    return render_template("worker/left.html")
