"""Conversion: which frames and faces are swapped, what is kept, what is written beside."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import ConvertRequest, EngineError, FrameRange
from galloway.pipeline.engines.embedded import swapper
from galloway.pipeline.engines.embedded.convert import convert
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.frames import open_source
from PIL import Image

from tests.support.engines import (
    Blind,
    a_picture,
    drawn_face,
    green_model,
    landmarks_at,
    write_clip,
    write_drawn_alignments,
)

POINTS = [landmarks_at(80 + 2 * index, 60, 50, roll=index) for index in range(6)]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return green_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [drawn_face(points, 160, 120) for points in POINTS]
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames)


def a_request(root: Path, clip: Path, model: Path, **changes: object) -> ConvertRequest:
    found = {f"{clip.stem}_{number:06d}.mp4": [POINTS[number - 1]] for number in (1, 2, 3, 4, 6)}
    request = ConvertRequest(
        source=clip,
        alignments=write_drawn_alignments(root / "clip_alignments.fsa", found),
        model_dir=model,
        output=root / "out" / "swapped.mp4",
        work_dir=root / "run",
        color="none",
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def green_frames(path: Path) -> list[int]:
    return [
        frame.number
        for frame in open_source(path).read()
        if frame.image[60, 90, 1] > 200 and frame.image[60, 90, 0] < 90
    ]


def test_only_frames_with_approved_faces_are_swapped(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    seen: list[int] = []
    result = convert(a_request(tmp_path, clip, model_dir), lambda _what, done, _total: seen.append(done))
    assert green_frames(result.output) == [1, 2, 3, 4, 6]
    assert (result.frames, result.swapped, result.faces, result.has_sound) == (6, 5, 5, True)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_ranges_and_skips_keep_the_rest(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    request = a_request(
        tmp_path, clip, model_dir, ranges=(FrameRange(2, 4), FrameRange(6, 9)), skip=(FrameRange(3, 3),)
    )
    assert green_frames(convert(request, no_progress).output) == [2, 4, 6]


def test_frames_without_an_approved_face_are_no_film(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    request = a_request(tmp_path, clip, model_dir, ranges=(FrameRange(5000, 6000),))
    with pytest.raises(EngineError, match=r"No approved face of .* lies in the chosen frames"):
        convert(request, no_progress)
    assert not request.output.exists(), "and the film before it would still be there"


def test_the_swap_comes_and_goes_beside_what_is_skipped(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    request = a_request(tmp_path, clip, model_dir, skip=(FrameRange(3, 3),), fade=1)
    plain = {f.number: f.image[60, 90].astype(float) for f in open_source(clip).read()}
    whole = {f.number: f.image[60, 90].astype(float) for f in open_source(convert(request, no_progress).output).read()}
    full = whole[1] - plain[1]
    for number, share in ((1, 1.0), (2, 0.5), (3, 0.0), (4, 0.5)):
        assert np.abs(whole[number] - plain[number] - share * full).max() < 25, number


def test_the_mp4_says_that_it_is_a_face_swap_and_keeps_sound_and_times(
    tmp_path: Path, clip: Path, model_dir: Path
) -> None:
    result = convert(a_request(tmp_path, clip, model_dir, metadata={"artist": "somebody"}), no_progress)
    with av.open(str(result.output)) as new, av.open(str(clip)) as old:
        assert "Face swap" in new.metadata["comment"]
        assert new.metadata["artist"] == "somebody"
        assert [f.time for f in new.decode(video=0)] == [f.time for f in old.decode(video=0)]
    with av.open(str(result.output)) as new, av.open(str(clip)) as old:
        samples = [[f.to_ndarray() for f in one.decode(audio=0)] for one in (new, old)]
    assert np.array_equal(np.concatenate(samples[0], axis=1), np.concatenate(samples[1], axis=1))


def test_it_says_where_hardly_anything_is_swapped(
    tmp_path: Path, clip: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapper, "trusted", lambda _folder: Blind())
    done = convert(a_request(tmp_path, clip, model_dir), no_progress)
    assert done.hidden == (FrameRange(4, 4), FrameRange(6, 6))
    request = a_request(tmp_path, clip, model_dir, options={"occlusion": "no"})
    assert convert(request, no_progress).hidden == ()


def test_side_by_side_and_contact_sheet(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    request = a_request(
        tmp_path, clip, model_dir, side_by_side=tmp_path / "side.mp4", contact_sheet=tmp_path / "sheet.png"
    )
    convert(request, no_progress)
    frames = list(open_source(tmp_path / "side.mp4").read())
    assert {frame.image.shape for frame in frames} == {(120, 320, 3)}
    left, right = frames[0].image[60, 90], frames[0].image[60, 250]
    assert right[1] > 200 > left[1] or right[0] < 90 < left[0]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1200


def test_twice_gives_the_same_file(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    request = a_request(tmp_path, clip, model_dir)
    first = convert(request, no_progress).output.read_bytes()
    assert convert(request, no_progress).output.read_bytes() == first


def test_an_interrupted_run_leaves_nothing_broken(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    def interrupt(_what: str, done: int, _total: int | None) -> None:
        if done == 3:
            raise KeyboardInterrupt

    request = a_request(tmp_path, clip, model_dir)
    with pytest.raises(KeyboardInterrupt):
        convert(request, interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_of_pictures_is_converted(tmp_path: Path, model_dir: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, points in enumerate(POINTS[:3]):
        Image.fromarray(drawn_face(points, 160, 120)).save(folder / f"p{index}.png")
    alignments = write_drawn_alignments(tmp_path / "photos.fsa", {"p1.png": [POINTS[1]]})
    request = a_request(tmp_path, folder, model_dir, alignments=alignments)
    result = convert(request, no_progress)
    assert green_frames(result.output) == [2]
    assert not result.has_sound


def test_odd_sizes_side_by_side(tmp_path: Path, model_dir: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [a_picture(61, 45)] * 2, sound=False)
    side = tmp_path / "side.mp4"
    result = convert(a_request(tmp_path, clip, model_dir, side_by_side=side), no_progress)
    assert result.frames == 2
    assert len(list(open_source(side).read())) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mask": "bisenet"}, "no mask"),
        ({"color": "rainbow"}, "no color"),
        ({"writer": "gif"}, "no writer"),
        ({"output": Path("out.avi")}, "mp4"),
        ({"model_dir": Path("nowhere")}, "galloway train"),
        ({"source": Path("missing.mp4")}, "does not exist"),
    ],
)
def test_what_cannot_be_converted_is_refused(
    tmp_path: Path, clip: Path, model_dir: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        convert(a_request(tmp_path, clip, model_dir, **changes), no_progress)


def test_alignments_of_another_source_are_refused(tmp_path: Path, clip: Path, model_dir: Path) -> None:
    other = write_drawn_alignments(tmp_path / "other.fsa", {"holiday_000001.mp4": [POINTS[0]]})
    with pytest.raises(EngineError, match="belongs to another source"):
        convert(a_request(tmp_path, clip, model_dir, alignments=other), no_progress)
    damaged = tmp_path / "damaged.fsa"
    damaged.write_bytes(b"junk")
    with pytest.raises(EngineError, match=r"damaged\.fsa"):
        convert(a_request(tmp_path, clip, model_dir, alignments=damaged), no_progress)


def test_the_engine_is_usable_here_and_says_with_what() -> None:
    report = EmbeddedEngine().check()
    assert (report.engine, report.usable) == ("embedded", True)
    assert {check.name for check in report.checks} >= {"tensorflow", "onnxruntime", "dlib", "face detector"}


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    # A module that is None in sys.modules is Python's own way of saying "not here".
    monkeypatch.setitem(sys.modules, "dlib", None)
    from galloway.pipeline.engines.embedded.detect import FaceFinder

    with pytest.raises(EngineError, match=r"dlib is not installed.*galloway\[embedded\]"):
        FaceFinder()
