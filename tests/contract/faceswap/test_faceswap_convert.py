"""Conversion against the recorded stand-in of each line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import EngineError, FrameRange
from galloway.pipeline.engines.faceswap import FaceswapEngine
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.landmark_masks import landmark_masks
from numpy.typing import NDArray

from tests.contract.faceswap_standin.convert import SWAPPED
from tests.support.faceswap import FRAMES, convert_request
from tests.support.videos import count_pyav


def pixel(path: Path, number: int) -> NDArray[np.uint8]:
    frame = next(frame for frame in open_source(path).read() if frame.number == number)
    return np.asarray(frame.image[50, 60])


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


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("extnded", "has no mask 'extnded'.*Choose one of: bisenet-fp_face, .*predicted"),
        ("custom", "has no mask 'custom'.*custom_face, custom_head"),
        ("custom_face", rf"{FRAMES - 1} of {FRAMES - 1} faces in clip_alignments.fsa have no mask 'custom_face'"),
        ("predicted", r"learnt no mask.*learn_mask = True in \[global.loss\]"),
    ],
)
def test_a_mask_that_cannot_be_had_is_refused_before_faceswap_starts(
    engine: FaceswapEngine, trained: Path, tmp_path: Path, mask: str, words: str
) -> None:
    (state,) = (tmp_path / "model").glob("*_state.json")
    told = json.loads(state.read_text())
    state.write_text(json.dumps({**told, "config": {"learn_mask": False}}))
    logs = sorted((tmp_path / "run").glob("faceswap-convert*"))
    with pytest.raises(EngineError, match=words):
        engine.convert(convert_request(trained, tmp_path, mask=mask), no_progress)
    assert sorted((tmp_path / "run").glob("faceswap-convert*")) == logs


def test_a_model_that_learnt_a_mask_predicts_it_and_stored_ones_are_used(
    engine: FaceswapEngine, trained: Path, tmp_path: Path
) -> None:
    (state,) = (tmp_path / "model").glob("*_state.json")
    told = json.loads(state.read_text())
    state.write_text(json.dumps({**told, "config": {"learn_mask": True}}))
    some = (FrameRange(1, 3),)
    assert engine.convert(convert_request(trained, tmp_path, mask="predicted", ranges=some), no_progress).swapped == 3
    path = tmp_path / "alignments" / "clip_alignments.fsa"
    known = read_alignments(path)
    for frame in known.frames.values():
        frame.faces[:] = [
            replace(face, masks={"custom_face": landmark_masks(face.landmarks)["extended"]}) for face in frame.faces
        ]
    write_alignments(path, known, "v2.3")
    assert engine.convert(convert_request(trained, tmp_path, mask="custom_face", ranges=some), no_progress).swapped == 3


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
        ({"options": {"swap_model": "maybe"}}, "swap_model is yes or no"),
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
