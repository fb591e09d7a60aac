"""Faces as DeepFaceLab keeps them: one JPG per face with its metadata in APP15, in a folder or a `faceset.pak`.

The metadata is a pickle, protocol 4, of str, int, float, list and dict only: DeepFaceLab puts every array it needs
through `np.array` itself, so that no NumPy object has to be written. Matrices and points are in pixels, centres at
whole coordinates, as in OpenCV.
"""

from __future__ import annotations

import io
import pickle
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

from PIL import Image

from ...errors import FacesetError, FormatError
from ...files import TEMPORARY, check_name, fsync_folder, is_temporary, write_atomic
from ...types import Progress, no_progress
from ..geometry import Matrix, head_matrix, transform_points
from ..png.headers import read_header, read_png
from ..png.types import FaceHeader

__all__ = ["DFL_FACE_TYPE", "DflPicture", "dfl_picture", "masks_left_out", "with_app15", "write_dfl", "write_pak"]

DFL_FACE_TYPE = "head"
"""The type from which DeepFaceLab cuts all narrower ones anew, by the landmarks, when it trains.

faceswap's head crop holds DeepFaceLab's whole face (on 285 real faces all of it; at most 3 % were outside), but not its
head, which is wider and set otherwise.
"""
QUALITY = 97
_PROTOCOL = 4
_SEGMENT_LIMIT = 65_533
_TYPE_HEAD, _SAMPLE_FACE = 10, 1
"""`FaceType.HEAD` and `SampleType.FACE`, as a pack's index holds them."""


@dataclass(frozen=True, slots=True)
class DflPicture:
    """One face as DeepFaceLab keeps it: file name, what its metadata says, JPG bytes with both, side in pixels."""

    name: str
    values: dict[str, Any]
    data: bytes
    size: int


def with_app15(jpeg: bytes, payload: bytes) -> bytes:
    """`jpeg` with `payload` in an APP15 segment after the last APPn, where DeepFaceLab looks for it.

    Raises FormatError where the segment would be longer than 65,533 bytes, more than DeepFaceLab takes.
    """
    if len(payload) + 2 > _SEGMENT_LIMIT:
        raise FormatError(f"Metadata of {len(payload):,} bytes do not fit into a JPG. Shorten the frame's name.")
    position = 2
    while jpeg[position] == 0xFF and 0xE0 <= jpeg[position + 1] <= 0xEF:
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    return jpeg[:position] + b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload + jpeg[position:]


def _values(header: FaceHeader, matrix: Matrix) -> dict[str, Any]:
    face = header.alignment
    return {
        "face_type": DFL_FACE_TYPE,
        "landmarks": transform_points(matrix, face.landmarks).tolist(),
        "source_filename": header.source.source_filename,
        "source_rect": [face.x, face.y, face.x + face.w, face.y + face.h],
        "source_landmarks": face.landmarks.tolist(),
        "image_to_face_mat": matrix.tolist(),
    }


def dfl_picture(path: Path) -> DflPicture:
    """The face PNG at `path` as DeepFaceLab's JPG: quality 97, no chroma subsampling.

    Raises FormatError for a PNG that is not faceswap's head crop: another program's crop that was imported (its header
    knows no frame size), one that is not square, or one without 68 landmarks. Where its pixels lie is not known then.
    """
    header, pixels = read_png(path)
    height, width = pixels.shape[:2]
    if height != width or not all(header.source.source_frame_dims) or header.alignment.landmarks.shape != (68, 2):
        raise FormatError(
            f"{path} is no head crop that faceswap or Galloway cut (68 landmarks, square, the frame's size known), so "
            "nobody can say where its pixels lie in the frame. Cut it anew: galloway extract, or faceswap extract"
        )
    values = _values(header, head_matrix(header.alignment.landmarks, width))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY, subsampling=0)
    name = check_name(f"{path.stem}.jpg", where=str(path.parent))
    return DflPicture(name, values, with_app15(stream.getvalue(), pickle.dumps(values, _PROTOCOL)), width)


