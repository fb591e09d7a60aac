"""Training on another machine over a real sshd: killed at every step, cut, revoked; nothing doubled, no face left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.app import App
from galloway.pipeline.bundle import away as module
from galloway.pipeline.bundle.away import away_runs, drop_away, train_away
from galloway.pipeline.bundle.box import Unreachable, read_address
from galloway.pipeline.bundle.manifest import BundleError
from galloway.pipeline.bundle.pack import Where
from galloway.pipeline.engines.base import TrainEvent
from galloway.pipeline.engines.embedded.store import load_model
from galloway.pipeline.errors import NotApproved, StageError
from galloway.pipeline.stages.train import TrainOptions, read_events
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.runs import runs

from tests.support.sshd import Loopback, sshd
from tests.support.workspace import built_app, galloway

pytestmark = pytest.mark.sshd
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    with sshd(tmp_path_factory.mktemp("box") / "sshd") as server:
        yield server


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Approved facesets on both sides."""
    app = built_app(tmp_path / "shop", faces=26)
    for side in "ab":
        assert galloway(app, "merge", "--side", side, "--open", "keep").returncode == 0
    return app


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A program that runs the bundle with the engine that counts."""
    program = tmp_path / "python"
    script = ROOT / "tests" / "support" / "box_python.py"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -W ignore {script} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def options(pause: float = 0.0, until: int = 20) -> TrainOptions:
    return TrainOptions(until=until, save_every=4, batch_size=1 + round(100 * pause))


def command(box: Loopback, folder: Path, python: str, pause: float = 0.0, until: int = 20) -> list[str]:
    words = ["train", "--engine", "embedded", "--until", str(until), "-s", "4", "-b", str(1 + round(100 * pause))]
    return [*words, "--on", f"ssh://box{folder}", "--ssh-config", str(box.config), "--box-python", python]


def counted(app: App, until: int = 20) -> None:
    """The model that is here has every iteration once, and so have the events; one run says so; nothing is open."""
    saved = load_model(app.workspace.root / "models" / "embedded-original")
    assert saved is not None and saved[0].iterations == until
    assert float(saved[1]["sum"][0]) == until * (until + 1) / 2
    (run,) = runs(app.workspace)
    assert (run.state, run.record["result"]["iterations"]) == ("done", until)
    assert not away_runs(app) and not (run.folder / "bundle").exists() and not (run.folder / "fetched").exists()
    losses = [event["iteration"] for event in read_events(run.folder) if event["kind"] == "loss"]
    assert sorted(set(losses)) == list(range(1, until + 1))


def trained(app: App, box: Loopback, folder: Path, python: str, pause: float = 0.0, on_event=None) -> None:  # type: ignore[no-untyped-def]
    train_away(
        app,
        options(pause),
        read_address(f"ssh://box{folder}", box.config),
        Where(),
        engine="embedded",
        python=python,
        on_event=on_event or (lambda _event: None),
        packing=lambda: nullcontext(no_progress),
    )


def test_killed_before_and_after_every_call_it_goes_on_to_the_same_end(
    app: App, box: Loopback, tmp_path: Path, python: str
) -> None:
    there, kills, codes = tmp_path / "there", 0, set()
    words = [sys.executable, "-W", "ignore", "-m", "galloway", "-w", str(app.workspace.root)]
    for step in range(1, 60):
        box.calls()
        when = ("before", "after")[step % 2]
        environment = {**os.environ, "KILL_AT": str(step), "KILL_WHEN": when, "PYTHONPATH": str(ROOT)}
        environment["PATH"] = f"{box.programs}:{environment['PATH']}"
        child = subprocess.run(
            [*words, *command(box, there, python)], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        codes.add(child.returncode)
        if child.returncode == 0:
            break
        kills += 1
        assert child.returncode in (-signal.SIGKILL, 1), child.stderr
    assert kills >= 6 and codes >= {0, -signal.SIGKILL}
    counted(app)
    assert list(there.iterdir()) == [], "faces were left on the machine"


def test_a_killed_trainer_goes_on_from_its_last_save(app: App, box: Loopback, tmp_path: Path, python: str) -> None:
    there = tmp_path / "there"

    def kill() -> None:
        while not any('"saved"' in path.read_text() for path in there.glob("*/events.jsonl")):
            time.sleep(0.02)
        os.kill(int(next(there.glob("*/run.lock")).read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(BundleError, match=r"was killed\. The same command goes on"):
        trained(app, box, there, python, 0.2)
    killer.join()
    assert runs(app.workspace)[0].state == "away"
    trained(app, box, there, python, 0.2)
    counted(app)


def test_ctrl_c_saves_there_and_brings_home_what_was_saved(
    app: App, box: Loopback, tmp_path: Path, python: str
) -> None:
    def press(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration == 3:
            raise KeyboardInterrupt

    trained(app, box, tmp_path / "there", python, 0.3, press)
    (run,) = runs(app.workspace)
    saved = load_model(app.workspace.root / "models" / "embedded-original")
    assert run.state == "interrupted" and saved is not None
    assert 3 <= saved[0].iterations == run.record["result"]["iterations"] < 20
    assert list((tmp_path / "there").iterdir()) == []


def test_a_withdrawn_consent_ends_it_and_takes_the_faces_off(
    app: App, box: Loopback, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, looks = tmp_path / "there", []

    def withdrawn(_app: App, _scope: str) -> None:
        looks.append(sorted(path.name for path in there.glob("*/faces/*")))
        if looks[-1]:
            raise NotApproved("Ann withdrew.")

    monkeypatch.setattr(module, "check_consent", withdrawn)
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.0)
    with pytest.raises(NotApproved, match="Ann withdrew"):
        trained(app, box, there, python, 0.5)
    assert looks[-1] and list(there.iterdir()) == [] and not away_runs(app)
    assert runs(app.workspace)[0].state == "failed"


def test_a_model_that_was_trained_here_meanwhile_is_not_overwritten(
    app: App, box: Loopback, tmp_path: Path, python: str
) -> None:
    model = app.workspace.root / "models" / "embedded-original" / "embedded.npz"

    def meddle(event: TrainEvent) -> None:
        if event.kind == "loss" and not model.exists():
            model.parent.mkdir(parents=True, exist_ok=True)
            model.write_bytes(b"another training's")

    with pytest.raises(StageError, match="somebody trained here meanwhile"):
        trained(app, box, tmp_path / "there", python, 0.0, meddle)
    assert model.read_bytes() == b"another training's"
    model.unlink()
    trained(app, box, tmp_path / "there", python)
    counted(app)


def test_other_options_are_refused_while_one_is_open_and_drop_takes_it_off(
    app: App, box: Loopback, tmp_path: Path, python: str
) -> None:
    there, begun = tmp_path / "there", threading.Event()

    def leave(event: TrainEvent) -> None:
        if event.kind == "loss":
            begun.set()
            raise BundleError("the lid was closed")

    with pytest.raises(BundleError, match="lid"):
        trained(app, box, there, python, 0.5, leave)
    address = read_address(f"ssh://box{there}", box.config)
    other = partial(train_away, app, options(0.5, until=30), address, Where(), engine="embedded", python=python)
    with pytest.raises(StageError, match=r"begun with other options.*--drop"):
        other(on_event=lambda _event: None, packing=lambda: nullcontext(no_progress))
    assert galloway(app, "status").returncode == 0
    assert [run.id for run in drop_away(app, address)] == [runs(app.workspace)[0].id]
    assert list(there.iterdir()) == [] and not away_runs(app)


def test_a_connection_that_is_cut_is_tried_again(
    app: App, box: Loopback, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("PATH", f"{box.programs}:{os.environ['PATH']}")
    monkeypatch.setenv("KILL_AT", "4")
    monkeypatch.setenv("KILL_WHEN", "cut")
    box.calls()
    trained(app, box, tmp_path / "there", python, 0.0, lambda event: said.append(event.text))
    assert any("cannot be reached" in text and "not lost" in text for text in said)
    counted(app)


def test_who_cannot_be_reached_is_said_at_once(app: App, box: Loopback, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"ssh://nobody@box.*cannot be reached"):
        read_address("ssh://nobody@box", box.config).run(["true"])
    shown = galloway(app, "train", "--on", "ssh://nobody@box", "--ssh-config", str(box.config), "--until", "3")
    assert shown.returncode == 1 and "cannot be reached" in shown.stderr
    again = galloway(app, "train", "--on", "gpu.example")
    assert again.returncode == 1 and "Write ssh://USER@HOST" in again.stderr


def test_the_manifest_names_nobody_and_says_everything(app: App, box: Loopback, tmp_path: Path) -> None:
    made = galloway(app, "bundle", "make", str(tmp_path / "out"), "--engine", "embedded", "-i", "5")
    assert made.returncode == 0, made.stderr
    manifest = json.loads((tmp_path / "out" / "bundle.json").read_text(encoding="utf-8"))
    assert "nobody" not in json.dumps(manifest)
    assert manifest["options"]["until"] == 5 and manifest["options"]["save_every"] == 250
    assert {side: pack["faces"] for side, pack in manifest["packs"].items()} == {"a": 26, "b": 26}
    assert manifest["versions"]["galloway"] and manifest["run"] == runs(Workspace.open(app.workspace.root))[0].id
    again = galloway(app, "bundle", "make", str(tmp_path / "out"))
    assert again.returncode == 1 and "holds train-" in again.stderr
    assert np.array_equal(sorted(path.suffix for path in (tmp_path / "out").glob("*.tar")), [".tar", ".tar"])
