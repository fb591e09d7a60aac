"""Builders for engine tests: clips with sound, drawn faces with landmarks, faceset folders, and the engines at hand."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import write_alignments
from galloway.curation.faceset.png.headers import write_png
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FaceHeader, FaceSource, FrameFaces
from galloway.pipeline.demo.scenes import Pose, Stage, film
from galloway.pipeline.engines.align import FACE_SPAN, MEAN_FACE, head_matrix, warp
from galloway.pipeline.engines.base import Engine
from galloway.pipeline.engines.embedded.data import MARGIN
from galloway.pipeline.engines.embedded.detail import DETAIL
from galloway.pipeline.engines.embedded.look import Look, fit
from galloway.pipeline.engines.embedded.model import SwapModel
from galloway.pipeline.engines.embedded.store import ModelState, save_model
from galloway.pipeline.engines.film import VideoWriter
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = [
    "ENGINES",
    "Blind",
    "EngineCase",
    "a_picture",
    "drawn_face",
    "filmed_frames",
    "green_model",
    "landmarks_at",
    "plain_look",
    "tree_digest",
    "write_clip",
    "write_drawn_alignments",
    "write_faces",
]

Picture = NDArray[np.uint8]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def a_picture(width: int, height: int, seed: int = 0) -> Picture:
    """Smooth coloured noise, different for each seed."""
    chance = np.random.default_rng(seed)
    small = Image.fromarray(chance.integers(0, 255, (5, 6, 3), np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def landmarks_at(x: float, y: float, size: float, roll: float = 0.0) -> NDArray[np.float32]:
    """68 landmarks of a face whose mean-face square is `size` pixels wide around (x, y), turned by `roll` degrees."""
    jaw_at = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.49 - 0.62 * np.cos(jaw_at), 0.15 + 1.0 * np.sin(jaw_at)], axis=1)
    points = (np.concatenate([jaw, MEAN_FACE]) - 0.5) * size
    angle = np.deg2rad(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ turn.T + (x, y), np.float32)


def drawn_face(
    landmarks: NDArray[np.float32], width: int, height: int, skin: tuple[int, int, int] = (220, 170, 140)
) -> Picture:
    """A cartoon face on smooth noise, with skin, brows, eyes, nose and mouth where the landmarks are."""
    canvas = Image.fromarray(a_picture(width, height, seed=int(landmarks.sum()) % 1000))
    draw = ImageDraw.Draw(canvas)

    def part(start: int, stop: int) -> list[tuple[float, float]]:
        return [(float(px), float(py)) for px, py in landmarks[start:stop]]

    draw.polygon(part(0, 17) + part(17, 27)[::-1], fill=skin)
    for start, stop, colour in ((36, 42, "white"), (42, 48, "white"), (48, 60, (170, 40, 50))):
        draw.polygon(part(start, stop), fill=colour, outline="black")
    for start, stop in ((17, 22), (22, 27), (27, 31), (31, 36)):
        draw.line(part(start, stop), fill=(60, 40, 30), width=2)
    return np.asarray(canvas)


def write_faces(folder: Path, count: int, *, skin: tuple[int, int, int] = (220, 170, 140), size: int = 128) -> None:
    """A faceset folder of `count` drawn faces with headers, as an engine extracts them."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        points = landmarks_at(80 + index % 5, 60 + index % 3, 50, roll=3.0 * (index % 7 - 3))
        frame = drawn_face(points, 160, 120, skin)
        name = f"clip_{index + 1:06d}_0.png"
        source = FaceSource(name, 0, f"clip_{index + 1:06d}.mp4", True, (120, 160))
        crop = Image.fromarray(warp(frame, head_matrix(points, size), size))
        write_png(folder / name, crop, FaceHeader(FaceAlignment(55, 35, 50, 60, points), source))


