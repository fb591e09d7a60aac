"""Identity embeddings: dlib's 128 numbers per face, from weights that ship inside a package.

The weights come from `face_recognition_models` (extra `[identity]`), whose files are found without importing it: older
releases of it need `pkg_resources`, which new environments no longer have. The two models are
`shape_predictor_68_face_landmarks.dat` (six times a face, a millisecond each) and
`dlib_face_recognition_resnet_model_v1.dat`, which onnxruntime runs (5 ms; dlib itself takes 90). An embedding is
biometric data: it stays in the workspace's cache, which `galloway screen --forget` deletes, and in no report.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...extras import install
from ..errors import ScreenError
from .pixels import CENTRED, FacePlace
from .resnet import CHIP, Network, load_resnet

__all__ = ["EMBEDDING_SIZE", "MODEL_NAME", "DlibEmbedder", "Embedded", "embedder_available", "weights_folder"]

EMBEDDING_SIZE = 128
MODEL_NAME = "dlib-resnet-v1"
"""Names the model in cache keys: another model's vectors are never compared with these."""

_LANDMARKS = "shape_predictor_68_face_landmarks.dat"
_RESNET = "dlib_face_recognition_resnet_model_v1.dat"
_INSTALL = f"Install them: {install('identity')}, or run without identity: galloway screen --no-identity"
_DOUBLED = FacePlace("doubled", 0.5, 0.5, 0.5)
"""A detector's square with as much again around it."""
_CHIP_PADDING = 0.25
"""What dlib's own descriptor leaves around the face, in shares of its size."""
_PROBES = ((0.0, 0.0, 1.0), (0.06, 0.0, 0.94), (-0.06, 0.0, 1.06), (0.0, 0.06, 1.0), (0.0, -0.06, 1.0))
"""Shifts (in face widths) and scales of the start square, to see whether the landmarks settle on the same face."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the models see in one crop.

    `vector` is float32 (128,); distances of the same person are typically under 0.6. `landmarks`
    is float32 (68, 2) in crop pixels. `jitter` is how far landmarks move when their start square is shifted and
    scaled by 6 %, as a share of the face's width: small where there is a face to settle on.
    """

    vector: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    jitter: float


def weights_folder() -> Path | None:
    """The folder of the weights, None where the package is not installed. Imports nothing."""
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "models"
    return folder if (folder / _RESNET).is_file() and (folder / _LANDMARKS).is_file() else None


def embedder_available() -> bool:
    """Whether identity embeddings can be computed here."""
    return weights_folder() is not None and all(find_spec(name) for name in ("_dlib_pybind11", "onnxruntime"))


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any, Network]:
    folder = weights_folder()
    if folder is None:
        raise ScreenError(f"The identity model's weights (face_recognition_models) are not installed. {_INSTALL}")
    try:
        import dlib
        import onnxruntime  # noqa: F401 – so that what lacks is named before the weights are read
    except ImportError as missing:
        raise ScreenError(f"{missing.name} is not installed. {_INSTALL}") from missing
    return dlib, dlib.shape_predictor(str(folder / _LANDMARKS)), load_resnet(folder / _RESNET)


class DlibEmbedder:
    """Embeds one crop at a time. Cheap to make: the models are loaded on first use and shared by the process."""

    name = MODEL_NAME

    def __init__(self, place: FacePlace = CENTRED) -> None:
        """`place` is where a crop's face is looked for, where no landmarks are given."""
        self._place = place

    def __call__(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None) -> Embedded:
        """Embed an RGB crop (H, W, 3). `landmarks` (68, 2) in crop pixels spares finding them.

        Raises ScreenError where the weights are missing.
        """
        dlib, predictor, resnet = _models()
        pixels = np.ascontiguousarray(pixels)
        square = _square_of(landmarks) if landmarks is not None else _square_at(pixels, self._place)
        if landmarks is None:
            square = _square_of(_points(predictor(pixels, _rectangle(dlib, square))))
        shapes = [predictor(pixels, _rectangle(dlib, _moved(square, *probe))) for probe in _PROBES]
        points = np.stack([_points(shape) for shape in shapes])
        spread = np.linalg.norm(points - np.median(points, axis=0), axis=2)
        vector = resnet(dlib.get_face_chip(pixels, shapes[0], CHIP, _CHIP_PADDING))
        return Embedded(vector, points[0], float(np.median(spread.max(axis=0)) / square[2]))

    def photograph(self, pixels: NDArray[np.uint8]) -> Embedded:
        """Embed the largest face of a photograph; a close crop in which none is found counts as the face.

        dlib's frontal detector looks for it: right for reference photographs, too strict for footage.
        """
        dlib, _, _ = _models()
        pixels = np.ascontiguousarray(pixels)
        found = list(dlib.get_frontal_face_detector()(pixels, 1 if max(pixels.shape) < 1200 else 0))
        if not found:
            return self(pixels)
        box = max(found, key=lambda rectangle: rectangle.area())
        centre = (box.left() + box.right()) / 2, (box.top() + box.bottom()) / 2
        side = float(max(box.width(), box.height()))
        x, y = max(round(centre[0] - side), 0), max(round(centre[1] - side), 0)
        crop = pixels[y : round(centre[1] + side), x : round(centre[0] + side)]
        return DlibEmbedder(_DOUBLED)(np.ascontiguousarray(crop))


Square = tuple[float, float, float]
"""Centre x, centre y and side of a square, in pixels."""


def _square_at(pixels: NDArray[np.uint8], place: FacePlace) -> Square:
    height, width = pixels.shape[:2]
    return place.x * width, place.y * height, 1.1 * place.side * min(height, width)


def _square_of(landmarks: NDArray[np.float32]) -> Square:
    """The square a frontal detector would give for these points: brows to chin, a little wider than the jaw."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = 1.1 * float(max(high - low))
    return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2 - 0.02 * side, side


def _moved(square: Square, dx: float, dy: float, scale: float) -> Square:
    x, y, side = square
    return x + dx * side, y + dy * side, scale * side


def _rectangle(dlib: Any, square: Square) -> Any:
    x, y, side = square
    corner = (round(x - side / 2), round(y - side / 2))
    return dlib.rectangle(corner[0], corner[1], round(corner[0] + side), round(corner[1] + side))


def _points(shape: Any) -> NDArray[np.float32]:
    return np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float32)
