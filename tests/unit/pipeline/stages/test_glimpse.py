"""A second of the film by the last save: the right frames, a whole model, and nothing of the training's touched."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import imageio_ffmpeg
import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import ConvertRequest, ConvertResult, FrameRange
from galloway.pipeline.engines.beside import show_beside
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.piece import cut_out
from galloway.pipeline.errors import NothingToDo, StageError
from galloway.pipeline.stages import glimpse as stage
from galloway.pipeline.stages.glimpse import _span, glimpse, glimpses
from galloway.pipeline.workspace.runs import runs
from PIL import Image

from tests.support.engines import a_picture, write_clip
from tests.support.judged import film_app
from tests.support.workspace import galloway

RUN = "train-20261126-090500-000000"


class Watcher:
    """An engine that changes nothing and keeps what it was asked, with what lay there then."""

    name = "watcher"

    def convert(self, request: ConvertRequest, progress: object) -> ConvertResult:
        self.request = request
        self.frames = [frame.image for frame in open_source(request.source).read()]
        self.faces = read_alignments(request.alignments).frames
        self.model = {path.name: path.read_bytes() for path in request.model_dir.iterdir()}
        made = rewrite(open_source(request.source), request.output, lambda _frame: None, metadata=dict(METADATA))
        source = open_source(request.source)
        show_beside(source, request.output, (), request.side_by_side, None, lambda *_told: None)
        return ConvertResult(request.output, made.frames, 0, 0, False)


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[App, Watcher]:
    app, _ = film_app(tmp_path / "ws")
    model = app.workspace.path("models", "m", "weights")
    model.write_bytes(b"whole")
    (model.parent / "faces").mkdir()
    (model.parent / "faces" / "a.png").write_bytes(b"not of the model")
    record = {
        "engine": "watcher", "model": "m", "model_dir": "models/m", "facesets": {}, "options": {}, "started_at": "",
    }  # fmt: skip
    app.workspace.path("runs", RUN, "run.json").write_text(json.dumps(record))
    (app.workspace.root / "runs" / RUN / "events.jsonl").write_text('{"kind": "saved", "iteration": 250}\n')
    for gate in ("check_consent", "check_model", "check_trained_on"):
        monkeypatch.setattr(stage, gate, lambda *_given: None)
    monkeypatch.setattr(stage, "standing_facesets", lambda _app: {})
    monkeypatch.setattr(stage, "disclosure", lambda *_given: {})
    watcher = Watcher()
    monkeypatch.setattr(App, "engine", lambda _app, *_given: watcher)
    return app, watcher


def test_the_second_that_was_asked_for_with_its_faces(ready: tuple[App, Watcher]) -> None:
    app, watcher = ready
    made = glimpse(app, 3.0)
    assert (made.first, made.last, made.iteration) == (37, 48, 250)
    source = [frame.image for frame in open_source(app.workspace.root / "sources" / "a" / "clipa.mp4").read()]
    assert np.array_equal(np.stack(watcher.frames), np.stack(source[36:48])), "to the last bit"
    assert sorted(watcher.faces) == [f"clipa_{number:06d}.mkv" for number in range(1, 13)]
    assert watcher.model == {"weights": b"whole"}
    assert watcher.request.label
    assert watcher.request.mark is not None, "it says what it is, as every film does"
    (run,) = runs(app.workspace)
    assert [item.id for item in glimpses(run)] == [made.id]
    assert (run.folder / "films.jsonl").read_text().count(f"{made.id}-side-by-side.mp4") == 1
    assert sorted(path.suffix for path in made.video.parent.iterdir() if not path.name.startswith(".")) == [
        ".json",
        ".mp4",
    ]


def test_a_training_that_holds_the_faces_is_no_hindrance_and_a_save_is_waited_for(ready: tuple[App, Watcher]) -> None:
    app, watcher = ready
    weights = app.workspace.root / "models" / "m" / "weights"

    def save_all_the_time() -> None:
        for number in range(30):
            weights.write_bytes(b"torn" * number)
            time.sleep(0.01)
        weights.write_bytes(b"the new save")

    with app.workspace.reading_faces("training"):
        thread = threading.Thread(target=save_all_the_time)
        thread.start()
        glimpse(app, 0, seconds=0.25)
        thread.join()
        assert set(watcher.model) == {"weights"}
        glimpse(app, 0, seconds=0.25)
    assert watcher.model == {"weights": b"the new save"}


def test_where_there_is_nothing_to_see_it_says_so(ready: tuple[App, Watcher]) -> None:
    app, _ = ready
    with pytest.raises(StageError, match=r"clipa ends after 7\.9 seconds"):
        glimpse(app, 8.5)
    with pytest.raises(StageError, match="up to 10 seconds"):
        glimpse(app, 0, seconds=11)
    with pytest.raises(StageError, match="there are: clipa"):
        glimpse(app, 0, source="other")
    known = app.workspace.root / "facesets" / "a" / "alignments" / "clipa_alignments.fsa"
    found = read_alignments(known)
    assert len(found.frames) == 96
    told = galloway(app, "glimpse", "--at", "99")
    assert told.returncode == 1
    assert "choose an earlier one" in told.stderr


def test_a_stretch_without_faces_is_nothing_to_do(ready: tuple[App, Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = ready
    empty = SimpleNamespace(frames={}, dialect="v2.3", version=2.4)
    monkeypatch.setattr(stage, "read_alignments", lambda _path: empty)
    with pytest.raises(NothingToDo, match="frames 13 to 24"):
        glimpse(app, 1.0)


def test_a_stretch_of_pictures_and_of_a_film_of_uneven_rate(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(6):
        Image.fromarray(a_picture(64, 48, number)).save(pictures / f"{number}.png")
    piece = cut_out(open_source(pictures), FrameRange(3, 4), tmp_path / "one")
    assert [path.name for path in sorted(piece.path.iterdir())] == ["2.png", "3.png"]
    frames = [a_picture(64, 48, seed) for seed in range(9)]
    clip = write_clip(tmp_path / "clip.mp4", frames, pts=[0, 1, 2, 7, 8, 20, 21, 22, 30], time_base=None, rate=10)
    before = [frame.image for frame in open_source(clip).read()]
    piece = cut_out(open_source(clip), FrameRange(4, 6), tmp_path / "two")
    assert np.array_equal([frame.image for frame in piece.read()], before[3:6])


@pytest.mark.parametrize(
    ("name", "words", "at", "wanted"),
    [
        ("whole.mp4", (), 1.0, 26),
        ("cut.mp4", ("-ss", "1.4"), 1.0, 26),  # an edit list hides the ten frames from the keyframe on
        ("late.ts", ("-output_ts_offset", "20"), 2.0, 51),  # whose clock begins at 20 seconds and more
        ("late.ts", ("-output_ts_offset", "20"), 0.0, 1),
    ],
)
def test_the_frames_are_those_of_the_films_own_count(
    tmp_path: Path, name: str, words: tuple[str, ...], at: float, wanted: int
) -> None:
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    made = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=4", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, *made, str(tmp_path / "made.mp4")], check=True)
    before, after = (words, ()) if "-ss" in words else ((), words)
    film = tmp_path / name
    subprocess.run([*ffmpeg, *before, "-i", str(tmp_path / "made.mp4"), "-c", "copy", *after, str(film)], check=True)
    source = open_source(film)
    span = _span(SimpleNamespace(path=film, name=name), at, 0.2)  # type: ignore[arg-type]
    assert (span.first, span.last) == (wanted, wanted + 4)
    frames = [frame.image for frame in source.read()]
    first = next(iter(cut_out(source, span, tmp_path / "piece").read())).image
    assert np.array_equal(first, frames[wanted - 1])
