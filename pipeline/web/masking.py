"""Mask out in the browser: rectangles with frame numbers, drawn on a frame, watched on the clip, or as JSON."""

from __future__ import annotations

import io
from collections.abc import Callable

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from PIL import Image
from werkzeug.wrappers import Response as BaseResponse

from ...curation.types import Side
from ..app import App
from ..asking.decide import decide
from ..engines.frames import open_source
from ..stages.masking import draw_regions, find_source, frame_at, masked_faces, set_regions
from ..video.regions import Regions, regions_json, with_rectangle, without_key
from ..workspace.masked import kept_regions
from ..workspace.records import Source
from ..workspace.team import Role
from .door import role
from .opened import open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("masking", __name__, url_prefix="/mask")
_PATIENCE = 30.0


@blueprint.before_request
def allowed() -> None:
    """Who masks a face out decides about it."""
    if request.method == "POST" and (role() or 0) < Role.DECIDE:
        abort(403, "Masking out is for those who may decide.")


@blueprint.get("/<side>/<name>")
def page(side: str, name: str) -> str:
    """The clip with its regions moving, one frame to draw on, the regions' keys, and the JSON."""
    app = open_workspace()
    source = _source(app, side, name)
    film = open_source(source.path)
    found = masked_faces(app, source)
    frames = source.frames or film.frames or 1
    return render_template(
        "mask.html",
        source=source,
        found=found,
        text=regions_json(found.regions),
        frame=min(max(1, request.args.get("frame", 1, int)), frames),
        frames=frames,
        size=(film.width, film.height),
        rate=float(film.rate),
    )


@blueprint.get("/<side>/<name>/frame/<int:number>")
def frame(side: str, name: str, number: int) -> Response:
    """One frame with its regions shaded."""
    app = open_workspace()
    source = _source(app, side, name)
    picture = frame_at(source, number)
    if picture is None:
        abort(404, f"{source.name} has no frame {number}.")
    shown = draw_regions(picture, number, kept_regions(app.workspace, source.side, source.name))
    out = io.BytesIO()
    Image.fromarray(shown).save(out, "JPEG", quality=85)
    return Response(out.getvalue(), mimetype="image/jpeg")


@blueprint.get("/<side>/<name>/film")
def film(side: str, name: str) -> Response:
    """The footage, in ranges, so that players can seek."""
    source = _source(open_workspace(), side, name)
    if source.kind != "video":
        abort(404, f"{source.name} is no video.")
    return send_file(source.path, conditional=True, max_age=0)


@blueprint.post("/<side>/<name>/key")
def add_key(side: str, name: str) -> BaseResponse:
    """Put a rectangle at a frame, of a region that is there or a new one."""
    app, form = open_workspace(), request.form
    try:
        number, at = int(form.get("region", "0")), int(form.get("frame", ""))
        rectangle = [float(form.get(part, "")) for part in ("x", "y", "width", "height")]
    except ValueError:
        abort(400, "A rectangle needs a frame number, x, y, width and height, in pixels.")
    called = form.get("name", "").strip()
    return _change(app, _source(app, side, name), at, lambda old: with_rectangle(old, number, called, at, rectangle))


@blueprint.post("/<side>/<name>/drop")
def drop_key(side: str, name: str) -> BaseResponse:
    """Take a key away."""
    app, form = open_workspace(), request.form
    number, at = form.get("region", 0, int), form.get("frame", 0, int)
    return _change(app, _source(app, side, name), at, lambda old: without_key(old, number, at))


@blueprint.post("/<side>/<name>/json")
def set_json(side: str, name: str) -> BaseResponse:
    """Set all regions by their JSON."""
    app, text = open_workspace(), request.form.get("json", "")
    return _kept(app, _source(app, side, name), 1, lambda: text)


def _change(app: App, source: Source, frame: int, change: Callable[[Regions], Regions]) -> BaseResponse:
    return _kept(
        app, source, frame, lambda: regions_json(change(kept_regions(app.workspace, source.side, source.name)))
    )


def _kept(app: App, source: Source, frame: int, text: Callable[[], str]) -> BaseResponse:
    """Set the regions to the JSON of `text`, which is asked for when nobody else changes them any more."""
    with app.workspace.lock("masking", wait=_PATIENCE):
        done = set_regions(app, source, text(), "The regions")
        decide(app)
    count = len(done.faces)
    flash(f"{count} {'face lies' if count == 1 else 'faces lie'} in masked regions of {source.name}.")
    return redirect(url_for("masking.page", side=source.side.value, name=source.name, frame=max(1, frame)), 303)


def _source(app: App, side: str, name: str) -> Source:
    if side not in {item.value for item in Side}:
        abort(404, f"There is no side {side}.")
    source = find_source(app, Side(side), name)
    if not source.path.exists():
        abort(404, f"The footage of {name} is gone from {source.path.parent}. Bring it back from a copy.")
    return source
