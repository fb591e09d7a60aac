"""Jobs that last, in the browser: what runs and how far it is, what it said; stop it, go on with it."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..jobs.kept import Job, all_jobs, find_job, last_lines, trouble
from ..jobs.kinds import KINDS
from ..jobs.starting import go_on, start, stop
from ..workspace.acts import acting
from ..workspace.team import Role
from .door import role
from .opened import last_workspace, may_act, open_workspace

__all__ = ["begin", "blueprint", "running_jobs"]

blueprint = Blueprint("lasting", __name__, url_prefix="/jobs")
_SHOWN = 50


@blueprint.before_request
def allowed() -> None:
    """Everybody who may look sees what runs; starting and stopping is for those who may spend."""
    if request.method == "POST" and not may_act():
        refuse()


def refuse() -> None:
    """Say what may be done here and what starting takes."""
    may = f"You may {cast(Role, role()).word}"  # the door lets no stranger this far
    abort(
        403, f"{may}; starting and stopping work takes somebody who may spend (galloway team add NAME --role spend), "
        "on a server without --no-actions."
    )  # fmt: skip


@blueprint.get("")
def listing() -> str:
    """The newest jobs."""
    return render_template("jobs.html", jobs=all_jobs(open_workspace().workspace)[:_SHOWN])


@blueprint.get("/<job_id>")
def page(job_id: str) -> str:
    """One job: how far it is, and the end of what it said."""
    job = _job(job_id)
    why = trouble(job)
    return render_template("lasting.html", lasting=job, log=last_lines(job), why=why, after=_AFTER.get(job.kind))


_AFTER = {
    "ingest": ("footage.page", "The footage"),
    "reference": ("footage.page", "The footage"),
    "extract": ("pages.overview", "Where the work stands"),
    "train": ("training.listing", "Losses and previews"),
    "glimpse": ("training.listing", "Losses, previews and glimpses"),
    "convert": ("results.listing", "The film"),
    "report": ("pages.report", "The agreement"),
}
"""Where to look at what a kind of job makes."""


@blueprint.post("/start/<kind>")
def start_kind(kind: str) -> Response:
    """Start a command with the choices of a form."""
    if kind not in KINDS or KINDS[kind].takes_files:
        abort(404, f"There is no job {kind[:60]}.")
    choices = {name: request.form.get(name, "").strip() for name in KINDS[kind].choices}
    return begin(kind, choices)


def begin(kind: str, choices: dict[str, str], files: tuple[str, ...] = ()) -> Response:
    """Start a job for the person behind the request, and go where it can be watched."""
    job = start(open_workspace().workspace, kind, choices, files=files, by=acting().name)
    return redirect(url_for("lasting.page", job_id=job.id), 303)


@blueprint.post("/<job_id>/stop")
def interrupt(job_id: str) -> Response:
    """Stop a job as Ctrl-C does."""
    job = _job(job_id)
    flash(
        "It was asked to stop; what it has done so far is kept."
        if stop(open_workspace().workspace, job)
        else "It does not run any more."
    )
    return redirect(url_for("lasting.page", job_id=job_id), 303)


@blueprint.post("/<job_id>/go-on")
def again(job_id: str) -> Response:
    """Go on with a job that was stopped, failed or was killed."""
    job = go_on(open_workspace().workspace, _job(job_id), by=acting().name)
    return redirect(url_for("lasting.page", job_id=job.id), 303)


def running_jobs() -> list[Job]:
    """What runs now, for the head of every page."""
    return [job for job in all_jobs(last_workspace().workspace)[:_SHOWN] if job.running]


def _job(job_id: str) -> Job:
    found = find_job(open_workspace().workspace, job_id)
    if found is None:
        abort(404, f"There is no job {job_id[:60]}.")
    return found
