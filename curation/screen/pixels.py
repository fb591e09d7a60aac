"""What can be measured on a crop's pixels alone: sharpness, exposure, light, perceptual hash.

Sharpness is the variance of the Laplacian, as everywhere, but of the face's own square at one size and divided by its
contrast, so that a dim face is not taken for a blurred one. There is no absolute threshold (no tool has a sound one):
faces are ranked within their set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..likeness import perceptual_hash

__all__ = ["ALIGNED", "CENTRED", "PATCH", "FacePlace", "Measures", "face_patch", "measure", "percentiles"]

PATCH = 112
"""Side of the grey face square on which everything here is measured, in pixels."""


@dataclass(frozen=True, slots=True)
class FacePlace:
    """Where the face is in a crop, where nothing better is known: centre and side of its square as shares of the crop.

    `name` tells embeddings made with one place from those made with another.
    """

    name: str
    x: float
    y: float
    side: float


CENTRED = FacePlace("centred", 0.5, 0.52, 0.54)
"""A detector's box with half its size around it."""
ALIGNED = FacePlace("aligned", 0.5, 0.62, 0.46)
"""faceswap's head crops, which every engine here writes: brows to chin, measured on clear faces."""


@dataclass(frozen=True, slots=True)
class Measures:
    """One face's figures.

    `sharpness`: log of the Laplacian's variance over the grey variance to the power 3/4 (compare within a set only).
    `brightness`: mean grey, 0 to 1. `contrast`: standard deviation, 0 to 0.5. `clipped`: share of pixels at either end.
    `light`: right minus left half's mean over their sum, -1 (lit from the viewer's left) to 1.
    `phash`: 64 bits of the perceptual hash.
    """

    sharpness: float
    brightness: float
    contrast: float
    clipped: float
    light: float
    phash: int


def face_patch(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None, place: FacePlace = CENTRED
) -> NDArray[np.float32]:
    """The face's square in grey, float32 (112, 112), 0 to 255.

    The square encloses the landmarks (crop pixels); without them it is at `place`.
    """
    height, width = pixels.shape[:2]
    if landmarks is None:
        side, x, y = place.side * min(height, width), place.x * width, place.y * height
    else:
        low, high = landmarks.min(axis=0), landmarks.max(axis=0)
        side = float(max(high - low))
        x, y = float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
    box = (
        float(np.clip(x - side / 2, 0, width - 2)),
        float(np.clip(y - side / 2, 0, height - 2)),
        float(np.clip(x + side / 2, 2, width)),
        float(np.clip(y + side / 2, 2, height)),
    )
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.resize((PATCH, PATCH), Image.Resampling.BILINEAR, box=box), dtype=np.float32)


def measure(patch: NDArray[np.float32]) -> Measures:
    """Measure one grey patch of `face_patch`."""
    laplacian = patch[1:-1, :-2] + patch[1:-1, 2:] + patch[:-2, 1:-1] + patch[2:, 1:-1] - 4 * patch[1:-1, 1:-1]
    variance = float(patch.var())
    left, right = float(patch[:, : PATCH // 2].mean()), float(patch[:, PATCH // 2 :].mean())
    bits = perceptual_hash(Image.fromarray(patch.astype(np.uint8)))
    return Measures(
        sharpness=float(np.log((laplacian.var() + 1.0) / (variance + 25.0) ** 0.75)),
        brightness=float(patch.mean()) / 255,
        contrast=variance**0.5 / 255,
        clipped=float(((patch < 4) | (patch > 251)).mean()),
        light=(right - left) / (right + left + 1e-6),
        phash=int("".join("1" if bit else "0" for bit in bits), 2),
    )


def percentiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value's rank within `values`, 0 to 1; ties share their mean rank. Empty in, empty out."""
    if values.size < 2:
        return np.ones(values.size, dtype=np.float64)
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + upto - 1) / (2 * (values.size - 1)), dtype=np.float64)
