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
from galloway.pipeline.engines.base import EngineError, FrameRange, MadeOtherwise, TrainEvent
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


@pytest.fixture
def fresh(engine: FaceswapEngine, tmp_path: Path) -> FaceswapEngine:
    """An engine whose checkout was never run, so that it has no settings of its own, and whose workspace has some."""
    own = tmp_path / "workspace" / "faceswap"
    own.mkdir(parents=True)
    engine.program = replace(engine.program, settings=own)
    return engine


def lay(engine: FaceswapEngine, text: str, name: str = "train.ini") -> None:
    assert engine.program.settings is not None
    (engine.program.settings / name).write_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[global]\nlerning_rate = 1\n", "Is learning_rate meant"),
        ("[globl]\nlearning_rate = 1e-5\n", r"Is \[global\] meant"),
        ("[DEFAULT]\nlearning_rate = 1e-5\n", r"no section \[DEFAULT\]"),
        ("[global]\nlearning_rate = fast\n", r"train\.ini: .*learning_rate = fast in \[global\].* 1e-06 to 0\.0001"),
        ("[global]\nlearning_rate = nan\n", "takes a number"),
        ("[global]\nlearning_rate\n", "takes a number"),
        ("[global]\nnan_protection = maybe\n", "takes yes or no"),
        ("[global]\nsave_optimizer = sometimes\n", "takes one of: never, always, exit"),
        ("[global.loss]\nmask_type = nonsense\n", "takes one of: none, components, extended"),
        ("[model.phaze_a]\nfreeze_layers = encoder, brain\n", "takes any of: encoder, decoder_a"),
        ("[trainer.look]\nmask_color = red\n", "#rrggbb"),
    ],
)
def test_names_and_values_are_checked_where_the_checkout_was_never_run(
    fresh: FaceswapEngine, extracted: Path, tmp_path: Path, text: str, words: str
) -> None:
    lay(fresh, text)
    with pytest.raises(EngineError, match=words):
        fresh.train(train_request(tmp_path), lambda _event: None)
    assert not (tmp_path / "run" / "faceswap-train.log").exists(), "faceswap was started"


def test_values_that_faceswap_takes_pass(
    fresh: FaceswapEngine, line: str, extracted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lay(fresh, "[global]\nlearning_rate = 2e-5\nnan_protection = OFF\n[global.loss]\nmask_type = None\n")
    lay(fresh, "[color.manual_balance]\ncolorspace = RGB\n", "convert.ini")
    fresh.train(train_request(tmp_path, iterations=2), lambda _event: None)
    assert "learning_rate = 2e-5" in (tmp_path / "run" / "config" / "train.ini").read_text()
    assert not caplog.records
    lay(fresh, "[color.manual_balance]\ncolorspace = rgb\n[mask.mask_blend]\npasses = 9\n", "convert.ini")
    if line == "master":
        fresh.train(train_request(tmp_path, iterations=2), lambda _event: None)
        assert "passes = 9 in [mask.mask_blend] is not in 1 to 8" in caplog.text
    else:
        with pytest.raises(EngineError, match="takes one of: RGB, HSV"):
            fresh.train(train_request(tmp_path, iterations=2), lambda _event: None)


def test_settings_of_a_faceswap_that_does_not_tell_are_used_unchecked_and_that_is_said(
    set_once: FaceswapEngine, extracted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home" / "lib" / "logger.py").write_text("raise ImportError('no such thing')")
    lay(set_once, "[global]\nlearning_rate = fast\n")
    set_once.train(train_request(tmp_path, iterations=2), lambda _event: None)
    assert "no such thing" in caplog.text and "unchecked" in caplog.text
    lay(set_once, "[global]\nlerning_rate = 1\n")
    with pytest.raises(EngineError, match="Is learning_rate meant"):
        set_once.train(train_request(tmp_path), lambda _event: None)


def test_faceswap_is_not_asked_where_nothing_is_set(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / "lib" / "logger.py").write_text(f"open({str(tmp_path / 'asked')!r}, 'w')")
    engine.train(train_request(tmp_path, iterations=2), lambda _event: None)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("place", ["checkout", "workspace"])
def test_an_extraction_with_other_settings_is_another_one(
    fresh: FaceswapEngine, clip: Path, tmp_path: Path, place: str
) -> None:
    def stamp(value: str, **more: frozenset[str]) -> int:
        where = tmp_path / "home" / "config" if place == "checkout" else tmp_path / "workspace" / "faceswap"
        where.mkdir(exist_ok=True)
        (where / "extract.ini").write_text(f"# a word\n[global]\naligner_min_scale = {value}\n")
        fresh.extract(replace(extract_request(clip, tmp_path), **more), no_progress)
        return (tmp_path / "run" / "extract" / "clip.mp4" / "done.json").stat().st_mtime_ns

    first = stamp("0.1")
    assert stamp("0.1") == first, "the same settings are answered by what was done"
    with pytest.raises(MadeOtherwise, match="was made otherwise"):
        stamp("0.2")
    assert stamp("0.2", replaces=frozenset(path.name for path in (tmp_path / "faces").iterdir())) > first
    shutil.rmtree(tmp_path / "home" / "config", ignore_errors=True)


def test_a_conversion_with_other_settings_of_the_checkout_is_another_one(
    engine: FaceswapEngine, trained: Path, tmp_path: Path
) -> None:
    config = tmp_path / "home" / "config"
    config.mkdir()
    stamps = []
    for value in ("1", "1", "2"):
        (config / "convert.ini").write_text(f"[mask.mask_blend]\npasses = {value}\n")
        engine.convert(convert_request(trained, tmp_path), no_progress)
        made = (tmp_path / "run" / "convert" / "clip.mp4" / "out").iterdir()
        stamps.append(min(path.stat().st_mtime_ns for path in made))
    assert stamps[0] == stamps[1] < stamps[2]
    shutil.rmtree(config)


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
