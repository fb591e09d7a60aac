"""Extraction writes faceswap's files, goes on after a kill and changes nothing when run twice."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_header, read_png
from galloway.curation.types import no_progress
from galloway.pipeline.engines.align import transform_points
from galloway.pipeline.engines.base import EngineError, ExtractRequest, MadeOtherwise
from galloway.pipeline.engines.embedded.chip import head_chip
from galloway.pipeline.engines.embedded.extract import extract
from galloway.pipeline.engines.embedded.journal import Journal
from galloway.pipeline.engines.frames import Frame, open_source
from PIL import Image

from tests.support.engines import a_picture, filmed_frames, tree_digest, write_clip


def a_request(root: Path, source: Path, **changes: object) -> ExtractRequest:
    request = ExtractRequest(
        source=source,
        faces_dir=root / "faces",
        alignments=root / "alignments" / f"{source.stem}_alignments.fsa",
        work_dir=root / "work",
        size=96,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = filmed_frames(4)
    frames.insert(2, a_picture(320, 180, seed=5))
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames)


def test_faces_alignments_and_headers_agree(tmp_path: Path, clip: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    result = extract(a_request(tmp_path, clip), lambda *event: seen.append(event))
    assert result.frames == 5
    assert result.faces == tuple(f"clip_{number:06d}_0.png" for number in (1, 2, 4, 5))
    alignments = read_alignments(result.alignments)
    assert list(alignments.frames) == [f"clip_{number:06d}.mp4" for number in range(1, 6)]
    assert alignments.frames["clip_000003.mp4"].faces == []
    frames = {frame.name: frame.image for frame in open_source(clip).read()}
    for name in result.faces:
        header, pixels = read_png(tmp_path / "faces" / name)
        face = alignments.frames[header.source.source_filename].faces[header.source.face_index]
        assert header.source.original_filename == name
        assert header.source.source_frame_dims == (180, 320)
        assert header.alignment.box == face.box
        assert np.array_equal(header.alignment.landmarks, face.landmarks)
        whole = Frame(1, "", partial(frames.__getitem__, header.source.source_filename))
        assert np.abs(pixels.astype(int) - head_chip(whole, face.landmarks, 96)).mean() < 0.5
        mask = face.masks["extended"]
        pixels = np.frombuffer(zlib.decompress(mask.data), np.uint8).reshape(128, 128)
        nose = transform_points(mask.affine_matrix, face.landmarks)[30].round().astype(int)
        assert pixels[nose[1], nose[0]] == 255
        assert pixels[0, 0] == 0
        assert header.alignment.masks == face.masks
        assert face.thumb is not None
        assert face.thumb.startswith(b"\xff\xd8")
    assert seen[-1] == ("extract clip.mp4", 5, 5)


def test_twice_changes_nothing_even_after_faces_were_taken_out(tmp_path: Path, clip: Path) -> None:
    request = a_request(tmp_path, clip)
    first = extract(request, no_progress)
    (request.faces_dir / first.faces[1]).unlink()
    before = tree_digest(tmp_path)
    again = extract(request, no_progress)
    assert tree_digest(tmp_path) == before
    assert again.faces == (first.faces[0], *first.faces[2:])


@pytest.mark.parametrize("kill_at", [1, 2, 4])
def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path, clip: Path, kill_at: int) -> None:
    undisturbed = a_request(tmp_path / "one", clip)
    extract(undisturbed, no_progress)

    def kill(_what: str, done: int, _total: int | None) -> None:
        if done == kill_at:
            raise KeyboardInterrupt

    request = a_request(tmp_path / "two", clip)
    with pytest.raises(KeyboardInterrupt):
        extract(request, kill)
    assert not request.alignments.exists()
    journal = request.work_dir / "extract-clip.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"number":9,"na')
    done: list[int] = []
    extract(request, lambda _what, number, _total: done.append(number))
    assert tree_digest(tmp_path / "two") == tree_digest(tmp_path / "one")


def test_pictures_keep_their_names_and_every_nth_is_taken(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for index, frame in enumerate(filmed_frames(3, "hopper")):
        Image.fromarray(frame).save(photos / f"party {index}.png")
    result = extract(a_request(tmp_path, photos, every_nth=2), no_progress)
    assert result.faces == ("party 0_0.png", "party 2_0.png")
    header = read_header(tmp_path / "faces" / "party 2_0.png")
    assert (header.source.source_filename, header.source.source_is_video) == ("party 2.png", False)


def test_other_settings_start_an_unfinished_run_anew_but_not_a_finished_one(tmp_path: Path, clip: Path) -> None:
    def kill(_what: str, done: int, _total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(a_request(tmp_path, clip), kill)
    result = extract(a_request(tmp_path, clip, size=64, every_nth=2), no_progress)
    found = sorted(path.name for path in (tmp_path / "faces").iterdir())
    assert found == sorted(result.faces) == ["clip_000001_0.png", "clip_000005_0.png"]
    with pytest.raises(EngineError, match="move it and its faces away"):
        extract(a_request(tmp_path, clip), no_progress)


def test_an_extraction_with_other_settings_replaces_the_faces_of_the_one_before_and_no_other_file(
    tmp_path: Path, clip: Path
) -> None:
    first = extract(a_request(tmp_path, clip), no_progress)
    (tmp_path / "faces" / "mine.png").write_bytes(b"a person's")
    former = a_request(tmp_path, clip, size=64, every_nth=2, replaces=frozenset(first.faces))
    before = tree_digest(tmp_path)

    def kill(_what: str, done: int, _total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(former, kill)
    shutil.rmtree(tmp_path / "work" / "anew-clip")
    assert tree_digest(tmp_path) == before, "until the new ones are whole nothing is touched"
    result = extract(former, no_progress)
    assert result.faces == ("clip_000001_0.png", "clip_000005_0.png")
    assert {path.name for path in (tmp_path / "faces").iterdir()} == {*result.faces, "mine.png"}
    assert {read_png(tmp_path / "faces" / name)[1].shape for name in result.faces} == {(64, 64, 3)}
    assert list(read_alignments(result.alignments).frames) == [f"clip_{n:06d}.mp4" for n in (1, 3, 5)]
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["extract-clip.jsonl"]
    stands = tree_digest(tmp_path)
    assert extract(former, no_progress) == result and tree_digest(tmp_path) == stands


def test_faces_of_another_engine_are_replaced_also_where_an_old_journal_has_the_same_settings(
    tmp_path: Path, clip: Path
) -> None:
    first = extract(a_request(tmp_path, clip), no_progress)
    for name in first.faces:
        Image.new("RGB", (96, 96)).save(tmp_path / "faces" / name)
    theirs = a_request(tmp_path, clip, made_by="faceswap", replaces=frozenset(first.faces))
    with pytest.raises(MadeOtherwise):
        extract(replace(theirs, replaces=None), no_progress)
    assert extract(theirs, no_progress).faces == first.faces
    assert read_header(tmp_path / "faces" / first.faces[0]).source.face_index == 0


def test_a_file_of_a_persons_is_not_written_over_by_a_new_face(tmp_path: Path, clip: Path) -> None:
    first = extract(a_request(tmp_path, clip, every_nth=3), no_progress)
    (tmp_path / "faces" / "clip_000002_0.png").write_bytes(b"a person's")
    before = tree_digest(tmp_path / "faces")
    with pytest.raises(EngineError, match=r"clip_000002_0\.png.*Move it away"):
        extract(a_request(tmp_path, clip, replaces=frozenset(first.faces)), no_progress)
    assert tree_digest(tmp_path / "faces") == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {"threshold": "2"}}, "between 0 and 1"),
        ({"detector": "s3fd"}, "--engine faceswap"),
        ({"aligner": "fan"}, "--engine faceswap"),
    ],
)
def test_settings_that_it_does_not_have_are_refused(
    tmp_path: Path, clip: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        extract(a_request(tmp_path, clip, **changes), no_progress)


@pytest.mark.parametrize(
    "line",
    [
        '{"number": 1, "name": "a", "files": ["../../outside.png"], "faces": []}',
        '{"number": 1, "name": "a", "files": ["/etc/passwd"], "faces": []}',
        '{"number": 1}',
        "[]",
        "{",
        "[" * 90_000,
    ],
)
def test_a_strangers_journal_deletes_nothing_outside(tmp_path: Path, line: str) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"mine")
    path = tmp_path / "run" / "extract-clip.jsonl"
    path.parent.mkdir()
    path.write_text('{"asked": {"other": 1}}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(EngineError, match=r"extract-clip\.jsonl is damaged .*Delete it"):
        Journal(path, {"version": 1})
    assert outside.read_bytes() == b"mine"
