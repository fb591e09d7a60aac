"""What goes wrong inside faceswap is recognised and explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from galloway.pipeline.engines.base import EngineError, TrainEvent
from galloway.pipeline.engines.faceswap import FaceswapEngine

from tests.support.faceswap import train_request


@pytest.mark.parametrize(
    ("fault", "words"),
    [("nan:4", "NaN"), ("oom:3", "graphics card ran out of memory"), ("crash:1", "made to crash")],
)
def test_trouble_is_recognised(
    engine: FaceswapEngine,
    extracted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    words: str,
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", fault)
    with pytest.raises(EngineError, match=words):
        engine.train(train_request(tmp_path), lambda _event: None)


def test_a_crash_report_is_where_the_message_says(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "crash:1")
    events: list[TrainEvent] = []
    with pytest.raises(EngineError) as told:
        engine.train(train_request(tmp_path), events.append)
    assert "RuntimeError: made to crash" in str(told.value)
    warned = [event.text for event in events if event.kind == "warning" and "Crash report" in event.text]
    assert warned
    for text in (str(told.value), *warned):
        named = re.findall(r"'([^']*crash_report[^']*)'", text)
        assert named and all(Path(path).is_file() for path in named)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 0}, "batch size"),
        ({"iterations": 0}, "iterations"),
        ({"save_every": 0}, "save interval"),
        ({"minutes": 0.0}, "minutes"),
    ],
)
def test_a_training_of_nothing_is_refused_before_the_start(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        engine.train(train_request(tmp_path, **changes), lambda _event: None)
    assert not (tmp_path / "model").exists()


def test_a_collapse_is_told_while_it_happens(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "collapse:60")
    events: list[TrainEvent] = []
    engine.train(train_request(tmp_path, iterations=120, save_every=100), events.append)
    told = [event.text for event in events if event.kind == "warning" and "collapsing" in event.text]
    assert len(told) == 1 and "side A" in told[0]
