"""Training against the recorded stand-in of each line: events, going on, folders, what is refused."""

from __future__ import annotations

import os
import signal
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
    words = rf"Process {os.getpid()} is still training .* kill -INT {os.getpid()}$"
    with model.locked(tmp_path / "model"), pytest.raises(EngineError, match=words):
        engine.train(train_request(tmp_path), lambda _event: None)


def test_the_process_to_stop_is_the_faceswap_that_trains(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    refused: list[str] = []

    def tell(event: TrainEvent) -> None:
        if event.kind == "loss" and not refused:
            with pytest.raises(EngineError) as told:
                engine.train(train_request(tmp_path, work_dir=tmp_path / "second"), lambda _event: None)
            refused.append(str(told.value))
            os.kill(int(refused[0].rsplit(" ", 1)[-1]), signal.SIGINT)

    result = engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    assert "still training" in refused[0] and str(os.getpid()) not in refused[0].split()
    assert 1 <= result.iterations < 1000, "it saved and ended"


@pytest.mark.parametrize(("word", "passed"), [("on", True), ("TRUE", True), ("1", True), ("yes", True), ("off", False)])
def test_a_switch_is_passed_for_every_word_for_yes(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, word: str, passed: bool
) -> None:
    result = engine.train(train_request(tmp_path, iterations=2, options={"no_flip": word}), lambda _event: None)
    assert ("-P" in result.command) == passed


def test_weights_to_load_are_looked_for_where_the_command_was_typed(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.h5").touch()
    options = {"load_weights": "old.h5"}
    result = engine.train(train_request(tmp_path, iterations=2, options=options), lambda _event: None)
    assert result.command[result.command.index("-l") + 1] == str(tmp_path / "old.h5")


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
    for options, words in (
        ({"no_flip": "y"}, "no_flip is yes or no, not 'y'"),
        ({"load_weights": "no/where.h5"}, r"no/where\.h5 does not exist; the option load_weights"),
        ({"warmup": ""}, "warmup needs a value"),
    ):
        with pytest.raises(EngineError, match=words):
            engine.train(train_request(tmp_path, model_dir=tmp_path / "new", options=options), lambda _event: None)
        with pytest.raises(EngineError, match=words):
            engine.check_options("train", options)
    assert not (tmp_path / "new").exists(), "something was started"


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
