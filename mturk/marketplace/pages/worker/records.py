"""What became of the work: history, appeals, earnings, messages, qualifications."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...desk.values import Record
from ...errors import BadForm, WorkError
from ..frame.questionforms import form_view
from ..portal import portal, require_worker, signed_in
from .tasks import task_frame

__all__ = ["pages"]

pages = Blueprint("records", __name__)
pages.before_request(require_worker)

_STATUSES = ("Submitted", "Approved", "Rejected", "Returned", "Abandoned")


@pages.get("/history")
def history() -> str:
    """Past assignments, newest first."""
    status = request.args.get("status", "")
    status = status if status in _STATUSES else ""
    page = portal().work.history(signed_in().worker_id, status=status, cursor=request.args.get("cursor"))
    return render_template("worker/history.html", page=page, status=status, statuses=_STATUSES)


@pages.get("/history/<assignment_id>")
def record(assignment_id: str) -> str:
    """One past assignment: what was decided, and why."""
    return _page(portal().work.record(signed_in().worker_id, assignment_id))


def _page(found: Record, error: str = "", text: str = "") -> str:
    """A past assignment; of a rejected one the task once more, so that reason and faces are seen side by side."""
    frame = None
    if found.status == "Rejected":
        with suppress(WorkError):  # the HIT is gone, or may not be looked at any more
            frame = task_frame(portal().work.preview(signed_in().worker_id, hit_id=found.hit_id))
    return render_template("worker/record.html", record=found, error=error, text=text, frame=frame)


@pages.post("/history/<assignment_id>/appeal")
def appeal(assignment_id: str) -> Response | tuple[str, int]:
    """Object to a rejection."""
    worker_id, text = signed_in().worker_id, request.form.get("text", "")
    try:
        portal().work.appeal(worker_id, assignment_id, text)
    except BadForm as error:
        found = portal().work.record(worker_id, assignment_id)
        return _page(found, str(error), text), 422
    return redirect(url_for("records.record", assignment_id=assignment_id), 303)


@pages.get("/earnings")
def earnings() -> str:
    """What was earned, per hour and day by day."""
    found = portal().work.earnings(signed_in().worker_id)
    top = max((day.earned + day.pending for day in found.days), default=0)
    return render_template("worker/earnings.html", earnings=found, top=top)


@pages.get("/messages")
def messages() -> str:
    """The inbox."""
    return render_template("worker/messages.html", messages=portal().work.messages(signed_in().worker_id))


@pages.post("/messages/<message_id>/read")
def read(message_id: str) -> Response:
    """Mark a message as read."""
    portal().work.mark_read(signed_in().worker_id, message_id)
    return redirect(url_for("records.messages"), 303)


@pages.get("/qualifications")
def qualifications() -> str:
    """What I hold, asked for, or could ask for."""
    found = portal().work.qualifications(signed_in().worker_id)
    return render_template("worker/qualifications.html", entries=found)


@pages.get("/qualifications/<type_id>")
def qualification(type_id: str) -> str:
    """One qualification."""
    entry = portal().work.qualification(signed_in().worker_id, type_id)
    return render_template("worker/qualification.html", entry=entry)


@pages.post("/qualifications/<type_id>/request")
def ask(type_id: str) -> Response:
    """Ask for a qualification that has no test."""
    portal().work.request_qualification(signed_in().worker_id, type_id)
    return redirect(url_for("records.qualification", type_id=type_id), 303)


@pages.post("/qualifications/<type_id>/test")
def test(type_id: str) -> str:
    """Begin a test, or go on with the one that has begun."""
    paper = portal().work.begin_test(signed_in().worker_id, type_id)
    assert paper.question.form is not None
    g.foreign_pictures = True
    return render_template("worker/test.html", paper=paper, view=form_view(paper.question.form, {}))


@pages.post("/qualifications/<type_id>/test/<request_id>")
def hand_in(type_id: str, request_id: str) -> Response:
    """Hand the test in."""
    fields = list(request.form.items(multi=True))
    portal().work.submit_test(signed_in().worker_id, request_id, fields)
    return redirect(url_for("records.qualification", type_id=type_id), 303)
