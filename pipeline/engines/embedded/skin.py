"""What of a person's mean picture is face, and what is hair, collar or the wall behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..align import face_outline, hull_mask, polygon_mask

__all__ = ["face_of", "features_of"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

STRANGE = 4.0
"""A pixel further from the skin's colour than so many standard deviations is no skin."""
_LEAST_SPREAD = 7.0
"""Standard deviation of a skin's colour in 0 … 255 that is granted to the most even one."""
_RIM = 0.05
"""How far in from the landmarks' hull colour is asked at all, in shares of the side: further in is face."""


def face_of(texture: Floats, shape: Doubles) -> Floats:
    """How much of each pixel of `texture` (s, s, 3, 0 … 255), with landmarks `shape` (68, 2), is face: float32, 0 … 1.

    Inside the landmarks' hull all is, and so are brows; along its edge, on forehead and temples what has the colour of
    cheeks, nose and chin and hangs together with them.
    """
    size = texture.shape[0]
    whole = polygon_mask(face_outline(shape), (size, size)) > 0
    hull = hull_mask(shape, (size, size), extended=False) > 0
    sure = ndimage.distance_transform_edt(hull) > _RIM * size
    skin = _like(texture, sure & ~features_of(shape, size)) & whole
    # Brows have another colour than skin and end at the edge, but landmarks may lie a little beyond them.
    sure |= _outlined(shape, size, (slice(17, 22), slice(22, 27)), 0.85) & whole
    found = ndimage.binary_fill_holes(ndimage.binary_opening(skin | sure, iterations=max(1, size // 80)) | sure)
    labels, _ = ndimage.label(found)
    middle = labels[tuple(np.clip(np.rint(shape[30][::-1]).astype(int), 0, size - 1))]
    face = found & (labels == middle) & whole if middle else whole
    return np.asarray(np.clip(ndimage.gaussian_filter(face.astype(np.float32), size / 100), 0, 1), np.float32)


def _like(texture: Floats, known: Bools) -> Bools:
    """Which pixels have the colours of the known ones (Mahalanobis distance)."""
    if known.sum() < 50:
        return np.ones(texture.shape[:2], bool)
    colours = texture[known].astype(np.float64)
    middle = np.median(colours, axis=0)
    spread = np.cov((colours - middle).T) + _LEAST_SPREAD**2 * np.eye(3)
    apart = texture - middle
    distance = np.sqrt(np.einsum("hwi,ij,hwj->hw", apart, np.linalg.inv(spread), apart))
    return np.asarray(distance < STRANGE)


def features_of(shape: Doubles, size: int) -> Bools:
    """Brows, eyes and mouth, which are face and no skin, of a picture of `size` with landmarks `shape` (68, 2)."""
    return _outlined(shape, size, (slice(17, 27), slice(36, 42), slice(42, 48), slice(48, 60)), 1.3)


def _outlined(shape: Doubles, size: int, parts: tuple[slice, ...], wide: float) -> Bools:
    """What lies within the landmarks of each part, so many times as wide and high."""
    found = np.zeros((size, size), bool)
    for part in parts:
        middle = shape[part].mean(axis=0)
        found |= hull_mask(middle + (shape[part] - middle) * wide, (size, size), extended=False) > 0
    return found