def _pictures(faces_dir: Path, progress: Progress) -> Iterator[DflPicture]:
    there = faces_dir.iterdir() if faces_dir.is_dir() else ()
    found = sorted(path for path in there if path.suffix.lower() == ".png" and _is_face(path))
    if not found:
        raise FacesetError(f"{faces_dir} holds no face PNGs. Extract some, or name another folder: --faces DIR")
    seen: dict[str, str] = {}
    for path in found:
        first = seen.setdefault(path.stem.lower(), path.name)
        if first != path.name:
            raise FacesetError(f"{first} and {path.name} would both become {path.stem}.jpg. Rename one of them.")
    for done, path in enumerate(found, 1):
        yield dfl_picture(path)
        progress("writing", done, len(found))


def _is_face(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and not is_temporary(path.name)


def masks_left_out(faces_dir: Path) -> dict[str, int]:
    """The kinds of masks in the faces' headers, with how many faces have one. DeepFaceLab has no place for them."""
    found = (path for path in faces_dir.iterdir() if path.suffix.lower() == ".png" and _is_face(path))
    return dict(sorted(Counter(kind for path in found for kind in read_header(path).alignment.masks).items()))


@contextmanager
def _staged(faces_dir: Path, output: Path, progress: Progress) -> Iterator[tuple[Path, list[DflPicture]]]:
    """Every face written to a hidden folder beside `output`, which is cleared away in the end; pictures without bytes.

    A run that was killed leaves nothing that the next one does not clear away.
    """
    beside = output.with_name(f"{TEMPORARY}{output.name}.d")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        staged = []
        for picture in _pictures(faces_dir, progress):
            write_atomic(beside / picture.name, picture.data, durable=False)
            staged.append(replace(picture, data=b""))
        yield beside, staged
    except OSError as error:
        raise FacesetError(f"{output} cannot be written: {error.strerror}. Free the disk or name another.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_dfl(faces_dir: Path, output: Path, *, progress: Progress = no_progress) -> int:
    """Write every face PNG of `faces_dir` into the new or empty folder `output`, which appears when it is whole.

    Returns the number of faces. Raises FormatError where `dfl_picture` does, FacesetError where two names would meet.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise FacesetError(f"{output} is there already and not empty. Name a new folder: --output DIR")
    with _staged(faces_dir, output, progress) as (beside, staged):
        if output.exists():
            output.rmdir()
        beside.rename(output)
        fsync_folder(output.parent)
        return len(staged)


def _sample(picture: DflPicture) -> dict[str, Any]:
    return {
        "sample_type": _SAMPLE_FACE,
        "filename": picture.name,
        "face_type": _TYPE_HEAD,
        "shape": (picture.size, picture.size, 3),
        "landmarks": picture.values["landmarks"],
        "eyebrows_expand_mod": 1.0,
        "source_filename": picture.values["source_filename"],
        "person_name": None,
    }


def write_pak(faces_dir: Path, output: Path, *, progress: Progress = no_progress) -> int:
    """Write every face PNG of `faces_dir` into one new `faceset.pak` of version 1; raises as `write_dfl` does.

    The last offset counts from the data, as the others do. DeepFaceLab writes it from the start of the file and reads
    to the end either way.
    """
    if output.exists():
        raise FacesetError(f"{output} is there already. Name another: --output FILE")
    with _staged(faces_dir, output, progress) as (beside, staged):
        index = pickle.dumps([_sample(picture) for picture in staged], _PROTOCOL)
        sizes = [(beside / picture.name).stat().st_size for picture in staged]
        offsets = [0, *accumulate(sizes)]
        head = struct.pack("<QQ", 1, len(index)) + index + struct.pack(f"<{len(offsets)}Q", *offsets)
        write_atomic(output, chain([head], ((beside / picture.name).read_bytes() for picture in staged)))
        return len(staged)
