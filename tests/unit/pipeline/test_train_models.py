"""Which run's model is converted with: the newest that left one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pipeline.app import App
from pipeline.errors import StageError
from pipeline.stages.train import last_model


def a_run(root: Path, number: int, model: str) -> None:
    folder = root / "runs" / f"train-{number}"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"model_dir": f"models/{model}"}))


def test_a_run_that_failed_before_its_first_save_is_passed_over(tmp_path: Path) -> None:
    app = cast(App, SimpleNamespace(workspace=SimpleNamespace(root=tmp_path)))
    a_run(tmp_path, 1, "embedded-original")
    a_run(tmp_path, 2, "faceswap-villain")
    failed = tmp_path / "models" / "faceswap-villain"
    (failed / "faces" / "a").mkdir(parents=True)
    (failed / ".galloway.lock").touch()
    with pytest.raises(StageError, match="galloway train"):
        last_model(app)
    good = tmp_path / "models" / "embedded-original"
    good.mkdir()
    (good / "embedded.npz").touch()
    assert last_model(app).id == "train-1"
