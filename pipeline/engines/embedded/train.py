"""The training loop: batches in, losses, previews and saves out, until it is done, out of time or interrupted."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import EngineError, TrainEvent, TrainRequest, TrainResult, check_amounts
from ..evenly import evenly
from ..preview import save_picture, training_sheet
from ..stopping import StopSwitch
from .data import MARGIN, FaceStack, centre_crops, load_faces, make_batch, side_of
from .detail import DETAIL, MOST_DETAIL, fitting, shrink
from .look import coarser, draw
from .model import TRIAL, SwapModel, knows_looks, look_arrays
from .occlusion.faces import faces_of
from .occlusion.learn import ENOUGH, FEWEST, teach
from .store import ModelState, load_model, save_model

__all__ = ["train"]

DEFAULT_SIZE = 64
FEW_FACES = 25
"""Below this many faces a side the result will disappoint; faceswap refuses to train."""
RATE, WARM_UP, LAST_RATE = 1e-3, 30, 0.05
"""Adam's rate, iterations to reach it, and the share of it that is left at the end of a run (cosine)."""
AGAIN, RISE = 0.25, 0.1
"""A run that goes on begins with the share with which the last one ended, where the full rate would throw the losses
back; where it was less than AGAIN, it rises to that in the first RISE of the run."""
LONG_ENOUGH = 3.0
"""Minutes of training below which faces are not drawn larger: knowing how people look would take half of them."""
PREVIEW_FACES = 6
MASK_SHARE = 0.5
"""Of a run's minutes the occlusion mask takes this share at most; a mask that is taught takes none."""
SECONDS_BETWEEN_SAVES = 120.0
SECONDS_BETWEEN_PREVIEWS = 20.0
"""Drawing one takes as long as an iteration or two."""
MOST_RECOVERIES = 3
_AT_ONCE = 256

OnEvent = Callable[[TrainEvent], None]
Arrays = dict[str, NDArray[Any]]


