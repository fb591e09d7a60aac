"""Faces cut out of a pickle: the same as loading, removing and pickling again, for any file and any cut."""

from __future__ import annotations

import io
import pickle
import pickletools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.errors import FormatError, UnsafeFile
from galloway.curation.faceset.deflate import deflate, inflate
from galloway.curation.faceset.fsa import outline as module
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, read_alignments, write_alignments
from galloway.curation.faceset.fsa.emit import pickle_chunks
from galloway.curation.faceset.fsa.outline import UnusualPickle, cut, outline
from galloway.curation.faceset.fsa.rewrite import Unpacked, frame_counts, without_faces
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faceset import alignment
from tests.unit.curation.faceset.fsa.test_alignments import foreign


def many(frames: int, faces: int = 2, *, seed: int = 0) -> Alignments:
    """Alignments with a mixture of faces: with and without masks, thumbnails and identities."""
    found = Alignments()
    count = seed
    for number in range(frames):
        frame = found.frames[f"clip_{number:06d}.mp4"] = FrameFaces()
        for _ in range((number + seed) % (faces + 1)):
            count += 1
            kind = count % 5
            frame.faces.append(alignment(count % 97, masks=kind != 1, thumb=kind != 2, identity=kind == 3))
    return found


def without(value: dict[str, Any], removed: dict[str, set[int]]) -> dict[str, Any]:
    """What a file should hold after the cut."""
    return {
        "__meta__": value["__meta__"],
        "__data__": {
            name: {**frame, "faces": [f for i, f in enumerate(frame["faces"]) if i not in removed.get(name, ())]}
            for name, frame in value["__data__"].items()
        },
    }


def same(one: Any, other: Any) -> bool:
    """Equal down to types, shapes and dtypes; NumPy's own comparison takes a minute for lists of a million numbers."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


def loaded(raw: bytes) -> Any:
    """The pickle, loaded by both of Python's unpicklers; they must agree."""
    value = pickle.loads(raw)
    assert same(pickle._Unpickler(io.BytesIO(raw)).load(), value)  # type: ignore[attr-defined]
    return value


def draw_cut(data: st.DataObject, value: dict[str, Any]) -> dict[str, set[int]]:
    return {
        name: data.draw(st.sets(st.integers(0, len(frame["faces"]) - 1))) if frame["faces"] else set()
        for name, frame in value["__data__"].items()
    }


@settings(max_examples=60)
@given(
    data=st.data(),
    frames=st.integers(0, 12),
    lists=st.booleans(),
    writer=st.sampled_from(["c", "python", "ours", "unframed"]),
    seed=st.integers(0, 30),
)
def test_cut_is_load_remove_and_pickle(data: Any, frames: int, lists: bool, writer: str, seed: int) -> None:
    alignments = many(frames, 3, seed=seed)
    value = foreign(alignments, lists=lists, scalars=not lists)
    if writer == "ours":
        raw = b"".join(pickle_chunks(alignments, "v3" if lists else "v2.3"))
        value = loaded(raw)
    elif writer == "python":
        stream = io.BytesIO()
        pickle._Pickler(stream, 4).dump(value)  # type: ignore[attr-defined]
        raw = stream.getvalue()
    else:
        raw = pickle.dumps(value, 4)
        if writer == "unframed":
            raw = pickletools.optimize(raw)
    for _ in range(3):
        try:
            found = outline(raw, name="x.fsa")
        except UnusualPickle:
            assert writer in ("unframed",)
            return
        counts = {name: len(frame["faces"]) for name, frame in value["__data__"].items()}
        assert {name: len(spans) for name, spans in found.frames.items()} == counts
        removed = draw_cut(data, value)
        raw = b"".join(cut(raw, found, removed))
        value = without(value, removed)
        assert same(loaded(raw), value)


def test_what_a_kept_definition_fetches_is_kept_too() -> None:
    """What stands for the faces that were cut before still needs NumPy's dtype of the one that is cut now, and that
    dtype the word `numpy`, which nothing else fetches any more."""
    alignments = many(2, 3, seed=1)
    raw = b"".join(pickle_chunks(alignments, "v2.3"))
    value = loaded(raw)
    for removed in ({"clip_000001.mp4": {0, 1}}, {"clip_000000.mp4": {0}}):
        raw = b"".join(cut(raw, outline(raw, name="x.fsa"), removed))
        value = without(value, removed)
        assert same(loaded(raw), value)


