"""The one door through which a picture is opened.

Pillow picks its decoder by what a file holds, not by its name, and some of its decoders start programs (EPS starts
Ghostscript) or were never made for strangers' files. Here the formats are named, the size is known before anything is
decoded, and whatever goes wrong inside a decoder comes out as one error that names the file and the remedy.
`ruff check` refuses `Image.open` anywhere else.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..extras import install
from .errors import FormatError, UnsafeFile
from .files import read_bounded
from .plain import one_line

__all__ = [
    "FACE_PIXELS",
    "FORMATS",
    "PHOTO_PIXELS",
    "has_pages",
    "held_by",
    "is_animation",
    "open_picture",
    "picture_pixels",
]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")
"""Pillow's names of the formats that are decoded, with HEIF for files that begin so; no other decoder is ever asked."""
FACE_PIXELS = 8192 * 8192
"""More pixels than a face has."""
PHOTO_PIXELS = 178_956_970
"""More pixels than a photograph has: Pillow's own bound, over which it refuses."""

_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\x00", b"MM\x00*")
"""How files of FORMATS begin (BMP's two letters prove nothing)."""
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""What follows `ftyp` in the pictures that phones take; AVIF has brands of its own."""
_BYTES = 512 << 20
_REMEDY = "Remove or replace it."


def open_picture(
    source: Path | bytes,
    *,
    name: str | None = None,
    pixels: int = PHOTO_PIXELS,
    upright: bool = False,
    shrink: tuple[int, int] | None = None,
    remedy: str = _REMEDY,
    gif: bool = False,
) -> Image.Image:
    """The picture as RGB, wholly decoded and free of its file; with `gif` also the first frame of a GIF.

    `source` is a file or its bytes, `name` what messages call it (default: the path). `upright` turns it as its EXIF
    says. `shrink` lets a JPEG be decoded at a fraction of its size, no smaller than (width, height). Raises UnsafeFile
    where it is no picture of FORMATS or has more than `pixels` pixels, before anything is decoded; FormatError where it
    is damaged; FacesetError where it cannot be read. Each message ends with `remedy`.
    """
    # A file's name is somebody else's text: in a message it is one line.
    called = one_line(name or (str(source) if isinstance(source, Path) else "The picture"))
    data = read_bounded(source, _BYTES) if isinstance(source, Path) else source
    formats: tuple[str, ...] = (*FORMATS, "GIF") if gif else FORMATS
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        _learn_heif(called)
        formats = ("HEIF",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata are no news to the person
        try:
            with Image.open(io.BytesIO(data), formats=formats) as image:
                _check_size(image, called, pixels, remedy)
                if shrink is not None:
                    image.draft("RGB", shrink)
                # A hostile file makes decoders raise nearly anything: KeyError, TypeError, struct.error, MemoryError.
                return _decoded(image, upright)
        except UnidentifiedImageError:
            if data.startswith(_STARTS):
                raise FormatError(f"{called} is damaged at its beginning. {remedy}") from None
            raise UnsafeFile(f"{called} {_no_picture(data)} {remedy}") from None
        except Image.DecompressionBombError:
            raise UnsafeFile(f"{called} claims more pixels than a picture has. It was not decoded. {remedy}") from None
        except UnsafeFile:
            raise
        except Exception as error:
            why = str(error) or type(error).__name__
            raise FormatError(f"{called} cannot be read as a picture ({why}). {remedy}") from None


def is_animation(path: Path) -> bool:
    """Whether a WebP or PNG says at its beginning that more pictures follow the first. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"RIFF"):
        # WebP's container: the extended header's first byte holds the flags, the second bit of which is animation.
        return head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & 2)
    return head.startswith(_STARTS[0]) and b"acTL" in head.partition(b"IDAT")[0]


