"""Pictures come in by one door: named formats, a bound before decoding, and no program is ever started."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.errors import FacesetError, FormatError, UnsafeFile
from galloway.curation.faceset.dialects.imports import import_pictures
from galloway.curation.faceset.png.headers import decode_pixels
from galloway.curation.pictures import has_pages, is_animation, open_picture, picture_pixels
from galloway.curation.screen.crops import read_pixels
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.market.pictures import worker_jpeg
from PIL import Image, features

EPS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n"
    b"(canary) (w) file closefile { } loop\nshowpage\n%%EOF\n"
)
WMF = struct.pack("<L HhhhhH L H", 0x9AC6CDD7, 0, 0, 0, 100, 100, 72, 0, 0) + b"\x01\x00\t\x00" + bytes(60)
HOSTILE = {
    "eps": EPS,
    "eps with a preview": struct.pack("<LLL", 0xC6D3D0C5, 32, len(EPS)) + bytes(20) + EPS,
    "wmf": WMF,
    "emf": b"\x01\x00\x00\x00" + bytes(36) + b" EMF" + bytes(60),
    "psd": b"8BPS\x00\x01" + bytes(6) + struct.pack(">HLLHH", 3, 8, 8, 8, 3) + bytes(12),
    "pdf": b"%PDF-1.7\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "fits": b"SIMPLE  =                    T" + bytes(2880),
    "ico": b"\x00\x00\x01\x00\x01\x00" + bytes(40),
    "gif": b"GIF89a" + bytes(20),
    "playlist": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "empty": b"",
    "text": b"hello",
}


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that appears as soon as anything starts a program that renders PostScript or metafiles."""
    programs, told = tmp_path / "bin", tmp_path / "started"
    programs.mkdir()
    for name in ("gs", "gswin32c", "gswin64c", "convert", "magick", "inkscape"):
        program = programs / name
        program.write_text(f"#!{sys.executable}\nopen({str(told)!r}, 'a').write({name!r})\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    return told


def test_the_canary_sings(canary: Path) -> None:
    with pytest.raises(OSError), Image.open(io.BytesIO(EPS)) as image:
        image.load()
    assert canary.read_text().startswith("gs"), "without named formats a picture starts Ghostscript"


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_what_is_no_picture_never_reaches_a_decoder(kind: str, tmp_path: Path, canary: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    path = folder / "holiday.jpg"
    path.write_bytes(HOSTILE[kind])
    doors = (open_picture, picture_pixels, read_pixels, worker_jpeg, lambda file: decode_pixels(HOSTILE[kind], file))
    for door in doors:
        with pytest.raises(UnsafeFile, match=r"holiday\.jpg is ") as refusal:
            door(path)
        assert refusal.value.args[0].count(". ") >= 1, "the refusal ends with a remedy"
    with pytest.raises(EngineError, match=r"holiday\.jpg is .*Remove or replace it"):
        open_source(folder)
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["eps", "wmf", "psd"])
def test_an_import_of_a_folder_executes_nothing(kind: str, tmp_path: Path, canary: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "holiday.png").write_bytes(HOSTILE[kind])
    found = import_pictures(folder, tmp_path / "new")
    assert "holiday.png is " in found.refused["holiday.png"]
    assert not canary.exists()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(20_000, 20_000), (1 << 30, 1 << 30), (9000, 9000)])
def test_an_absurd_size_is_refused_before_decoding(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(_png(*size))
    with pytest.raises(UnsafeFile, match=r"huge.png .*not decoded"):
        open_picture(path, pixels=8192 * 8192)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_the_named_formats_are_read_and_torn_ones_refused(form: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **({"lossless": True} if form == "WEBP" else {}))
    path = tmp_path / "photo.jpg"  # the content counts, not the name
    path.write_bytes(out.getvalue())
    assert picture_pixels(path).shape == (40, 60, 3)
    if form != "JPEG":
        assert np.array_equal(picture_pixels(path), pixels)
    for cut in (0.3, 0.6, 0.9):
        path.write_bytes(out.getvalue()[: int(len(out.getvalue()) * cut)])
        with pytest.raises((FormatError, UnsafeFile), match=r"photo.jpg .*Remove or replace it"):
            open_picture(path)


def test_a_picture_stands_upright_and_is_free_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40), "red").save(path, exif=exif)
    assert open_picture(path).size == (60, 40)
    upright = open_picture(path, upright=True)
    path.unlink()
    assert upright.size == (40, 60)
    assert isinstance(pixel := upright.getpixel((1, 1)), tuple) and pixel[0] > 200


def test_what_is_no_file_does_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with pytest.raises(FacesetError, match=r"pipe.jpg"):
        open_picture(pipe)
    with pytest.raises(FacesetError, match=r"none.jpg cannot be read: No such file"):
        open_picture(tmp_path / "none.jpg")


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_is_one_sentence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    form = ["PNG", "JPEG", "WEBP", "BMP", "TIFF"][seed % 5]
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(out, form)
    data = bytearray(out.getvalue())
    for place in rng.integers(0, min(len(data), 200), 12):
        data[place] = int(rng.integers(0, 256))
    try:
        open_picture(bytes(data), name="x.jpg", pixels=1 << 20)
    except FacesetError as refused:
        assert str(refused).startswith("x.jpg ")
    assert features.check("webp")


def test_a_name_with_line_ends_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x\nApproved 3 assignments\x1b[2K.jpg"
    path.write_bytes(b"text")
    with pytest.raises(UnsafeFile, match=r"x\\nApproved 3 assignments\\u001b\[2K\.jpg is no ") as refused:
        open_picture(path)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("ending", "moves"), [("webp", True), ("png", True), ("webp", False), ("png", False), ("jpg", False)]
)
def test_an_animation_says_so_in_its_first_bytes(tmp_path: Path, ending: str, moves: bool) -> None:
    path = tmp_path / f"picture.{ending}"
    pictures = [Image.new("RGB", (40, 30), (shade, 20, 90)) for shade in (10, 200)]
    pictures[0].save(path, **({"save_all": True, "append_images": pictures[1:], "duration": 100} if moves else {}))
    assert is_animation(path) is moves
    path.write_bytes(path.read_bytes()[:9])
    assert is_animation(path) is False


@pytest.mark.parametrize(("ending", "count", "pages"), [("tif", 3, True), ("tif", 1, False), ("png", 1, False)])
def test_a_tiff_of_several_pages_says_so(tmp_path: Path, ending: str, count: int, pages: bool) -> None:
    path = tmp_path / f"picture.{ending}"
    first, *others = [Image.new("RGB", (40, 30), (shade, 20, 90)) for shade in (10, 100, 200)[:count]]
    first.save(path, **({"save_all": True, "append_images": others} if others else {}))
    assert has_pages(path) is pages
    path.write_bytes(path.read_bytes()[:9])
    assert has_pages(path) is False
