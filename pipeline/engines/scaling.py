"""Pictures made larger or smaller by FFmpeg's swscale, and turned by dlib: as Pillow does it, in less of the time."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...curation.faceset.geometry import Matrix, invert, transform_points

__all__ = ["scaled", "turned"]

_FORMATS = {1: "gray", 3: "yuv444p", 4: "yuva444p"}
"""Formats of so many planes of one size. Scaled to itself, none is turned into another meaning: each plane is only
scaled. Of RGB formats swscale makes YUV first, at a loss."""
_TWICE = 1.98
"""dlib halves a picture that has twice as many pixels across as are wanted of it, and blurs it so."""


def scaled(picture: NDArray[np.uint8], width: int, height: int, *, smooth: bool = True) -> NDArray[np.uint8]:
    """The picture (h, w, k) at another size, k of 1, 3 or 4 bands that mean anything: bicubic, or without `smooth`
    bilinear. Its edges lie where they lay; what is beyond them is taken to be as at the edge."""
    import av
    from av.video.reformatter import Interpolation

    high, wide, bands = picture.shape
    frame = av.VideoFrame(wide, high, _FORMATS[bands])
    for band in range(bands):
        _plane(frame, band)[:] = picture[..., band]
    way = Interpolation.BICUBIC if smooth else Interpolation.BILINEAR
    # Not rounded exactly, neighbours differ by a step for nothing, and a PNG of them is a fifth larger.
    # A thread for a part of a picture costs more than the part.
    frame = frame.reformat(width=width, height=height, interpolation=way | Interpolation.ACCURATE_RND, threads=1)
    made = np.empty((height, width, bands), np.uint8)
    for band in range(bands):
        made[..., band] = _plane(frame, band)
    return made


def _plane(frame: Any, band: int) -> NDArray[np.uint8]:
    plane = frame.planes[band]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]


def turned(picture: NDArray[np.uint8], matrix: Matrix, side: int) -> NDArray[np.uint8]:
    """The picture (h, w, 3) seen through `matrix`, which turns and scales and makes of no more than two of its pixels
    one: uint8 (side, side, 3), black where the picture ends. Doubled first, and then looked at between its pixels."""
    import dlib

    back = invert(matrix)
    larger = min(2.0, _TWICE / sqrt(abs(np.linalg.det(back[:, :2]))))
    height, width = picture.shape[:2]
    large = scaled(picture, round(larger * width), round(larger * height))
    middle = larger * (transform_points(back, np.full((1, 2), (side - 1) / 2))[0] + 0.5) - 0.5
    half = larger * float(np.hypot(*back[:, 0])) * (side - 1) / 2
    square = dlib.drectangle(*(middle - half), *(middle + half))
    turn = float(np.arctan2(back[1, 0], back[0, 0]))
    details = dlib.chip_details(square, dlib.chip_dims(side, side), turn)
    return np.asarray(dlib.extract_image_chip(large, details))
