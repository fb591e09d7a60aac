"""Review: one person answers the same pages that workers get, here, without market and pay."""

from __future__ import annotations

import base64
import getpass
import hashlib
import re

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ...curation.types import PageKind
from ...mturk.requester.errors import BadAnswer
from ..app import App
from ..asking.audits import audits
from ..asking.decide import decide
from ..asking.layout import page_seconds
from ..asking.outcome import outcomes
from ..asking.pace import measured_pace
from ..asking.render import render_hit
from ..asking.review import OpenPage, answer, next_page, standing, take_back
from ..asking.sight import unseen
from ..asking.tasks import GridTask, Picture, Tile
from ..errors import NothingToDo
from ..market.pictures import shown_references
from ..workspace.team import Role
from .door import role, who
from .keys import page_keys
from .looking import looking, start_looking
from .opened import open_workspace

__all__ = ["account_name", "blueprint", "page_head", "page_policy", "reviewer"]

blueprint = Blueprint("review", __name__)
_PATIENCE = 30.0
_INLINE = re.compile(r"<(script|style)>\n(.*?)</\1>", re.DOTALL)


@blueprint.before_request
def allowed() -> None:
    """Opening a page lays out a round: that too is for those who may decide."""
    if (role() or 0) < Role.DECIDE:
        abort(403, "A review is for those who may decide.")


@blueprint.get("/review")
def page() -> Response | str:
    """The next page for whoever reviews here; a form that asks for the name first; the end where nothing is left."""
    app, person = open_workspace(), reviewer()
    if not person:
        return render_template(
            "review.html", end="", by=request.args.get("by", "")[:50] or session.get("by") or account_name()
        )
    if unseen(app):
        return looking("review.look")
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            opened = next_page(app, person)
    except NothingToDo as nothing:
        return render_template(
            "review.html",
            end=str(nothing),
            standing=standing(app, person),
            outcomes=outcomes(app),
            audits=audits(app),
            by=person,
        )
    return _shown(app, person, opened)


@blueprint.post("/review/look")
def look() -> BaseResponse:
    """Look at faces that nobody looked at yet."""
    start_looking()
    return redirect(url_for("review.page"), 303)


@blueprint.post("/review/name")
def name() -> BaseResponse:
    """Note who reviews."""
    person = request.form.get("by", "").strip()[:50]
    if not person:
        abort(400, "A review needs a name: the votes are kept under it, and it stands in the report.")
    session["by"] = session["reviewer"] = person
    return redirect(url_for("review.page"), 303)


@blueprint.post("/review/page/<key>")
def send(key: str) -> BaseResponse:
    """Keep what was answered on a page and go on."""
    app, person = open_workspace(), reviewer()
    fields = {name: value for name, value in request.form.items() if len(name) < 100 and len(value) <= 2000}
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            answer(app, person, key, fields)
    except BadAnswer as wrong:
        abort(400, str(wrong))
    return redirect(url_for("review.page"), 303)


@blueprint.post("/review/back")
def back() -> BaseResponse:
    """Take the page `last` back, which was sent last: it opens again as it was."""
    app, person = open_workspace(), reviewer()
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            take_back(app, person, request.args.get("last", ""))
    except NothingToDo as nothing:
        flash(str(nothing))
    return redirect(url_for("review.page"), 303)


@blueprint.post("/review/stop")
def stop() -> BaseResponse:
    """Decide by what was answered so far, and show where the work stands."""
    app = open_workspace()
    with app.workspace.lock("reviewing", wait=_PATIENCE):
        decide(app)
    return redirect(url_for("pages.overview"), 303)


def reviewer() -> str:
    """Who signed in reviews under that name and no other."""
    return who() or str(session.get("reviewer", ""))


def account_name() -> str:
    """The name of the account on this machine, as a proposal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _shown(app: App, person: str, opened: OpenPage) -> Response:
    """The page as workers get it, with this server's addresses in the place of a market's."""
    html = render_hit(_task(app, opened))
    icon = f'<link rel="icon" href="{url_for("static", filename="icon.svg")}" type="image/svg+xml">'
    so_far = standing(app, person)
    bar = render_template("review_bar.html", person=person, standing=so_far)
    html = (
        html.replace("${turkSubmitTo}/mturk/externalSubmit", url_for("review.send", key=opened.key))
        .replace("${assignmentId}", "review")
        .replace('<meta name="referrer" content="no-referrer">', icon)
        .replace("<!--galloway:head-->", bar)
        .replace('<html lang="en">', page_head(), 1)
        .replace('<details open id="how">', f'<details{"" if so_far.answered else " open"} id="how">')
        .replace("<!--galloway:pause-->", render_template("review_buttons.html", last=so_far.last))
    )
    answer = Response(html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = page_policy(html)
    return answer


def page_head() -> str:
    """The first tag of a page as workers get it, with the keys and colours of whoever is signed in here."""
    theme = g.choices["theme"]
    colours = Markup(' data-theme="{}"').format(theme) if theme else ""
    return Markup('<html lang="en" data-keys="{}"{}>').format(page_keys(g.choices["keys"]), colours)


def page_policy(html: str) -> str:
    """What the page may do: its own script and style, by their hashes, and this server's pictures."""
    hashes = {"script": "", "style": ""}
    for found in _INLINE.finditer(html):
        inside = html[found.start(0) + len(f"<{found[1]}>") : found.end(2)]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        hashes[found[1]] = f"'sha256-{digest}'"
    return (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; img-src 'self'; "
        "media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def _task(app: App, opened: OpenPage) -> GridTask:
    batch = opened.batch
    people = shown_references(app.workspace, batch.side) if batch.page.shows_person else []
    return GridTask(
        page=batch.page,
        side=batch.side,
        tiles=[
            Tile(key, _face(tile.face_id, "normal"), _face(tile.face_id, "crop"), tile.group)
            for key, tile in opened.tiles.items()
        ],
        seconds=_seconds(app, batch.page, len(opened.tiles)),
        references=[
            Picture(*(url_for("faces.reference", side=batch.side.value, name=path.name, size=size) for size in _SIZES))
            for path in people
        ],
        marked=opened.marked,
    )


_SIZES = ("normal", "crop")


def _face(face_id: str, size: str) -> str:
    return url_for("faces.picture", face_id=face_id, size=size)


def _seconds(app: App, kind: PageKind, faces: int) -> int:
    return round(page_seconds(faces, app.settings.ask, measured_pace(app).get(kind))) or 1