@dataclass
class _Run:
    """A training run under way."""

    request: TrainRequest
    on_event: OnEvent
    model: SwapModel
    state: ModelState
    faces: dict[str, FaceStack]
    bases: dict[str, NDArray[np.uint8]]
    started: float
    seconds: float | None = None
    """What is left of the minutes when the swap begins to learn."""
    preview: Path | None = None
    saved_at: float = 0.0
    shown_at: float = 0.0
    recoveries: int = 0

    @property
    def iterations(self) -> int:
        """How many this run has in all, with those of its part before a kill."""
        return self.state.until - self.state.began if self.state.until else self.request.iterations

    @property
    def done(self) -> int:
        return self.state.iterations - self.state.began

    def share(self, done: int) -> float:
        """The share of RATE for the next iteration."""
        progress, before = self.progress(done), self.state.before
        highest = 1.0 if before is None else max(before, AGAIN)
        falling = LAST_RATE + (highest - LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2
        if before is None:
            return falling * min(1.0, (done + 1) / WARM_UP)
        return falling + (before - falling) * max(0.0, 1 - progress / RISE)

    def progress(self, done: int) -> float:
        """0 to 1: how much of this run's iterations or minutes is used up."""
        share = done / max(1, self.iterations)
        if self.seconds is not None:
            share = max(share, (time.monotonic() - self.started) / self.seconds)
        return min(1.0, share)

    @property
    def left(self) -> float | None:
        """Seconds, None where no minutes bound the run."""
        return None if self.seconds is None else max(0.0, self.seconds - (time.monotonic() - self.started))


def train(request: TrainRequest, on_event: OnEvent) -> TrainResult:
    """Train on two folders of faces; see `TrainRequest`.

    `options["size"]` is the model's picture size (64; a multiple of 16); `options["mirror"]` "yes" also shows mirrored
    faces, which helps where a person is seen from one side only and otherwise costs minutes; `options["detail"]`, 2 or
    4, how many times that size faces are drawn (by their own size, see `_detail`). First the occlusion mask
    is taught, once, if there is time for it; `options["occlusion"]` "no" leaves it out. The same seed, faces and
    iterations give the same batches. Raises EngineError where there are no faces, where the saved model does not fit,
    when memory or disk run out, or when the losses are no numbers; the last save stands in all these cases.
    """
    run = _begin(request, on_event)
    on_event(TrainEvent("command", run.state.iterations, text=shlex.join(_command(run))))
    stopped = "done"
    with StopSwitch() as switch:
        fresh = 0
        try:
            if run.done < run.iterations:
                _teach(run, switch)
            while run.done < run.iterations and not switch.pressed:
                fresh += _iterate(run, first=not fresh)
                if run.left == 0:
                    stopped = "time"
                    break
            else:
                stopped = "interrupted" if switch.pressed else stopped
        except KeyboardInterrupt:
            # From a caller's on_event, or where signals are not ours: the iteration before it is whole.
            stopped = "interrupted"
        if fresh:
            _save(run)
        _show(run)
    state = run.state
    return TrainResult(state.iterations, stopped, state.loss_a, state.loss_b, run.preview, _command(run))


def _begin(request: TrainRequest, on_event: OnEvent) -> _Run:
    check_amounts(request)
    size = _size(request)
    saved = load_model(request.model_dir)
    state = saved[0] if saved else ModelState(request.model, size, request.seed)
    if saved and (state.kind, state.size) != (request.model, size):
        raise EngineError(
            f"{request.model_dir} holds a {state.kind} model of {state.size} pixels, not {request.model} of {size}. "
            f"Go on with it (--model {state.kind} -o size={state.size}) or move it away."
        )
    for option in ("mirror", "occlusion"):
        _yes(request, option)
    detail, why = _detail(request, size, saved[1] if saved else None)
    faces_a, faces_b = (load_faces(folder, size, detail) for folder in (request.faces_a, request.faces_b))
    model = SwapModel(request.model, size, request.seed)
    if saved:
        model.from_arrays(_with_looks(saved, faces_a, faces_b, partial(_log, on_event, state.iterations)))
    else:
        model.set_looks(faces_a.look(), faces_b.look())
    state = replace(state, faces=(faces_a.digest, faces_b.digest))
    on_event(
        TrainEvent(
            "log",
            state.iterations,
            text=f"{request.model}, {size} pixels, {model.parameters / 1e6:.1f} M parameters; "
            f"{len(faces_a)} faces A, {len(faces_b)} faces B; {'goes on' if saved else 'new'}",
        )
    )
    on_event(TrainEvent("log", state.iterations, text=f"faces are drawn {model.drawn} pixels wide{why}"))
    for side, faces in (("A", faces_a), ("B", faces_b)):
        if len(faces) < FEW_FACES:
            text = f"side {side} has only {len(faces)} faces; {FEW_FACES} is a minimum, some hundreds are good"
            on_event(TrainEvent("warning", state.iterations, text=text))
    if request.warp_to_landmarks:
        text = "the embedded engine has no warp to landmarks; it trains with random warps"
        on_event(TrainEvent("warning", state.iterations, text=text))
    both = {"a": faces_a, "b": faces_b}
    bases = {side: _bases(model, side, both[side]) for side in "ab"}
    now = time.monotonic()
    seconds = 60 * request.minutes if request.minutes else None
    return _Run(
        request, on_event, model, _under_way(state, request.until), both, bases, now, seconds=seconds, saved_at=now
    )


def _under_way(state: ModelState, until: int | None) -> ModelState:
    """The state as a run finds it: one that has the same end as the run before it is the same run."""
    if until is not None and until == state.until:
        return state
    before = state.share if state.iterations else None
    return replace(state, until=until or 0, began=state.iterations, before=before)


def _with_looks(saved: tuple[ModelState, Arrays], a: FaceStack, b: FaceStack, tell: Callable[[str], None]) -> Arrays:
    """What was saved; where an earlier Galloway saved it, or of other faces, with both looks made anew: faces that were
    taken out since would be drawn from for ever."""
    state, arrays = saved
    if knows_looks(arrays) and state.faces == (a.digest, b.digest):
        return arrays
    why = "these are other faces than the last time" if knows_looks(arrays) else "saved by an earlier Galloway"
    tell(f"{why}: how both people look is worked out anew, what was learnt stays")
    return {**arrays, **look_arrays({"a": a.look(), "b": b.look()})}


def _detail(request: TrainRequest, size: int, saved: Arrays | None) -> tuple[int, str]:
    """How many times as large as the network sees faces they are to be drawn, and why, in words that follow on it."""
    told = request.options.get("detail", "")
    if told not in ("", str(DETAIL), str(MOST_DETAIL)):
        raise EngineError(f"detail is {DETAIL} or {MOST_DETAIL}, not {told!r}: -o detail={MOST_DETAIL}")
    if saved is not None:
        texture = saved.get("look_b/texture")
        times = DETAIL if texture is None else round(len(texture) / round(size * MARGIN))
        return times, ", as when the model was begun"
    if told:
        return int(told), f", as -o detail={told} says"
    if request.model == TRIAL or (request.minutes is not None and request.minutes < LONG_ENOUGH):
        return DETAIL, f": more takes longer, and pays from {LONG_ENOUGH:g} minutes of training on"
    sides = [side_of(folder) for folder in (request.faces_a, request.faces_b)]
    return fitting(sides, size), f": A's are {sides[0]:.0f} pixels wide as a rule, B's {sides[1]:.0f}"


def _bases(model: SwapModel, side: str, faces: FaceStack) -> NDArray[np.uint8]:
    """What the look makes of its own person's faces, on their canvases: what the decoder has to add to."""
    look = coarser(model.looks[side])
    parts, without = [], faces.kept_as(look)
    for start in range(0, len(faces), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        drawn = draw(look, look, faces.images[part], faces.shapes[part], without=without[part]).pictures[..., :3]
        parts.append((shrink(drawn) + 0.5).astype(np.uint8))
    return np.concatenate(parts)


def _teach(run: _Run, switch: StopSwitch) -> None:
    """Teach the occlusion mask, for as many iterations as the swap gets and MASK_SHARE of the minutes at most; a trial
    teaches none."""
    request = run.request
    most = min(ENOUGH, run.iterations)
    if not _yes(request, "occlusion", usual="yes") or most < FEWEST or request.model == TRIAL:
        return
    started, number, whole = time.monotonic(), run.state.iterations, run.seconds

    def used() -> float:
        return 0.0 if whole is None else (time.monotonic() - started) / (MASK_SHARE * whole)

    def enough() -> bool:
        return switch.pressed or used() >= 1

    faces = faces_of((run.faces["a"], run.faces["b"]), request.covered, request.painted)
    tell = partial(_log, run.on_event, number)
    teach(request.model_dir, faces, most=most, seed=request.seed, stop=enough, used=used, tell=tell)
    if whole is not None:
        # The last save may end a little late: the swap keeps its share.
        run.seconds = max((1 - MASK_SHARE) * whole, whole - (time.monotonic() - started))


def _log(on_event: OnEvent, iteration: int, text: str) -> None:
    on_event(TrainEvent("log", iteration, text=text))


def _size(request: TrainRequest) -> int:
    text = request.options.get("size", str(DEFAULT_SIZE))
    if not text.isdecimal() or not 16 <= int(text) <= 512:
        raise EngineError(f"The model's size must be a number from 16 to 512, not {text!r}: -o size=64")
    return int(text)


def _yes(request: TrainRequest, option: str, *, usual: str = "no") -> bool:
    text = request.options.get(option, usual)
    if text not in ("yes", "no"):
        raise EngineError(f"{option} is yes or no, not {text!r}: -o {option}=yes")
    return text == "yes"


def _iterate(run: _Run, *, first: bool) -> bool:
    """One iteration; False where it was thrown away because the losses were no numbers."""
    request = run.request
    number = run.state.iterations + 1
    chance = np.random.default_rng([request.seed, number, run.recoveries])
    mirror = _yes(request, "mirror")
    batch_a, batch_b = (
        make_batch(run.faces[side], run.bases[side], request.batch_size, chance, mirror=mirror) for side in "ab"
    )
    share = run.share(run.done) * 0.5**run.recoveries
    loss_a, loss_b = run.model.train_on(batch_a, batch_b, RATE * share)
    if not (math.isfinite(loss_a) and math.isfinite(loss_b)):
        _recover(run, number)
        return False
    run.state = replace(run.state, iterations=number, loss_a=loss_a, loss_b=loss_b, share=share)
    if first:
        # The first step builds the graph, which takes longer than many steps: the swap's minutes count from here.
        run.started = time.monotonic()
    run.on_event(TrainEvent("loss", number, loss_a, loss_b, left=run.left))
    late = time.monotonic() - run.saved_at > SECONDS_BETWEEN_SAVES
    if first or number % request.save_every == 0 or late:
        _save(run)
        _show(run)
    elif time.monotonic() - run.shown_at > SECONDS_BETWEEN_PREVIEWS:
        _show(run, lasting=False)
    return True


def _recover(run: _Run, number: int) -> None:
    """Go back to the last save with half the rate; give up after the third time."""
    run.recoveries += 1
    saved = load_model(run.request.model_dir)
    if run.recoveries > MOST_RECOVERIES or saved is None:
        raise EngineError(
            f"The losses are no numbers any more (iteration {number}, after {run.recoveries} tries). The last save "
            f"stands in {run.request.model_dir}. Look for damaged faces: galloway faceset verify"
        )
    tell = partial(_log, run.on_event, saved[0].iterations)
    run.model.from_arrays(_with_looks(saved, run.faces["a"], run.faces["b"], tell))
    now = run.state
    run.state = replace(saved[0], until=now.until, began=now.began, before=now.before, faces=now.faces)
    text = f"the losses of iteration {number} were no numbers; back to iteration {run.state.iterations}, half the rate"
    run.on_event(TrainEvent("warning", run.state.iterations, text=text))


def _save(run: _Run) -> None:
    state = run.state
    if state.history and state.history[-1][0] == state.iterations:
        return
    point = (state.iterations, float(state.loss_a or 0), float(state.loss_b or 0))
    run.state = replace(state, history=(*state.history, point))
    path = save_model(run.request.model_dir, run.model.to_arrays(), run.state)
    run.saved_at = time.monotonic()
    text = f"{path.name} at iteration {state.iterations}"
    run.on_event(TrainEvent("saved", state.iterations, state.loss_a, state.loss_b, path, text))


def _show(run: _Run, *, lasting: bool = True) -> None:
    """Draw the preview sheet, and with `lasting` the time-lapse's next picture."""
    columns = []
    for side, other in ("ab", "ba"):
        faces = run.faces[side]
        chosen = evenly(len(faces), PREVIEW_FACES)
        shown = faces.images[chosen], faces.shapes[chosen]
        drawn = [
            centre_crops(run.model.swap(*shown, side, w).pictures[..., :3], run.model.drawn) for w in (side, other)
        ]
        columns += [centre_crops(shown[0], faces.size), *drawn]
    rows = min(len(column) for column in columns)
    title = f"iteration {run.state.iterations}"
    if run.state.loss_a is not None and run.state.loss_b is not None:
        title += f"   loss A {run.state.loss_a:.4f}   loss B {run.state.loss_b:.4f}"
    sheet = training_sheet([column[:rows] for column in columns], title)
    run.preview = save_picture(run.request.work_dir / "preview.png", sheet)
    run.on_event(TrainEvent("preview", run.state.iterations, path=run.preview))
    run.shown_at = time.monotonic()
    if lasting and run.request.timelapse:
        name = f"{run.state.iterations:08d}.jpg"
        save_picture(run.request.work_dir / "timelapse" / name, sheet)


def _command(run: _Run) -> tuple[str, ...]:
    request = run.request
    settings = {
        "model": request.model,
        "size": run.state.size,
        "batch_size": request.batch_size,
        "iterations": run.iterations,
        "seed": request.seed,
        "minutes": request.minutes,
    }
    return ("embedded", "train", *(f"{key}={value}" for key, value in settings.items()))
