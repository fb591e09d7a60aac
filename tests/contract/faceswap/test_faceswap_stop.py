"""Training that is stopped, killed or torn in the middle of a save, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import EngineError, TrainEvent
from galloway.pipeline.engines.faceswap import FaceswapEngine, model

from tests.support.faceswap import ROOT, extract_request, train_request


def interrupt_at(iteration: int, events: list[TrainEvent]) -> object:
    def tell(event: TrainEvent) -> None:
        events.append(event)
        if event.kind == "loss" and event.iteration == iteration:
            raise KeyboardInterrupt

    return tell


def test_ctrl_c_saves_and_says_so(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    events: list[TrainEvent] = []
    tell = interrupt_at(5, events)
    result = engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)  # type: ignore[arg-type]
    assert result.stopped == "interrupted"
    assert 5 <= result.iterations < 1000
    assert model.iterations(tmp_path / "model", "lightweight") == result.iterations
    assert events[-1].kind in ("saved", "log")


def test_a_real_sigint_reaches_the_program(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def tell(event: TrainEvent) -> None:
        if event.kind == "loss":
            seen.append(event.iteration)
            if len(seen) == 3:
                threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    result = engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    assert result.stopped == "interrupted" and 3 <= result.iterations < 1000


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_and_a_closed_terminal_save_as_ctrl_c_does(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, asked: signal.Signals
) -> None:
    before = signal.getsignal(asked)

    def tell(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration in (5, 6):
            # Where a session ends, the signal comes from the system and from the shell.
            os.kill(os.getpid(), asked)

    result = engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    assert result.stopped == "interrupted" and 5 <= result.iterations < 1000
    assert model.iterations(tmp_path / "model", "lightweight") == result.iterations
    assert signal.getsignal(asked) is before


def test_a_second_ctrl_c_ends_it_at_once(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    def tell(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration >= 4:
            raise KeyboardInterrupt
        if "Stopping" in event.text:
            raise KeyboardInterrupt

    with pytest.raises((EngineError, KeyboardInterrupt)):
        engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    assert model.iterations(tmp_path / "model", "lightweight") >= 1


def test_a_listener_that_fails_does_not_lose_the_iterations(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    def tell(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration == 5:
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    assert model.iterations(tmp_path / "model", "lightweight") >= 5


def test_time_is_up(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    losses: list[float] = []

    def tell(event: TrainEvent) -> None:
        if event.kind == "loss":
            losses.append(time.monotonic())

    result = engine.train(train_request(tmp_path, iterations=100000, minutes=0.03), tell)
    assert result.stopped == "time"
    assert 1.8 <= time.monotonic() - losses[0] < 60, "the minutes count from the first iteration"


def test_a_killed_program_resumes_from_its_last_save(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "kill:6")
    with pytest.raises(EngineError, match="go on from the last save"):
        engine.train(train_request(tmp_path, iterations=100), lambda _event: None)
    monkeypatch.delenv("GALLOWAY_STANDIN_FAULT")
    losses: list[int] = []
    engine.train(
        train_request(tmp_path, iterations=2), lambda e: losses.append(e.iteration) if e.kind == "loss" else None
    )
    assert losses == [4, 5]


def test_a_save_torn_by_a_kill_falls_back_to_the_backup(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "tear:3")
    with pytest.raises(EngineError, match="SIGKILL"):
        engine.train(train_request(tmp_path, iterations=100), lambda _event: None)
    monkeypatch.delenv("GALLOWAY_STANDIN_FAULT")
    events: list[TrainEvent] = []
    result = engine.train(train_request(tmp_path, iterations=2), events.append)
    assert "backup of iteration 3" in next(event.text for event in events if event.kind == "warning")
    assert result.iterations == 5


def test_a_first_save_that_is_torn_cannot_be_mended(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "tear:1")
    with pytest.raises(EngineError, match="SIGKILL"):
        engine.train(train_request(tmp_path), lambda _event: None)
    monkeypatch.delenv("GALLOWAY_STANDIN_FAULT")
    with pytest.raises(EngineError, match="train anew"):
        engine.train(train_request(tmp_path), lambda _event: None)


_TRAIN_UNTIL_KILLED = """
import sys
from pathlib import Path
from galloway.pipeline.engines.base import TrainRequest
from galloway.pipeline.engines.faceswap import FaceswapEngine
root = Path(sys.argv[1])
engine = FaceswapEngine(root / "home", Path(sys.executable), "cpu")
request = TrainRequest(
    root / "faces", root / "faces", root / "model", root / "run", model="lightweight", iterations=100000, save_every=3
)
engine.train(request, lambda event: print(event.kind, event.iteration, flush=True))
"""


def test_after_galloway_itself_was_killed_training_goes_on(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _TRAIN_UNTIL_KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as galloway:
        assert galloway.stdout is not None
        for line_said in galloway.stdout:
            if line_said.startswith("saved 6"):
                galloway.kill()
                break
    assert len(list((tmp_path / "run").glob("faceswap-*/"))) == 1
    # The orphan holds the folder until it notices that nobody listens; then the same command goes on.
    until = time.monotonic() + 60
    result = None
    while result is None and time.monotonic() < until:
        try:
            request = train_request(tmp_path, iterations=2, work_dir=tmp_path / "next")
            result = engine.train(request, lambda _event: None)
        except EngineError as error:
            assert "still training" in str(error)
            time.sleep(0.1)
    assert result is not None and result.iterations >= 8


_LEAVES_A_WORKER = """#!/bin/sh
[ "$1" = -c ] || sleep 300 &
exec {python} "$@"
"""
_HANGS = """#!/bin/sh
[ "$1" != -c ] || exec {python} "$@"
echo $$ > {pid}.part && mv {pid}.part {pid}
exec sleep 300
"""


def test_a_worker_that_a_dead_faceswap_left_keeps_nobody_waiting(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    python = tmp_path / "leaves"
    python.write_text(_LEAVES_A_WORKER.format(python=tmp_path / "python"), encoding="utf-8")
    python.chmod(0o755)
    result = FaceswapEngine(tmp_path / "home", python, "cpu").train(train_request(tmp_path), lambda _event: None)
    assert result.stopped == "done"


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_while_extracting_ends_faceswap_too(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, asked: signal.Signals
) -> None:
    python, pid = tmp_path / "hangs", tmp_path / "pid"
    python.write_text(_HANGS.format(python=tmp_path / "python", pid=pid), encoding="utf-8")
    python.chmod(0o755)

    def ask() -> None:
        until = time.monotonic() + 30
        while not pid.exists() and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(os.getpid(), asked)

    threading.Thread(target=ask, daemon=True).start()
    request = extract_request(clip, tmp_path)
    with pytest.raises(SystemExit):
        FaceswapEngine(tmp_path / "home", python, "cpu").extract(request, no_progress)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
