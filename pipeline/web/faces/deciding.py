"""A person's decisions: on one face, on many at once, and taking any step back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import abort, flash, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ....curation.types import REASONS, Decision, FaceId
from ....mturk.marketplace.pages.words import said
from ...app import App
from ...asking.overrule import new_step, overrule_each, undo
from ...workspace.steps import find_step, steps
from ...workspace.team import Role
from ..door import role, who
from ..looking import start_looking
from ..opened import may_act, open_workspace
from .room import blueprint, face_named, is_face_id

__all__: list[str] = []

_AT_ONCE = 500
"""So many faces are decided in one request; a browser sends more in parts of one step."""
_STEP = re.compile(r"person-[0-9a-f]{32}")


@blueprint.post("/faces/<face_id>")
def decide(face_id: str) -> Response:
    """Record a person's decision: a vote of its own kind, with name and reason."""
    app = open_workspace()
    found = face_named(app, face_id)
    (decided,) = _decide(app, [found.face_id], new_step())
    flash(f"{found.name}: {decided.status.value}, by {session['by']}. The workers' votes stay as they are.")
    return redirect(_back(url_for("faces.face", face_id=found.face_id)), 303)


@blueprint.post("/faces")
def decide_each() -> Response | Any:
    """Record one decision on all faces that were marked; one step, which can be taken back."""
    app = open_workspace()
    faces = [FaceId(text) for text in request.form.getlist("face")]
    if not 0 < len(faces) <= _AT_ONCE:
        abort(400, f"Mark the faces that you decide on, at most {_AT_ONCE} at once.")
    if not all(is_face_id(face) for face in faces) or len(app.store.faces(rejected=True, among=faces)) < len(
        set(faces)
    ):
        abort(404, "One of the marked faces is not there any more. Open the page anew.")
    step = request.form.get("step", "") or new_step()
    if not _STEP.fullmatch(step):
        abort(400, "That is no step's id.")
    decided = _decide(app, faces, step)
    told = ", ".join(f"{count} {status}" for status, count in Counter(item.status.value for item in decided).items())
    if _wants_json():
        faces_now = {item.face_id: [item.status.value, item.reason or ""] for item in decided}
        return jsonify({"step": step, "said": said(told), "faces": faces_now})
    flash(f"{told}, by {session['by']}. The workers' votes stay as they are. Decisions: take it back.")
    return redirect(_back(url_for("faces.listing")), 303)


@blueprint.get("/faces/decisions")
def decisions() -> str:
    """What was decided by persons, a line a step, newest first; each can be taken back by who did it."""
    app = open_workspace()
    mine = who() or str(session.get("by", ""))
    return render_template("decisions.html", steps=steps(app.workspace), mine=mine, anybody=(role() or 0) >= Role.SPEND)


@blueprint.post("/faces/decisions/<step_id>/undo")
def take_back(step_id: str) -> Response | Any:
    """Take a step back: one's own, or anybody's for who may spend."""
    app = open_workspace()
    own = "" if (role() or 0) >= Role.SPEND else who()
    step = find_step(app.workspace, step_id)
    count = undo(app, step_id, name=own)
    assert step is not None, "undo found it"
    told = f"Taken back: {step.label} on {count} {'face' if count == 1 else 'faces'}, by {step.person}."
    if _wants_json():
        return jsonify({"said": said(told)})
    flash(told)
    return redirect(url_for("faces.decisions"), 303)


@blueprint.post("/faces/look")
def look() -> Response:
    """Look at faces that nobody looked at yet: persons, sharpness, pose and the map come of it."""
    if not may_act():
        abort(403, "Looking at faces takes somebody who may spend, on a server without --no-actions.")
    start_looking()
    return redirect(url_for("faces.listing"), 303)


def _decide(app: App, faces: list[FaceId], step: str) -> list[Decision]:
    """Record the answer of the form (label, or label:reason) on faces, with its name and why."""
    form: Mapping[str, str] = request.form
    # Who signed in decides under that name and no other.
    by = who() or form.get("by", "").strip()[:80]
    note, answer = form.get("note", "").strip()[:1000], form.get("answer", "")
    if not answer or not by or not note:
        abort(400, "A decision needs an answer, your name and why. Go back and fill in all three.")
    label, _, reason = answer.partition(":")
    if reason and reason not in REASONS:
        abort(400, f"{reason[:40]} is no reason. Choose one of {', '.join(REASONS)}.")
    decided = overrule_each(app, [(str(face), label, reason or None) for face in faces], name=by, note=note, step=step)
    session["by"] = by
    session["note"] = note if len(note) <= _REMEMBERED else ""
    return decided


_REMEMBERED = 200
"""A longer note is not put into the next form: what is remembered lies in a cookie, which has 4 kB."""


def _back(otherwise: str) -> str:
    """The page of faces that the form came from, in whichever project of a studio."""
    back = request.form.get("back", "")
    if not back.startswith("/faces?") or "\n" in back or "\r" in back:
        return otherwise
    return url_for("faces.listing") + back.removeprefix("/faces")


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
