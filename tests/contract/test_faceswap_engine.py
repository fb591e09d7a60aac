"""The faceswap engine against the recorded stand-in of each line: what the general engine contract does not ask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curation.faceset.alignments import read_alignments
from curation.types import no_progress
from pipeline.engines.base import (
    ConvertRequest,
    EngineError,
    ExtractRequest,
    FrameRange,
    TrainEvent,
    TrainRequest,
)
from pipeline.engines.faceswap import FaceswapEngine, model
from pipeline.engines.frames import open_source
from tests.contract.faceswap_standin.convert import SWAPPED
from tests.support.faceswap import LINES, ROOT, detections, standin_engine
from tests.support.videos import count_pyav, sound_video

FRAMES = 50


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(line: str, tmp_path: Path) -> Iterator[FaceswapEngine]:
    yield standin_engine(tmp_path, line)
    left = [path.name for path in (tmp_path / "run").glob("faceswap-*") if path.is_dir()]
    assert left == [], "a run left its shadow behind"
    assert not list((tmp_path / "home").rglob("*.log")) and not (tmp_path / "home" / "config").exists()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return sound_video(tmp_path / "clip.mp4")


def extract_request(clip: Path, tmp_path: Path, **changes: object) -> ExtractRequest:
    names = [f"clip_{number:06d}.mp4" for number in range(1, FRAMES + 1)]
    known = tmp_path / "known.json"
    if not known.exists():
        known.write_text(json.dumps(detections(names, small=(names[3],))))
    values: dict[str, object] = {
        "source": clip,
        "faces_dir": tmp_path / "faces",
        "alignments": tmp_path / "alignments" / "clip_alignments.fsa",
        "work_dir": tmp_path / "run",
        "size": 64,
        "options": {"import_json": str(known)},
    }
    return ExtractRequest(**{**values, **changes})  # type: ignore[arg-type]


def train_request(tmp_path: Path, **changes: object) -> TrainRequest:
    values: dict[str, object] = {
        "faces_a": tmp_path / "faces",
        "faces_b": tmp_path / "faces",
        "model_dir": tmp_path / "model",
        "work_dir": tmp_path / "run",
        "model": "lightweight",
        "iterations": 6,
        "batch_size": 2,
        "save_every": 3,
    }
    return TrainRequest(**{**values, **changes})  # type: ignore[arg-type]


def convert_request(clip: Path, tmp_path: Path, **changes: object) -> ConvertRequest:
    values: dict[str, object] = {
        "source": clip,
        "alignments": tmp_path / "alignments" / "clip_alignments.fsa",
        "model_dir": tmp_path / "model",
        "output": tmp_path / "result.mp4",
        "work_dir": tmp_path / "run",
    }
    return ConvertRequest(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def extracted(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> Path:
    engine.extract(extract_request(clip, tmp_path), no_progress)
    return clip


@pytest.fixture
def trained(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> Path:
    engine.train(train_request(tmp_path, iterations=2), lambda _event: None)
    return extracted


# --- extract -------------------------------------------------------------------------------------------------------


def test_detections_are_imported_and_small_ones_left_out(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    result = engine.extract(extract_request(clip, tmp_path), lambda *step: seen.append(step))
    assert result.frames == FRAMES
    assert len(result.faces) == FRAMES - 1 and "clip_000004_0.png" not in result.faces
    assert sorted(path.name for path in (tmp_path / "faces").iterdir()) == list(result.faces)
    assert len(read_alignments(result.alignments).frames) == FRAMES
    assert seen[-1] == ("extract", FRAMES, FRAMES)


def test_extracting_again_runs_nothing_and_brings_no_rejected_face_back(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    (tmp_path / "faces" / "clip_000001_0.png").unlink()
    stamp = (tmp_path / "alignments" / "clip_alignments.fsa").stat().st_mtime_ns
    again = engine.extract(extract_request(extracted, tmp_path), no_progress)
    assert len(again.faces) == FRAMES - 2
    assert not (tmp_path / "faces" / "clip_000001_0.png").exists()
    assert again.alignments.stat().st_mtime_ns == stamp


def test_every_nth_frame(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    result = engine.extract(extract_request(clip, tmp_path, every_nth=10), no_progress)
    assert result.faces == tuple(f"clip_{number:06d}_0.png" for number in (1, 11, 21, 31, 41))


def test_a_folder_of_pictures(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (160, 120), (number * 40, 90, 20)).save(folder / f"photo{number}.png")
    known = tmp_path / "photos.json"
    known.write_text(json.dumps(detections([f"photo{number}.png" for number in range(3)])))
    request = extract_request(clip, tmp_path, source=folder, options={"import_json": str(known)})
    result = engine.extract(request, no_progress)
    assert result.faces == ("photo0_0.png", "photo1_0.png", "photo2_0.png")
    assert sorted(path.name for path in folder.iterdir()) == ["photo0.png", "photo1.png", "photo2.png"]


def test_a_killed_detection_goes_on_from_its_last_save(
    line: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = standin_engine(tmp_path, line, weights=True)
    long = sound_video(tmp_path / "long.mp4", size="64x48", seconds=6)
    request = extract_request(clip, tmp_path, source=long, options={}, size=16)
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "kill:130")
    with pytest.raises(EngineError, match="SIGKILL"):
        engine.extract(request, no_progress)
    assert not request.alignments.exists() and not request.faces_dir.exists()
    monkeypatch.delenv("GALLOWAY_STANDIN_FAULT")
    result = engine.extract(request, no_progress)
    assert len(result.faces) == 150
    log = (tmp_path / "run" / "faceswap-extract.log").read_text()
    assert "Skipping 100 frames" in log


def test_missing_weights_are_explained(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="--detector galloway"):
        engine.extract(extract_request(clip, tmp_path, options={}, detector="s3fd"), no_progress)


def test_without_weights_and_without_a_wish_our_own_detections_are_used(
    engine: FaceswapEngine, clip: Path, tmp_path: Path
) -> None:
    result = engine.extract(extract_request(clip, tmp_path, options={}), no_progress)
    assert result.frames == FRAMES
    assert (tmp_path / "run" / "extract" / "clip.mp4" / "detections.json").is_file()


def test_detections_of_another_clip_are_refused(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(detections(["other_000001.mp4"])))
    with pytest.raises(EngineError, match=r"clip_000001\.mp4"):
        engine.extract(extract_request(clip, tmp_path, options={"import_json": str(other)}), no_progress)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {"no_such": "1"}}, "no option 'no_such'"),
        ({"options": {}, "detector": "dlib"}, "no detector 'dlib'"),
        ({"options": {}, "aligner": "dlib"}, "no aligner 'dlib'"),
        ({"options": {"import_json": "nowhere.json"}}, "does not exist"),
        ({"source": Path("nowhere.mp4")}, "does not exist"),
    ],
)
def test_what_extract_cannot_do_is_named(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        engine.extract(extract_request(clip, tmp_path, **changes), no_progress)


# --- train ---------------------------------------------------------------------------------------------------------


def test_losses_saves_and_previews_arrive_as_events(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    events: list[TrainEvent] = []
    result = engine.train(train_request(tmp_path), events.append)
    assert (result.iterations, result.stopped) == (6, "done")
    assert [event.iteration for event in events if event.kind == "loss"] == [1, 2, 3, 4, 5, 6]
    assert len([event for event in events if event.kind == "saved"]) == 4
    previews = [event.path for event in events if event.kind == "preview"]
    assert [path.name for path in previews if path] == ["00000002.png", "00000004.png"]
    assert result.preview == previews[-1] and result.preview is not None and result.preview.is_file()
    assert len(list((tmp_path / "run" / "timelapse" / "out").glob("*.jpg"))) == 3
    assert result.command[1:3] == ("faceswap.py", "train") and "-n" not in result.command


def test_a_preview_that_falls_on_a_save_is_not_missed(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    result = engine.train(train_request(tmp_path, iterations=2, save_every=2), lambda _event: None)
    assert result.preview is not None and result.preview.name == "00000002.png"


def test_training_goes_on_where_it_stood(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    engine.train(train_request(tmp_path), lambda _event: None)
    losses: list[int] = []
    result = engine.train(
        train_request(tmp_path, iterations=2), lambda e: losses.append(e.iteration) if e.kind == "loss" else None
    )
    assert losses == [7, 8] and result.iterations == 8


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
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        seen: list[int] = []

        def tell(event: TrainEvent) -> None:
            if event.kind == "loss":
                seen.append(event.iteration)
                if len(seen) == 3:
                    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

        result = engine.train(train_request(tmp_path, iterations=1000, save_every=500), tell)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.stopped == "interrupted" and 3 <= result.iterations < 1000


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


# --- convert -------------------------------------------------------------------------------------------------------


def pixel(path: Path, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    frame = next(frame for frame in open_source(path).read() if frame.number == number)
    return frame.image[50, 60]


def is_swapped(path: Path, number: int) -> bool:
    return bool(np.abs(pixel(path, number).astype(int) - SWAPPED).max() < 25)


def test_skipped_frames_keep_their_pixels_and_sound_stays(
    engine: FaceswapEngine, trained: Path, tmp_path: Path
) -> None:
    request = convert_request(
        trained,
        tmp_path,
        ranges=(FrameRange(1, 30),),
        skip=(FrameRange(11, 20),),
        side_by_side=tmp_path / "side.mp4",
        contact_sheet=tmp_path / "sheet.png",
    )
    result = engine.convert(request, no_progress)
    # Frame 4 holds no approved face.
    assert (result.frames, result.swapped, result.faces, result.has_sound) == (FRAMES, 19, 19, True)
    assert count_pyav(result.output) == FRAMES
    swapped = [is_swapped(result.output, number) for number in (1, 4, 10, 11, 20, 21, 30, 31)]
    assert swapped == [True, False, True, False, False, True, True, False]
    side = open_source(tmp_path / "side.mp4")
    assert (side.width, side.height, count_pyav(side.path)) == (320, 120, FRAMES)
    assert (tmp_path / "sheet.png").is_file()


def test_a_killed_conversion_goes_on(
    engine: FaceswapEngine, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "kill:20")
    with pytest.raises(EngineError, match="SIGKILL"):
        engine.convert(convert_request(trained, tmp_path), no_progress)
    assert not (tmp_path / "result.mp4").exists()
    monkeypatch.delenv("GALLOWAY_STANDIN_FAULT")
    first: list[int] = []
    result = engine.convert(convert_request(trained, tmp_path), lambda what, done, _total: first.append(done))
    assert first[0] == 19 and result.swapped == FRAMES - 1


def test_frames_that_faceswap_leaves_out_are_an_error(
    engine: FaceswapEngine, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "refuse:5")
    with pytest.raises(EngineError, match="left out 1 of 49 frames"):
        engine.convert(convert_request(trained, tmp_path), no_progress)


def test_pictures_are_kept_beside_the_video_on_request(engine: FaceswapEngine, trained: Path, tmp_path: Path) -> None:
    engine.convert(convert_request(trained, tmp_path, writer="pillow", ranges=(FrameRange(1, 3),)), no_progress)
    assert len(list((tmp_path / "result_frames").glob("*.png"))) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"color": "red"}, "no colour 'red'"),
        ({"writer": "gif"}, "no writer 'gif'"),
        ({"options": {"speed": "1"}}, "no option 'speed'"),
        ({"ranges": (FrameRange(4, 4),)}, "No approved face"),
        ({"model_dir": Path("nowhere")}, "galloway train"),
        ({"alignments": Path("nowhere.fsa")}, "galloway merge"),
    ],
)
def test_what_convert_cannot_do_is_named(
    engine: FaceswapEngine, trained: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        engine.convert(convert_request(trained, tmp_path, **changes), no_progress)


def test_the_backend_prompt_cannot_hang_a_run(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACESWAP_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert engine.extract(extract_request(clip, tmp_path), no_progress).frames == FRAMES


# --- what a killed galloway leaves -----------------------------------------------------------------------------------

_TRAIN_UNTIL_KILLED = """
import sys
from pathlib import Path
from pipeline.engines.base import TrainRequest
from pipeline.engines.faceswap import FaceswapEngine
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


def test_our_own_detections_need_no_weights(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    names = [f"clip_{number:06d}.mp4" for number in range(1, FRAMES + 1)]
    stage = tmp_path / "run" / "extract" / "clip.mp4"
    request = extract_request(clip, tmp_path, detector="galloway", options={})
    result = engine.extract(request, no_progress)
    assert result.frames == FRAMES and result.faces == ()
    assert set(read_alignments(result.alignments).frames) == set(names)
    assert json.loads((stage / "detections.json").read_text())[names[0]] == []
