"""Footage in the browser: uploads in pieces, or a path; who is in it and on what basis; and finding its faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from ...curation.types import Side
from ..jobs.uploads import LARGEST_PIECE, Upload, add_piece, begin_upload, drop_upload, find_upload, uploads
from ..market.pictures import reference_files
from ..stages.here_already import BASES
from ..stages.sources import reference_digest
from ..workspace import records
from .lasting import begin, refuse
from .opened import may_act, open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("footage", __name__, url_prefix="/footage")
_WHOLE = 64 << 20
"""Bytes of a form with files, where no script sends them in pieces."""


@blueprint.before_request
def allowed() -> None:
    """Footage is brought in by those who may spend: it costs hours, and consent is theirs to answer for."""
    if request.method == "POST" and not may_act():
        refuse()
    if request.endpoint == "footage.piece":
        request.max_content_length = LARGEST_PIECE
    elif request.endpoint == "footage.whole":
        request.max_content_length = _WHOLE


@blueprint.get("")
def page() -> str:
    """What is there, what is on its way, and the form that takes it in. Only the uploads that the address names are
    ticked: what was left from before may be of somebody else."""
    app = open_workspace()
    return render_template(
        "footage.html",
        sources=records.sources(app.workspace),
        references={
            side.value: [(path.name, reference_digest(path)) for path in reference_files(app.workspace, side)]
            for side in Side
        },
        uploads=uploads(app.workspace),
        ticked=request.args.getlist("upload"),
        bases=BASES,
        piece=LARGEST_PIECE,
    )


@blueprint.post("/uploads")
def piece() -> Any:
    """The first piece of a file (`name`, `size`), or a further one (`id`, `at`); says how much is here."""
    workspace, data = open_workspace().workspace, request.get_data(cache=False)
    upload_id = request.args.get("id", "")
    if upload_id:
        kept = add_piece(workspace, upload_id, request.args.get("at", -1, type=int), data)
    else:
        kept = begin_upload(workspace, request.args.get("name", ""), request.args.get("size", 0, type=int), data)
    return jsonify({"id": kept.id, "have": kept.have, "size": kept.size})


@blueprint.post("/uploads/whole")
def whole() -> BaseResponse:
    """Files from a browser without script: all at once, 64 MB at most."""
    workspace = open_workspace().workspace
    given = [item for item in request.files.getlist("files") if item.filename]
    if not given:
        abort(400, "Choose a film or photographs first.")
    came = []
    for item in given:
        data = item.read()
        kept = begin_upload(workspace, item.filename or "", len(data), data[:LARGEST_PIECE])
        for at in range(LARGEST_PIECE, len(data), LARGEST_PIECE):
            kept = add_piece(workspace, kept.id, at, data[at : at + LARGEST_PIECE])
        came.append(kept.id)
    return redirect(url_for("footage.page", upload=came), 303)


@blueprint.post("/uploads/<upload_id>/drop")
def drop(upload_id: str) -> BaseResponse:
    """Throw away what was uploaded."""
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was thrown away: tick that you mean it.")
    drop_upload(open_workspace().workspace, upload_id)
    return redirect(url_for("footage.page"), 303)


@blueprint.post("/take")
def take() -> BaseResponse:
    """Take uploads, or a path of this machine, in: as footage with its person and basis, or as their photographs."""
    form = request.form
    files = tuple(str(upload.path) for upload in _chosen(form.getlist("upload")))
    path = form.get("path", "").strip()
    if path:
        if not Path(path).exists():
            abort(400, f"{path[:200]} is not on the machine that runs galloway. Check the path, or upload the file.")
        files += (str(Path(path).resolve()),)
    if not files:
        abort(400, "Choose what is taken in: a file that was uploaded, or a path.")
    if form.get("as") == "reference":
        return begin("reference", {"side": form.get("side", "")}, files)
    if not form.get("basis"):
        abort(400, "Say on what basis this face may be used.")
    choices = {name: " ".join(form.get(name, "").split()) for name in ("side", "person", "basis", "note", "fix")}
    # Each upload lies in a folder of its own; what was chosen together is one source all the same.
    return begin("ingest", choices | {"together": "yes"}, files)


def _chosen(ids: list[str]) -> list[Upload]:
    found = [find_upload(open_workspace().workspace, upload_id) for upload_id in ids]
    ready = [upload for upload in found if upload is not None and upload.whole]
    if len(ready) < len(ids):
        abort(400, "An upload is not whole yet, or gone. Send it again.")
    return ready
