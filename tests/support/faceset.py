"""Builders of faces, headers and whole facesets for tests: synthetic, small, valid."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, write_alignments
from galloway.curation.faceset.merging.merge import FacesetPaths, scan_faces
from galloway.curation.faceset.png.headers import FaceAlignment, FaceHeader, FaceSource, Mask, write_png
from galloway.curation.types import DecidedBy, Decision, Side, Status
from PIL import Image

__all__ = [
    "Built",
    "alignment",
    "build_faceset",
    "decide",
    "dfl_jpg",
    "dfl_pak",
    "dfl_png",
    "dfl_values",
    "header",
    "jpeg",
    "paths_of",
    "picture",
    "snapshot",
    "visible",
]

FRAME = (360, 640)


def picture(seed: int, size: int = 16) -> Image.Image:
    """A small coloured picture that is different for every seed."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8))


def jpeg(seed: int, size: int = 16) -> bytes:
    """A small JPEG file's bytes."""
    stream = io.BytesIO()
    picture(seed, size).save(stream, "JPEG", quality=60)
    return stream.getvalue()


def alignment(seed: int, *, masks: bool = True, thumb: bool = True, identity: bool = False) -> FaceAlignment:
    """A face somewhere in a frame of 360 x 640, with 68 jittered points."""
    rng = np.random.default_rng(seed)
    x, y, size = int(rng.integers(0, 500)), int(rng.integers(0, 250)), int(rng.integers(20, 90))
    points = (rng.random((68, 2)) * size + (x, y)).astype(np.float32)
    mask = Mask(zlib.compress(rng.integers(0, 2, 64, dtype=np.uint8).tobytes()), rng.random((2, 3)), 3, 8, "face")
    return FaceAlignment(
        x,
        y,
        size,
        size,
        points,
        masks={"components": mask, "extended": mask} if masks else {},
        identity={"vggface2": rng.random(8).astype(np.float32)} if identity else {},
        thumb=jpeg(seed) if thumb else None,
    )


def header(name: str, frame: str, index: int, face: FaceAlignment) -> FaceHeader:
    """The header of a face PNG called `name`, the `index`-th of `frame`."""
    return FaceHeader(face, FaceSource(name, index, frame, frame.endswith((".mp4", ".mkv")), FRAME))


@dataclass(frozen=True)
class Built:
    """A faceset on disk: `faces` and `alignments` folders below `root`."""

    root: Path
    faces: Path
    alignments: Path


def build_faceset(
    root: Path,
    sources: Mapping[str, Mapping[int, int]],
    *,
    dialect: str = "v2.3",
    seed: int = 0,
    size: int = 16,
    masks: bool = True,
) -> Built:
    """A faceset as extraction leaves it. `sources` maps a video's stem to {frame number: faces in it}."""
    built = Built(root, root / "faces", root / "alignments")
    for folder in (built.faces, built.alignments):
        folder.mkdir(parents=True)
    count = seed * 1_000_003
    for stem, frames in sources.items():
        found = Alignments(dialect=dialect)
        for number, faces in frames.items():
            key = f"{stem}_{number:06d}.mp4"
            found.frames[key] = FrameFaces()
            for index in range(faces):
                count += 1
                face = alignment(count, masks=masks)
                found.frames[key].faces.append(face)
                name = f"{stem}_{number:06d}_{index}.png"
                plain = alignment(count, masks=masks, thumb=False)
                write_png(built.faces / name, picture(count, size), header(name, key, index, plain), dialect=dialect)
        write_alignments(built.alignments / f"{stem}_alignments.fsa", found, "v3" if dialect == "v3" else "v2.3")
    return built


def snapshot(*folders: Path) -> dict[str, bytes]:
    """Every visible file below `folders`, by path relative to the first one's parent."""
    base = folders[0].parent
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def paths_of(built: Built, side: Side = Side.B) -> FacesetPaths:
    """Where a built faceset's merges go."""
    return FacesetPaths(side, built.faces, built.alignments, built.root / "merges", built.root / "rejected")


def decide(
    paths: FacesetPaths, rejected: Mapping[str, str | None], *, status: Status = Status.APPROVED
) -> list[Decision]:
    """A face-level decision for every face: `rejected` maps PNG names to reasons, the rest get `status`."""
    return [
        Decision(
            face.face_id,
            None,
            Status.REJECTED if face.name in rejected else status,
            None,
            rejected.get(face.name),
            0.9,
            3,
            DecidedBy.CROWD,
            "majority",
        )
        for face in scan_faces(paths)
    ]


def visible(paths: FacesetPaths) -> dict[str, bytes]:
    """The faceset as faceswap sees it: every file of faces and alignments, with its bytes."""
    return snapshot(paths.faces_dir, paths.alignments_dir)


def dfl_values(frame: str, seed: int = 0, **extra: object) -> dict[str, object]:
    """What DeepFaceLab pickles for one face, with the NumPy objects that its versions use."""
    face = alignment(seed, masks=False, thumb=False)
    rect = np.array([face.x, face.y, face.x + face.w, face.y + face.h], np.int32)
    return {
        "face_type": "whole_face",
        "landmarks": [[float(x), float(y)] for x, y in face.landmarks - (face.x, face.y)],
        "source_filename": frame,
        "source_rect": rect,
        "source_landmarks": face.landmarks.astype(np.float64),
        "image_to_face_mat": np.eye(3)[:2],
        "seg_ie_polys": {"polys": [{"type": 1, "pts": np.zeros((3, 2), np.float32)}]},
        "xseg_mask": np.zeros(10, np.uint8),
        **extra,
    }


def dfl_jpg(values: object, seed: int = 0, *, protocol: int = 4, payload: bytes | None = None) -> bytes:
    """A DeepFaceLab JPG: the pickle of `values` (or `payload`) in an APP15 segment after the last APPn."""
    data = jpeg(seed, 32)
    raw = pickle.dumps(values, protocol) if payload is None else payload
    segment = b"\xff\xef" + struct.pack(">H", len(raw) + 2) + raw
    after = 4 + int.from_bytes(data[4:6], "big")
    return data[:after] + segment + data[after:]


def dfl_png(values: object, seed: int = 0) -> bytes:
    """A DeepFaceLab PNG of before March 2020: the pickle in a `fcWp` chunk."""
    stream = io.BytesIO()
    picture(seed, 32).save(stream, "PNG")
    data = stream.getvalue()
    body = b"fcWp" + pickle.dumps(values, 4)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + data[-12:]


def dfl_pak(pictures: Mapping[str, bytes], samples: object = None) -> bytes:
    """A `faceset.pak` of version 1, with DeepFaceLab's quirk that the last offset is absolute."""
    listed = [{"filename": name, "shape": (32, 32, 3), "landmarks": np.zeros((68, 2))} for name in pictures]
    index = pickle.dumps(listed if samples is None else samples, 4)
    offsets = [0]
    for data in pictures.values():
        offsets.append(offsets[-1] + len(data))
    table_end = 16 + len(index) + 8 * len(offsets)
    offsets[-1] += table_end
    head = struct.pack("<QQ", 1, len(index)) + index + struct.pack(f"<{len(offsets)}Q", *offsets)
    return head + b"".join(pictures.values())
