"""Train: only on approved, unchanged facesets of both sides; every run leaves a record and its events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...curation.faceset.merging.merge import digest
from ...curation.files import write_atomic
from ...curation.types import Face, Side
from ..app import App
from ..consent.gate import check_consent, check_model
from ..engines.base import MASK_NAME, Engine, EngineError, TrainEvent, TrainRequest, TrainResult
from ..errors import NotApproved, StageError
from ..workspace.acts import note_act
from ..workspace.approved import ApprovedFaceset
from ..workspace.runs import Run, runs
from ..workspace.state import json_object
from .losses import finite, losses_svg
from .picking import best_of, linked, write_pick

__all__ = [
    "TrainOptions",
    "approved_facesets",
    "called_covered",
    "event_line",
    "finish_run",
    "holds_a_model",
    "last_model",
    "model_folder",
    "new_run",
    "read_events",
    "saved_any",
    "standing_facesets",
    "train",
    "write_record",
]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What the command line may choose; see `TrainRequest` for the meanings."""

    model: str = "original"
    iterations: int = 2000
    batch_size: int = 16
    save_every: int = 250
    seed: int = 1
    warp_to_landmarks: bool = False
    timelapse: bool = True
    minutes: float | None = None
    best: int | None = None
    """Train on so many faces of side B, those that `faceset pick` picks; None: on all."""
    until: int | None = None
    options: tuple[tuple[str, str], ...] = ()


def approved_facesets(app: App) -> dict[Side, ApprovedFaceset]:
    """The approved facesets of both sides, checked against what lies in the folders now.

    Raises NotApproved naming the side and the command that mends it.
    """
    found = standing_facesets(app)
    for side, approved in found.items():
        now = digest(app.faceset_paths(side))
        if now != approved.digest:
            raise NotApproved(
                f"Side {side.value}'s faceset changed since it was approved ({approved.digest[:20]}… then, {now[:20]}… "
                f"now). See what differs: galloway faceset verify --side {side.value}; then merge again."
            )
    return found


def standing_facesets(app: App) -> dict[Side, ApprovedFaceset]:
    """The approved facesets of both sides as they are noted; what lies in the folders is not read.

    Raises NotApproved naming the side and the command that mends it.
    """
    found = {}
    for side in Side:
        approved = app.standing_merge(side)
        if approved is None:
            raise NotApproved(
                f"Side {side.value} has no approved faceset. Decide and merge first: galloway merge --side {side.value}"
            )
        found[side] = approved
    return found


def train(
    app: App,
    options: TrainOptions,
    *,
    engine: str | None = None,
    painted: Mapping[str, str] = MappingProxyType({}),
    on_event: Callable[[TrainEvent], None],
) -> tuple[Run, TrainResult]:
    """Train on the approved facesets, or go on with the model that is there; `painted` is as in `TrainRequest`.

    The record names digests, versions, options, seed and exact command before the first iteration, and why a run
    failed; events go to `events.jsonl` as they happen. Interrupted or killed, the same command goes on from the last
    save. Raises NotApproved where a person's consent does not cover it, or the model learnt from somebody who withdrew.
    """
    check_consent(app, "train")
    facesets = approved_facesets(app)
    worker = app.engine(engine)
    model_dir = model_folder(app, worker.name, options.model)
    check_model(app, app.workspace.relative(model_dir))
    run = new_run(app, facesets, options, worker)
    given = asdict(options) | {"options": dict(options.options)}
    best = given.pop("best")
    request = TrainRequest(
        faces_a=app.workspace.faces_dir(Side.A),
        faces_b=app.workspace.faces_dir(Side.B),
        model_dir=model_dir,
        work_dir=run.folder,
        covered=frozenset(face.name for face in called_covered(app)),
        painted=painted,
        **given,
    )
    model_dir.mkdir(parents=True, exist_ok=True)
    with (run.folder / "events.jsonl").open("a", encoding="utf-8", buffering=1) as log:

        def record(event: TrainEvent) -> None:
            path = None if event.path is None else app.workspace.relative(event.path)
            log.write(json.dumps(event_line(event, path)) + "\n")
            if event.kind == "command":
                run.record["command"] = event.text
                write_record(run)
            on_event(event)

        try:
            if worker.name == "embedded" and (lacking := _unpainted(request)):
                record(TrainEvent("log", 0, text=lacking))
            with _faces_b(app, run, best, request, record) as chosen:
                outcome = worker.train(replace(request, faces_b=chosen), record)
        except EngineError as error:
            with suppress(OSError):
                model_dir.rmdir()  # only where nothing is in it
            run.record["failed"] = str(error)
            write_record(run)
            raise
    note_act(app.workspace, "train", f"{worker.name} {options.model}", f"{outcome.iterations:,} iterations")
    preview = app.workspace.relative(outcome.preview) if outcome.preview else None
    finish_run(run, outcome, preview, datetime.now(UTC).isoformat())
    return run, outcome


def finish_run(run: Run, outcome: TrainResult, preview: str | None, finished_at: str) -> None:
    """Write into the run's record how it ended, and draw its losses. `preview` is a path in the workspace."""
    run.record["result"] = {
        "iterations": outcome.iterations,
        "stopped": outcome.stopped,
        "loss_a": finite(outcome.loss_a),
        "loss_b": finite(outcome.loss_b),
        "preview": preview,
        "command": list(outcome.command),
        "finished_at": finished_at,
    }
    write_record(run)
    _write_plot(run)


