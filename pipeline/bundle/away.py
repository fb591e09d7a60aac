"""A training on another machine: packed, sent, started there, followed, fetched, and its faces taken off it again.

Each step can be killed and done again: `away.json` in the run's folder says where the bundle lies, the machine says how
the training stands. The same command goes on with a run that is open there; nothing is trained twice.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ...curation.files import write_atomic
from ...curation.types import Progress
from ..app import App
from ..consent.gate import check_consent, check_model
from ..engines.base import EngineError, TrainEvent, TrainResult
from ..errors import NotApproved, StageError
from ..stages.train import TrainOptions, approved_facesets, write_record
from ..workspace.held import held
from ..workspace.runs import AWAY, RECORD, Run, runs
from ..workspace.state import json_object, read_state
from .box import Box, Unreachable
from .make import begun
from .manifest import BundleError
from .pack import GO, Where, make_bundle
from .run import EVENTS, MODEL, WORK
from .take import finish, install_model, model_files

__all__ = ["away_runs", "drop_away", "train_away"]

T = TypeVar("T")

_LOCK = ".away.lock.db"
_BUNDLE, _FETCHED = "bundle", "fetched"
_FETCH_EVERY = 60.0
"""Seconds at least between two fetches of the model while the training goes on."""
_LOOK_EVERY = 20.0
"""Seconds between two looks at whether everybody's consent still stands."""
_DROP = 'if [ -e "$0/go.py" ]; then exec python3 "$0/go.py" drop "$0"; fi; rm -rf -- "$0"'
"""A bundle that was cut off while it was sent has no go.py yet, and nothing that runs."""
_PATIENCE = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds before a broken connection is tried again; the last goes on for ever, since the training does so, too."""


@dataclass
class _Away:
    """A run on another machine. `known` and `coming`: files of the model as they may stand here (`install_model`)."""

    app: App
    run: Run
    box: Box
    python: str
    on_event: Callable[[TrainEvent], None]
    sleep: Callable[[float], None]
    sent: bool = False
    known: dict[str, str] = field(default_factory=dict)
    coming: dict[str, str] = field(default_factory=dict)
    fetched_at: float = 0.0
    looked_at: float = 0.0
    stopping: bool = False

    @property
    def folder(self) -> str:
        """The bundle's folder there."""
        return f"{self.box.folder}/{self.run.id}"

    def go(self, action: str, *more: str) -> list[str]:
        return ["python3", f"{self.folder}/{GO}", action, self.folder, *more]

    def keep(self) -> None:
        value = {"box": self.box.address, "sent": self.sent, "known": self.known, "coming": self.coming}
        write_atomic(self.run.folder / AWAY, json.dumps(value) + "\n")

    def tell(self, text: str) -> None:
        self.on_event(TrainEvent("log", 0, text=text))

    def patiently(self, act: Callable[[], T]) -> T:
        """Do it, again and again where the machine cannot be reached."""
        tries = 0
        while True:
            try:
                return act()
            except Unreachable as error:
                wait = _PATIENCE[min(tries, len(_PATIENCE) - 1)]
                self.tell(f"{error}. The training is not lost; trying again in {wait:g} seconds.")
                self.sleep(wait)
                tries += 1


def away_runs(app: App) -> list[tuple[Run, str]]:
    """The runs whose faces lie on another machine, oldest first, and the machines' addresses."""
    found = []
    for run in runs(app.workspace):
        if (run.folder / AWAY).is_file():
            found.append((run, str(_state(run).get("box"))))
    return found


def train_away(
    app: App,
    options: TrainOptions,
    box: Box,
    where: Where,
    *,
    engine: str | None,
    python: str = "",
    on_event: Callable[[TrainEvent], None],
    packing: Callable[[], AbstractContextManager[Progress]],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Run, TrainResult]:
    """Train on `box`, or go on with what is open there, to the end; model and record are here afterwards.

    Ctrl-C stops the training there after a save, a second one leaves it to itself. Raises NotApproved where consent
    does not cover it, also while it runs: then its faces are taken off the machine. Raises StageError where another
    training is open there, EngineError where it failed, and BundleError where the machine refuses.
    """
    with held(app.workspace.root, _LOCK, f"training on {box.address}", 0):
        run = _open_run(app, options, box, engine)
        away = _Away(app, run, box, python, on_event, sleep, **_kept(run))
        away.keep()
        if not run.finished:
            _consented(away)
            # The first word is not patient: a mistyped address is an error, not a machine that will come back.
            box.run(["mkdir", "-p", "-m", "700", box.folder])
            if not away.sent:
                _send(away, options, where, packing)
            away.patiently(lambda: box.run(away.go("start", *_with(python)), tell=away.tell))
            state = _followed(away)
            away.patiently(lambda: _fetch(away))
            finish(app, run, _ended(away, state))
        away.patiently(lambda: _dropped(away))
    result = run.record["result"]
    preview = app.workspace.root / result["preview"] if result["preview"] else None
    return run, TrainResult(**{**{key: result[key] for key in _RESULT}, "preview": preview})


