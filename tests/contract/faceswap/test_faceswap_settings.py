"""Backend, settings and masks: what faceswap is given so that it runs as it should."""

from __future__ import annotations

import configparser
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.headers import read_header, replace_header
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FrameFaces
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import EngineError, FrameRange, TrainEvent
from galloway.pipeline.engines.faceswap import FaceswapEngine
from galloway.pipeline.engines.faceswap.masks import masked_alignments

from tests.support.engines import landmarks_at, tree_digest
from tests.support.faceswap import FRAMES, convert_request, extract_request, train_request


def test_the_backend_prompt_cannot_hang_a_run(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACESWAP_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert engine.extract(extract_request(clip, tmp_path), no_progress).frames == FRAMES


# --- settings of a workspace -------------------------------------------------------------------------------------

USERS = """[global]
# how fast it learns
learning_rate = 5e-05
nan_protection = True

[global.loss]
mask_type = extended
"""


@pytest.fixture
def set_once(engine: FaceswapEngine, tmp_path: Path) -> Iterator[FaceswapEngine]:
    """An engine whose checkout has settings, and whose workspace sets one of them."""
    config = tmp_path / "home" / "config"
    config.mkdir()
    (config / "train.ini").write_text(USERS)
    own = tmp_path / "workspace" / "faceswap"
    own.mkdir(parents=True)
    (own / "train.ini").write_text("[global]\nlearning_rate = 2e-05\n")
    engine.program = replace(engine.program, settings=own)
    yield engine
    assert [path.name for path in config.iterdir()] == ["train.ini"], "something was written into the checkout"
    assert (config / "train.ini").read_text() == USERS
    shutil.rmtree(config)


def test_what_a_workspace_sets_is_used_in_every_run_and_kept_with_it(
    set_once: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        set_once.train(train_request(tmp_path, work_dir=tmp_path / name, iterations=2), lambda _event: None)
        kept = (tmp_path / name / "config" / "train.ini").read_text()
        assert "learning_rate = 2e-05" in kept
        assert "nan_protection = True" in kept
    assert set_once.settings() == ["train.ini [global] learning_rate = 2e-05"]


def test_settings_that_change_are_those_of_the_next_extraction_and_conversion(
    set_once: FaceswapEngine, trained: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "run" / "config" / "convert.ini"
    made = tmp_path / "run" / "convert" / "clip.mp4" / "out"
    stamps = []
    for value in ("1", "1", "2"):
        (tmp_path / "workspace" / "faceswap" / "convert.ini").write_text(f"[mask.mask_blend]\npasses = {value}\n")
        set_once.convert(convert_request(trained, tmp_path), no_progress)
        assert f"passes = {value}" in kept.read_text()
        stamps.append(min(path.stat().st_mtime_ns for path in made.iterdir()))
    assert stamps[0] == stamps[1] < stamps[2], "swapped again where the settings changed, and only there"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[global]\nlerning_rate = 1\n", "Is learning_rate meant"),
        ("[global]\nmask_type = none\n", r"It stands in \[global\.loss\]"),
        ("[globl]\nlearning_rate = 1\n", r"Is \[global\] meant"),
        ("learning_rate = 1\n", "cannot be read as settings"),
    ],
)
def test_a_setting_that_faceswap_does_not_have_is_named(
    set_once: FaceswapEngine, extracted: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "workspace" / "faceswap" / "train.ini").write_text(text)
    with pytest.raises(EngineError, match=words):
        set_once.train(train_request(tmp_path), lambda _event: None)


def test_a_file_of_settings_that_faceswap_does_not_read_is_named(set_once: FaceswapEngine, tmp_path: Path) -> None:
    (tmp_path / "workspace" / "faceswap" / "training.ini").write_text("[global]\n")
    with pytest.raises(EngineError, match=r"training\.ini is none of faceswap's settings"):
        set_once.settings()


# --- masks ---------------------------------------------------------------------------------------------------------


def without_masks(faces: Path) -> None:
    for path in faces.glob("*.png"):
        header = read_header(path)
        replace_header(path, replace(header, alignment=replace(header.alignment, masks={})))


def test_faces_without_stored_masks_train_on_both_lines_and_stay_as_they_are(
    engine: FaceswapEngine, line: str, extracted: Path, tmp_path: Path
) -> None:
    without_masks(tmp_path / "faces")
    before = tree_digest(tmp_path / "faces")
    events: list[TrainEvent] = []
    engine.train(train_request(tmp_path, iterations=2), events.append)
    assert tree_digest(tmp_path / "faces") == before
    assert any("copies with masks" in event.text for event in events) == (line == "v2.3.0")
    (tmp_path / "faces" / sorted(path.name for path in (tmp_path / "faces").iterdir())[0]).unlink()
    engine.train(train_request(tmp_path, iterations=2), events.append)
    if line == "v2.3.0":
        copied = tmp_path / "model" / "faces" / "a"
        assert {path.name for path in copied.iterdir()} == {path.name for path in (tmp_path / "faces").iterdir()}
        assert all({"components", "extended"} <= set(read_header(path).alignment.masks) for path in copied.iterdir())


@pytest.mark.parametrize("writer", ["opencv", "pillow"])
def test_pictures_are_written_for_us_whatever_format_is_set(
    engine: FaceswapEngine, trained: Path, tmp_path: Path, writer: str
) -> None:
    config = tmp_path / "home" / "config"
    config.mkdir(exist_ok=True)
    users = f"[writer.{writer}]\n# mine\nformat = jpg\ndraw_transparent = True\njpg_quality = 60\n"
    (config / "convert.ini").write_text(users)
    own = tmp_path / "workspace" / "faceswap"
    own.mkdir(parents=True)
    (own / "convert.ini").write_text(f"[writer.{writer}]\nformat = jpg\n")
    engine.program = replace(engine.program, settings=own)
    engine.convert(convert_request(trained, tmp_path, ranges=(FrameRange(1, 3),), writer=writer), no_progress)
    used = configparser.RawConfigParser()
    used.read(tmp_path / "run" / "config" / "convert.ini")
    told = dict(used[f"writer.{writer}"])
    assert told == {"format": "png", "draw_transparent": "False", "jpg_quality": "60"}
    assert (config / "convert.ini").read_text() == users
    shutil.rmtree(config)


def test_alignments_without_masks_get_them_for_v2_only(line: str, tmp_path: Path) -> None:
    faces = [FaceAlignment(10, 10, 60, 60, landmarks_at(60, 60, 50))]
    write_alignments(tmp_path / "clip.fsa", Alignments({"clip_000001.mp4": FrameFaces(faces)}), "v3")
    masked_alignments(tmp_path / "clip.fsa", tmp_path / "out.fsa", "v2.3.0" if line == "v2.3.0" else "master")
    masks = read_alignments(tmp_path / "out.fsa").frames["clip_000001.mp4"].faces[0].masks
    assert set(masks) == ({"components", "extended"} if line == "v2.3.0" else set())
