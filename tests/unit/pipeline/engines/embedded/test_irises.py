"""Irises go where they are told, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.screen.gaze import gaze_of
from galloway.pipeline.engines.embedded.irises import FURTHEST
from galloway.pipeline.engines.embedded.irises import turned as turn_in_place
from numpy.typing import NDArray

from tests.support.eyes import HALF, eyes


def square(gazes: tuple[float, float]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One square picture of two eyes, and its landmarks."""
    grey, points = eyes(gazes)
    picture = np.repeat(grey[None, ..., None], 3, axis=3).astype(np.float32)
    return np.pad(picture, ((0, 0), (40, 40), (0, 0), (0, 0)), mode="edge"), points + np.array([0.0, 40.0])


def turned(
    pictures: NDArray[np.float32], shape: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float32]:
    made = pictures.copy()
    turn_in_place(made, shape, wanted)
    return made


def found(picture: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return gaze_of(picture[0].mean(axis=2).astype(np.float64), points)


def test_crossed_eyes_look_where_they_are_told() -> None:
    before, points = square((0.3, -0.3))
    made = turned(before, points, np.array([[0.0, 0.0]]))
    assert found(made, points) == pytest.approx([0.0, 0.0], abs=0.12)
    rows, columns = np.nonzero(np.abs(made - before).max(axis=(0, 3)) > 0)
    assert np.abs(rows - 100).max() < HALF
    assert np.abs(np.abs(columns - 100) - 45).max() <= HALF


def test_an_eye_of_which_nothing_is_known_stays() -> None:
    before, points = square((0.3, 0.3))
    assert np.array_equal(turned(before, points, np.full((1, 2), np.nan)), before)


def test_an_iris_goes_no_further_than_the_white_bears() -> None:
    before, points = square((-0.5, -0.5))
    far = turned(before, points, np.array([[0.6, 0.6]]))
    assert (found(far, points) < -0.5 + FURTHEST + 0.15).all()