_RESULT = ("iterations", "stopped", "loss_a", "loss_b", "command")


def drop_away(app: App, box: Box) -> list[Run]:
    """Stop what is open on this machine and delete it there, faces and all; what was fetched stays. The runs that were.

    Raises Unreachable where the machine is away, and BundleError where it refuses.
    """
    gone = []
    with held(app.workspace.root, _LOCK, f"taking a training off {box.address}", 0):
        for run, address in away_runs(app):
            if address == box.address:
                _dropped(_Away(app, run, box, "", lambda _: None, time.sleep))
                gone.append(run)
    return gone


def _open_run(app: App, options: TrainOptions, box: Box, engine: str | None) -> Run:
    """The run that is open on this machine, or a new one, whose end is fixed now."""
    for run, address in reversed(away_runs(app)):
        if address != box.address:
            continue
        asked = run.record.get("asked")
        if run.finished or asked == _asked(options):
            return run
        raise StageError(
            f"{run.id} is open on {box.address}, begun with other options. Go on with it by the same command as then, "
            f"or take it off the machine: galloway train --on {box.address} --drop"
        )
    run = begun(app, options, engine, box.address, asked=_asked(options))
    write_atomic(run.folder / AWAY, json.dumps({"box": box.address}) + "\n")
    return run


def _asked(options: TrainOptions) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps({key: getattr(options, key) for key in options.__slots__}))
    return value


def _state(run: Run) -> dict[str, Any]:
    return read_state(run.folder / AWAY, f"Delete the file, and the folder {run.id} on the machine it was sent to.")


def _kept(run: Run) -> dict[str, Any]:
    state = _state(run)
    return {
        "sent": bool(state.get("sent")),
        "known": dict(state.get("known") or {}),
        "coming": dict(state.get("coming") or {}),
    }


def _send(
    away: _Away, options: TrainOptions, where: Where, packing: Callable[[], AbstractContextManager[Progress]]
) -> None:
    """Pack and send; what was packed goes from here when it is there."""
    app, run = away.app, away.run
    bundle = run.folder / _BUNDLE
    fixed = replace(options, until=run.record["options"]["until"])
    with app.workspace.reading_faces("packing a training"), packing() as progress:
        packed = {side.value: item.digest for side, item in approved_facesets(app).items()}
        began = {side: item["digest"] for side, item in run.record["facesets"].items()}
        if packed != began:
            raise StageError(
                f"The facesets were merged anew since {run.id} began. Take it off the machine, then train again: "
                f"galloway train --on {away.box.address} --drop"
            )
        manifest = make_bundle(app, run, fixed, bundle, where, progress, away.tell)
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    away.tell(f"sending {size / 1e6:,.0f} MB to {away.box.address}")
    away.patiently(lambda: away.box.push(bundle, away.folder))
    away.known, away.sent = dict(manifest.start), True
    away.keep()
    shutil.rmtree(bundle)


def _with(python: str) -> list[str]:
    return ["--python", python] if python else []


def _consented(away: _Away) -> None:
    """Raise NotApproved where somebody's consent stands no more, or the run was deleted here, when their faces are off
    the machine."""
    away.looked_at = time.monotonic()
    try:
        if not (away.run.folder / RECORD).is_file():
            raise NotApproved(f"{away.run.folder} was deleted here, so its training on {away.box.address} is dropped.")
        check_consent(away.app, "train")
        check_model(away.app, away.run.record["model_dir"])
    except NotApproved as refused:
        try:
            _dropped(away)
        except BundleError as error:
            raise NotApproved(
                f"{refused} Their faces may still lie on {away.box.address}, in {away.folder} ({error}): galloway "
                f"train --on {away.box.address} --drop"
            ) from error
        raise


