"""Alignments files: every dialect in, two dialects out, hostile files refused without running anything."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.errors import FacesetError, FormatError, UnsafeFile
from galloway.curation.faceset.deflate import inflate
from galloway.curation.faceset.fsa.alignments import (
    Alignments,
    FrameFaces,
    export_json,
    read_alignments,
    write_alignments,
)
from galloway.curation.faceset.fsa.opcodes import Bounds
from galloway.curation.faceset.fsa.pickles import load_pickle
from galloway.curation.faceset.fsa.rewrite import frame_counts, without_faces
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faceset import alignment

DIALECTS = ("v2.3", "v3")


def sample() -> Alignments:
    frames = {
        "clip_000002.mp4": FrameFaces([], {}),
        "clip_000001.mp4": FrameFaces(
            [alignment(1), alignment(2, masks=False, identity=True)], {"pts_time": 0.5, "keyframe": True}
        ),
        "größe-写真.png": FrameFaces([alignment(3, thumb=False)]),
    }
    return Alignments(frames)


def foreign(alignments: Alignments, *, lists: bool, scalars: bool = False) -> dict[str, Any]:
    """The values that a faceswap line pickles: NumPy objects (v2.3.0) or plain lists (v3)."""

    def array(values: Any) -> Any:
        return values.tolist() if lists else values

    return {
        "__meta__": {"version": 2.4},
        "__data__": {
            name: {
                "faces": [
                    {
                        **{
                            key: np.int64(value) if scalars else value
                            for key, value in zip("xywh", face.box, strict=True)
                        },
                        "landmarks_xy": array(face.landmarks),
                        "mask": {
                            key: {
                                "mask": mask.data,
                                "affine_matrix": array(mask.affine_matrix),
                                "interpolator": mask.interpolator,
                                "stored_size": mask.stored_size,
                                "stored_centering": mask.stored_centering,
                            }
                            for key, mask in face.masks.items()
                        },
                        "identity": {key: vector.tolist() for key, vector in face.identity.items()},
                        "thumb": None if face.thumb is None else array(np.frombuffer(face.thumb, np.uint8)),
                    }
                    for face in frame.faces
                ],
                "video_meta": dict(frame.video_meta),
            }
            for name, frame in alignments.frames.items()
        },
    }


def put(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(zlib.compress(pickle.dumps(value, protocol)))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("lists", [False, True], ids=["v2.3", "v3"])
def test_reads_what_either_line_pickles(tmp_path: Path, lists: bool, protocol: int) -> None:
    path = put(tmp_path / "x.fsa", foreign(sample(), lists=lists, scalars=not lists), protocol)
    found = read_alignments(path)
    assert found.frames == sample().frames
    assert list(found.frames) == list(sample().frames)
    assert (found.dialect, found.version, found.face_count) == ("v3" if lists else "v2.3", 2.4, 3)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_writes_what_plain_pickle_reads_as_that_line_wrote_it(tmp_path: Path, dialect: Any) -> None:
    write_alignments(tmp_path / "x.fsa", sample(), dialect)
    value = pickle.loads(zlib.decompress((tmp_path / "x.fsa").read_bytes()))
    wanted = foreign(sample(), lists=dialect == "v3")
    np.testing.assert_equal(value, wanted)
    face = value["__data__"]["clip_000001.mp4"]["faces"][0]
    assert type(face["landmarks_xy"]) is (list if dialect == "v3" else np.ndarray)
    assert type(face["thumb"]) is (list if dialect == "v3" else np.ndarray)
    if dialect == "v2.3":
        assert (face["landmarks_xy"].dtype, face["thumb"].dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rewriting_keeps_dialect_and_values(tmp_path: Path, dialect: Any) -> None:
    path = tmp_path / "x.fsa"
    write_alignments(path, sample(), dialect)
    first = read_alignments(path)
    data = path.read_bytes()
    write_alignments(path, first)
    assert path.read_bytes() == data
    assert read_alignments(path).dialect == dialect


def test_reads_v1_json_and_says_what_its_hashes_mean(tmp_path: Path) -> None:
    face = {"x": 1, "y": 2, "w": 3, "h": 4, "frame_dims": [9, 9], "landmarksXY": [[1, 2]] * 68, "hash": "ab" * 20}
    (tmp_path / "alignments.json").write_text(json.dumps({"f_000001.png": [face], "f_000002.png": []}))
    found = read_alignments(tmp_path / "alignments.json")
    assert (found.dialect, found.face_count, len(found.frames)) == ("v1-json", 1, 2)
    assert found.frames["f_000001.png"].faces[0].pixel_hash == "ab" * 20
    assert "one changed pixel" in found.warnings[0]


def test_reads_v1_fsa_without_meta(tmp_path: Path) -> None:
    face = {"x": 1, "y": 2, "w": 3, "h": 4, "landmarks_xy": np.ones((68, 2), np.float32), "hash": "cd" * 20, "mask": {}}
    path = put(tmp_path / "alignments.fsa", {"f.png": {"faces": [face], "video_meta": {}}})
    found = read_alignments(path)
    assert (found.dialect, found.frames["f.png"].faces[0].pixel_hash) == ("v1", "cd" * 20)
    write_alignments(path, found)
    assert read_alignments(path).version == 2.4


def test_export_is_what_import_reads(tmp_path: Path) -> None:
    path = tmp_path / "import.json"
    path.write_text(json.dumps(export_json(sample())))
    found = read_alignments(path)
    assert found.dialect == "import-json"
    for name, frame in sample().frames.items():
        for one, other in zip(frame.faces, found.frames[name].faces, strict=True):
            assert one.box == other.box
            assert np.array_equal(one.landmarks, other.landmarks)


class Hostile:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


TOUCHED: list[str] = []


def touch(name: str) -> str:
    """What a hostile pickle of these tests would run."""
    TOUCHED.append(name)
    return name


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "call",
    [
        Hostile(touch, "ran"),
        Hostile(os.system, "true"),
        Hostile(eval, "1"),
        Hostile(getattr, "x", "upper"),
        Hostile(bytearray, 10),
    ],
    ids=["ours", "system", "eval", "getattr", "bytearray"],
)
def test_code_in_a_pickle_never_runs(tmp_path: Path, call: Hostile, protocol: int) -> None:
    path = put(tmp_path / "evil.fsa", {"__meta__": {"version": 2.4}, "__data__": {"a.png": call}}, protocol)
    with pytest.raises(UnsafeFile, match=r"evil\.fsa"):
        read_alignments(path)
    assert TOUCHED == []


NP = b"cnumpy\n"
MULTI = b"cnumpy.core.multiarray\n"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"\x80\x02r\xff\xff\xff\xff.", UnsafeFile),
        (b"\x80\x02Nr\xff\xff\xff\x7f.", UnsafeFile),
        (b"\x80\x04" + b"](" * 200 + b"e" * 200 + b".", UnsafeFile),
        (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b".", FormatError),
        (b"\x80\x04B\xff\xff\xff\x00.", FormatError),
        (b"\x80\x04X\x04\x00\x00\x00\xff\xff\xff\xff.", FormatError),
        (b"\x80\x02P0\n.", UnsafeFile),
        (b"\x80\x02K\x00Q.", UnsafeFile),
        (b"\x80\x02\x82\x01.", UnsafeFile),
        (b"\x80\x02cos\nsystem\n.", UnsafeFile),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", UnsafeFile),
        (MULTI + b"_reconstruct\n" + NP + b"ndarray\n(K\x01tR.", FormatError),
        (MULTI + b"_reconstruct\n" + NP + b"dtype\n\x85R.", UnsafeFile),
        (NP + b"dtype\nX\x01\x00\x00\x00O\x85R.", UnsafeFile),
        (NP + b"dtype\nX\x02\x00\x00\x00i4\x85R}b.", UnsafeFile),
        (NP + b"dtype\n}b.", UnsafeFile),
        (b"\x80\x02}b.", FormatError),
        (b"\x80\x02.", FormatError),
        (b"\x80\x02", FormatError),
        (b"", FormatError),
        (b"c" + b"x" * 500, FormatError),
        (b"\x80\x04}]K\x01s.", FormatError),
    ],
)
def test_crafted_pickles_are_refused(raw: bytes, error: type[FacesetError]) -> None:
    with pytest.raises(error, match="crafted"):
        load_pickle(raw, name="crafted")


def array_pickle(shape: bytes, raw: bytes) -> bytes:
    call = MULTI + b"_reconstruct\n" + NP + b"ndarray\nK\x00\x85C\x01b\x87R"
    dtype = (
        NP
        + b"dtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNN"
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    return call + b"(K\x01" + shape + dtype + b"\x89C" + bytes((len(raw),)) + raw + b"tb."


def test_crafted_array_shapes_take_no_memory() -> None:
    good = load_pickle(array_pickle(b"K\x02\x85", bytes(16)), name="crafted")
    assert good.array().tolist() == [0.0, 0.0]
    for shape in (
        b"J\xff\xff\xff\x7f\x85",
        b"J\xff\xff\xff\xff\x85",
        b"K\x03\x85",
        b"N\x85",
        b"K\x02",
        b"(" + b"K\x01" * 40 + b"t",
    ):
        with pytest.raises(UnsafeFile, match="crafted"):
            load_pickle(array_pickle(shape, bytes(16)), name="crafted")


def test_zlib_bomb_is_refused_in_bounded_memory() -> None:
    engine = zlib.compressobj(9)
    block = bytes(1 << 20)
    bomb = b"".join(engine.compress(block) for _ in range(100)) + engine.flush()
    with pytest.raises(UnsafeFile, match=r"bomb"):
        inflate(bomb, name="bomb.fsa")
    with pytest.raises(UnsafeFile, match=r"more than 1,000"):
        inflate(bomb, name="bomb.fsa", limit=1000)


def test_object_bomb_is_refused_before_loading() -> None:
    with pytest.raises(UnsafeFile, match="MB to load"):
        load_pickle(b"\x80\x04(" + b"}" * 1_000_000 + b"t.", name="x", bounds=Bounds(1 << 30, 64 << 20))
    with pytest.raises(UnsafeFile, match="more than 10"):
        load_pickle(bytes(11), name="x", bounds=Bounds(10, 10))


@pytest.mark.parametrize("name", ["../../etc/cron", "a/b.png", "C:\\x.png", "nul\0.png", "", 7, "x" * 300])
def test_frame_names_that_are_no_file_names_are_refused(tmp_path: Path, name: Any) -> None:
    path = put(tmp_path / "x.fsa", {"__meta__": {"version": 2.4}, "__data__": {name: {"faces": [], "video_meta": {}}}})
    with pytest.raises(UnsafeFile):
        read_alignments(path)
    if isinstance(name, str):
        with pytest.raises(UnsafeFile):
            write_alignments(tmp_path / "y.fsa", Alignments({name: FrameFaces()}))


@pytest.mark.parametrize(
    "value",
    [
        7,
        {"__meta__": {"version": "x"}, "__data__": {}},
        {"a.png": 7},
        {"a.png": {"faces": 7}},
        {"a.png": {"faces": [7]}},
        {"a.png": {"faces": [{"x": 1}]}},
        {"a.png": {"faces": [{"x": 1 << 40, "y": 1, "w": 1, "h": 1, "landmarks_xy": [[1, 1]]}]}},
        {"a.png": {"faces": [{"x": 1, "y": 1, "w": 1, "h": 1, "landmarks_xy": [[float("nan"), 1]]}]}},
        {"a.png": {"faces": [{"x": 1, "y": 1, "w": 1, "h": 1, "landmarks_xy": [[1, 1]], "thumb": [999]}]}},
        {"a.png": {"faces": [{"x": 1, "y": 1, "w": 1, "h": 1, "landmarks_xy": [[1, 1]], "mask": {"m": 3}}]}},
    ],
)
def test_wrong_shapes_are_format_errors(tmp_path: Path, value: Any) -> None:
    with pytest.raises(FormatError, match=r"x\.fsa"):
        read_alignments(put(tmp_path / "x.fsa", value))


@pytest.mark.parametrize(
    "text", ["{", "[1]", "[" * 100_000, '{"a.png": 3}', '{"a.png": [{"landmarks_2d": 3, "detected": 1}]}']
)
def test_wrong_json_is_a_format_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(FormatError, match=r"x\.json"):
        read_alignments(tmp_path / "x.json")


def test_missing_and_unwritable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"gone\.fsa cannot be read"):
        read_alignments(tmp_path / "gone.fsa")
    with pytest.raises(FacesetError, match=r"x\.fsa cannot be written"):
        write_alignments(tmp_path / "nowhere" / "x.fsa", sample())


@settings(max_examples=200)
@given(data=st.data(), lists=st.booleans())
def test_any_damage_is_a_faceset_error_or_harmless(tmp_path: Path, data: st.DataObject, lists: bool) -> None:
    raw = bytearray(pickle.dumps(foreign(sample(), lists=lists), 4))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, min(len(raw), 3000) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "fuzz.fsa"
    path.write_bytes(zlib.compress(bytes(raw)))
    try:
        read_alignments(path)
    except FacesetError as error:
        assert "fuzz.fsa" in str(error)


@pytest.mark.parametrize("ticks", [(1 << 31) - 1, 1 << 31, 4_200_000_000_000, -(1 << 40)])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_times_in_fine_ticks_are_kept_with_their_key_frame(tmp_path: Path, ticks: int, dialect: Any) -> None:
    """A Matroska film that counts in billionths of a second is past 2**31 after two seconds."""
    meta: dict[str, float | bool] = {"pts_time": ticks, "keyframe": True}
    known = Alignments({"clip_000001.mkv": FrameFaces([alignment(1), alignment(2)], meta)})
    path = tmp_path / "clip_alignments.fsa"
    write_alignments(path, known, dialect)
    assert read_alignments(path).frames["clip_000001.mkv"].video_meta == meta
    assert pickle.loads(zlib.decompress(path.read_bytes()))["__data__"]["clip_000001.mkv"]["video_meta"] == meta
    assert frame_counts(path) == {"clip_000001.mkv": 2}
    path.write_bytes(b"".join(without_faces(path, {"clip_000001.mkv": {0}})))
    assert read_alignments(path).frames["clip_000001.mkv"].video_meta == meta


names = st.text(
    st.characters(min_codepoint=32, exclude_characters="/\\:\x7f", exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=30,
).map(lambda text: text.strip(". ") + "_.png")
metas = st.dictionaries(
    st.sampled_from(["pts_time", "keyframe"]), st.floats(0, 1e6) | st.booleans() | st.integers(0, 1 << 62)
)
faces = st.builds(alignment, st.integers(0, 50), masks=st.booleans(), thumb=st.booleans(), identity=st.booleans())
sets = st.dictionaries(names, st.builds(FrameFaces, st.lists(faces, max_size=3), metas), max_size=6)


@settings(max_examples=60)
@given(frames=sets, dialect=st.sampled_from(DIALECTS))
def test_write_then_read_is_identity(tmp_path: Path, frames: dict[str, FrameFaces], dialect: Any) -> None:
    write_alignments(tmp_path / "law.fsa", Alignments(frames), dialect)
    found = read_alignments(tmp_path / "law.fsa")
    assert found.frames == frames
    assert list(found.frames) == list(frames)
    np.testing.assert_equal(
        pickle.loads(zlib.decompress((tmp_path / "law.fsa").read_bytes())),
        foreign(Alignments(frames), lists=dialect == "v3"),
    )
