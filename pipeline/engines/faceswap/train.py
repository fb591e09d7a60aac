"""Training: one vocabulary for both lines, events out, stopped by SIGINT so that faceswap saves."""

from __future__ import annotations

import math
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....curation.files import replacing
from ..base import EngineError, TrainEvent, TrainRequest, TrainResult, check_amounts
from ..stopping import ASKED, StopSwitch
from . import model
from .home import model_name
from .locks import note
from .masks import masked_faces
from .parse import Event, Log, Loss, LossWatch, PreviewUpdated, Saved
from .run import Program, Run
from .switches import Switch, switches

__all__ = ["OPTIONS", "train"]

FEWEST = 25
"""Both lines refuse fewer faces on a side."""
_TIMELAPSE_FACES = 14

# The same in both lines.
OPTIONS = {
    "no_flip": Switch("-P", "nothing"),
    "no_augment_color": Switch("-c", "nothing"),
    "no_warp": Switch("-W", "nothing"),
    "freeze_weights": Switch("-f", "nothing"),
    "load_weights": Switch("-l", "path"),
    "warmup": Switch("-a"),
    "use_lr_finder": Switch("-r", "nothing"),
    "snapshot_interval": Switch("-I"),
}


@dataclass
class _Session:
    """What is known while a run goes on."""

    request: TrainRequest
    tell: Callable[[TrainEvent], None]
    before: int
    until: float = math.inf
    iteration: int = 0
    loss_a: float | None = None
    loss_b: float | None = None
    preview: Path | None = None
    preview_stamp: int = 0
    previews: int = 0
    stopping: str = ""
    watch: LossWatch = field(default_factory=LossWatch)

    def take(self, event: Event, run: Run) -> None:
        """Turn one event of the program into events of ours."""
        if isinstance(event, Loss):
            if self.iteration == self.before and self.request.minutes:
                # Loading the backend takes longer than many iterations: the minutes count from the first one.
                self.until = time.monotonic() + self.request.minutes * 60
            self.iteration, self.loss_a, self.loss_b = event.iteration, event.a, event.b
            self.tell(TrainEvent("loss", event.iteration, event.a, event.b))
            for warning in self.watch.feed(event):
                self.tell(TrainEvent("warning", event.iteration, text=warning))
        elif isinstance(event, Saved):
            self.tell(TrainEvent("saved", self.iteration, text=event.text))
            # A preview drawn in the same iteration as a save is written, but not told.
            self._keep_preview(run)
        elif isinstance(event, PreviewUpdated):
            self._keep_preview(run)
        elif isinstance(event, Log) and event.level in ("WARNING", "ERROR", "CRITICAL"):
            self.tell(TrainEvent("warning", self.iteration, text=event.text))
        elif isinstance(event, Log) and event.level:
            self.tell(TrainEvent("log", self.iteration, text=event.text))

    def _keep_preview(self, run: Run) -> None:
        """Keep the picture that faceswap writes over and over, numbered in the order seen.

        Neither the file nor faceswap's words say at which iteration it was drawn, and the reader may be behind.
        """
        made = run.folder / "training_preview.png"
        if not made.is_file() or made.stat().st_mtime_ns == self.preview_stamp:
            return
        self.preview_stamp = made.stat().st_mtime_ns
        self.previews += 1
        kept = self.request.work_dir / "previews" / f"{self.previews:04d}.png"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept, durable=False) as partial:
            shutil.copyfile(made, partial)
        self.preview = kept
        self.tell(TrainEvent("preview", self.iteration, path=kept))

    def stop(self, run: Run, why: str) -> None:
        """Ask faceswap once to save and end. A second Ctrl-C ends it at once."""
        if self.stopping and why == "interrupted":
            run.kill()
            last = model.iterations(self.request.model_dir, model_name(self.request.model))
            raise EngineError(
                f"Training was ended without a save by a second Ctrl-C; the model stands at iteration {last}. "
                "Run the same command again to go on."
            )
        if not self.stopping:
            self.stopping = why
            run.interrupt()
            self.tell(TrainEvent("log", self.iteration, text="Stopping: faceswap finishes its iteration and saves."))


