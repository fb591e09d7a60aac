"""DeepFaceLab's faces out, and back through the reader that trusts nothing."""

from __future__ import annotations

import io
import pickletools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from galloway.curation.errors import FacesetError, FormatError
from galloway.curation.faceset.dialects.dfl import dfl_face, pak_pictures
from galloway.curation.faceset.dialects.dfl_write import dfl_picture, with_app15, write_dfl, write_pak
from galloway.curation.faceset.dialects.imports import import_pictures
from galloway.curation.faceset.geometry import head_matrix, transform_points
from galloway.curation.faceset.png.headers import FaceHeader, read_png, write_png
from galloway.pipeline.cli.main import cli
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.faceset import alignment, build_faceset, dfl_jpg, dfl_values, header, jpeg, picture


def test_what_is_written_is_what_the_reader_gives_back(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 2, 4: 1}}, size=64)
    assert write_dfl(built.faces, tmp_path / "aligned") == 3
    assert [item.name for item in sorted((tmp_path / "aligned").iterdir())] == [
        "clip_000001_0.jpg",
        "clip_000001_1.jpg",
        "clip_000004_0.jpg",
    ]
    for path in built.faces.iterdir():
        head, pixels = read_png(path)
        data = (tmp_path / "aligned" / f"{path.stem}.jpg").read_bytes()
        face = dfl_face(data, path.name)
        assert face is not None
        at = head.alignment
        assert (face.face_type, face.source_filename) == ("head", head.source.source_filename)
        assert face.source_rect == (at.x, at.y, at.x + at.w, at.y + at.h)
        assert np.array_equal(face.source_landmarks, at.landmarks)
        expected = transform_points(head_matrix(at.landmarks, 64), at.landmarks)
        assert np.array_equal(face.landmarks, expected.astype(np.float32))
        with Image.open(io.BytesIO(data)) as image:
            assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # 4:4:4
            assert np.abs(np.asarray(image, int) - pixels).mean() < 6  # noise is the hardest picture for a JPG


def test_the_metadata_is_plain_and_runs_nothing(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 1}})
    data = dfl_picture(built.faces / "clip_000001_0.png").data
    start = data.index(b"\xff\xef") + 4
    names = {opcode.name for opcode, _, _ in pickletools.genops(data[start:])}
    assert not names & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "NEWOBJ", "INST", "OBJ"}
    assert data[start : start + 2] == b"\x80\x04"
    assert data.index(b"\xff\xe0") < start < data.index(b"\xff\xdb")


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1 << 20),
    frame=st.text(st.characters(codec="utf-8", exclude_characters='/\\:\x7f<>"|?*', min_codepoint=33), min_size=1),
)
def test_any_frame_name_survives(tmp_path_factory: pytest.TempPathFactory, seed: int, frame: str) -> None:
    path = tmp_path_factory.mktemp("one") / "face_0.png"
    key = f"f{frame[:60]}.png"
    write_png(path, picture(seed), header(path.name, key, 0, alignment(seed, thumb=False)))
    face = dfl_face(dfl_picture(path).data, "x")
    assert face is not None
    assert face.source_filename == key
    assert np.array_equal(face.source_landmarks, alignment(seed).landmarks)


def test_the_segment_stays_within_what_deepfacelab_takes() -> None:
    whole = with_app15(jpeg(1), bytes(65_531))
    assert whole.count(b"\xff\xef\xff\xfd") == 1
    with Image.open(io.BytesIO(whole)) as image:
        image.load()
    with pytest.raises(FormatError, match="65,532 bytes"):
        with_app15(jpeg(1), bytes(65_532))


def test_crops_of_other_programs_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "00001_0.jpg").write_bytes(dfl_jpg(dfl_values("00001.png", 1), 1))
    import_pictures(tmp_path / "in", tmp_path / "out")
    for write, name in ((write_dfl, "aligned"), (write_pak, "faceset.pak")):
        with pytest.raises(FormatError, match=r"00001_0\.png is no head crop"):
            write(tmp_path / "out" / "faces", tmp_path / name)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["in", "out"]


def test_a_crop_that_is_not_square_is_refused(tmp_path: Path) -> None:
    head = header("a_0.png", "a.png", 0, alignment(1))
    write_png(tmp_path / "a_0.png", Image.new("RGB", (20, 10)), head)
    with pytest.raises(FormatError, match="no head crop"):
        dfl_picture(tmp_path / "a_0.png")
    few = replace(head.alignment, landmarks=head.alignment.landmarks[:5])
    write_png(tmp_path / "a_0.png", picture(1), FaceHeader(few, head.source))
    with pytest.raises(FormatError, match="68 landmarks"):
        dfl_picture(tmp_path / "a_0.png")


def test_a_folder_with_something_in_it_is_not_written_into(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 1}})
    taken = tmp_path / "aligned"
    taken.mkdir()
    assert write_dfl(built.faces, taken) == 1
    with pytest.raises(FacesetError, match="not empty"):
        write_dfl(built.faces, taken)
    (tmp_path / "faceset.pak").write_bytes(b"mine")
    with pytest.raises(FacesetError, match="there already"):
        write_pak(built.faces, tmp_path / "faceset.pak")
    assert (tmp_path / "faceset.pak").read_bytes() == b"mine"
    with pytest.raises(FacesetError, match="no face PNGs"):
        write_dfl(tmp_path / "nowhere", tmp_path / "new")


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 1}})
    left = tmp_path / ".galloway-tmp-aligned.d"
    left.mkdir()
    (left / "half.jpg").write_bytes(b"half")
    assert write_dfl(built.faces, tmp_path / "aligned") == 1
    assert [item.name for item in (tmp_path / "aligned").iterdir()] == ["clip_000001_0.jpg"]
    assert not left.exists()


def test_a_pak_holds_the_same_pictures_as_the_folder(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 2, 2: 1}})
    assert write_pak(built.faces, tmp_path / "faceset.pak") == 3
    write_dfl(built.faces, tmp_path / "aligned")
    folder = {item.name: item.read_bytes() for item in (tmp_path / "aligned").iterdir()}
    assert dict(pak_pictures(tmp_path / "faceset.pak")) == folder


@pytest.mark.parametrize("kind", ["dfl", "pak"])
def test_an_export_names_the_masks_that_it_leaves_out(tmp_path: Path, kind: str) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 2, 4: 1}}, size=64)
    bare = build_faceset(tmp_path / "bare", {"clip": {1: 1}}, size=64, masks=False)
    said = []
    for number, faces in enumerate((built.faces, bare.faces)):
        target = str(tmp_path / f"out{number}")
        done = CliRunner().invoke(cli, ["faceset", "export", "--faces", str(faces), "--to", kind, "-o", target])
        assert done.exit_code == 0, done.output
        said.append(done.output)
    assert "Left out: the components masks of 3 faces" in said[0]
    assert "Left out" not in said[1]
