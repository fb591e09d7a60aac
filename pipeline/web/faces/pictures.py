"""Pictures of faces and of the persons, and the frame that a face came from."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, abort, request
from PIL import Image, ImageDraw

from ....curation.types import FaceId, Side
from ...app import App
from ...engines.frames import load_picture
from ...market.pictures import (
    LARGE_PIXELS,
    REFERENCE_PIXELS,
    face_file,
    reference_files,
    shown_references,
    worker_jpeg,
)
from ...stages.masking import frame_at
from ...workspace.records import Source, sources
from ..opened import open_workspace
from .room import blueprint, face_named, is_face_id

__all__ = ["footage_of", "references"]

_SIZES = {"small": 96, "normal": 192, "large": 512, "crop": LARGE_PIXELS}
_FRAME_PIXELS = 1280


@blueprint.get("/pictures/<face_id>")
def picture(face_id: str) -> Response:
    """A face's picture; `?size=` small, normal, large or crop (as it is)."""
    app = open_workspace()
    if not is_face_id(face_id):
        abort(404, "There is no such picture.")
    size = _SIZES.get(request.args.get("size", "normal"))
    path = face_file(app.workspace, app.store, FaceId(face_id))
    if size is None or path is None:
        abort(404, "There is no such picture.")
    return _jpeg(worker_jpeg(path, size))


@blueprint.get("/faces/<face_id>/frame")
def frame(face_id: str) -> Response:
    """The frame that a face came from, with the face's box; frames before it in the film are decoded, too."""
    app = open_workspace()
    face = face_named(app, face_id)
    source = footage_of(app, face.side, face.source)
    if source is None:
        abort(404, f"The footage of {face.source} is not here.")
    if source.kind == "photos":
        path = app.workspace.inside(app.workspace.relative(source.path), face.source_name)
        shown = load_picture(path) if path.is_file() else None
    else:
        shown = frame_at(source, face.frame_number or 1)
    if shown is None:
        abort(404, f"{face.source} has no frame {face.source_name}.")
    drawn = Image.fromarray(shown)
    x, y, width, height = face.box
    ImageDraw.Draw(drawn).rectangle((x, y, x + width, y + height), outline=(208, 48, 160), width=3 + drawn.width // 400)
    drawn.thumbnail((_FRAME_PIXELS, _FRAME_PIXELS))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    return _jpeg(out.getvalue())


@blueprint.get("/references/<side>/<name>")
def reference(side: str, name: str) -> Response:
    """A reference photograph of the person; `?size=crop` as large as it is."""
    if side not in set(Side):
        abort(400, f"{side} is not one of {', '.join(Side)}.")
    files = reference_files(open_workspace().workspace, Side(side))
    found = next((path for path in files if path.name == name), None)
    if found is None:
        abort(404, "There is no such picture.")
    return _jpeg(worker_jpeg(found, LARGE_PIXELS if request.args.get("size") == "crop" else REFERENCE_PIXELS))


def references(app: App, side: Side) -> list[str]:
    """The names of the photographs of a side's person."""
    return [path.name for path in shown_references(app.workspace, side)]


def footage_of(app: App, side: Side, name: str) -> Source | None:
    """The footage that faces came from, where it is still here; None for faces that were extracted elsewhere."""
    there: Any = (item for item in sources(app.workspace, side) if item.name == name and item.kind != "faces")
    found = next(there, None)
    return found if found is not None and found.path.exists() else None


def _jpeg(data: bytes) -> Response:
    return Response(data, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=600"})
