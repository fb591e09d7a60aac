"""What goes wrong inside faceswap is recognised and explained."""

from __future__ import annotations

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


def test_a_collapse_is_told_while_it_happens(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "collapse:60")
    events: list[TrainEvent] = []
    engine.train(train_request(tmp_path, iterations=120, save_every=100), events.append)
    told = [event.text for event in events if event.kind == "warning" and "collapsing" in event.text]
    assert len(told) == 1 and "side A" in told[0]
