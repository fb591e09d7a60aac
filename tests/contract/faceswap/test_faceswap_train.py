"""Training against the recorded stand-in of each line: events, going on, folders, what is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from galloway.pipeline.engines.base import EngineError, TrainEvent
from galloway.pipeline.engines.faceswap import FaceswapEngine, model

from tests.support.faceswap import standin_python, train_request


def test_losses_saves_and_previews_arrive_as_events(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    events: list[TrainEvent] = []
    result = engine.train(train_request(tmp_path), events.append)
    assert (result.iterations, result.stopped) == (6, "done")
    assert [event.iteration for event in events if event.kind == "loss"] == [1, 2, 3, 4, 5, 6]
    assert len([event for event in events if event.kind == "saved"]) == 4
    # faceswap writes one picture over and over; a reader that comes late has missed some, and knows no iteration.
    shown = [event for event in events if event.kind == "preview"]
    assert [event.path.name for event in shown if event.path] == [f"{n:04d}.png" for n in range(1, len(shown) + 1)]
    assert 1 <= len(shown) <= 4 and all(1 <= event.iteration <= 6 for event in shown)
    assert result.preview == shown[-1].path and result.preview is not None and result.preview.is_file()
    assert len(list((tmp_path / "run" / "timelapse" / "out").glob("*.jpg"))) == 3
    assert result.command[1:3] == ("faceswap.py", "train") and "-n" not in result.command


def test_a_preview_that_falls_on_a_save_is_not_missed(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    result = engine.train(train_request(tmp_path, iterations=2, save_every=2), lambda _event: None)
    assert result.preview is not None and result.preview.name == "0001.png"


def test_training_goes_on_where_it_stood(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    engine.train(train_request(tmp_path), lambda _event: None)
    losses: list[int] = []
    result = engine.train(
        train_request(tmp_path, iterations=2), lambda e: losses.append(e.iteration) if e.kind == "loss" else None
    )
    assert losses == [7, 8] and result.iterations == 8


def test_two_cannot_train_in_one_folder(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    with model.locked(tmp_path / "model"), pytest.raises(EngineError, match="still training"):
        engine.train(train_request(tmp_path), lambda _event: None)


def test_parallel_runs_keep_their_previews_apart(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    previews: dict[str, Path | None] = {}

    def one(name: str) -> None:
        request = train_request(tmp_path, model_dir=tmp_path / name / "model", work_dir=tmp_path / name / "run")
        previews[name] = engine.train(request, lambda _event: None).preview

    threads = [threading.Thread(target=one, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.parents[2].name for path in previews.values() if path} == {"one", "two"}
    assert not (tmp_path / "home" / "training_preview.png").exists()


def test_another_kind_of_model_in_the_folder_is_refused(engine: FaceswapEngine, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds a 'lightweight' model"):
        engine.train(train_request(tmp_path, model="villain"), lambda _event: None)


def test_too_few_faces_and_unknown_words_are_named(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Side B has 0 faces"):
        engine.train(train_request(tmp_path, faces_b=tmp_path / "empty"), lambda _event: None)
    with pytest.raises(EngineError, match="Choose one of: original"):
        engine.train(train_request(tmp_path, model="gan"), lambda _event: None)
    with pytest.raises(EngineError, match="no option 'speed'"):
        engine.train(train_request(tmp_path, options={"speed": "1"}), lambda _event: None)


@pytest.mark.parametrize(
    ("backend", "cards", "told"), [("nvidia", (), 1), ("nvidia", ("NVIDIA A10",), 0), ("cpu", (), 0)]
)
def test_training_on_the_processor_for_want_of_a_card_is_said_once(
    line: str, extracted: Path, tmp_path: Path, backend: str, cards: tuple[str, ...], told: int
) -> None:
    python = standin_python(tmp_path / "other", line, cards)
    engine = FaceswapEngine(tmp_path / "home", python, backend)
    events: list[TrainEvent] = []
    engine.train(train_request(tmp_path), events.append)
    assert len([e for e in events if e.kind == "warning" and "trains on the processor" in e.text]) == told