@pytest.mark.parametrize("lists", [False, True], ids=["v2.3", "v3"])
def test_large_files_with_frames_and_batches(lists: bool) -> None:
    """More than 1,000 frames (two SETITEMS batches), many pickle FRAMEs, long memo references."""
    value = foreign(many(1203, 2), lists=lists, scalars=not lists)
    raw = pickle.dumps(value, 4)
    found = outline(raw, name="x.fsa")
    assert len(found.tally.framing) > 5
    removed = {name: {0} for at, (name, spans) in enumerate(found.frames.items()) if spans and at % 3 == 0}
    out = b"".join(cut(raw, found, removed))
    assert same(pickle.loads(out), without(value, removed))
    again = outline(out, name="x.fsa")
    assert again.tally.framing == []


def test_nothing_of_a_removed_face_stays_in_the_file() -> None:
    """Erase means erase: neither its landmarks nor its thumbnail nor its mask."""
    alignments = many(4, 2, seed=1)
    raw = pickle.dumps(foreign(alignments, lists=False, scalars=True), 4)
    found = outline(raw, name="x.fsa")
    gone = [face for frame in alignments.frames.values() for face in frame.faces]
    out = b"".join(cut(raw, found, {name: set(range(len(spans))) for name, spans in found.frames.items()}))
    for face in gone:
        assert face.landmarks.tobytes() not in out
        assert face.thumb is None or face.thumb not in out
        assert all(mask.data not in out and mask.affine_matrix.tobytes() not in out for mask in face.masks.values())


def test_one_thousand_faces_in_one_frame() -> None:
    alignments = Alignments({"crowd.png": FrameFaces([alignment(n % 7, masks=False) for n in range(1001)])})
    raw = pickle.dumps(foreign(alignments, lists=True), 4)
    found = outline(raw, name="x.fsa")
    assert len(found.frames["crowd.png"]) == 1001
    out = loaded(b"".join(cut(raw, found, {"crowd.png": set(range(1, 1001))})))
    assert len(out["__data__"]["crowd.png"]["faces"]) == 1


@pytest.mark.parametrize(
    "value",
    [
        7,
        {},
        {"__meta__": {"version": 2.4}, "__data__": {"a.png": {"video_meta": {}, "faces": []}}},
        {"__data__": {}, "__meta__": {"version": 2.4}},
        {"a.png": {"faces": [], "video_meta": {}}},
    ],
)
def test_other_layouts_are_unusual(value: Any) -> None:
    with pytest.raises(UnusualPickle):
        outline(pickle.dumps(value, 4), name="x.fsa")
    with pytest.raises(UnusualPickle):
        outline(pickle.dumps(foreign(many(3), lists=True), 2), name="x.fsa")


def test_faces_that_share_a_list_are_unusual_to_cut() -> None:
    """A shared container cannot be cut without loading; the file is then loaded and written anew."""
    value = foreign(many(4, 2, seed=1), lists=True)
    faces = [face for frame in value["__data__"].values() for face in frame["faces"]]
    faces[1]["landmarks_xy"] = faces[0]["landmarks_xy"]
    raw = pickle.dumps(value, 4)
    found = outline(raw, name="x.fsa")
    name = next(name for name, frame in value["__data__"].items() if frame["faces"])
    with pytest.raises(UnusualPickle):
        cut(raw, found, {name: {0}})


def test_hostile_pickles_are_refused_by_the_outline_too() -> None:
    value = foreign(many(3), lists=True)
    raw = pickle.dumps(value, 4)
    for bad in (b"\x8c\x02os\x8c\x06system\x93Q", b"\x82\x01", b"P0\n"):
        at = raw.index(b"\x8c\x05faces") if b"\x8c\x05faces" in raw else 20
        with pytest.raises((UnsafeFile, UnusualPickle, FormatError)):
            outline(raw[:at] + bad + raw[at:], name="x.fsa")


