"""A training's result brought home: the model into its place, unless somebody trained there meanwhile; the record."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...curation.files import replacing
from ..app import App
from ..consent.gate import check_model
from ..engines.base import TrainResult
from ..errors import StageError
from ..stages.train import finish_run, read_events
from ..video.facts import sha256_of
from ..workspace.acts import note_act
from ..workspace.runs import Run, runs
from ..workspace.state import read_state
from .manifest import BundleError, read_manifest
from .run import EVENTS, MODEL, RESULT, WORK

__all__ = ["finish", "install_model", "model_files", "taken"]

_NOT_FETCHED = ("faces",)
"""faceswap keeps copies of faces in a model's folder."""


def taken(app: App, result: Path) -> tuple[Run, TrainResult]:
    """Bring home what was trained elsewhere: a bundle's folder, or the zip that a notebook made of it.

    Raises BundleError where it has no result, or is not of this workspace, and StageError where the model here is
    another one by now.
    """
    if result.is_dir():
        return _take(app, result)
    with TemporaryDirectory(prefix="galloway-", dir=app.workspace.root / "runs") as place:
        folder = Path(place)
        try:
            with zipfile.ZipFile(result) as archive:
                for item in archive.infolist():
                    target = folder / item.filename
                    if not target.resolve().is_relative_to(folder.resolve()):
                        raise BundleError(
                            f"{result} names {item.filename!r}, which leaves its folder. Nothing was taken."
                        )
                    archive.extract(item, folder)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise BundleError(f"{result} cannot be read ({error}). Fetch it again.") from error
        return _take(app, folder)


def _take(app: App, folder: Path) -> tuple[Run, TrainResult]:
    manifest = read_manifest(folder)
    run = next((run for run in runs(app.workspace) if run.id == manifest.run), None)
    if run is None:
        raise BundleError(f"{folder} is no bundle of this workspace: it has no run {manifest.run}.")
    result = folder / RESULT
    if not result.is_file():
        raise BundleError(f"{folder} has no {RESULT}: its training has not ended. Run it there again; it goes on.")
    state = read_state(result, "Run the training there again; it writes it anew.", needs=("iterations", "stopped"))
    check_model(app, run.record["model_dir"])
    install_model(app.workspace.inside(run.record["model_dir"]), folder / MODEL, manifest.start)
    if (folder / EVENTS).is_file():
        with replacing(run.folder / EVENTS) as copy:
            shutil.copyfile(folder / EVENTS, copy)
    if (folder / WORK).is_dir():
        shutil.copytree(folder / WORK, run.folder, dirs_exist_ok=True)
    return run, finish(app, run, state)


def finish(app: App, run: Run, state: Mapping[str, Any]) -> TrainResult:
    """Write into the run's record what the machine says of its end."""
    try:
        outcome = TrainResult(
            int(state["iterations"]),
            str(state["stopped"]),
            _number(state.get("loss_a")),
            _number(state.get("loss_b")),
            None,
            tuple(map(str, state.get("command") or ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"What the training left says no result ({error}). Run it there again.") from error
    preview = run.folder / "preview.png"
    command = next((event["text"] for event in read_events(run.folder) if event["kind"] == "command"), None)
    if command:
        run.record["command"] = command
    run.record.pop("failed", None)
    at = app.workspace.relative(preview) if preview.is_file() else None
    finish_run(run, outcome, at, str(state.get("finished_at", "")))
    done = f"{outcome.iterations:,} iterations"
    note_act(app.workspace, "train", f"{run.record['engine']} {run.record['model']}, on another machine", done)
    return outcome


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def model_files(folder: Path) -> dict[str, str]:
    """Name → SHA-256 of a model's files, without copies of faces and without backups."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder)
        counts = name.parts[0] not in _NOT_FETCHED and not path.name.startswith(".") and path.suffix != ".bk"
        if counts and path.is_file():
            found[name.as_posix()] = sha256_of(path)
    return found


def install_model(
    target: Path, source: Path, known: Mapping[str, str], coming: Mapping[str, str] | None = None
) -> None:
    """Put the model in `source` into `target`, file by file. `known` and `coming` are files that may stand there: as
    they were sent, and as an earlier call that was cut off may have begun to place them.

    Raises StageError, and changes nothing, where another one stands there: somebody trained here meanwhile.
    """
    new = model_files(source)
    if not new:
        raise BundleError(f"{source} holds no model: the training ended before its first save.")
    for name, digest in model_files(target).items():
        if name in new and digest not in (new[name], known.get(name), (coming or {}).get(name)):
            raise StageError(
                f"{target / name} is not the model that was sent: somebody trained here meanwhile. The other one lies "
                f"in {source}. Move one of the two away, then run the same command."
            )
    for name in new:
        with replacing(target / name) as copy:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
