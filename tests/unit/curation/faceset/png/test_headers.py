"""PNG headers: round trips, what a moved face's header becomes, hostile files."""

from __future__ import annotations

import ast
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.errors import FacesetError, FormatError, UnsafeFile
from galloway.curation.faceset.png import headers
from galloway.curation.faceset.png.headers import read_header, replace_header, write_png
from galloway.curation.faceset.png.moved import moved_png
from galloway.curation.faceset.png.source import read_places, read_source
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faceset import alignment, header, picture


def png_with(text: bytes, keyword: bytes = b"faceswap\0\0\0\0\0", *, claimed: int | None = None) -> bytes:
    """A PNG whose iTXt chunk holds `text`; `claimed` lies about its length."""
    body = b"iTXt" + keyword + text
    length = len(body) - 4 if claimed is None else claimed
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(b"\0\0\0\0")
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (ihdr, idat, b"IEND")]
    chunks.insert(1, struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body)))
    return headers.SIGNATURE + b"".join(chunks)


@pytest.fixture
def face_png(tmp_path: Path) -> Path:
    path = tmp_path / "clip_000004_1.png"
    write_png(path, picture(1), header(path.name, "clip_000004.mp4", 1, alignment(1, thumb=False, identity=True)))
    return path


@pytest.mark.parametrize("dialect", ["v2.3", "v3"])
def test_written_header_reads_back(tmp_path: Path, dialect: str) -> None:
    path = tmp_path / "clip_000004_1.png"
    wanted = header(path.name, "clip_000004.mp4", 1, alignment(1, thumb=False, identity=True))
    write_png(path, picture(1), wanted, dialect=dialect)
    assert read_header(path) == wanted
    assert read_source(path) == wanted.source
    read, pixels = headers.read_png(path)
    assert read == wanted
    assert np.array_equal(pixels, np.asarray(picture(1)))


def test_header_is_where_and_what_faceswap_writes(face_png: Path) -> None:
    data = face_png.read_bytes()
    assert data[37:41] == b"iTXt", "right after IHDR"
    length = int.from_bytes(data[33:37], "big")
    values = ast.literal_eval(data[54 : 41 + length].decode())
    assert list(values) == ["alignments", "source"]
    assert list(values["alignments"])[:4] == ["x", "w", "y", "h"]
    assert values["source"]["source_frame_dims"] == (360, 640)


def test_replacing_a_header_keeps_every_other_byte(face_png: Path) -> None:
    before = face_png.read_bytes()
    new = header("other.png", "clip_000009.mp4", 0, alignment(2, thumb=False))
    replace_header(face_png, new)
    assert read_header(face_png) == new
    assert face_png.read_bytes()[-40:] == before[-40:]
    replace_header(face_png, new)
    assert face_png.read_bytes().count(b"iTXt") == 1


@pytest.mark.parametrize(("dialect", "dims"), [("v2.3", (360, 640)), ("v3", [360, 640])])
def test_moved_face_changes_index_and_name_only(tmp_path: Path, dialect: str, dims: object) -> None:
    path = tmp_path / "clip_000004_1.png"
    old = header(path.name, "clip_000004.mp4", 1, alignment(1, thumb=False))
    write_png(path, picture(1), old, dialect=dialect)
    data = moved_png(path.read_bytes(), path, name="clip_000004_0.png", face_index=0)
    path.write_bytes(data)
    moved = read_header(path)
    assert moved.alignment == old.alignment
    assert (moved.source.face_index, moved.source.original_filename) == (0, "clip_000004_0.png")
    text = data[54 : 41 + int.from_bytes(data[33:37], "big")].decode()
    assert ast.literal_eval(text)["source"]["source_frame_dims"] == dims


def test_source_with_a_quote_in_its_name_takes_the_slow_road(tmp_path: Path) -> None:
    path = tmp_path / "it's_0.png"
    wanted = header(path.name, "it's.png", 0, alignment(3, thumb=False))
    write_png(path, picture(3), wanted)
    assert read_source(path) == wanted.source


def test_header_after_other_chunks_is_found(tmp_path: Path, face_png: Path) -> None:
    data = face_png.read_bytes()
    body = b"tEXtnote\0" + b"x" * 20_000
    extra = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    moved = tmp_path / "late.png"
    moved.write_bytes(data[:33] + extra + data[33:])
    assert read_source(moved) == read_source(face_png)


