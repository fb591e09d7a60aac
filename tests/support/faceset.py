"""Builders of faces, headers and whole facesets for tests: synthetic, small, valid."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from curation.faceset.alignments import Alignments, FrameFaces, write_alignments
from curation.faceset.headers import FaceAlignment, FaceHeader, FaceSource, Mask, write_png
from curation.faceset.merge import FacesetPaths, scan_faces
from curation.types import DecidedBy, Decision, Side, Status

__all__ = [
    "Built",
    "alignment",
    "build_faceset",
    "decide",
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
