"""The photographs of a source in the browser, and taking one of them out."""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...curation.pictures import open_picture
from ...curation.types import Progress, Side
from ..app import App
from ..errors import SafetyStop
from ..stages.one_photograph import Photograph, photographs_of, plan_photograph, take_photograph_out
from .lasting import refuse
from .opened import jobs, may_act, open_workspace
from .removing import figure_of, side_of, what_goes

__all__ = ["blueprint"]

blueprint = Blueprint("photographs", __name__, url_prefix="/footage/<side>/<name>/photographs")
_A_PAGE = 60
_PIXELS = 320


@blueprint.before_request
def allowed() -> None:
    """Who brings footage in takes it out; all may look."""
    if request.method == "POST" and not may_act():
        refuse()


@blueprint.get("")
def page(side: str, name: str) -> str:
    """All photographs of a source, some a page."""
    found = _photographs(side, name)
    first = min(max(request.args.get("from", 0, type=int), 0), len(found)) // _A_PAGE * _A_PAGE
    shown = found[first : first + _A_PAGE]
    return render_template(
        "photographs.html", side=side, name=name, shown=shown, first=first, all=len(found), page=_A_PAGE
    )


@blueprint.get("/<picture>")
def picture(side: str, name: str, picture: str) -> Response:
    """One photograph, small and upright."""
    one = next((item for item in _photographs(side, name) if item.name == picture), None)
    if one is None or not one.path.is_file():
        abort(404, f"There is no photograph {picture}.")
    small = open_picture(one.path, upright=True)
    small.thumbnail((_PIXELS, _PIXELS))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=85)
    return send_file(io.BytesIO(stream.getvalue()), mimetype="image/jpeg", max_age=0)


@blueprint.get("/<picture>/remove")
def plan(side: str, name: str, picture: str) -> str:
    """What would go with it, and what would stay; or why it cannot be taken out now."""
    of = side_of(side)
    return what_goes(of, name, lambda app: plan_photograph(app, of, name, picture), picture)


@blueprint.post("/<picture>/remove")
def remove(side: str, name: str, picture: str) -> BaseResponse:
    """Take it out, if it is still what was shown."""
    shown, of = request.form.get("figure", ""), side_of(side)
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was removed: tick that you mean it.")

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("removing", faces=True):
            planned = plan_photograph(app, of, name, picture)
            if figure_of(planned) != shown:
                now = figure_of(planned)
                raise SafetyStop(f"Nothing was removed: {picture} has {now} now. Look at it again: Footage.")
            left = take_photograph_out(app, planned, with_votes=True)
        told = [f"Removed: {shown}."]
        told += [f"What stays: {', '.join(item.path for item in left)}."] if left else []
        return " ".join(told)

    jobs().start("Take a photograph out", open_workspace(), work)
    return redirect(url_for("photographs.page", side=side, name=name), 303)


def _photographs(side: str, name: str) -> list[Photograph]:
    of: Side = side_of(side)
    return photographs_of(open_workspace(), of, name)
