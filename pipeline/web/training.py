"""Training: runs, their losses and previews, read from each run's own record and events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, send_file

from ...curation.types import Side
from ..app import App
from ..errors import WorkspaceError
from ..stages.train import read_events
from ..workspace.runs import Run, runs
from .opened import open_workspace
from .plots import Point, loss_plot

__all__ = ["blueprint"]

blueprint = Blueprint("training", __name__)
_PREVIEWS = 12
_LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Events:
    """What a run's events amount to. `previews` are (iteration, path) pairs, newest last."""

    iteration: int
    side_a: tuple[Point, ...]
    side_b: tuple[Point, ...]
    previews: tuple[tuple[int, Path], ...]
    saves: int
    log: tuple[str, ...]


def events_of(app: App, run: Run) -> Events:
    """Read a run's events. A preview that is no picture inside the workspace is left out."""
    losses_a: list[Point] = []
    losses_b: list[Point] = []
    previews: list[tuple[int, Path]] = []
    log: list[str] = []
    saves = iteration = 0
    for event in read_events(run.folder):
        iteration = max(iteration, int(event.get("iteration", 0)))
        kind = event.get("kind")
        if kind == "loss":
            for key, points in (("loss_a", losses_a), ("loss_b", losses_b)):
                if isinstance(event.get(key), (int, float)):
                    points.append((float(event["iteration"]), float(event[key])))
        elif kind == "saved":
            saves += 1
        elif kind == "preview":
            path = _inside(app, str(event.get("path", "")))
            if path is not None:
                previews.append((int(event.get("iteration", 0)), path))
        if event.get("text"):
            log.append(str(event["text"]))
    # An engine may write one preview file again and again: the newest event of a file stands for it.
    newest = {path: at for at, path in previews}
    kept = sorted(((at, path) for path, at in newest.items()), key=lambda item: item[0])
    return Events(
        iteration, tuple(losses_a), tuple(losses_b), tuple(kept[-_PREVIEWS:]), saves, tuple(log[-_LOG_LINES:])
    )


def _inside(app: App, text: str) -> Path | None:
    try:
        path = app.workspace.inside(text)
    except WorkspaceError:
        return None
    return path if path.suffix.lower() in (".png", ".jpg", ".jpeg") and path.is_file() else None


@blueprint.get("/training")
def listing() -> str:
    app = open_workspace()
    open_sides = [side.value.upper() for side in Side if app.standing_merge(side) is None]
    lacking = (
        f"Side {' and side '.join(open_sides)} has no approved faceset yet: decide, then merge." if open_sides else ""
    )
    shown = [(run, events_of(app, run)) for run in reversed(runs(app.workspace))]
    return render_template("runs.html", runs=shown, lacking=lacking)


@blueprint.get("/training/<run_id>")
def run(run_id: str) -> str:
    app = open_workspace()
    found = _run(app, run_id)
    events = events_of(app, found)
    return render_template("run.html", run=found, events=events, plot=loss_plot(events.side_a, events.side_b))


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
    """A run's record and losses."""
    app = open_workspace()
    found = _run(app, run_id)
    events = events_of(app, found)
    return jsonify(
        {
            "run": found.id,
            "record": found.record,
            "iteration": events.iteration,
            "loss_a": events.side_a,
            "loss_b": events.side_b,
        }
    )


def _run(app: App, run_id: str) -> Run:
    found = next((item for item in runs(app.workspace) if item.id == run_id), None)
    if found is None:
        abort(404, f"There is no training run {run_id}.")
    return found