def has_pages(path: Path) -> bool:
    """Whether a TIFF holds another page after its first, which is no small copy of it. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(8)
        order: Literal["little", "big"] = "big" if head.startswith(b"MM") else "little"
        if head[:4] not in (b"II*\0", b"MM\0*"):
            return False
        # TIFF 6.0, section 2: a page is a count, entries of twelve bytes, and where the next page is, 0 after the last.
        for first in (True, False):
            stream.seek(int.from_bytes(head[-4:], order))
            count = int.from_bytes(stream.read(2), order)
            entries = stream.read(12 * count)
            head = stream.read(4)
            if len(head) < 4 or (first and not any(head)):
                return False
    kinds = [entries[at + 8 : at + 12] for at in range(0, len(entries), 12)
             if int.from_bytes(entries[at : at + 2], order) == _KIND_OF_PAGE]  # fmt: skip
    return not any(int.from_bytes(kind, order) & 1 for kind in kinds)


_KIND_OF_PAGE = 254
"""The tag NewSubfileType, whose first bit says that a page is a smaller copy of another."""
_HEAD = 1 << 16
"""Bytes in which a file says what it is; colour profiles come first."""


def held_by(path: Path) -> tuple[int, bool]:
    """What a picture's file has of which `open_picture` gives less: bits a sample (8 or more), and whether any pixel is
    transparent. Raises as open_picture does."""
    bits, clear = open_picture(path).info[_HELD]
    return int(bits), bool(clear)


def picture_pixels(
    source: Path | bytes,
    *,
    name: str | None = None,
    pixels: int = PHOTO_PIXELS,
    upright: bool = False,
    remedy: str = _REMEDY,
) -> NDArray[np.uint8]:
    """The picture as uint8 (height, width, 3), RGB. Raises as open_picture does."""
    return np.asarray(open_picture(source, name=name, pixels=pixels, upright=upright, remedy=remedy))


def _decoded(image: Image.Image, upright: bool) -> Image.Image:
    # Colours of sixteen bits are read as eight; that they had more, only a picture that is not decoded yet tells.
    deep = image.mode[0] in "IF" or any(";16" in str(tile) for tile in getattr(image, "tile", ()))
    made = _as_rgb(image, upright)
    clear = "transparency" in image.info or ("A" in image.getbands() and np.asarray(image.getchannel("A")).min() < 255)
    made.info[_HELD] = (16 if deep else 8, clear)
    return made


_HELD = "held"


def _as_rgb(image: Image.Image, upright: bool) -> Image.Image:
    picture = ImageOps.exif_transpose(image) if upright else image
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(np.asarray(picture))
    # convert() copies, so the result outlives the file, also where the picture is RGB already.
    return picture.convert("RGB")


def _eight_bits(values: NDArray[Any]) -> Image.Image:
    """Grey of 16 or 32 bits or of floats, scaled into 8. What the values reach to is guessed where the file does not
    say: 1 (floats), 255, 65,535, or whatever the largest is."""
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    most = float(grey.max(initial=0.0))
    if values.dtype == np.uint16:
        white = 65535.0
    elif values.dtype.kind == "f" and most <= 1.0:
        white = 1.0
    else:
        white = next((step for step in (255.0, 65535.0) if most <= step), most)
    scaled = np.clip(grey * (255 / white) + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")


def _learn_heif(called: str) -> None:
    """Teach Pillow HEIF. Raises FormatError with the remedy where the package is not installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise FormatError(
            f"{called} is a HEIC picture, and what reads these is not installed. Install it: {install('video')}"
        ) from None
    register_heif_opener()


def _check_size(image: Image.Image, called: str, pixels: int, remedy: str) -> None:
    width, height = image.size
    if width * height > pixels:
        raise UnsafeFile(
            f"{called} is {width} x {height} pixels; more than {pixels:,} are not opened. It was not decoded. {remedy}"
        )


def _no_picture(data: bytes) -> str:
    """Why a file is refused: what it is, where that is known by its first bytes."""
    known = (
        (b"%!PS", "PostScript, a program"),
        (b"\xc5\xd0\xd3\xc6", "PostScript, a program"),
        (b"%PDF", "a PDF"),
        (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
        (b"8BPS", "a Photoshop file"),
        (b"GIF8", "a GIF"),
        (b"<", "text (HTML, SVG or XML)"),
    )
    names = "PNG, JPEG, WebP, BMP, TIFF, AVIF or HEIC"
    found = next((what for start, what in known if data.lstrip()[: len(start)] == start), None)
    if not data:
        return "is empty."
    if found is not None:
        return f"is {found}, whatever its name says, and no {names} picture. It was not opened."
    return f"is no {names} picture, whatever its name says. It was not opened."
