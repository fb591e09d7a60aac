"""The training itself, on whatever machine: unpack, check, train to the end that was packed, leave result and events.

Everything lies in the bundle's folder: `faces/`, `model/`, `work/`, `events.jsonl`, `result.json` or `failed.json`. A
process that was killed leaves its lock open, and the same command goes on from the last save to the same end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ...curation.files import check_name, replacing, write_atomic
from ..engines.base import Engine, EngineError, TrainEvent, TrainRequest, TrainResult
from ..errors import WorkspaceBusy
from ..stages.train import event_line
from ..video.facts import sha256_of
from .manifest import BundleError, Manifest, Pack, read_manifest

__all__ = ["EVENTS", "FAILED", "MODEL", "RESULT", "WORK", "run_bundle"]

EVENTS, FAILED, MODEL, RESULT, WORK = "events.jsonl", "failed.json", "model", "result.json", "work"
_LOCK = "run.lock"


def run_bundle(folder: Path, on_event: Callable[[TrainEvent], None]) -> TrainResult:
    """Train what is packed in `folder`, or go on with it. Raises WorkspaceBusy where it is being trained already,
    BundleError where the bundle is not whole, and EngineError as the engine does."""
    manifest = read_manifest(folder)
    with _alone(folder):
        (folder / FAILED).unlink(missing_ok=True)
        (folder / RESULT).unlink(missing_ok=True)
        try:
            outcome = _trained(folder, manifest, on_event)
        except (BundleError, EngineError) as error:
            write_atomic(folder / FAILED, json.dumps({"failed": str(error)}) + "\n")
            raise
        value = {
            "iterations": outcome.iterations,
            "stopped": outcome.stopped,
            "loss_a": outcome.loss_a,
            "loss_b": outcome.loss_b,
            "preview": str(outcome.preview.relative_to(folder / WORK)) if outcome.preview else None,
            "command": list(outcome.command),
            "finished_at": datetime.now(UTC).isoformat(),
        }
        write_atomic(folder / RESULT, json.dumps(value) + "\n")
    return outcome


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("a+b") as lock:
        for last in (*[False] * 20, True):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if last:
                    raise WorkspaceBusy(f"{folder} is being trained by another process.") from None
                time.sleep(0.1)  # who only asks whether it runs holds the lock for a moment
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        yield


def _trained(folder: Path, manifest: Manifest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
    for side, pack in manifest.packs.items():
        _unpack(folder, side, pack)
    model, work = folder / MODEL, folder / WORK
    if not model.is_dir():
        _place_start(folder, manifest, model)
    work.mkdir(exist_ok=True)
    engine = _engine(manifest, folder)
    given = asdict(manifest.options) | {"options": dict(manifest.options.options)}
    del given["best"]  # chosen when it was packed
    request = TrainRequest(
        faces_a=folder / "faces" / "a",
        faces_b=folder / "faces" / "b",
        model_dir=model,
        work_dir=work,
        covered=frozenset(manifest.covered),
        painted=manifest.painted,
        **given,
    )
    _mend_events(folder / EVENTS)
    with (folder / EVENTS).open("a", encoding="utf-8", buffering=1) as log:

        def record(event: TrainEvent) -> None:
            log.write(json.dumps(event_line(event, _at_home(event, work, manifest.run))) + "\n")
            on_event(event)

        return engine.train(request, record)


def _at_home(event: TrainEvent, work: Path, run: str) -> str | None:
    """Where a picture of the run will lie in its workspace; None for what stays on the machine."""
    if event.path is None or not event.path.is_relative_to(work):
        return None
    return f"runs/{run}/{event.path.relative_to(work).as_posix()}"


def _mend_events(path: Path) -> None:
    """A kill may have cut the last line; what is added after it must begin a line of its own."""
    if path.is_file():
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            with path.open("ab") as stream:
                stream.write(b"\n")


def _engine(manifest: Manifest, folder: Path) -> Engine:
    if manifest.engine == "embedded":
        from ..engines.embedded.engine import EmbeddedEngine

        return EmbeddedEngine()
    from ..engines.faceswap import FaceswapEngine

    home = Path(manifest.faceswap_home).expanduser() if manifest.faceswap_home else None
    python = Path(manifest.faceswap_python).expanduser() if manifest.faceswap_python else None
    return FaceswapEngine.from_settings(home, python, folder / "faceswap")


def _unpack(folder: Path, side: str, pack: Pack) -> None:
    """The faces of one side in a folder, all of them; once."""
    target = folder / "faces" / side
    if target.is_dir():
        return
    path = folder / pack.file
    if not path.is_file() or sha256_of(path) != pack.sha256:
        raise BundleError(f"{path.name} is not the file that was packed. Send the bundle again: the same command.")
    partial = folder / f"unpacking-{side}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    count = 0
    with tarfile.open(path) as tar:
        for item in tar:
            stream = tar.extractfile(item) if item.isreg() else None
            if stream is None:
                raise BundleError(f"{path.name} holds {item.name!r}, which is no file. Make the bundle again.")
            (partial / check_name(item.name, where=path.name)).write_bytes(stream.read())
            count += 1
    if count != pack.faces:
        raise BundleError(f"{path.name} holds {count} faces, not {pack.faces}. Make the bundle again.")
    target.parent.mkdir(exist_ok=True)
    partial.rename(target)


def _place_start(folder: Path, manifest: Manifest, model: Path) -> None:
    partial = folder / "placing-model"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, digest in manifest.start.items():
        with replacing(partial / name) as copy:
            try:
                shutil.copyfile(folder / "start" / name, copy)
            except FileNotFoundError:
                raise BundleError(f"The model file {name} is missing. Send the bundle again.") from None
        if sha256_of(partial / name) != digest:
            raise BundleError(f"The model file {name} is not what was packed. Send the bundle again.")
    partial.rename(model)
