"""Reference photographs: cut to the face, so that it stands as large beside a question as the face that is asked about.

The whole photograph is kept as it came in `originals/`; what pages, screening and counts see is the cut.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..engines.base import EngineError

if TYPE_CHECKING:
    from ..engines.embedded.detect import FaceFinder

__all__ = ["ORIGINALS", "cut_to_face", "face_square", "original_of"]

_log = logging.getLogger(__name__)
ORIGINALS = "originals"
"""Folder beside the cut photographs that holds them as they were given."""
SMALLEST = 40
"""A face that is smaller than this in a photograph is somebody in its background."""
_HEAD = 1.8
"""Side of the cut in boxes of CenterFace, which go from the hair line to the chin: with hair, ears and some neck."""
_FRONTAL = 2.0
"""The same for dlib's boxes, which go from the brows to the chin."""

Box = tuple[float, float, float, float]


def cut_to_face(picture: Image.Image) -> Image.Image:
    """The square around the largest face of an upright RGB photograph, as far as the photograph goes.

    The photograph itself where no face is found, or nothing is installed that finds one.
    """
    try:
        square = face_square(np.asarray(picture))
    except EngineError as error:
        _log.warning("Reference photographs are shown whole: %s", error)
        return picture
    return picture if square is None else picture.crop(square)


def face_square(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the cut; None where no face is found. Raises EngineError without the finders."""
    found = [face.box for face in _finder().find(pixels, SMALLEST)]
    times = _HEAD
    if not found:
        found, times = _frontal(pixels), _FRONTAL
    if not found:
        return None
    left, top, right, bottom = max(found, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    half = times * max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    height, width = pixels.shape[:2]
    return max(0, round(x - half)), max(0, round(y - half)), min(width, round(x + half)), min(height, round(y + half))


@cache
def _finder() -> FaceFinder:
    from ..engines.embedded.detect import FaceFinder

    return FaceFinder(threads=1)


def _frontal(pixels: NDArray[np.uint8]) -> list[Box]:
    """Faces that dlib's frontal detector finds: drawings and faces that fill the picture, which CenterFace passes."""
    import dlib

    found = dlib.get_frontal_face_detector()(np.ascontiguousarray(pixels), 0)
    boxes = [(float(one.left()), float(one.top()), float(one.right()), float(one.bottom())) for one in found]
    return [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST]


def original_of(cut: Path, suffix: str) -> Path:
    """Where the photograph that was given is kept, by its cut and its own ending."""
    return cut.parent / ORIGINALS / f"{cut.stem}{suffix.lower()}"
