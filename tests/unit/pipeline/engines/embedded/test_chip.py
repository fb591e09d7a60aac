"""The head's crop is the same picture, however it is cut."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from galloway.pipeline.engines.align import head_matrix, invert, warp
from galloway.pipeline.engines.embedded.chip import head_chip
from galloway.pipeline.engines.frames import Frame
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

from tests.support.engines import a_picture, landmarks_at


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean absolute difference, but for an edge of sixteen pixels."""
    inner = slice(16, -16)
    return float(np.abs(one[inner, inner].astype(int) - other[inner, inner]).mean())


@pytest.mark.parametrize("width", [14, 24, 33, 60, 96, 150])
@pytest.mark.parametrize("turn", [0, 28, -75, 170])
def test_a_crop_is_what_warp_makes_of_the_same_pixels_and_lies_where_it_does(width: float, turn: float) -> None:
    grain = np.random.default_rng(3).integers(0, 256, (104, 104, 3), np.uint8)
    picture = np.asarray(Image.fromarray(grain).resize((520, 520), Image.Resampling.BICUBIC))
    points = landmarks_at(260, 260, width, turn)
    chip = head_chip(Frame(1, "f", lambda: picture), points, 256)
    whole = warp(picture, head_matrix(points, 256), 256)
    there = apart(chip, whole)
    assert there < 4
    for axis in (0, 1):
        for step in (-1, 1):
            assert there < 0.7 * apart(chip, np.roll(whole, step, axis=axis)), "not a pixel beside it"


@pytest.mark.parametrize(("x", "y", "width"), [(320, 180, 30), (320, 180, 200), (8, 12, 30), (630, 350, 44)])
def test_what_lies_around_the_face_is_enough(x: float, y: float, width: float) -> None:
    picture = a_picture(640, 360, seed=4)
    points = landmarks_at(x, y, width)
    matrix = head_matrix(points, 128)
    chip = head_chip(Frame(1, "f", lambda: picture), points, 128)
    whole = warp(picture, matrix, 128)
    assert chip.shape == (128, 128, 3)
    assert np.abs(chip.astype(int) - whole).mean() < 2
    beyond = (whole == 0).all(axis=2)
    reach = 2 * ceil(1 / np.hypot(*invert(matrix)[:, 0])) + 1
    black = (chip == 0).all(axis=2)
    assert (black | ~minimum_filter(beyond, reach)).all(), "black where the frame ends, but for half a pixel of it"
    assert not (black & ~maximum_filter(beyond, reach)).any()