def _followed(away: _Away) -> dict[str, Any]:
    """Pass on what happens there until the training has ended; how it stands then."""
    while True:
        try:
            state = away.patiently(lambda: _follow(away))
            if state["state"] != "running":
                return state
        except KeyboardInterrupt:
            if away.stopping:
                away.tell(f"Left to itself on {away.box.address}: the same command goes on with it.")
                raise
            away.stopping = True
            away.tell(
                "Stopping: the training there finishes its iteration and saves. Ctrl-C again leaves it to itself."
            )
            away.patiently(lambda: away.box.run(away.go("stop")))


def _follow(away: _Away) -> dict[str, Any]:
    _consented(away)
    events = away.run.folder / EVENTS
    state: dict[str, Any] = {"state": "running"}
    with away.box.lines(away.go("follow", "--from", str(_whole(events)))) as lines, events.open("ab") as log:
        for line in lines:
            said = json_object(line) or {}
            if isinstance(said.get("event"), str):
                log.write(said["event"].encode() + b"\n")
                log.flush()
                _pass_on(away, json_object(said["event"]) or {})
            elif isinstance(said.get("state"), dict):
                state = said["state"]
            if time.monotonic() - away.looked_at > _LOOK_EVERY:
                _consented(away)
    return state


def _whole(events: Path) -> int:
    """How many bytes of the events are here; half a line that a kill left is cut off."""
    if not events.is_file():
        return 0
    data = events.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with events.open("r+b") as stream:
            stream.truncate(whole)
    return whole


def _pass_on(away: _Away, event: dict[str, Any]) -> None:
    kind = str(event.get("kind"))
    if kind == "command":
        away.run.record["command"] = str(event.get("text"))
        write_record(away.run)
    number, losses = event.get("iteration"), (event.get("loss_a"), event.get("loss_b"))
    lost = math.nan if kind == "loss" else None  # JSON has no NaN
    one, two = (value if isinstance(value, (int, float)) else lost for value in losses)
    away.on_event(
        TrainEvent(kind, number if isinstance(number, int) else 0, one, two, text=str(event.get("text") or ""))
    )
    if kind == "saved" and time.monotonic() - away.fetched_at > _FETCH_EVERY:
        _fetch(away)


def _fetch(away: _Away) -> None:
    """The model as it is saved there now, into its place here; and the run's pictures. Raises as `_consented`."""
    _consented(away)
    fetched = away.run.folder / _FETCHED
    for _ in range(3):
        # A model of several files may be saved meanwhile: what is fetched twice alike is one save.
        if not away.box.pull(f"{away.folder}/{MODEL}", fetched, without=("/faces", ".*", "*.bk")):
            break
    away.box.pull(f"{away.folder}/{WORK}", away.run.folder, without=("/*.json", "/*.jsonl"), only=False)
    away.fetched_at = time.monotonic()
    if not any(fetched.iterdir()):
        return
    target = away.app.workspace.inside(away.run.record["model_dir"])
    before, away.coming = away.coming, model_files(fetched)
    away.keep()
    install_model(target, fetched, away.known, before)
    away.known = away.coming
    away.keep()


def _ended(away: _Away, state: dict[str, Any]) -> dict[str, Any]:
    """The result of a training that ended. Raises EngineError where it failed, BundleError where it is gone."""
    how = state.get("state")
    if how == "done":
        return state
    if how == "none":
        away.sent = False
        away.keep()
        raise BundleError(
            f"{away.box.address} has the training no more. The same command sends it again, with the model as it was "
            "fetched last."
        )
    if how == "failed":
        away.run.record["failed"] = str(state.get("failed"))
        write_record(away.run)
        raise EngineError(f"On {away.box.address}: {state.get('failed')}")
    raise BundleError(
        f"The training on {away.box.address} was killed. The same command goes on from its last save; its log lies "
        f"there in {away.folder}/log.txt."
    )


def _dropped(away: _Away) -> None:
    """Delete the bundle there, and what says so here."""
    away.box.run(["sh", "-c", _DROP, away.folder])
    shutil.rmtree(away.run.folder / _BUNDLE, ignore_errors=True)
    shutil.rmtree(away.run.folder / _FETCHED, ignore_errors=True)
    (away.run.folder / AWAY).unlink(missing_ok=True)
    if not away.run.finished and (away.run.folder / RECORD).is_file():
        away.run.record.setdefault("failed", f"taken off {away.box.address}")
        write_record(away.run)
