"""Training: runs, their losses and previews as they come, glimpses of the film, and two runs beside each other."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...curation.types import Side
from ..app import App
from ..engines.embedded.model import SHAPES, TRIAL
from ..engines.faceswap.home import MODELS
from ..jobs.kept import Job, all_jobs
from ..jobs.starting import start
from ..judging.covers import covered_footage
from ..stages.glimpse import glimpses
from ..stages.losses import finite
from ..stages.train import read_events
from ..workspace.acts import acting
from ..workspace.records import sources
from ..workspace.runs import Run, runs
from .following import Events, events_of
from .lasting import refuse
from .opened import may_act, open_workspace
from .plots import Line, loss_plot, losses_plot

__all__ = ["blueprint"]

blueprint = Blueprint("training", __name__)
_PARTS = ("head", "figures", "losses", "glimpses", "previews", "log")
_RECENT = 20
"""Jobs among which the newest glimpse's is looked for."""


@blueprint.get("/training")
def listing() -> str:
    app = open_workspace()
    open_sides = [side.value.upper() for side in Side if app.standing_merge(side) is None]
    lacking = (
        f"Side {' and side '.join(open_sides)} has no approved faceset yet: decide, then merge." if open_sides else ""
    )
    shown = [(run, events_of(app, run)) for run in reversed(runs(app.workspace))]
    engine = app.engine_name()
    newest = next((run.record["model"] for run, _ in shown if run.record["engine"] == engine), "original")
    covers = covered_footage(app) if engine == "embedded" else []
    return render_template(
        "runs.html", runs=shown, lacking=lacking, covers=covers, models=_models(engine), newest=newest
    )


def _models(engine: str) -> tuple[str, ...]:
    """The models that an engine has, but for the one that only tries whether everything runs."""
    return MODELS if engine == "faceswap" else tuple(name for name in SHAPES if name != TRIAL)


@blueprint.get("/training/<run_id>")
def run(run_id: str) -> str:
    """One run: its losses, previews and glimpses, which come in while it trains."""
    app = open_workspace()
    return render_template("run.html", **_shown(app, _run(app, run_id)))


@blueprint.get("/training/<run_id>/live")
def live(run_id: str) -> BaseResponse:
    """The parts of a run's page that change, by name; 304 where none did since the ETag that came with the request."""
    app = open_workspace()
    found = _run(app, run_id)
    values = _shown(app, found)
    parts = {name: render_template("run_part.html", part=name, **values) for name in _PARTS}
    answer = jsonify({"parts": parts, "going_on": values["going_on"]})
    answer.add_etag()
    return answer.make_conditional(request)


def _shown(app: App, run: Run) -> dict[str, Any]:
    events = events_of(app, run)
    job = next((item for item in all_jobs(app.workspace)[:_RECENT] if item.kind == "glimpse"), None)
    # The newest glimpse's job belongs to the newest run, whose model it shows.
    job = job if run.last else None
    return {
        "run": run,
        "events": events,
        "plot": loss_plot(events.side_a, events.side_b),
        "stamps": [path.stat().st_mtime_ns for _, path in events.previews],
        "glimpses": glimpses(run),
        "glimpse_job": job,
        "films": [item.name for item in sources(app.workspace, Side.A) if item.kind != "faces"],
        "going_on": run.state == "open" or _busy(job),
        "others": [item for item in runs(app.workspace) if item.id != run.id],
    }


def _busy(job: Job | None) -> bool:
    return job is not None and job.running


@blueprint.post("/training/<run_id>/glimpse")
def see(run_id: str) -> BaseResponse:
    """Start swapping a second with the model's last save; it comes into this page when it is made."""
    if not may_act():
        refuse()
    app = open_workspace()
    _run(app, run_id)
    choices = {name: request.form.get(name, "").strip() for name in ("at", "source")}
    start(app.workspace, "glimpse", choices, by=acting().name)
    return redirect(url_for("training.run", run_id=run_id, _anchor="glimpses"), 303)


@blueprint.get("/training/<run_id>/glimpses/<name>.mp4")
def glimpse_video(run_id: str, name: str) -> Response:
    """A glimpse, in ranges."""
    app = open_workspace()
    found = next((item for item in glimpses(_run(app, run_id)) if item.id == name), None)
    if found is None:
        abort(404, "There is no such glimpse.")
    return send_file(found.video, conditional=True, max_age=0)


@blueprint.get("/training/compare")
def compare() -> str:
    """Two runs: their losses over one another, their newest previews side by side."""
    app = open_workspace()
    pair = [_run(app, request.args.get(name, "")) for name in ("one", "other")]
    told: list[tuple[Run, Events]] = [(item, events_of(app, item)) for item in pair]
    lines = [
        Line(f"side-{side}{' other' if place else ''}", f"{'second' if place else 'first'} side {side.upper()}", points)
        for place, (_, events) in enumerate(told)
        for side, points in (("a", events.side_a), ("b", events.side_b))
    ]
    return render_template("compare.html", pair=told, plot=losses_plot(lines), differs=_differing(*pair))


def _differing(one: Run, other: Run) -> list[tuple[str, str, str]]:
    """What the two runs were told differently: name, and both values."""
    told = [_choices(item) for item in (one, other)]
    names = sorted(told[0].keys() | told[1].keys())
    values = [(name, *(item.get(name, "–") for item in told)) for name in names]
    return [(name, first, second) for name, first, second in values if first != second]


def _choices(run: Run) -> dict[str, str]:
    options = {name: str(value) for name, value in run.record["options"].items() if value not in (None, {}, [])}
    sets = {f"faceset of side {side}": item["id"] for side, item in run.record["facesets"].items()}
    return {"engine": run.record["engine"], "model": run.record["model"], **options, **sets}


@blueprint.get("/training/<run_id>/preview/<int:number>")
def preview(run_id: str, number: int) -> Response:
    """The preview of that position among those shown, counted from 0."""
    app = open_workspace()
    previews = events_of(app, _run(app, run_id)).previews
    if number >= len(previews):
        abort(404, "There is no such preview.")
    return send_file(previews[number][1], conditional=True, max_age=0)


@blueprint.get("/training/<run_id>/picked.svg")
def picked(run_id: str) -> Response:
    """The map of the faces that the run was given."""
    path = _run(open_workspace(), run_id).folder / "picked.svg"
    if not path.is_file():
        abort(404, "This run was given all faces.")
    return send_file(path, mimetype="image/svg+xml", conditional=True, max_age=0)


@blueprint.get("/api/training/<run_id>")
def api_run(run_id: str) -> Any:
    """A run's record and all its losses; null for one that was no number."""
    app = open_workspace()
    found = _run(app, run_id)
    losses = [event for event in read_events(found.folder) if event.get("kind") == "loss"]
    return jsonify(
        {
            "run": found.id,
            "record": found.record,
            "iteration": events_of(app, found).iteration,
            "loss_a": [(event["iteration"], finite(event["loss_a"])) for event in losses],
            "loss_b": [(event["iteration"], finite(event["loss_b"])) for event in losses],
        }
    )


def _run(app: App, run_id: str) -> Run:
    found = next((item for item in runs(app.workspace) if item.id == run_id), None)
    if found is None:
        abort(404, f"There is no training run {run_id[:80]}.")
    return found
