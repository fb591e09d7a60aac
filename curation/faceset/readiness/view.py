"""From a folder of face PNGs to the columns that a readiness report looks at."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import FacesetError
from ...screen.cache import EmbeddingCache
from ...screen.embed import Embedded
from ...screen.gaze import gaze_in
from ...screen.identity import match_members, person_groups
from ...screen.observe import pixel_key
from ...screen.pixels import ALIGNED, Measures, face_patch, measure
from ...screen.pose import expressions, poses
from ...screen.twins import twin_leaders
from ...types import Progress, no_progress
from ..crop_sizes import crop_sizes
from ..geometry import head_matrix, transform_points
from ..png.headers import read_header, read_png
from ..png.types import FaceHeader
from .values import FacesetView

__all__ = ["frame_of", "read_view", "view_of"]

_NUMBER = re.compile(r"^(?P<stem>.+)_(?P<number>\d{1,9})$")
_CLEAR = 0.05


@dataclass(frozen=True, slots=True)
class _Face:
    header: FaceHeader
    measures: Measures | None
    embedded: Embedded | None
    gaze: NDArray[np.float64] | None = None


def frame_of(header: FaceHeader) -> tuple[str, int]:
    """The source's stem and the frame's number, -1 for a photograph (then all photographs are one source)."""
    stem = Path(header.source.source_filename).stem
    if not header.source.source_is_video:
        return "photographs", -1
    found = _NUMBER.match(stem)
    return (found["stem"], int(found["number"])) if found else (stem, -1)


def read_view(
    folder: Path,
    *,
    pixels: bool = True,
    cache: EmbeddingCache | None = None,
    options: str = "",
    progress: Progress = no_progress,
) -> FacesetView:
    """Read the face PNGs of a flat folder. Without `pixels` only headers are read: a tenth of the time, no light or
    sharpness. `cache` gives embeddings that a screening left; nothing is embedded here. `options` name the set on a
    command line, where that is no folder on its own.

    Raises FacesetError for a folder without faces, FormatError for a PNG without a header.
    """
    paths = sorted(folder.glob("*.png")) if folder.is_dir() else []
    if not paths:
        raise FacesetError(f"{folder} holds no face PNGs. Extract some: galloway extract, or name another folder.")
    faces = []
    for number, path in enumerate(paths, start=1):
        faces.append(_read(path, pixels, cache))
        if number % 50 == 0 or number == len(paths):
            progress("faces", number, len(paths))
    return replace(_columns(faces), crops=crop_sizes(folder, [path.name for path in paths], options))


def view_of(landmarks: NDArray[np.float32], source: list[str], frame: list[int], size: list[float]) -> FacesetView:
    """A view from plain arrays, without pixels: landmarks (n, 68, 2), source names, frame numbers, sizes."""
    pose, face = poses(landmarks), expressions(landmarks)
    unknown = np.full(len(source), np.nan)
    return FacesetView(
        source=tuple(source),
        frame=np.array(frame, dtype=np.int64),
        yaw=pose.yaw,
        pitch=pose.pitch,
        mouth=face.mouth_open,
        eyes=face.eyes_open,
        size=np.array(size, dtype=np.float64),
        sharpness=unknown,
        brightness=unknown.copy(),
        light=unknown.copy(),
        twin=np.zeros(len(source), dtype=bool),
    )


def _read(path: Path, pixels: bool, cache: EmbeddingCache | None) -> _Face:
    if not pixels:
        return _Face(read_header(path), None, None)
    header, picture = read_png(path)
    embedded = cache.get(pixel_key(picture)) if cache is not None else None
    patch = face_patch(picture, embedded.landmarks if embedded is not None else None, ALIGNED)
    return _Face(header, measure(patch), embedded, _gaze(header, picture))


def _gaze(header: FaceHeader, picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    landmarks = header.alignment.landmarks
    if landmarks.shape != (68, 2):
        return np.full(2, np.nan)
    return gaze_in(picture, transform_points(head_matrix(landmarks, len(picture)), landmarks))


def _columns(faces: list[_Face]) -> FacesetView:
    places = [frame_of(face.header) for face in faces]
    landmarks = np.stack([face.header.alignment.landmarks for face in faces])
    base = view_of(
        landmarks,
        [source for source, _ in places],
        [frame for _, frame in places],
        [float(min(face.header.alignment.w, face.header.alignment.h)) for face in faces],
    )
    if any(face.measures is None for face in faces):
        return base
    seen = [face.measures for face in faces if face.measures is not None]
    sharpness = np.array([m.sharpness for m in seen])
    leaders = twin_leaders(
        [m.phash for m in seen], base.source, [None if f < 0 else f for f in base.frame.tolist()], sharpness
    )
    return FacesetView(
        source=base.source,
        frame=base.frame,
        yaw=base.yaw,
        pitch=base.pitch,
        mouth=base.mouth,
        eyes=base.eyes,
        size=base.size,
        sharpness=sharpness,
        brightness=np.array([m.brightness for m in seen]),
        light=np.array([m.light for m in seen]),
        twin=leaders != np.arange(len(leaders)),
        stranger=_strangers([face.embedded for face in faces]),
        gaze=np.stack([face.gaze if face.gaze is not None else np.full(2, np.nan) for face in faces]),
    )


def _strangers(seen: list[Embedded | None]) -> NDArray[np.bool_] | None:
    """Which clear faces are surely not the main group's person; None where an embedding is missing."""
    known = [item for item in seen if item is not None]
    if len(known) < len(seen):
        return None
    vectors = np.stack([item.vector for item in known])
    clear = np.array([item.jitter for item in known]) <= _CLEAR
    groups = person_groups(vectors, clear)
    if not groups:
        return None
    return np.asarray((match_members(vectors, groups[0].members, clear).p_same < 0.1) & clear)
