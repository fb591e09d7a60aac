"""Other programs' facesets: DeepFaceLab, old faceswap, plain pictures, archives; tables and COCO out."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.errors import FacesetError, FormatError, UnsafeFile
from galloway.curation.faceset.dialects.dfl import dfl_face, pak_pictures
from galloway.curation.faceset.dialects.imports import alignments_from_headers, import_pictures
from galloway.curation.faceset.dialects.old_hashes import Matcher, leftover_by_hash, match_by_hash
from galloway.curation.faceset.dialects.pictures import pictures_in
from galloway.curation.faceset.dialects.tables import KEYPOINTS, coco, faces_table, write_table
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, read_alignments, write_alignments
from galloway.curation.faceset.index import FacesetPaths
from galloway.curation.faceset.png.headers import read_header, read_png, write_png
from galloway.curation.faceset.png.identity import pixel_hash_v1
from galloway.curation.faceset.png.types import FaceAlignment, FaceHeader, FaceSource
from galloway.curation.faceset.verify import verify
from galloway.curation.types import Side
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.faceset import (
    alignment,
    build_faceset,
    dfl_jpg,
    dfl_pak,
    dfl_png,
    dfl_values,
    paths_of,
    picture,
)
from tests.unit.curation.faceset.fsa.test_alignments import TOUCHED, Hostile, touch


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_dfl_jpg_is_read(protocol: int) -> None:
    face = dfl_face(dfl_jpg(dfl_values("00001.png", 7), protocol=protocol), "a.jpg")
    wanted = alignment(7)
    assert face is not None
    assert (face.face_type, face.source_filename) == ("whole_face", "00001.png")
    assert face.source_rect == (wanted.x, wanted.y, wanted.x + wanted.w, wanted.y + wanted.h)
    assert np.array_equal(face.source_landmarks, wanted.landmarks)


def test_dfl_png_is_read() -> None:
    face = dfl_face(dfl_png(dfl_values("00001.png", 7)), "a.png")
    assert face is not None
    assert face.source_filename == "00001.png"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xef\xff\xff", b"GIF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_pictures_without_dfl_metadata_are_none(data: bytes) -> None:
    assert dfl_face(data, "x") is None
    assert dfl_face(dfl_jpg({}, payload=b"not a pickle"), "x") is None
    assert dfl_face(dfl_jpg({"other": 1}), "x") is None


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (Hostile(touch, "ran"), UnsafeFile),
        ({"source_landmarks": Hostile(os.system, "true")}, UnsafeFile),
        (dfl_values("../../x.png"), UnsafeFile),
        (dfl_values("a\0b.png"), UnsafeFile),
        (dfl_values("a.png", source_rect=[1, 2, 3]), FormatError),
        (dfl_values("a.png", source_rect=[1 << 40, 2, 3, 4]), FormatError),
        (dfl_values("a.png", source_landmarks=[[1, 2]]), FormatError),
        (dfl_values("a.png", source_landmarks=[[float("inf"), 2]] * 68), FormatError),
        (dfl_values("a.png", landmarks="x"), FormatError),
    ],
)
def test_hostile_dfl_pictures_are_refused(values: object, error: type[FacesetError]) -> None:
    for data in (dfl_jpg(values), dfl_png(values)):
        with pytest.raises(error, match=r"bad\.jpg"):
            dfl_face(data, "bad.jpg")
    assert TOUCHED == []


def test_pak_gives_every_picture_back(tmp_path: Path) -> None:
    pictures = {f"{n:05d}.jpg": dfl_jpg(dfl_values(f"{n:05d}.png", n), n) for n in range(4)}
    (tmp_path / "faceset.pak").write_bytes(dfl_pak(pictures))
    assert dict(pak_pictures(tmp_path / "faceset.pak")) == pictures


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (struct.pack("<QQ", 2, 0), FormatError),
        (struct.pack("<QQ", 1, 1 << 60), UnsafeFile),
        (dfl_pak({"../x.jpg": b"1"}), UnsafeFile),
        (dfl_pak({"a.jpg": b"1"}, [{"filename": "a.jpg"}, {"filename": "a.jpg"}]), FormatError),
        (dfl_pak({"a.jpg": b"1", "b.jpg": b"2"}, [{"filename": "a.jpg"}, {"filename": "a.jpg"}]), UnsafeFile),
        (dfl_pak({"a.jpg": b"1"}, Hostile(touch, "ran")), UnsafeFile),
        (dfl_pak({"a.jpg": b"1"}, [7]), UnsafeFile),
        (dfl_pak({"a.jpg": b"1"}, {}), FormatError),
    ],
)
def test_hostile_paks_are_refused(tmp_path: Path, data: bytes, error: type[FacesetError]) -> None:
    path = tmp_path / "bad.pak"
    path.write_bytes(data)
    with pytest.raises(error, match=r"bad\.pak"):
        list(pak_pictures(path))
    assert TOUCHED == []


def test_enumerations_in_a_pak_become_numbers(tmp_path: Path) -> None:
    raw = (
        b"\x80\x04](}(\x8c\x08filename\x8c\x05a.jpg\x8c\x09face_type"
        b"\x8c\x10facelib.FaceType\x8c\x08FaceType\x93K\x04\x85Rue."
    )
    data = dfl_pak({"a.jpg": b"1"})
    head = struct.pack("<QQ", 1, len(raw)) + raw + struct.pack("<QQ", 0, 1)
    (tmp_path / "faceset.pak").write_bytes(head + data[-1:])
    assert dict(pak_pictures(tmp_path / "faceset.pak")) == {"a.jpg": b"1"}


def zipped(path: Path, entries: dict[str, bytes], *, mode: int = 0o644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def test_zip_of_faces_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "faces.zip", {"set/b.png": b"2", "set/a.png": b"1", "set/readme.txt": b"x"})
    assert list(pictures_in(path)) == [("a.png", b"1"), ("b.png", b"2")]


@pytest.mark.parametrize(
    ("entries", "mode"),
    [
        ({"../a.png": b"1"}, 0o644),
        ({"/etc/a.png": b"1"}, 0o644),
        ({"a/../../b.png": b"1"}, 0o644),
        ({"C:\\a.png": b"1"}, 0o644),
        ({"x/a.png": b"1", "y/a.png": b"2"}, 0o644),
        ({"a.png": b"/etc/passwd"}, stat.S_IFLNK | 0o777),
        ({"a.png": bytes(100 << 20)}, 0o644),
    ],
    ids=["dotdot", "absolute", "inside", "drive", "twice", "link", "bomb"],
)
def test_zip_tricks_are_refused(tmp_path: Path, entries: dict[str, bytes], mode: int) -> None:
    path = zipped(tmp_path / "bad.zip", entries, mode=mode)
    with pytest.raises(UnsafeFile, match=r"bad\.zip"):
        list(pictures_in(path))


def test_other_sources_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK nonsense")
    with pytest.raises(FormatError, match=r"x\.zip"):
        list(pictures_in(tmp_path / "x.zip"))
    with pytest.raises(FormatError, match="no folder"):
        pictures_in(tmp_path / "x.rar")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeFile, match="symbolic"):
        list(pictures_in(tmp_path / "set"))


def imported_paths(output: Path) -> FacesetPaths:
    return FacesetPaths(Side.B, output / "faces", output / "alignments", output / "merges", output / "rejected")


def test_dfl_folder_becomes_a_faceset_that_verifies(tmp_path: Path) -> None:
    folder = tmp_path / "aligned"
    folder.mkdir()
    for n, frame in enumerate(["00001.png", "00002.png", "00002.png"]):
        (folder / f"{n:05d}_0.jpg").write_bytes(dfl_jpg(dfl_values(frame, n), n))
    (folder / "plain.jpg").write_bytes(dfl_jpg({"nothing": 1}, 9))
    (folder / "evil.jpg").write_bytes(dfl_jpg(Hostile(touch, "ran"), 9))
    (folder / "broken.png").write_bytes(b"\x89PNG")
    done = import_pictures(folder, tmp_path / "out")
    assert done.faces == {"DeepFaceLab": ["00001_0.png", "00002_0.png", "00002_1.png"]}
    assert done.unknown == ["plain.jpg"]
    assert set(done.refused) == {"evil.jpg", "broken.png"}
    assert "cut otherwise" in done.warnings[0]
    assert TOUCHED == []
    assert [problem.kind for problem in verify(imported_paths(tmp_path / "out"))] == ["xseg"]
    header = read_header(tmp_path / "out" / "faces" / "00002_1.png")
    assert header.alignment.box == alignment(2).box
    with pytest.raises(FacesetError, match="not empty"):
        import_pictures(folder, tmp_path / "out")


def test_faceswap_folder_import_closes_gaps_and_keeps_the_rest(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 3, 2: 1}})
    (built.faces / "clip_000001_1.png").unlink()
    done = import_pictures(built.faces, tmp_path / "out", dialect="v3")
    assert done.count == 3
    assert verify(imported_paths(tmp_path / "out")) == []
    untouched = "clip_000002_0.png"
    assert (tmp_path / "out" / "faces" / untouched).read_bytes() == (built.faces / untouched).read_bytes()
    before = read_header(built.faces / "clip_000001_2.png")
    after = read_header(tmp_path / "out" / "faces" / "clip_000001_1.png")
    assert (after.alignment, after.source.face_index) == (before.alignment, 1)


def old_set(root: Path) -> tuple[Path, Path]:
    """A faceswap 1.0 faceset: four PNGs without headers, and alignments that know their pixel hashes."""
    from dataclasses import replace

    root.mkdir()
    found = Alignments(dialect="v1")
    for n in range(4):
        pixels = np.asarray(Image.fromarray(np.asarray(picture(n, 8))).resize((64, 64), Image.Resampling.BICUBIC))
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=80)
        Image.fromarray(pixels).save(root / f"f{n}_0.png")
        face = replace(alignment(n, masks=False), thumb=stream.getvalue(), pixel_hash=pixel_hash_v1(pixels))
        found.frames[f"f{n}.png"] = FrameFaces([face])
    raw = {
        name: {
            "faces": [
                {
                    **dict(zip("xywh", face.box, strict=True)),
                    "landmarks_xy": face.landmarks,
                    "hash": face.pixel_hash,
                    "thumb": np.frombuffer(face.thumb or b"", np.uint8),
                }
                for face in frame.faces
            ],
            "video_meta": {},
        }
        for name, frame in found.frames.items()
    }
    import zlib

    path = root.parent / "alignments.fsa"
    path.write_bytes(zlib.compress(pickle.dumps(raw)))
    return root, path


def test_old_hashes_match_renamed_and_edited_pictures(tmp_path: Path) -> None:
    folder, path = old_set(tmp_path / "old")
    (folder / "f0_0.png").rename(folder / "renamed.png")
    edited = np.array(Image.open(folder / "f1_0.png"))
    edited[3, 3] ^= 255
    Image.fromarray(edited).save(folder / "f1_0.png")
    picture(99, 64).save(folder / "stranger.png")
    known = read_alignments(path)
    found, warnings = match_by_hash(folder, known)
    assert {name: (m.frame, m.how) for name, m in found.items()} == {
        "renamed.png": ("f0.png", "hash"),
        "f1_0.png": ("f1.png", "name"),
        "f2_0.png": ("f2.png", "hash"),
        "f3_0.png": ("f3.png", "hash"),
    }
    assert len(warnings) == 1 and "hash is gone" in warnings[0]
    paths = FacesetPaths(Side.B, folder, path.parent, tmp_path / "m", tmp_path / "r", path)
    assert leftover_by_hash(paths)[0] == ["stranger.png"]
    done = import_pictures(folder, tmp_path / "out", known=known)
    assert {kind: len(names) for kind, names in done.faces.items()} == {"hash": 3, "name": 1}
    assert done.unknown == ["stranger.png"]
    assert verify(imported_paths(tmp_path / "out")) == []


def test_enhanced_pictures_of_a_film_go_by_their_names_and_renamed_ones_by_likeness() -> None:
    alike, other = np.asarray(picture(5, 64)), np.asarray(picture(77, 64))
    faces = {f"clip_{number:06d}.mp4": alike for number in (1, 2, 3)} | {"clip_000004.mp4": other}
    known = Alignments(
        {
            name: FrameFaces([FaceAlignment(1, 2, 3, 4, np.zeros((68, 2), np.float32), thumb=_jpeg(pixels))])
            for name, pixels in faces.items()
        }
    )
    matcher = Matcher(known)
    enhanced = np.clip(alike.astype(int) * 1.1 + 6, 0, 255).astype(np.uint8)
    found = [matcher.match(f"clip_{number:06d}_0.png", enhanced) for number in (1, 2, 3)]
    assert [(match.frame, match.how) for match in found if match] == [
        (f"clip_{number:06d}.mp4", "name") for number in (1, 2, 3)
    ]
    renamed = Matcher(known).match("clip_000001_0.png", other)
    assert renamed is not None and (renamed.frame, renamed.how) == ("clip_000004.mp4", "likeness")


def _jpeg(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=60)
    return stream.getvalue()


def test_alignments_from_headers_are_the_alignments(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 2, 3: 1}})
    pictures = [read_png(path) for path in sorted(built.faces.iterdir())]
    found, warnings = alignments_from_headers((header, Image.fromarray(pixels)) for header, pixels in pictures)
    known = read_alignments(built.alignments / "clip_alignments.fsa")
    assert warnings == []
    assert list(found.frames) == list(known.frames)
    for frame, faces in known.frames.items():
        for one, other in zip(faces.faces, found.frames[frame].faces, strict=True):
            assert (one.box, one.masks) == (other.box, other.masks)
            assert np.array_equal(one.landmarks, other.landmarks)
            assert other.thumb is not None and Image.open(io.BytesIO(other.thumb)).size == (96, 96)


def test_table_and_coco_hold_every_face(tmp_path: Path) -> None:
    import pandas as pd

    built = build_faceset(tmp_path / "set", {"clip": {1: 2, 2: 0, 3: 1}})
    paths = paths_of(built)
    (built.faces / "clip_000003_0.png").unlink()
    table = faces_table(paths, ids=True)
    assert len(table) == 3
    assert table["name"].isna().sum() == 1
    assert table["face_id"].str.len().dropna().eq(32).all()
    write_table(table, tmp_path / "t.csv")
    write_table(table, tmp_path / "t.parquet")
    read = pd.read_csv(tmp_path / "t.csv")
    write_table(table.assign(frame="=cmd"), tmp_path / "formula.csv")
    assert "'=cmd" in (tmp_path / "formula.csv").read_text(encoding="utf-8"), "no spreadsheet computes it"
    points = json.loads(read["landmarks"][0])
    assert np.allclose(points, list(pd.read_parquet(tmp_path / "t.parquet")["landmarks"][0]))
    assert len(points) == 136
    with pytest.raises(FacesetError, match=r"\.csv nor \.parquet"):
        write_table(table, tmp_path / "t.xlsx")
    values = coco(paths)
    assert [image["file_name"] for image in values["images"]] == [f"clip_00000{n}.mp4" for n in (1, 2, 3)]
    assert values["images"][0]["height"] == 360
    assert len(values["annotations"]) == 3
    assert len(values["annotations"][0]["keypoints"]) == 3 * len(KEYPOINTS) == 204


@settings(max_examples=120)
@given(data=st.data(), kind=st.sampled_from(["jpg", "png", "pak"]))
def test_damaged_dfl_files_are_faceset_errors_or_harmless(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    values: Any = dfl_values("00001.png", 3)
    raw = bytearray({"jpg": dfl_jpg(values), "png": dfl_png(values), "pak": dfl_pak({"a.jpg": dfl_jpg(values)})}[kind])
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "fuzz.pak").write_bytes(bytes(raw))
    try:
        if kind == "pak":
            list(pak_pictures(tmp_path / "fuzz.pak"))
        else:
            dfl_face(bytes(raw), "fuzz")
    except FacesetError as error:
        assert "fuzz" in str(error)


def test_v1_json_can_be_merged_and_stays_json(tmp_path: Path) -> None:
    from galloway.curation.faceset.fsa.rewrite import without_faces

    face = {"x": 1, "y": 2, "w": 3, "h": 4, "landmarksXY": [[1, 2]] * 68, "hash": "ab" * 20}
    path = tmp_path / "alignments.json"
    path.write_text(json.dumps({"a.png": [face, {**face, "x": 9}], "b.png": [face]}))
    out = json.loads(b"".join(without_faces(path, {"a.png": {0}, "b.png": {0}})))
    assert (len(out["a.png"]), out["a.png"][0]["x"], out["b.png"]) == (1, 9, [])
    with pytest.raises(FormatError, match="cannot be removed"):
        list(without_faces(path, {"a.png": {5}}))


def test_write_of_frames_from_every_dialect_reads_back(tmp_path: Path) -> None:
    _, old = old_set(tmp_path / "old")
    first = read_alignments(old)
    write_alignments(tmp_path / "new.fsa", first)
    again = read_alignments(tmp_path / "new.fsa")
    assert [f.faces[0].box for f in again.frames.values()] == [f.faces[0].box for f in first.frames.values()]
    assert again.version == 2.4


def test_xseg_masks_and_polygons_are_named_as_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "aligned"
    folder.mkdir()
    nothing: dict[str, Any] = {"seg_ie_polys": {"polys": []}, "xseg_mask": None}
    for n, extra in enumerate(({}, {"xseg_mask": None}, nothing, nothing)):
        (folder / f"{n:05d}_0.jpg").write_bytes(dfl_jpg(dfl_values(f"{n:05d}.png", n, **extra), n))
    done = import_pictures(folder, tmp_path / "new")
    (line,) = [line for line in done.warnings if "XSeg" in line]
    assert "1 XSeg mask and 2 sets of XSeg polygons are left out" in line
    assert "aligned" in line


def test_nothing_is_said_to_be_left_out_where_there_is_no_xseg(tmp_path: Path) -> None:
    folder = tmp_path / "aligned"
    folder.mkdir()
    values = dfl_values("00001.png", 1)
    del values["seg_ie_polys"], values["xseg_mask"]
    (folder / "00001_0.jpg").write_bytes(dfl_jpg(values, 1))
    assert not any("XSeg" in line for line in import_pictures(folder, tmp_path / "new").warnings)


def test_two_sets_in_one_folder_do_not_share_frames_silently(tmp_path: Path) -> None:
    """DeepFaceLab calls the first frame of every video 00001.png; the owner of two sets renamed their pictures."""
    folder = tmp_path / "aligned"
    folder.mkdir()
    for n, name in enumerate(("00001_0.jpg", "garden_00001_0.jpg", "00002_0.jpg", "00002_1.jpg")):
        frame = "00001.png" if "00001" in name else "00002.png"
        (folder / name).write_bytes(dfl_jpg(dfl_values(frame, n), n))
    (line,) = [line for line in import_pictures(folder, tmp_path / "new").warnings if "one place" in line]
    assert "00001_0.jpg" in line and "garden_00001_0.jpg" in line and "00002" not in line
    assert "two folders" in line


def test_two_facesets_of_faceswap_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    for n, name in enumerate(("clip_000001_0.png", "garden_000001_0.png")):
        landmarks = np.random.default_rng(n).uniform(20, 60, (68, 2)).astype(np.float32)
        where = FaceSource(name, 0, "clip_000001.mp4", True, (120, 160))
        picture = Image.new("RGB", (64, 64), (n * 90, 40, 40))
        write_png(folder / name, picture, FaceHeader(FaceAlignment(10, 10, 40, 40, landmarks), where))
    with pytest.raises(FacesetError, match="two folders") as refused:
        import_pictures(folder, tmp_path / "new")
    assert "garden_000001_0.png in clip_000001.mp4" in str(refused.value)
    assert not (tmp_path / "new").exists()
    (folder / "garden_000001_0.png").unlink()
    assert import_pictures(folder, tmp_path / "new").count == 1


def test_a_copy_of_a_face_is_left_out_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "aligned"
    folder.mkdir()
    for name in ("00001_0.jpg", "00001_0 (copy).jpg"):
        (folder / name).write_bytes(dfl_jpg(dfl_values("00001.png", 1), 1))
    found = import_pictures(folder, tmp_path / "new")
    assert found.count == 1
    assert "copy of" in found.refused["00001_0.jpg"] or "copy of" in found.refused["00001_0 (copy).jpg"]
