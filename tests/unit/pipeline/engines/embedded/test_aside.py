"""How far a mouth is pulled aside, told by its picture."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.embedded.aside import NUMBERS, aside_of, usual_aside
from numpy.typing import NDArray

from tests.support.engines import landmarks_at

SIDE = 64
SHAPE = landmarks_at(32, 32, 40).astype(np.float64)
Floats = NDArray[np.float32]


def faces(pulls: NDArray[np.floating], light: NDArray[np.floating] | float = 0.0) -> Floats:
    """Faces whose dark lips reach so many pixels further to the right than to the left, lit from the right by so much;
    the landmarks of all are SHAPE."""
    mouth = SHAPE[48:60]
    x, y = SHAPE[[8, 27, 28, 29, 30, 33, 51, 57], 0].mean(), mouth[:, 1].mean()
    wide, high = np.ptp(mouth[:, 0]) / 2, np.ptp(mouth[:, 1]) / 2
    rows, columns = np.mgrid[:SIDE, :SIDE]
    found = []
    for pull, lit in np.broadcast(pulls, light):
        lips = np.clip(wide * 0.8 - np.abs(columns - x - pull), 0, 1) * (np.abs(rows - y) < high)
        found.append(180 - 90 * lips + lit * (columns - x) / wide)
    return np.repeat(np.array(found, np.float32)[..., None], 3, axis=3)


def test_a_mouth_that_is_pulled_aside_is_told_from_a_straight_one() -> None:
    seen = faces(np.array([-4, 0, 4]))
    turned = np.zeros((3, 2))
    left, straight, right = aside_of(seen, SHAPE, turned, usual_aside(seen, SHAPE, turned))
    assert np.abs(straight).max() < 0.05
    assert np.abs(left).max() > 0.5
    assert np.allclose(left, -right, atol=0.1), "mirrored"


def test_light_from_one_side_is_usual_and_no_expression() -> None:
    seen, turned = faces(np.zeros(20), 20.0), np.zeros((20, 2))
    assert np.abs(aside_of(seen, SHAPE, turned, np.zeros((3, NUMBERS), np.float32))).max() > 0.3
    assert np.abs(aside_of(seen, SHAPE, turned, usual_aside(seen, SHAPE, turned))).max() < 0.01


def test_what_turning_the_head_does_is_no_expression() -> None:
    turned = np.column_stack([np.linspace(-0.5, 0.5, 60), np.zeros(60)])
    seen = faces(np.zeros(60), 40 * turned[:, 0])
    usual = usual_aside(seen, SHAPE, turned)
    untold = np.zeros_like(usual)
    untold[0] = usual[0]
    left, told = (np.abs(aside_of(seen, SHAPE, turned, what)).mean() for what in (untold, usual))
    assert told < 0.2 * left


def test_a_hand_before_half_a_mouth_counts_no_more_than_a_grimace() -> None:
    seen = faces(np.zeros(1))
    x, y = SHAPE[48:60].mean(axis=0).astype(int)
    seen[0, y - 6 : y + 7, x:] = 0
    found = aside_of(seen, SHAPE, np.zeros((1, 2)), np.zeros((3, NUMBERS), np.float32))
    assert np.abs(found).max() == pytest.approx(1.0)