def model_folder(app: App, engine: str, model: str) -> Path:
    """Where the model of that kind lies in the workspace: one of faceswap's under one name, however it is spelled, but
    for a folder that is there already. Raises EngineError for a model that faceswap does not have."""
    folder = app.workspace.root / "models" / f"{engine}-{model}"
    if engine == "faceswap" and not folder.is_dir():
        from ..engines.faceswap.home import model_name

        return folder.with_name(f"{engine}-{model_name(model)}")
    return folder


@contextmanager
def _faces_b(
    app: App, run: Run, best: int | None, request: TrainRequest, on_event: Callable[[TrainEvent], None]
) -> Iterator[Path]:
    """The folder of side B's faces to train on: all, or links to the best, with their list in the run's folder."""
    if best is None:
        yield request.faces_b
        return
    page = best_of(app, best, seed=request.seed)
    write_pick(page, run.folder / "picked.html")
    run.record["picked"] = {"faces": len(page.picked), "of": len(page.names), "lacking": len(page.lacking)}
    write_record(run)
    for text in (page.summary(), *page.lacks()):
        on_event(TrainEvent("log", 0, text=text))
    with linked(request.faces_b, page.chosen, run.folder / "faces_b") as folder:
        yield folder


def called_covered(app: App) -> list[Face]:
    """The standing faces that a third or more of those who were asked call covered, in frame order."""
    shares = app.store.share_of_reason("covered", without=app.ledger.rejected())
    called = [face_id for face_id, share in shares.items() if share >= 1 / 3]
    return app.store.faces(among=called)


def _unpainted(request: TrainRequest) -> str:
    """What to say where many of A's faces are called covered and nobody painted what covers them, else nothing."""
    faces = [path.name for path in request.faces_a.glob("*.png")]
    covered = 0 if request.painted else len(request.covered.intersection(faces))
    if covered <= _MANY_COVERED * len(faces):
        return ""
    return (
        f"{covered} of {len(faces)} faces of side A are called covered, and nobody painted what covers them: where "
        "something stands before most of them, it may be swapped over. Paint over some of them first: galloway paint "
        "alone"
    )


_MANY_COVERED = 0.05
"""From this share of A's faces on that are called covered, painting is worth a word."""


def last_model(app: App) -> Run:
    """The newest run that left a model. Raises StageError if there is none.

    A run that ended before its first save left none, whatever those before it left in the same folder: what it was to
    train on says nothing about what the model learnt from."""
    for run in reversed(runs(app.workspace)):
        if saved_any(run) and holds_a_model(app.workspace.inside(run.record["model_dir"])):
            return run
    raise StageError("There is no trained model yet. Train one: galloway train")


def saved_any(run: Run) -> bool:
    """Whether anything was saved; a training that came back from elsewhere without its events has its result."""
    if not (run.folder / "events.jsonl").is_file():
        return "result" in run.record
    return any(event.get("kind") == "saved" for event in read_events(run.folder))


def holds_a_model(folder: Path) -> bool:
    """Whether a model was saved there: a run that failed before its first save leaves a lock, copies of faces and an
    occlusion mask."""
    return any(path.is_file() and not path.name.startswith(".") and path.name != MASK_NAME for path in folder.glob("*"))


def read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """The events of a run, oldest first; a line cut off by a kill is left out."""
    path = folder / "events.jsonl"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            event = json_object(line)
            if event is not None:
                yield event


def new_run(app: App, facesets: dict[Side, ApprovedFaceset], options: TrainOptions, engine: Engine, **more: Any) -> Run:
    """A run with its folder and its record: what it will train on, with what; `more` goes into the record, too. Raises
    EngineError, before anything is written or sent, for an option that the engine does not have."""
    engine.check_options("train", dict(options.options))
    started = datetime.now(UTC)
    run_id = f"train-{started:%Y%m%d-%H%M%S-%f}"
    folder = app.workspace.root / "runs" / run_id
    folder.mkdir(parents=True)
    record: dict[str, Any] = {
        "engine": engine.name,
        "model": options.model,
        "model_dir": app.workspace.relative(model_folder(app, engine.name, options.model)),
        "facesets": {
            side.value: {"id": item.id, "digest": item.digest, "faces": item.faces} for side, item in facesets.items()
        },
        "options": {**asdict(options), "options": dict(options.options)},
        "settings": engine.settings(),
        "versions": {"galloway": version("galloway"), **engine.versions()},
        "started_at": started.isoformat(),
        **more,
    }
    run = Run(run_id, folder, record)
    write_record(run)
    return run


def write_record(run: Run) -> None:
    """Write `run.json`, whole or not at all."""
    write_atomic(run.folder / "run.json", json.dumps(run.record, indent=2) + "\n")


def event_line(event: TrainEvent, path: str | None) -> dict[str, Any]:
    """An event as it stands in `events.jsonl`; `path` is the event's own, from the workspace's folder."""
    line: dict[str, Any] = {"time": datetime.now(UTC).isoformat(), "kind": event.kind, "iteration": event.iteration}
    if event.loss_a is not None:
        line |= {"loss_a": finite(event.loss_a), "loss_b": finite(event.loss_b)}  # NaN is no JSON
    if path is not None:
        line["path"] = path
    if event.text:
        line["text"] = event.text
    return line


def _write_plot(run: Run) -> None:
    """The losses as a picture beside the run's record."""
    told = (event for event in read_events(run.folder) if event["kind"] == "loss")
    losses = [event for event in told if None not in (finite(event["loss_a"]), finite(event["loss_b"]))]
    if not losses:
        return
    title = f"Losses: {run.record['engine']} · {run.record['model']}"
    write_atomic(run.folder / "losses.svg", losses_svg(title, losses).encode(), durable=False)