def train(program: Program, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
    """Train for `request.iterations` more, or to `request.until`; see `TrainRequest`. Stops after a save on Ctrl-C or
    when time is up.

    faceswap takes no seed: the record can name it, the run cannot keep to it.
    """
    check_amounts(request)
    name = model_name(request.model)
    for side, folder in (("A", request.faces_a), ("B", request.faces_b)):
        _enough(side, folder)
    with model.locked(request.model_dir) as lock:
        model.same_model(request.model_dir, name)
        model.check_runs_nothing(request.model_dir)
        mended = model.mend(request.model_dir, name)
        before = model.iterations(request.model_dir, name)
        session = _Session(request, on_event, before, iteration=before)
        if request.until is not None:
            if before >= request.until:
                return TrainResult(before, "done", None, None, None, ())
            request = replace(request, iterations=request.until - before)
        if mended:
            on_event(TrainEvent("warning", before, text=mended))
        request = _masked(program, request, session)
        arguments = _arguments(name, request)
        command = (str(program.python), "faceswap.py", *arguments)
        on_event(TrainEvent("command", before, text=shlex.join(command)))
        if slow := program.without_card():
            on_event(TrainEvent("warning", before, text=slow))
        start = program.start("faceswap.py", arguments, request.work_dir, pass_fds=(lock,))
        with StopSwitch(ASKED) as switch, start as run:
            note(lock, run.pid)
            _follow(run, session, switch)
            # Stopped before its first iteration it has nothing to save and leaves with an error of its own.
            if not (session.stopping and session.iteration == before):
                run.require_success()
        total = model.iterations(request.model_dir, name)
    if total <= before and not session.stopping:
        raise EngineError(f"faceswap ended without training. See {request.work_dir / 'faceswap-train.log'}")
    return TrainResult(total, session.stopping or "done", session.loss_a, session.loss_b, session.preview, command)


def _follow(run: Run, session: _Session, switch: StopSwitch) -> None:
    """Pass events on until the program ends; being asked to stop and the end of the time become one SIGINT.

    Where a listener fails (a full disk, say), faceswap is asked to save first, and the failure is raised then.
    """
    try:
        while not run.done:
            try:
                _step(run, session)
                if switch.pressed and not session.stopping:
                    session.stop(run, "interrupted")
            except KeyboardInterrupt:
                session.stop(run, "interrupted")
    except BaseException:
        if not session.stopping:
            run.interrupt()
        while not run.done:
            run.next_event(0.5)
        raise


def _step(run: Run, session: _Session) -> None:
    event = run.next_event(0.5)
    if event is not None:
        session.take(event, run)
    # Before its first iteration faceswap does not save on SIGINT, so time can only be up after it.
    if time.monotonic() > session.until and session.iteration > session.before and not session.stopping:
        session.stop(run, "time")


def _enough(side: str, folder: Path) -> None:
    count = sum(1 for _ in folder.glob("*.png")) if folder.is_dir() else 0
    if count < FEWEST:
        raise EngineError(
            f"Side {side} has {count} faces in {folder}; faceswap trains on {FEWEST} or more. "
            "Extract or approve more: galloway status"
        )


def _masked(program: Program, request: TrainRequest, session: _Session) -> TrainRequest:
    """The request on faces that have the masks which the line needs."""
    folders = {
        side: masked_faces(faces, request.model_dir / "faces" / side, program.home.line)
        for side, faces in (("a", request.faces_a), ("b", request.faces_b))
    }
    if folders["a"] != request.faces_a or folders["b"] != request.faces_b:
        text = "v2.3.0 trains on faces with stored masks only: copies with masks made from the landmarks are used"
        session.tell(TrainEvent("log", session.iteration, text=text))
    return replace(request, faces_a=folders["a"], faces_b=folders["b"])


def _arguments(name: str, request: TrainRequest) -> list[str]:
    # -n (no logs) is never passed: with it the master line crashes at its first save.
    arguments = ["train", "-A", str(request.faces_a), "-B", str(request.faces_b), "-m", str(request.model_dir)]
    arguments += ["-t", name, "-b", str(request.batch_size), "-i", str(request.iterations)]
    arguments += ["-s", str(request.save_every), "-w"]
    if request.warp_to_landmarks:
        arguments.append("-M")
    if request.timelapse:
        arguments += _timelapse(request)
    arguments += switches(request.options, OPTIONS)
    return [*arguments, "-F", str(request.work_dir / "faceswap-train.log")]


def _timelapse(request: TrainRequest) -> list[str]:
    """The same faces of each side at every save; v2.3.0 wants them to be files of the training folder."""
    root = request.work_dir / "timelapse"
    arguments = []
    for switch, side, faces in (("-x", "a", request.faces_a), ("-y", "b", request.faces_b)):
        folder = root / side
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        names = sorted(path.name for path in faces.glob("*.png"))
        step = max(1, len(names) // _TIMELAPSE_FACES)
        for name in names[::step][:_TIMELAPSE_FACES]:
            (folder / name).symlink_to((faces / name).resolve())
        arguments += [switch, str(folder)]
    (root / "out").mkdir(exist_ok=True)
    return [*arguments, "-z", str(root / "out")]
