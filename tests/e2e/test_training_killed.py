"""Training through the command line: only on approved, unchanged facesets; killed and interrupted, it goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.stages.train import read_events
from galloway.pipeline.workspace.runs import runs

from tests.support.workspace import built_app, galloway

_QUICK = ("--batch-size", "2", "--save-every", "3", "--no-timelapse", "-o", "occlusion=no")


def start_training(app: App, iterations: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "galloway", "-w", str(app.workspace.root)),
            *("train", "--iterations", str(iterations), *_QUICK),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def saved_at(app: App) -> list[int]:
    """The iterations at which the newest run saved so far."""
    if not runs(app.workspace):
        return []
    return [event["iteration"] for event in read_events(runs(app.workspace)[-1].folder) if event["kind"] == "saved"]


def wait_for_saves(app: App, run_count: int, saves: int, child: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 200
    while len(runs(app.workspace)) < run_count or len(saved_at(app)) < saves:
        assert child.poll() is None, "training ended before it was stopped"
        assert time.monotonic() < deadline, "training never saved"
        time.sleep(0.1)
    return saved_at(app)[-1]


def record(app: App) -> dict[str, Any]:
    return runs(app.workspace)[-1].record


def test_training_is_gated_killed_interrupted_and_goes_on(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=30)
    refused = galloway(app, "train")
    assert refused.returncode == 4
    assert "no approved faceset" in refused.stderr
    assert galloway(app, "merge").returncode == 4, "nobody has answered, so nothing is approved by itself"
    assert galloway(app, "merge", "--open", "keep").returncode == 0

    child = start_training(app, 10_000)
    saved = wait_for_saves(app, 1, 2, child)
    child.kill()
    child.wait()
    assert "result" not in record(app)

    child = start_training(app, 10_000)
    wait_for_saves(app, 2, 1, child)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=120) == 0
    result = record(app)["result"]
    assert result["stopped"] == "interrupted"
    assert result["iterations"] > saved, "the second run went on from the first one's save"
    digests = {side: record(app)["facesets"][side]["digest"] for side in ("a", "b")}
    standing = {side.value: app.standing_merge(side) for side in Side}
    assert digests == {side: item.digest for side, item in standing.items() if item is not None}

    face = next(app.workspace.root.glob("facesets/b/faces/*.png"))
    face.write_bytes(face.read_bytes() + b"\0")
    changed = galloway(app, "train")
    assert changed.returncode == 4
    assert "changed since it was approved" in changed.stderr
    assert json.loads((runs(app.workspace)[-1].folder / "run.json").read_text(encoding="utf-8")) == record(app)
