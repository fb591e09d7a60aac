"""A second of the film as the model's last save swaps it: also while training goes on, which it does not disturb."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...curation.faceset.fsa.alignments import read_alignments, write_alignments
from ...curation.faceset.png.types import Alignments
from ...curation.files import write_atomic
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..consent.gate import check_consent, check_model
from ..consent.lineage import note_film
from ..engines.base import ConvertRequest, FrameRange
from ..engines.frames import PICTURE_RATE, open_source
from ..engines.mark_code import BITS, mark_name
from ..engines.piece import cut_out
from ..errors import NothingToDo, StageError
from ..video.times import frame_times
from ..workspace.films import file_digest
from ..workspace.held import LOCK, held
from ..workspace.records import Source
from ..workspace.runs import Run
from ..workspace.state import json_object
from .convert import check_trained_on, disclosure, footage_to_convert
from .masking import unmasked
from .train import last_model, read_events, standing_facesets

__all__ = ["FOLDER", "LONGEST", "Glimpse", "glimpse", "glimpses"]

FOLDER = "glimpses"
LONGEST = 10.0
"""Seconds at most: what is longer is a conversion."""
_SAVE_SECONDS = 60.0
"""So long a model is waited for that is being saved just now."""
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A swapped stretch of a film: `video` has the source on its left and the swap on its right; frames count from 1;
    `iteration` is that of the model's save."""

    id: str
    video: Path
    source: str
    first: int
    last: int
    at: float
    iteration: int


def glimpses(run: Run) -> list[Glimpse]:
    """The glimpses of a run that stand, newest first."""
    found = []
    for path in sorted((run.folder / FOLDER).glob("*.json"), reverse=True):
        told = json_object(path.read_bytes()) or {}
        video = path.with_name(f"{path.stem}-side-by-side.mp4")
        if _NAME.fullmatch(path.stem) and video.is_file():
            first, last, iteration = (int(told.get(key, 0)) for key in ("first", "last", "iteration"))
            source = str(told.get("source", ""))
            found.append(Glimpse(path.stem, video, source, first, last, float(told.get("at", 0)), iteration))
    return found


def glimpse(
    app: App, at: float, *, seconds: float = 1.0, source: str | None = None, progress: Progress = no_progress
) -> Glimpse:
    """Swap `seconds` of one of side A's films from second `at` on with the newest model as it was saved last.

    Nothing that a training uses is written or locked. Raises NothingToDo where no approved face is seen there,
    StageError where there is no such second or no model, NotApproved as `convert` does.
    """
    if not 0 < seconds <= LONGEST:
        raise StageError(f"A glimpse has up to {LONGEST:g} seconds, not {seconds:g}. For more: galloway convert")
    check_consent(app, "convert")
    run = last_model(app)
    check_model(app, run.record["model_dir"])
    facesets = standing_facesets(app)
    check_trained_on(run, facesets)
    chosen = footage_to_convert(app, source)
    span = _span(chosen, at, seconds)
    folder = run.folder / FOLDER
    folder.mkdir(exist_ok=True)
    with held(folder, LOCK, "swapping a second", app.workspace.patience), _work(folder) as work:
        request = _request(app, run, chosen, span, work)
        request = replace(request, metadata=disclosure(app, run, facesets))
        iteration = _saved_at(run)
        done = app.engine(run.record["engine"]).convert(request, progress)
        record = {
            "source": chosen.name, "at": at, "first": span.first, "last": span.last, "iteration": iteration,
            "run": run.id, "sha256": file_digest(done.output), "made_at": datetime.now(UTC).isoformat(),
            "mark": mark_name(request.mark or 0), "faces": done.faces,
        }  # fmt: skip
        return _kept(app, run, request, record)


