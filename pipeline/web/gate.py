"""Pictures that are held back from workers: blurred until they are opened, and what becomes of each."""

from __future__ import annotations

import math

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...mturk.requester.hosting import media_type
from ..gate.look import not_looking
from ..gate.words import listed, picture_bytes, say_of
from ..market.media import part_of
from ..wording import counted
from ..workspace.gated import Word
from .opened import open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("gate", __name__, url_prefix="/pictures-held")
_PER_PAGE = 24


@blueprint.get("")
def listing() -> str:
    """The held ones first, then those of which something was said."""
    app = open_workspace()
    found = listed(app)
    pages = max(1, math.ceil(len(found) / _PER_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    rows = found[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    kinds = {item.about.id: media_type(picture_bytes(app, item.about.id, clear=True) or b"") or "" for item in rows}
    return render_template(
        "gate.html", rows=rows, kinds=kinds, page=page, pages=pages, total=len(found), blind=not_looking(app)
    )


@blueprint.post("")
def say() -> BaseResponse:
    """Note what becomes of the pictures of a page for which something was chosen."""
    app = open_workspace()
    known = {item.about.id for item in listed(app)}
    words = {name.removeprefix("word."): text for name, text in request.form.items() if name.startswith("word.")}
    if not set(words) <= known or not set(words.values()) <= {"", *Word}:
        abort(400, "Say show, warn or keep out, of pictures of this page.")
    with app.workspace.lock("deciding on pictures", wait=5):
        for word in Word:
            say_of(app, [picture for picture, text in words.items() if text == word], word)
    flash(f"{counted(sum(bool(text) for text in words.values()), 'picture')} decided.")
    return redirect(url_for("gate.listing", page=request.form.get("page", 1, type=int)), 303)


@blueprint.get("/<picture>/<how>")
def shown(picture: str, how: str) -> Response:
    """A picture of the list, `blurred` or `clear`."""
    app = open_workspace()
    body = None
    if how in ("blurred", "clear") and picture in {item.about.id for item in listed(app)}:
        body = picture_bytes(app, picture, clear=how == "clear")
    if body is None:
        abort(404, "There is no such picture.")
    status, headers, part = part_of(body, request.headers.get("Range", ""))
    return Response(part, status=status, headers=headers)