def test_png_without_header_names_the_way_out(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "plain.png")
    with pytest.raises(FormatError, match=r"plain\.png.*galloway faceset import"):
        read_source(tmp_path / "plain.png")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (b"GIF89a", FormatError),
        (headers.SIGNATURE, FormatError),
        (png_with(b"{", claimed=0x7FFFFFFF), UnsafeFile),
        (png_with(b"__import__('os').system('true')"), FormatError),
        (png_with(b"[" * 5000), FormatError),
        (png_with(b"-" * 100_000 + b"1"), FormatError),
        (png_with(b"\xff\xfe"), FormatError),
        (png_with(b"{'alignments': {}, 'source': {}}"), FormatError),
        (png_with(b"{'alignments': {}, 'source': 7}"), FormatError),
        (png_with(b"7"), FormatError),
    ],
    ids=["empty", "gif", "cut", "absurd size", "call", "deep", "minus", "no utf-8", "no fields", "no dict", "number"],
)
def test_hostile_pngs_are_refused_and_named(tmp_path: Path, data: bytes, error: type[FacesetError]) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    for read in (read_header, read_source):
        with pytest.raises(error, match=r"bad\.png"):
            read(path)


@pytest.mark.parametrize("name", ["../up.png", "a/b.png", "/etc/passwd", "a\\\\b.png", "nul", "a\\0.png", "..", "c:x"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.png"
    text = (
        "{'alignments': {'x': 1, 'w': 1, 'y': 1, 'h': 1, 'landmarks_xy': [[1.0, 1.0]], 'mask': {}, 'identity': {}}, "
        f"'source': {{'alignments_version': 2.4, 'original_filename': '{name}', 'face_index': 0, "
        "'source_filename': 'a.mp4', 'source_is_video': True, 'source_frame_dims': (1, 1)}}"
    )
    path.write_bytes(png_with(text.encode()))
    for read in (read_header, read_source):
        with pytest.raises(UnsafeFile, match="leave its folder"):
            read(path)


def test_damaged_header_is_noticed(face_png: Path) -> None:
    data = bytearray(face_png.read_bytes())
    data[100] ^= 1
    face_png.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        read_source(face_png)


def test_places_of_a_folder_are_what_each_header_says(tmp_path: Path, face_png: Path) -> None:
    """Also where the header is long, late, damaged, written by hand or names what it should not."""
    data = face_png.read_bytes()
    text = data[54 : data.index(b"IDAT") - 8]
    odd = {
        "as_written.png": data,
        "con_000001_0.png": png_with(text.replace(b"clip_000004.mp4", b"con_000001.mp4")),
        "long.png": png_with(b"{'alignments': {'x': " + b" " * 20_000 + b"1" + text[20:]),
        "by_hand.png": png_with(text.replace(b"'face_index': 1", b"'face_index':  1")),
        "up.png": png_with(text.replace(b"clip_000004.mp4", b"../etc/passwd")),
        "damaged.png": data[:100] + b"?" + data[101:],
        "cut.png": data[:3000],
        "late.png": data[:33] + png_with(b"x", b"note")[33:66] + data[33:],
        "none.png": b"",
        "gone.png": None,
    }
    for name, content in odd.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe.png")
    names = [*odd, "pipe.png"]
    for name, place in zip(names, read_places(tmp_path, names), strict=True):
        try:
            source = read_source(tmp_path / name)
        except FacesetError as error:
            assert isinstance(place, type(error)) and str(place) == str(error), name
        else:
            assert place == (source.source_filename, source.face_index), name


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"gone\.png cannot be read"):
        read_source(tmp_path / "gone.png")


@settings(max_examples=150)
@given(data=st.data())
def test_any_damage_is_a_faceset_error_or_harmless(face_png: Path, data: st.DataObject) -> None:
    raw = bytearray(face_png.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    bad = face_png.with_name("fuzz.png")
    bad.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    for read in (read_header, read_source, headers.read_png):
        try:
            read(bad)
        except FacesetError as error:
            assert "fuzz.png" in str(error)