def test_rewriting_a_file_by_cut_and_by_loading_agree(tmp_path: Path) -> None:
    alignments = many(20, 3)
    removed = {name: {0} for name, frame in alignments.frames.items() if frame.faces}
    for dialect in ("v2.3", "v3"):
        path = tmp_path / f"{dialect}.fsa"
        write_alignments(path, alignments, dialect)  # type: ignore[arg-type]
        assert frame_counts(path) == {name: len(frame.faces) for name, frame in alignments.frames.items()}
        out = tmp_path / "out.fsa"
        unpacked = Unpacked()
        frame_counts(path, unpacked)
        for kept in (None, unpacked):
            out.write_bytes(b"".join(without_faces(path, removed, kept)))
            found = read_alignments(out)
            assert found.dialect == dialect
            assert {n: f.faces for n, f in found.frames.items()} == {
                n: f.faces[1:] for n, f in alignments.frames.items()
            }
        assert unpacked.files == {}


def test_kept_alignments_that_changed_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "x.fsa"
    write_alignments(path, many(4), "v3")
    unpacked = Unpacked()
    frame_counts(path, unpacked)
    write_alignments(path, many(9), "v3")
    assert unpacked.take(path) is None


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), lists=st.booleans(), per_frame=st.integers(1, 2), kinds=st.integers(1, 3))
def test_frames_skipped_whole_are_the_frames_walked(seed: int, lists: bool, per_frame: int, kinds: int) -> None:
    """Pickled by Python, FRAMEs in the middle of faces; a hundred frames, most of one face, of several kinds."""
    rng = np.random.default_rng(seed)
    found = Alignments()
    for number in range(100):
        faces = per_frame if rng.random() < 0.2 else 1
        kind = int(rng.integers(kinds))
        made = [alignment(int(rng.integers(97)), masks=kind != 1, thumb=kind != 2) for _ in range(faces)]
        found.frames[f"clip_{number:06d}.mp4"] = FrameFaces(made)
    value = foreign(found, lists=lists, scalars=not lists)
    raw = pickle.dumps(value, 4)
    quick = outline(raw, name="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Reader, "whole_frames", lambda self, outline: None)
        walked = outline(raw, name="x")
    assert quick.frames == walked.frames
    assert quick.tally.memo == walked.tally.memo
    removed = {name: {0} for name in list(value["__data__"])[:: int(rng.integers(1, 4))]}
    assert same(loaded(b"".join(cut(raw, quick, removed))), without(value, removed))


class Call:
    """Runs `print` where somebody loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


@pytest.mark.parametrize("where", ["face", "beside", "meta", "key"])
def test_a_file_that_would_run_code_is_refused_wherever_it_hides_it(
    tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = foreign(many(40, 2), lists=False, scalars=True)
    frame = list(value["__data__"].values())[31]
    if where == "face":
        frame["faces"].append(Call())
    elif where == "beside":
        frame["video_meta"] = {"x": Call()}
    elif where == "meta":
        value["__meta__"]["more"] = Call()
    else:
        frame["faces"][0]["mask"] = {"x": {"mask": Call()}}
    path = tmp_path / "clip_alignments.fsa"
    for protocol in (2, 4):
        path.write_bytes(zlib.compress(pickle.dumps(value, protocol)))
        for read in (frame_counts, read_alignments, lambda path: without_faces(path, {})):
            with pytest.raises(UnsafeFile, match=r"builtins.print|__builtin__.print"):
                read(path)
    assert capsys.readouterr().out == ""


def test_what_shrinks_little_is_stored_and_what_shrinks_is_not() -> None:
    noise, numbers = np.random.default_rng(1).bytes(1 << 20), b"G?\xf0\0\0\0\0\0\0" * 100_000
    stored, packed = (b"".join(deflate([data])) for data in (noise, numbers))
    assert len(noise) < len(stored) < 1.001 * len(noise)
    assert len(packed) < len(numbers) / 50
    assert zlib.decompress(stored) == noise
    assert zlib.decompress(packed) == numbers


def test_compression_without_igzip_reads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from galloway.curation.faceset import deflate as module

    rng = np.random.default_rng(1)
    for data in (b"", b"x", rng.bytes(1 << 20), bytes(1 << 20), b"ab" * 300_000):
        for igzip in (module._igzip, None):
            monkeypatch.setattr(module, "_igzip", igzip)
            packed = b"".join(deflate([data[:1000], data[1000:]]))
            assert inflate(packed, name="x") == data
            with pytest.raises(FormatError, match="x is"):
                inflate(packed[:-3], name="x")
