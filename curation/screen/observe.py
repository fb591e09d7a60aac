"""One look at one face: everything about it that does not depend on the other faces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import FaceId
from .embed import Embedded
from .pixels import CENTRED, FacePlace, Measures, face_patch, measure
from .pose import poses

__all__ = ["Embedder", "Observation", "observe", "pixel_key"]

Embedder = Callable[[NDArray[np.uint8]], Embedded]
"""Takes an RGB crop, gives vector, landmarks and jitter."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one crop shows. Small: the pixels themselves are not kept.

    Angles are degrees, NaN without landmarks. `size` is the face's smaller side in frame pixels, `vector` float32
    (128,) or None where embeddings are not computed. `jitter` is NaN then.
    """

    face_id: FaceId
    source: str
    frame: int | None
    size: float
    measures: Measures
    yaw: float
    pitch: float
    roll: float
    misfit: float
    jitter: float
    vector: NDArray[np.float32] | None


def pixel_key(pixels: NDArray[np.uint8]) -> str:
    """32 hex digits that name these pixels: BLAKE2b-128 of shape and bytes. Keys the embedding cache."""
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def observe(
    face_id: FaceId,
    pixels: NDArray[np.uint8],
    *,
    source: str,
    frame: int | None,
    size: float,
    landmarks: NDArray[np.float32] | None = None,
    embedded: Embedded | None = None,
    place: FacePlace = CENTRED,
) -> Observation:
    """Measure one RGB crop (H, W, 3).

    `landmarks` (68, 2) may be in any frame's pixels (a header's): pose does not depend on scale. What the embedder
    found is used where they are missing, and places the measuring square in the crop; without it the square is at
    `place`.
    """
    shape = landmarks if landmarks is not None else embedded.landmarks if embedded is not None else None
    angles = [float("nan")] * 4
    if shape is not None and np.isfinite(shape).all():
        pose = poses(shape[None])
        angles = [float(values[0]) for values in (pose.yaw, pose.pitch, pose.roll, pose.misfit)]
    patch = face_patch(pixels, embedded.landmarks if embedded is not None else None, place)
    return Observation(
        face_id=face_id,
        source=source,
        frame=frame,
        size=size,
        measures=measure(patch),
        yaw=angles[0],
        pitch=angles[1],
        roll=angles[2],
        misfit=angles[3],
        jitter=embedded.jitter if embedded is not None else float("nan"),
        vector=embedded.vector if embedded is not None else None,
    )