def write_clip(
    path: Path,
    frames: Sequence[Picture],
    *,
    rate: Fraction | int = 10,
    sound: bool = True,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
) -> Path:
    """An mp4 of these frames, with a tone as sound; `pts` in `time_base` makes it vary in rate."""
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width=width, height=height, rate=Fraction(rate), time_base=time_base) as writer:
        if sound:
            writer.add_sound(44100)
        for index, frame in enumerate(frames):
            writer.write(frame, pts[index] if pts else None)
        if sound:
            _write_tone(writer, len(frames) / float(rate))
    return path


def _write_tone(writer: VideoWriter, seconds: float) -> None:
    import av

    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 44100)) / 44100)
    stereo = np.stack([wave, wave]).astype(np.float32)
    for start in range(0, stereo.shape[1], 1024):
        part = np.ascontiguousarray(stereo[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
        writer.write_sound(frame)


def filmed_frames(count: int, person: str = "astronaut", size: tuple[int, int] = (320, 180)) -> list[Picture]:
    """Frames of a real photograph moved about: a detector finds one face in each."""
    photo = Stage.load(1).people[person]
    return [
        film(photo, Pose(size[0] / 2 + 4 * index, size[1] * 0.48, 70 + 2 * index, roll=4.0 * index - 8), size)[0]
        for index in range(count)
    ]


def write_drawn_alignments(path: Path, faces: dict[str, list[NDArray[np.float32]]]) -> Path:
    """A `.fsa` with these landmarks by frame name."""
    frames = {
        name: FrameFaces([FaceAlignment(*_box(points), landmarks=points) for points in found])
        for name, found in faces.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_alignments(path, Alignments(frames), "v2.3")
    return path


def plain_look(colour: float | tuple[float, float, float], size: int) -> Look:
    """The look of somebody whose face is all of one colour (0 … 1), for a model of `size` pixels."""
    canvas = round(size * MARGIN)
    points = landmarks_at(canvas / 2, 0.46 * canvas, FACE_SPAN / MARGIN * canvas).astype(np.float64)
    texture = np.broadcast_to(255 * np.asarray(colour, np.float32), (canvas * DETAIL, canvas * DETAIL, 3)).copy()
    images = np.repeat(texture[None, ::DETAIL, ::DETAIL], 2, axis=0).astype(np.uint8)
    return fit(images, np.repeat(texture[None], 2, axis=0).astype(np.uint8), np.stack([points, points + 0.5]))


def green_model(folder: Path) -> Path:
    """A folder with a model whose B is plain green."""
    model = SwapModel("tiny", 32, 1)
    model.set_looks(plain_look(0.5, 32), plain_look((0, 1, 0), 32))
    save_model(folder, model.to_arrays(), ModelState("tiny", 32, 1))
    return folder


class Blind:
    """In place of an occlusion net: the last two of the faces that are drawn together are covered."""

    def predict(self, images: Picture, *_more: object) -> NDArray[np.float32]:
        found = np.zeros(images.shape[:3], np.float32)
        found[-2:] = 1
        return found


def _box(points: NDArray[np.float32]) -> tuple[int, int, int, int]:
    low, high = points.min(axis=0), points.max(axis=0)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def tree_digest(folder: Path) -> dict[str, str]:
    """Every file below a folder and the SHA-256 of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def _nothing(_source: Path) -> Iterator[dict[str, str]]:
    yield {}


@dataclass(frozen=True)
class EngineCase:
    """One engine for the contract suite.

    `make` gets a folder for settings; `extract_options` gives `ExtractRequest.options` for a source, as a context (an
    engine may need a file beside the source); `train` holds what differs in `TrainRequest` to make it quick.
    """

    name: str
    make: Callable[[Path], Engine]
    extract_options: Callable[[Path], AbstractContextManager[dict[str, str]]] = _nothing
    train: dict[str, object] = field(default_factory=dict)


def _embedded(_folder: Path) -> Engine:
    from galloway.pipeline.engines.embedded.engine import EmbeddedEngine

    return EmbeddedEngine()


ENGINES: tuple[EngineCase, ...] = (
    EngineCase("embedded", _embedded, train={"model": "tiny", "batch_size": 4, "options": {"size": "32"}}),
)
"""The engines that the contract suite runs."""
