"""What `galloway convert --output` may replace: an earlier swap, and nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import FrameRange
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.encodings import CONTAINERS, Encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages import convert as stage
from galloway.pipeline.stages.convert import convert
from galloway.pipeline.stages.convert_options import ConvertOptions
from galloway.pipeline.workspace.films import written_beside

from tests.support.engines import a_picture, write_clip


class Reached(Exception):
    """The output was accepted and the work begins."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    def begins(_app: App, _scope: str) -> None:
        raise Reached

    monkeypatch.setattr(stage, "check_consent", begins)
    return cast(App, SimpleNamespace(workspace=None))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", [a_picture(64, 48, seed) for seed in range(3)])


def test_footage_and_other_files_are_never_replaced(app: App, clip: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("no video at all")
    for path in (clip, notes):
        before = path.read_bytes()
        with pytest.raises(StageError, match="is there already and no result of this command"):
            convert(app, ConvertOptions(output=path))
        assert path.read_bytes() == before
    (tmp_path / "new.mp4.json").write_text('["mine"]')
    with pytest.raises(StageError, match=r"new\.mp4\.json is there already"):
        convert(app, ConvertOptions(output=tmp_path / "new.mp4"))


def test_what_a_person_put_into_a_result_of_pictures_is_never_taken_with_it(
    app: App, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "swapped"
    rewrite(open_source(clip), folder, lambda frame: frame.image, metadata=METADATA, encoding=Encoding("png"))
    with pytest.raises(Reached):
        convert(app, ConvertOptions(output=folder))
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(StageError, match=r"notes\.txt is there already and no result"):
        convert(app, ConvertOptions(output=folder))


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_an_earlier_swap_may_be_replaced_with_and_without_its_record(
    app: App, clip: Path, tmp_path: Path, suffix: str
) -> None:
    swap = tmp_path / f"swap{suffix}"
    rewrite(open_source(clip), swap, lambda frame: frame.image, metadata=METADATA)
    with pytest.raises(Reached):
        convert(app, ConvertOptions(output=swap))
    written_beside(swap).record.write_text(json.dumps({"run": "train-1", "sha256": "0"}))
    with pytest.raises(Reached):
        convert(app, ConvertOptions(output=swap))
    with pytest.raises(Reached):
        convert(app, ConvertOptions(output=tmp_path / f"another{suffix}"))


def test_the_footage_itself_is_refused_though_it_is_a_swap(
    app: App, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap = tmp_path / "swap.mp4"
    rewrite(open_source(clip), swap, lambda frame: frame.image, metadata=METADATA)
    run = SimpleNamespace(record={"engine": "embedded", "facesets": {}, "model_dir": "models/x"})
    monkeypatch.setattr(stage, "approved_facesets", lambda _app: {})
    for gate in ("check_consent", "check_model"):
        monkeypatch.setattr(stage, gate, lambda _app, _what: None)
    monkeypatch.setattr(stage, "last_model", lambda _app: run)
    monkeypatch.setattr(stage, "sources", lambda _app, side: [SimpleNamespace(name="swap", kind="video", path=swap)])
    app.engine = lambda *_given: None  # type: ignore[assignment, method-assign]
    with pytest.raises(StageError, match="is the footage itself"):
        convert(app, ConvertOptions(output=tmp_path / "." / "swap.mp4"))
    with pytest.raises(StageError, match="--rate is for folders of frames"):
        convert(app, ConvertOptions(output=tmp_path / "new.mp4", rate=Fraction(24)))
    with pytest.raises(StageError, match="--fade softens the ends of what --skip or --where"):
        convert(app, ConvertOptions(output=tmp_path / "new.mp4", fade=10, ranges=(FrameRange(2, 3),)))
