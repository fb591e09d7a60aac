"""The head's crop is the same picture, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import head_matrix, warp
from galloway.pipeline.engines.embedded.chip import _by_dlib, head_chip
from galloway.pipeline.engines.frames import Frame

from tests.support.engines import a_picture, landmarks_at


@pytest.mark.parametrize(("width", "turn"), [(24, 0), (33, 28), (30, -75), (36, 170)])
def test_a_small_faces_crop_is_what_warp_makes_of_the_same_pixels(width: float, turn: float) -> None:
    picture = a_picture(140, 140, seed=3)
    matrix = head_matrix(landmarks_at(70, 70, width, turn), 256)
    quick = _by_dlib(picture, matrix, 256)
    assert quick is not None
    assert np.abs(quick.astype(int) - warp(picture, matrix, 256)).max() <= 1


@pytest.mark.parametrize(("x", "y", "width"), [(320, 180, 30), (320, 180, 200), (8, 12, 30), (630, 350, 44)])
def test_what_lies_around_the_face_is_enough(x: float, y: float, width: float) -> None:
    picture = a_picture(640, 360, seed=4)
    points = landmarks_at(x, y, width)
    chip = head_chip(Frame(1, "f", lambda: picture), points, 128)
    whole = warp(picture, head_matrix(points, 128), 128)
    assert chip.shape == (128, 128, 3)
    assert np.array_equal((chip == 0).all(axis=2), (whole == 0).all(axis=2))
    assert np.abs(chip.astype(int) - whole).mean() < 2