def _kept(app: App, run: Run, request: ConvertRequest, record: dict[str, Any]) -> Glimpse:
    """Put what was made where pages find it; the record comes last."""
    assert request.side_by_side is not None, "it is what is looked at"
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    target = run.folder / FOLDER / f"{name}-side-by-side.mp4"
    request.side_by_side.replace(target)
    note_film(run, target, app.workspace.root, record | {"sha256": file_digest(target)})
    write_atomic(run.folder / FOLDER / f"{name}.json", json.dumps(record, indent=2) + "\n")
    return next(item for item in glimpses(run) if item.id == name)


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    """A place for what is thrown away; that of a glimpse that was killed goes first."""
    work = folder / ".work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _span(source: Source, at: float, seconds: float) -> FrameRange:
    """The frames that are shown from `at` on, for so many seconds; `at` counts from the film's first frame."""
    if source.path.is_dir():
        count = open_source(source.path).frames or 0
        times = [float(number / PICTURE_RATE) for number in range(count)]
    else:
        times = frame_times(source.path)
    begins = times[0] if times else 0.0
    first = bisect_left(times, begins + at - 1e-3)
    if not 0 <= first < len(times):
        length = times[-1] - begins if times else 0.0
        raise StageError(f"{source.name} ends after {length:.1f} seconds; choose an earlier one.")
    last = max(first, bisect_left(times, times[first] + seconds - 1e-3) - 1)
    return FrameRange(first + 1, last + 1)


def _request(app: App, run: Run, source: Source, span: FrameRange, work: Path) -> ConvertRequest:
    """What the engine is asked for: the stretch as a film of its own, its alignments, and a copy of the model."""
    known = app.workspace.alignments_dir(Side.A) / f"{source.name}_alignments.fsa"
    film = open_source(source.path)
    piece = cut_out(film, span, work / "piece")
    names = {film.frame_name(n): piece.frame_name(n - span.first + 1) for n in range(span.first, span.last + 1)}
    if not film.is_video:
        names = {path.name: path.name for path in sorted(piece.path.iterdir())}
    found = read_alignments(unmasked(app, source, known, work / "unmasked" / known.name))
    faces = {names[name]: frame for name, frame in found.frames.items() if name in names and frame.faces}
    if not faces:
        raise NothingToDo(
            f"No approved face of {source.name} is seen in frames {span.first} to {span.last}. Choose another second."
        )
    alignments = work / f"{piece.path.stem}_alignments.fsa"
    write_alignments(alignments, Alignments(faces, found.dialect, found.version))
    model = _copied(app.workspace.inside(run.record["model_dir"]), work / "model")
    output = work / "made" / "glimpse.mp4"
    return ConvertRequest(
        source=piece.path, alignments=alignments, model_dir=model, output=output, work_dir=work,
        side_by_side=output.with_name("beside.mp4"), label=True, mark=secrets.randbits(BITS),
        rate=None if film.is_video else Fraction(PICTURE_RATE),
    )  # fmt: skip


def _copied(model: Path, target: Path) -> Path:
    """A copy of the model as it was saved: one that is being written is waited for."""
    until = time.monotonic() + _SAVE_SECONDS
    while True:
        before = _stamp(model)
        shutil.rmtree(target, ignore_errors=True)
        try:
            # The faces that faceswap is given, in folders there, are not of the model.
            shutil.copytree(model, target, ignore=lambda here, names: [n for n in names if (Path(here) / n).is_dir()])
        except (OSError, shutil.Error):
            before = {}  # a file was renamed meanwhile
        if before and before == _stamp(model):
            return target
        if time.monotonic() > until:
            raise StageError(f"{model} is being saved all the time. Try again in a minute.")
        time.sleep(0.5)


def _stamp(model: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in model.iterdir() if path.is_file() and not path.name.startswith(".")]
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _saved_at(run: Run) -> int:
    """The iteration of the newest save, as the run's events have it; 0 where this run saved none yet."""
    return max(
        (int(event["iteration"]) for event in read_events(run.folder) if event.get("kind") == "saved"), default=0
    )
