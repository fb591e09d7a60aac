"""Extraction against the recorded stand-in of each line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import EngineError, MadeOtherwise
from galloway.pipeline.engines.faceswap import FaceswapEngine

from tests.support.faceswap import FRAMES, detections, extract_request, standin_engine
from tests.support.videos import sound_video


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


def test_other_settings_replace_the_faces_of_the_extraction_before_and_no_other_file(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path
) -> None:
    faces, known = tmp_path / "faces", tmp_path / "alignments" / "clip_alignments.fsa"
    (faces / "mine.png").write_bytes(b"a person's")
    before = {path.name: path.read_bytes() for path in (*faces.iterdir(), known)}
    with pytest.raises(MadeOtherwise):
        engine.extract(extract_request(extracted, tmp_path, every_nth=10), no_progress)
    assert {path.name: path.read_bytes() for path in (*faces.iterdir(), known)} == before
    result = engine.extract(extract_request(extracted, tmp_path, every_nth=10, replaces=frozenset()), no_progress)
    assert result.faces == tuple(f"clip_{number:06d}_0.png" for number in (1, 11, 21, 31, 41))
    assert {path.name for path in faces.iterdir()} == {*result.faces, "mine.png"}
    again = engine.extract(extract_request(extracted, tmp_path, every_nth=10), no_progress)
    assert again == result
    theirs = extract_request(extracted, tmp_path, every_nth=10, made_by="embedded")
    with pytest.raises(MadeOtherwise):
        engine.extract(theirs, no_progress)


def test_a_file_of_a_persons_is_not_written_over_by_a_new_face(
    engine: FaceswapEngine, clip: Path, tmp_path: Path
) -> None:
    engine.extract(extract_request(clip, tmp_path, every_nth=10), no_progress)
    (tmp_path / "faces" / "clip_000002_0.png").write_bytes(b"a person's")
    with pytest.raises(EngineError, match=r"clip_000002_0\.png.*Move it away"):
        engine.extract(extract_request(clip, tmp_path, replaces=frozenset()), no_progress)
    assert (tmp_path / "faces" / "clip_000002_0.png").read_bytes() == b"a person's"


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


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({"detector": "retinaface", "options": {}}, "retinaface.zip"),
        ({"options": {"filter": "face.png"}, "detector": "galloway"}, "vggface2.zip"),
        ({"options": {"masker": "bisenet-fp"}, "detector": "galloway"}, "bisnet.zip"),
    ],
)
def test_a_faceswap_that_hangs_for_want_of_weights_is_ended(
    line: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], file: str
) -> None:
    engine = standin_engine(tmp_path, line)
    (tmp_path / "face.png").touch()
    monkeypatch.chdir(tmp_path)
    if line == "v2.3.0" and changes["detector"] == "retinaface":
        changes, file = {**changes, "detector": "s3fd"}, "s3fd_keras_v2.zip"
    with pytest.raises(EngineError) as told:
        engine.extract(extract_request(clip, tmp_path, **changes), no_progress)
    message = str(told.value)
    assert f"{file} " in message and "https://github.com/deepfakes-models/" in message
    assert f"unzip it into {tmp_path / 'home' / '.fs_cache'}" in message
    assert ("--detector galloway" in message) == (changes["detector"] != "galloway")


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({"detector": "retinaface", "options": {}}, "retinaface.zip"),
        ({"options": {"masker": "bisenet-fp"}, "detector": "galloway"}, "bisnet.zip"),
    ],
)
def test_a_faceswap_that_hangs_over_weights_it_cannot_unpack_is_ended(
    line: str,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    file: str,
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", "unzip:1")
    engine = standin_engine(tmp_path, line)
    if line == "v2.3.0" and changes["detector"] == "retinaface":
        changes, file = {**changes, "detector": "s3fd"}, "s3fd_keras_v2.zip"
    half = file.replace(".zip", ".pth")
    (tmp_path / "home" / ".fs_cache" / half).touch()
    with pytest.raises(EngineError) as told:
        engine.extract(extract_request(clip, tmp_path, **changes), no_progress)
    message = str(told.value)
    assert "cannot be unpacked (File is not a zip file)" in message
    assert f"Delete {half} and {file} in {tmp_path / 'home' / '.fs_cache'}" in message
    assert ("--detector galloway" in message) == (changes["detector"] != "galloway")


@pytest.mark.parametrize("fault", ["", "unzip:1"])
def test_without_weights_and_without_a_wish_our_own_detections_are_used(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("GALLOWAY_STANDIN_FAULT", fault)
    result = engine.extract(extract_request(clip, tmp_path, options={}), no_progress)
    assert result.frames == FRAMES
    assert (tmp_path / "run" / "extract" / "clip.mp4" / "detections.json").is_file()


@pytest.mark.parametrize("wrong", ["clip_000007.mp3", "Clip_000007.mp4", "clip_7.mp4"])
def test_one_misspelt_frame_among_the_imported_detections_is_refused(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, wrong: str
) -> None:
    names = [f"clip_{number:06d}.mp4" for number in range(1, FRAMES + 1)]
    names[6] = wrong
    known = tmp_path / "misspelt.json"
    known.write_text(json.dumps(detections(names)))
    with pytest.raises(
        EngineError, match=rf"names 1 frames \(of {FRAMES}\).*first is {wrong}; .*like clip_000001\.mp4"
    ):
        engine.extract(extract_request(clip, tmp_path, options={"import_json": str(known)}), no_progress)


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
        ({"options": {"import_json": "nowhere.json"}}, r"nowhere\.json does not exist; the option import_json"),
        ({"options": {"import_alignments": "nowhere.fsa"}}, r"nowhere\.fsa does not exist"),
        ({"options": {"filter": "no/one.png"}}, r"no/one\.png does not exist; the option filter"),
        ({"options": {"nfilter": "'a.png"}}, "cannot be read as paths"),
        ({"options": {"re_align": "maybe"}}, "re_align is yes or no"),
        ({"source": Path("nowhere.mp4")}, "does not exist"),
    ],
)
def test_what_extract_cannot_do_is_named(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        engine.extract(extract_request(clip, tmp_path, **changes), no_progress)


def test_paths_are_those_of_the_folder_where_the_command_was_typed(
    engine: FaceswapEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "my people"
    there.mkdir()
    for name in ("him.png", "the two.png"):
        (there / name).touch()
    monkeypatch.chdir(there)
    given: list[str] = []

    def run(_script: str, arguments: list[str], *_rest: object) -> None:
        given.extend(arguments)
        raise EngineError("seen")

    monkeypatch.setattr(type(engine.program), "run", lambda _program, *call: run(*call))
    request = extract_request(clip, tmp_path)
    request.options.update(filter="him.png 'the two.png'", nfilter="the two.png", re_align="on")
    with pytest.raises(EngineError, match="seen"):
        engine.extract(request, no_progress)
    him, both = str(there / "him.png"), str(there / "the two.png")
    at = given.index("-f")
    assert given[at : at + 6] == ["-f", him, both, "-n", both, "-a"]


def test_detections_named_from_where_the_command_was_typed_are_imported(
    engine: FaceswapEngine, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = tmp_path / "run" / "extract" / "clip.mp4" / "done.json"
    stamp = done.stat().st_mtime_ns
    engine.extract(extract_request(extracted, tmp_path, options={"import_json": "known.json"}), no_progress)
    assert done.stat().st_mtime_ns == stamp, "the same file by another spelling"


def test_our_own_detections_need_no_weights(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> None:
    names = [f"clip_{number:06d}.mp4" for number in range(1, FRAMES + 1)]
    stage = tmp_path / "run" / "extract" / "clip.mp4"
    request = extract_request(clip, tmp_path, detector="galloway", options={})
    result = engine.extract(request, no_progress)
    assert result.frames == FRAMES and result.faces == ()
    assert set(read_alignments(result.alignments).frames) == set(names)
    assert json.loads((stage / "detections.json").read_text())[names[0]] == []
