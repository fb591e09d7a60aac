"""Faces: who said what, and a person's own decision; pictures by face id."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...curation.listing import count_statuses
from ...curation.types import REASONS, Decision, Face, FaceId, Side, Status
from ..app import App
from ..asking.overrule import find_face, overrule_each
from ..asking.tasks import reasons_for
from ..market.pictures import LARGE_PIXELS, REFERENCE_PIXELS, face_file, reference_files, shown_references, worker_jpeg
from . import read
from .door import who
from .opened import open_workspace
from .read_faces import face_row, face_rows

__all__ = ["blueprint"]

blueprint = Blueprint("faces", __name__)
_PER_PAGE = 24
_SIZES = {"small": 96, "normal": 192, "large": 512, "crop": LARGE_PIXELS}
_ID = re.compile(r"[0-9a-f]{32}")


@blueprint.get("/faces")
def listing() -> str:
    """Faces by side and status; without a status the disputes, or the open ones where nothing is disputed."""
    app = open_workspace()
    side = _choice(request.args.get("side"), Side)
    found = count_statuses(app.workspace.db)
    counts = {item.value: sum(found[one][item] for one in Side if side in (None, one)) for item in Status}
    open_first = next((name for name in ("disputed", "undecided") if counts[name]), "disputed")
    wanted = request.args.get("status", open_first)
    status = None if wanted == "all" else _choice(wanted, Status)
    total = sum(counts.values()) if status is None else counts[status.value]
    pages = max(1, math.ceil(total / _PER_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = face_rows(app, side, status, first=(page - 1) * _PER_PAGE, most=_PER_PAGE)
    return render_template(
        "faces.html",
        rows=shown.rows,
        total=shown.total,
        counts=counts,
        side=side.value if side else "",
        status=wanted,
        people={item.value: _references(app, item)[:3] for item in Side if side in (None, item)},
        page=page,
        pages=pages,
        reasons={item.value: reasons_for(item) for item in Side},
        by=session.get("by", ""),
    )


@blueprint.get("/faces/<face_id>")
def face(face_id: str) -> str:
    app = open_workspace()
    found = _face(app, face_id)
    return render_template(
        "face.html",
        row=face_row(app, found),
        references=_references(app, found.side),
        reasons={item.value: reasons_for(item) for item in Side},
        questions=[item.value for item in read.questions_of(app, found.side)],
        by=session.get("by", ""),
    )


@blueprint.post("/faces/<face_id>")
def decide(face_id: str) -> BaseResponse:
    """Record a person's decision: a vote of its own kind, with name and reason."""
    app = open_workspace()
    found = _face(app, face_id)
    (decided,), by = _decide(app, {found.face_id: request.form.get("answer", "")})
    flash(f"{found.name}: {decided.status.value}, by {by}. The workers' votes stay as they are.")
    return redirect(_back(url_for("faces.face", face_id=found.face_id)), 303)


@blueprint.post("/faces")
def decide_each() -> BaseResponse:
    """Record a person's decisions on the faces of a page that were marked; the others stay as they are."""
    app = open_workspace()
    answers = {
        _face(app, name.removeprefix("answer.")).face_id: value
        for name, value in request.form.items()
        if name.startswith("answer.") and value
    }
    decided, by = _decide(app, answers)
    counts = Counter(item.status.value for item in decided)
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    flash(f"{told}, by {by}. The workers' votes stay as they are.")
    return redirect(_back(url_for("faces.listing")), 303)


def _decide(app: App, answers: dict[FaceId, str]) -> tuple[list[Decision], str]:
    """Record the answers of the form (label, or label:reason) with its name and why."""
    # Who signed in decides under that name and no other.
    by = who() or request.form.get("by", "").strip()[:80]
    note = request.form.get("note", "").strip()[:1000]
    if not answers or not all(answers.values()) or not by or not note:
        abort(400, "A decision needs an answer, your name and why. Go back and fill in all three.")
    choices = []
    for face_id, answer in answers.items():
        label, _, reason = answer.partition(":")
        if reason and reason not in REASONS:
            abort(400, f"{reason} is no reason. Choose one of {', '.join(REASONS)}.")
        choices.append((str(face_id), label, reason or None))
    decided = overrule_each(app, choices, name=by, note=note)
    session["by"] = by
    return decided, by


def _back(otherwise: str) -> str:
    """The page of faces that the form came from."""
    back = request.form.get("back", "")
    return back if back.startswith("/faces?") and "\n" not in back and "\r" not in back else otherwise


@blueprint.get("/pictures/<face_id>")
def picture(face_id: str) -> Response:
    """A face's picture; `?size=` small, normal, large or crop (as it is)."""
    app = open_workspace()
    if not _ID.fullmatch(face_id):
        abort(404, "There is no such picture.")
    size = _SIZES.get(request.args.get("size", "normal"))
    path = face_file(app.workspace, app.store, FaceId(face_id))
    if size is None or path is None:
        abort(404, "There is no such picture.")
    return _jpeg(worker_jpeg(path, size))


@blueprint.get("/references/<side>/<name>")
def reference(side: str, name: str) -> Response:
    """A reference photograph of the person; `?size=crop` as large as it is."""
    files = reference_files(open_workspace().workspace, _choice(side, Side) or Side.A)
    found = next((path for path in files if path.name == name), None)
    if found is None:
        abort(404, "There is no such picture.")
    return _jpeg(worker_jpeg(found, LARGE_PIXELS if request.args.get("size") == "crop" else REFERENCE_PIXELS))


def _references(app: App, side: Side) -> list[str]:
    return [path.name for path in shown_references(app.workspace, side)]


def _jpeg(data: bytes) -> Response:
    return Response(data, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


def _face(app: App, face_id: str) -> Face:
    if not _ID.fullmatch(face_id):
        abort(404, "There is no such face.")
    if app.store.face(FaceId(face_id)) is None:
        abort(404, f"There is no face {face_id}.")
    return find_face(app, face_id)


def _choice(text: str | None, kind: Any) -> Any:
    if not text:
        return None
    if text not in {item.value for item in kind}:
        abort(400, f"{text} is not one of {', '.join(item.value for item in kind)}.")
    return kind(text)
