"""The program that travels: what it asks another Python, and that a training which ended is not begun again."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest
from galloway.pipeline.bundle import go


def test_the_program_that_asks_for_tensorflows_version_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorflow.py").write_text('print("a warning")\n__version__ = "2.99.1"\n', encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert go.tensorflow_of(Path(sys.executable)) == "2.99.1"


def test_a_training_that_ended_is_not_started_again(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{}", encoding="utf-8")
    (tmp_path / "result.json").write_text(json.dumps({"iterations": 900, "stopped": "time"}), encoding="utf-8")
    (tmp_path / "events.jsonl").write_text("", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "galloway-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("galloway/x.py", "")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho again > {tmp_path}/trained\nsleep 0.2\n", encoding="utf-8")
    python.chmod(0o755)
    assert go.start(tmp_path, str(python)) == 0
    assert not (tmp_path / "trained").exists()
    assert (go.state(tmp_path)["state"], go.state(tmp_path)["iterations"]) == ("done", 900)
