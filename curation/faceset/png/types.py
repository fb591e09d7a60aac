"""The values that PNG headers and alignments files hold, the same in every dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .source import VERSION, FaceSource

__all__ = ["VERSION", "Alignments", "FaceAlignment", "FaceHeader", "FaceSource", "FrameFaces", "Mask"]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """One stored mask. `data` is zlib of stored_size² uint8; `affine_matrix` is float64 (2, 3)."""

    data: bytes
    affine_matrix: NDArray[np.float64]
    interpolator: int
    stored_size: int
    stored_centering: str = "face"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return (
            (self.data, self.interpolator, self.stored_size, self.stored_centering)
            == (other.data, other.interpolator, other.stored_size, other.stored_centering)
        ) and np.array_equal(self.affine_matrix, other.affine_matrix)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class FaceAlignment:
    """Where a face is in its frame.

    `x, y, w, h` is the detected box in frame pixels; `landmarks` is float32 (68, 2) in frame pixels; `identity` maps
    a model's name to its float32 vector; `thumb` is a JPEG file's bytes (96 px), absent in PNG headers.
    `pixel_hash` is v1's SHA-1 of the decoded BGR pixels, which later versions dropped.
    """

    x: int
    y: int
    w: int
    h: int
    landmarks: NDArray[np.float32]
    masks: dict[str, Mask] = field(default_factory=dict)
    identity: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    thumb: bytes | None = None
    pixel_hash: str | None = None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height in frame pixels."""
        return self.x, self.y, self.w, self.h

    def __eq__(self, other: object) -> bool:
        """Equal in every value; the thumbnail and v1's hash count too."""
        if not isinstance(other, FaceAlignment):
            return NotImplemented
        return (
            self.box == other.box
            and self.thumb == other.thumb
            and self.pixel_hash == other.pixel_hash
            and self.masks == other.masks
            and self.identity.keys() == other.identity.keys()
            and all(np.array_equal(self.identity[name], other.identity[name]) for name in self.identity)
            and np.array_equal(self.landmarks, other.landmarks)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class FaceHeader:
    """The `faceswap` iTXt header of a face PNG."""

    alignment: FaceAlignment
    source: FaceSource


@dataclass(slots=True)
class FrameFaces:
    """The faces of one frame, in faceswap's order, and what the video reader noted (`pts_time`, `keyframe`)."""

    faces: list[FaceAlignment] = field(default_factory=list)
    video_meta: dict[str, float | bool] = field(default_factory=dict)

    @property
    def largest(self) -> FaceAlignment | None:
        """The face with the largest box; None where there is none."""
        return max(self.faces, key=lambda face: face.w * face.h, default=None)


@dataclass(slots=True)
class Alignments:
    """An alignments file: frame key → faces, in the file's order. Frames without faces stay as keys.

    `dialect` is how the file was written: "v2.3" (NumPy arrays), "v3" (plain lists), "v1" (no meta, hashes),
    "v1-json" or "import-json". `warnings` says what a reader should be told.
    """

    frames: dict[str, FrameFaces] = field(default_factory=dict)
    dialect: str = "v2.3"
    version: float = VERSION
    path: Path | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def face_count(self) -> int:
        """How many faces all frames hold."""
        return sum(len(frame.faces) for frame in self.frames.values())
