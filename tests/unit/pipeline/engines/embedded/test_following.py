"""Near frames have a say in what lies before a face, where they look the same."""

from __future__ import annotations

import numpy as np
from galloway.pipeline.engines.embedded.occlusion.following import by_neighbours
from galloway.pipeline.engines.embedded.occlusion.net import SIDE, OcclusionNet
from galloway.pipeline.engines.embedded.occlusion.seen import seen_on_canvases
from galloway.pipeline.engines.embedded.occlusion.stored import _moments
from numpy.typing import NDArray

from tests.support.engines import drawn_face, landmarks_at

Floats = NDArray[np.float32]
MOMENTS = np.arange(1, 8)


def shown(count: int = 7) -> NDArray[np.uint8]:
    """The same picture so many times, with a little noise."""
    chance = np.random.default_rng(1)
    return (chance.integers(60, 180, (1, 16, 16, 3)) + chance.integers(-2, 3, (count, 16, 16, 3))).astype(np.uint8)


def flickering(count: int = 7) -> Floats:
    likely = np.zeros((count, 16, 16), np.float32)
    likely[:, 4:8, 4:8] = 1
    likely[3, 4:8, 4:8] = 0
    likely[3, 12, 12] = 1
    return likely


def test_what_flickers_for_one_frame_does_not_any_more() -> None:
    told = by_neighbours(flickering(), shown(), MOMENTS)
    assert (told[:, 4:8, 4:8] > 0.5).all() and told[3, 12, 12] < 0.5


def test_what_moves_stays_where_it_is() -> None:
    pictures, likely = shown(), np.zeros((7, 16, 16), np.float32)
    for row in range(7):
        pictures[row, 4:8, 2 * row : 2 * row + 3] = (250, 10, 10)
        likely[row, 4:8, 2 * row : 2 * row + 3] = 1
    told = by_neighbours(likely, pictures, MOMENTS)
    assert np.array_equal(told > 0.5, likely > 0.5)


def test_another_shot_another_face_and_far_frames_say_nothing() -> None:
    likely = flickering()
    cut = shown()
    cut[4:] = 255 - cut[4:]
    assert by_neighbours(likely, cut, MOMENTS)[4:, 4:8, 4:8].min() == 1, "the frame before the cut is another shot"
    far = by_neighbours(likely, shown(), 10 * MOMENTS)
    assert np.array_equal(far, likely)
    together = by_neighbours(likely, shown(), np.full(7, 3))
    assert np.array_equal(together, likely), "faces of one frame are not each other's past"


class Flickering(OcclusionNet):
    """A net that sees all of a face covered, save every third that it is shown."""

    def __init__(self) -> None: ...

    def predict(
        self, images: NDArray[np.uint8], shapes: NDArray[np.float64], whose: NDArray[np.int64] | None = None
    ) -> Floats:
        rows = np.arange(len(images)) % 3 != 1
        return np.broadcast_to(rows[:, None, None], (len(images), SIDE, SIDE)).astype(np.float32)


def test_masks_of_a_film_are_told_by_near_frames_and_those_of_pictures_are_not() -> None:
    points = landmarks_at(80, 60, 50)
    frame = drawn_face(points, 160, 120)
    frames, marks = [frame] * 5, [[points]] * 5
    alone = seen_on_canvases(Flickering(), frames, marks, 0)
    assert alone.max(axis=(1, 2)).tolist() == [0, 255, 0, 0, 255]
    film = seen_on_canvases(Flickering(), frames, marks, 0, [4, 5, 6, 7, 8])
    assert film.max() < 255 and film[1].max() < 128
    twice = seen_on_canvases(Flickering(), frames[:2], [[points], [points, points]], 0, [4, 5])
    assert len(twice) == 3


def test_exported_masks_know_when_their_frames_are_shown() -> None:
    frames = ["a_000002.mp4", "a_000002.mp4", "a_000004.mp4", "b_000003.mp4", "one.jpg", "two.jpg", "b_1000000.mp4"]
    found = np.array(_moments(frames))
    gaps = np.abs(found[:, None] - found)
    assert (gaps[0, 1], gaps[0, 2]) == (0, 2)
    others = np.ones((7, 7), bool)
    others[:3, :3] = False
    np.fill_diagonal(others, False)
    assert gaps[others].min() > 100, "another film, a picture, and the same film much later"
