"""Where an iris is drawn, there it is found: also with dark corners, in a tilted face, and never in a closed eye."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.screen.gaze import gaze_of
from numpy.typing import NDArray

from tests.support.eyes import HALF, eyes


@pytest.mark.parametrize("where", [-0.5, -0.2, 0.0, 0.3, 0.55])
@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_an_iris_is_found_where_it_is(where: float, angle: float) -> None:
    picture, points = eyes((where, where), angle=angle)
    assert gaze_of(picture, points) == pytest.approx([where, where], abs=0.08)


def test_eyes_are_told_apart() -> None:
    picture, points = eyes((0.4, -0.4))
    assert gaze_of(picture, points) == pytest.approx([0.4, -0.4], abs=0.08)


def test_a_dark_corner_is_no_iris() -> None:
    picture, points = eyes((0.3, 0.3))
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = points[eye][0]
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
        picture[np.hypot(columns - x, rows - y) < 0.3 * HALF] = 10
    assert gaze_of(picture, points) == pytest.approx([0.3, 0.3], abs=0.1)


def test_nothing_is_known_of_a_closed_eye() -> None:
    picture, points = eyes((0.0, 0.0))
    shut: NDArray[np.float64] = points.copy()
    for eye in (slice(36, 42), slice(42, 48)):
        shut[eye, 1] = shut[eye, 1].mean()
    assert np.isnan(gaze_of(picture, shut)).all()
