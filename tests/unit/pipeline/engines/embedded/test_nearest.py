"""The nearest pictures of a person, mixed."""

from __future__ import annotations

import numpy as np
from galloway.pipeline.engines.embedded.nearest import MIXED, expression_of, mixed, rests_of
from numpy.typing import NDArray

from tests.support.engines import landmarks_at

SIDE = 40


def kept(count: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Pictures that are as bright as the number they are kept under."""
    values = np.linspace(-100, 100, count)
    fine = np.broadcast_to(values[:, None, None, None], (count, 4, 4, 3)).astype(np.float32)
    return rests_of(fine, np.zeros_like(fine)), np.linspace(0, 1, count, dtype=np.float32)[:, None]


def test_the_picture_of_the_very_expression_counts_most() -> None:
    rests, keys = kept(200)
    for wanted in (0.2, 0.5, 0.83):
        found = mixed(rests, keys, np.array([[wanted]], np.float32))[0]
        assert abs(float(found.mean()) - (200 * wanted - 100)) < 3


def test_nothing_jumps_when_one_picture_takes_the_place_of_another() -> None:
    rests, keys = kept(60)
    wanted = np.linspace(0.3, 0.7, 400, dtype=np.float32)[:, None]
    found = mixed(rests, keys, wanted).mean(axis=(1, 2, 3))
    assert np.abs(np.diff(found)).max() < 4 * (200 * 0.4 / 400)


def test_a_picture_is_not_mixed_into_itself() -> None:
    rests, keys = kept(40)
    rests[20] = 127
    alone = mixed(rests, keys, keys[20:21], without=np.array([20]))
    assert abs(float(alone.mean())) < 15
    assert float(mixed(rests, keys, keys[20:21], without=np.array([-1])).mean()) > float(alone.mean()) + 20


def test_a_single_picture_is_taken_and_none_gives_nothing() -> None:
    rests, keys = kept(1)
    assert np.allclose(mixed(rests, keys, keys), 2 * rests)
    assert not mixed(rests, keys, keys, without=np.array([0])).any()
    assert MIXED > 1


def test_a_glance_to_the_side_is_an_expression() -> None:
    shapes = np.repeat(landmarks_at(20, 20, 24)[None].astype(np.float64), 3, axis=0)
    flat = np.full((3, SIDE, SIDE, 3), 200, np.float32)
    for row, shift in enumerate((-2, 0, 2)):
        for eye in (slice(36, 42), slice(42, 48)):
            x, y = np.rint(shapes[0, eye].mean(axis=0)).astype(int)
            flat[row, y - 1 : y + 2, x + shift - 1 : x + shift + 1] = 10
    left, middle, right = expression_of(shapes, flat, shapes[0])
    assert left[-2] < middle[-2] < right[-2]
    assert np.allclose(left[:-2], right[:-2])
