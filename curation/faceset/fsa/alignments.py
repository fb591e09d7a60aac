"""Alignments files: read every dialect, write what both living faceswap lines read.

`.fsa` is zlib of a pickle (`faceswap` 1.0 to 3); it is read by an allow-list unpickler. JSON is either v0.9's
`alignments.json` (with pixel hashes) or the import file `{frame: [{"detected": [l, t, r, b], "landmarks_2d": …}]}`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...errors import FormatError
from ...files import check_name, read_bounded, write_atomic
from ..deflate import deflate, inflate
from ..png.headers import alignment_from
from ..png.types import VERSION, Alignments, FaceAlignment, FrameFaces
from .emit import pickle_chunks
from .pickles import Array, load_pickle

__all__ = ["Alignments", "FrameFaces", "export_json", "read_alignments", "write_alignments"]

_FILE_LIMIT = 1 << 30
_FRAMES_LIMIT = 4_000_000

HASH_WARNING = (
    "written by faceswap 1.0 or older, which knows a face by a hash of its pixels: one changed pixel breaks it, and "
    "faces whose hash is gone are matched by likeness"
)


def _unwrap(value: Any) -> Any:
    """A loaded face dict with arrays in place of `Array`, three levels deep and no deeper."""
    if isinstance(value, Array):
        return value.array()
    return value


def _face_values(face: Any) -> Any:
    if not isinstance(face, dict):
        return face
    values = {key: _unwrap(value) for key, value in face.items()}
    masks = values.get("mask")
    if isinstance(masks, dict):
        values["mask"] = {
            name: {key: _unwrap(value) for key, value in mask.items()} if isinstance(mask, dict) else mask
            for name, mask in masks.items()
        }
    identity = values.get("identity")
    if isinstance(identity, dict):
        values["identity"] = {name: _unwrap(vector) for name, vector in identity.items()}
    return values


def _video_meta(value: Any) -> dict[str, float | bool]:
    """What a frame says of the film: times in the container's own ticks, which may be billionths of a second."""
    if not isinstance(value, dict):
        return {}
    return {
        str(key): item
        for key, item in value.items()
        if isinstance(item, int | float | bool) and math.isfinite(item) and abs(item) < 1 << 63
    }


def _frame(value: Any, where: str) -> FrameFaces:
    faces, meta = value, None
    if isinstance(value, dict):
        faces, meta = value.get("faces", []), value.get("video_meta")
    if not isinstance(faces, list):
        raise FormatError(f"{where} holds no list of faces. Restore the file from its backup.")
    return FrameFaces([alignment_from(_face_values(face), where) for face in faces], _video_meta(meta))


def _frames(data: Any, path: Path) -> dict[str, FrameFaces]:
    if not isinstance(data, dict) or len(data) > _FRAMES_LIMIT:
        raise FormatError(f"{path} is no alignments file. Give a .fsa or .json that faceswap wrote.")
    return {
        check_name(name, where=str(path)): _frame(value, f"{path}, frame {str(name)[:80]},")
        for name, value in data.items()
    }


def _has_hash(frames: dict[str, FrameFaces]) -> bool:
    return any(face.pixel_hash for frame in frames.values() for face in frame.faces)


def _dialect_of(data: dict[Any, Any]) -> str:
    """v3 keeps landmarks as a list, v2.3 as an array; a file without faces counts as v2.3."""
    for frame in data.values():
        faces = frame.get("faces") if isinstance(frame, dict) else frame
        for face in faces if isinstance(faces, list) else ():
            if isinstance(face, dict) and "landmarks_xy" in face:
                return "v2.3" if isinstance(face["landmarks_xy"], Array) else "v3"
    return "v2.3"


def _from_pickle(value: Any, path: Path) -> Alignments:
    if isinstance(value, dict) and "__data__" in value and isinstance(value.get("__meta__"), dict):
        version = value["__meta__"].get("version")
        if not isinstance(version, int | float) or not 0 < version < 100:
            raise FormatError(f"{path} names no version. Restore it from its backup.")
        frames = _frames(value["__data__"], path)
        return Alignments(frames, _dialect_of(value["__data__"]), float(version), path)
    frames = _frames(value, path)
    return _old(Alignments(frames, "v1", 1.0, path))


def _old(alignments: Alignments) -> Alignments:
    if _has_hash(alignments.frames):
        alignments.warnings.append(f"{alignments.path}: {HASH_WARNING}")
    return alignments


def _import_face(value: Any, where: str) -> FaceAlignment:
    try:
        left, top, right, bottom = (round(float(number)) for number in value["detected"])
        with np.errstate(over="ignore"):
            points = np.asarray(value["landmarks_2d"], np.float32)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError("landmarks_2d")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{where} holds a face without a usable {error}.") from None
    return FaceAlignment(left, top, right - left, bottom - top, points)


def _from_json(text: bytes, path: Path) -> Alignments:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is damaged JSON ({str(error)[:80]}). Restore it from its backup.") from None
    if not isinstance(data, dict):
        raise FormatError(f"{path} is no alignments file: its JSON is no object.")
    first = next((faces[0] for faces in data.values() if isinstance(faces, list) and faces), None)
    if isinstance(first, dict) and "landmarks_2d" in first:
        frames = {
            check_name(name, where=str(path)): FrameFaces(
                [_import_face(face, f"{path}, frame {name[:80]},") for face in faces or ()]
            )
            for name, faces in data.items()
        }
        return Alignments(frames, "import-json", VERSION, path)
    return _old(Alignments(_frames(data, path), "v1-json", 1.0, path))


def read_alignments(path: Path) -> Alignments:
    """An alignments file of any dialect. Nothing in it is executed.

    Raises FacesetError where it cannot be read, FormatError where it is damaged or no alignments file, UnsafeFile
    where it would run code, leave its folder or take too much memory.
    """
    data = read_bounded(path, _FILE_LIMIT)
    if data[:1] == b"\x80":
        return _from_pickle(load_pickle(data, name=str(path)), path)
    if len(data) > 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0:
        raw = inflate(data, name=str(path))
        del data
        return _from_pickle(load_pickle(raw, name=str(path)), path)
    if data.lstrip()[:1] == b"{":
        return _from_json(data, path)
    raise FormatError(
        f"{path} is neither a .fsa nor a .json alignments file. Name the file that extraction wrote, or make one: "
        "galloway faceset from-faces"
    )


Dialect = Literal["v2.3", "v3"]


def write_alignments(path: Path, alignments: Alignments, dialect: Dialect | None = None) -> None:
    """Write a `.fsa` 2.4 atomically. `dialect` None keeps the one it was read in; older ones become "v2.3".

    v1's pixel hashes are dropped, as faceswap dropped them. Both living lines read both dialects.
    """
    wanted = dialect or ("v3" if alignments.dialect == "v3" else "v2.3")
    for name in alignments.frames:
        check_name(name, where=str(path))
    current = Alignments(alignments.frames, wanted, max(alignments.version, VERSION))
    write_atomic(path, deflate(pickle_chunks(current, wanted)))


def export_json(alignments: Alignments) -> dict[str, list[dict[str, Any]]]:
    """The JSON that both lines import: box as left, top, right, bottom and 68 points, in frame pixels."""
    return {
        name: [
            {
                "detected": [face.x, face.y, face.x + face.w, face.y + face.h],
                "landmarks_2d": face.landmarks.tolist(),
            }
            for face in frame.faces
        ]
        for name, frame in alignments.frames.items()
    }
