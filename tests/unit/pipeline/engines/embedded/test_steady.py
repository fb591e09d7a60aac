"""Landmarks over time: steadier, and never late."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.faceset.png.types import FaceAlignment
from galloway.pipeline.engines.embedded.steady import steadied
from numpy.typing import NDArray

from tests.support.engines import landmarks_at

COUNT = 60
Doubles = NDArray[np.float64]


def face(points: NDArray[np.float32]) -> FaceAlignment:
    return FaceAlignment(1, 2, 30, 40, landmarks=np.asarray(points, np.float32))


def walk() -> list[NDArray[np.float32]]:
    """A face that sways to and fro in two seconds."""
    return [landmarks_at(160 + 20 * np.sin(2 * np.pi * n / 60), 90, 60) for n in range(COUNT)]


def smoothed(shapes: list[NDArray[np.float32]], first: int = 1) -> Doubles:
    found = steadied({first + n: [face(points)] for n, points in enumerate(shapes)})
    return np.stack([found[first + n][0].landmarks for n in range(len(shapes))]).astype(np.float64)


def test_trembling_is_taken_out() -> None:
    chance = np.random.default_rng(1)
    still = landmarks_at(160, 90, 60)
    shapes = [still + chance.normal(0, 1, still.shape).astype(np.float32) for _ in range(COUNT)]
    left = smoothed(shapes) - still
    assert left[:, 17:].std() < 0.75
    assert left[:, :17].std() < 0.6
    turns = np.diff(left, 2, axis=0).std() / np.diff(np.stack(shapes), 2, axis=0).std()
    assert turns < 0.4


def test_nothing_lags_and_nothing_is_cut_off() -> None:
    shapes = walk()
    assert np.abs(smoothed(shapes) - np.stack(shapes)).max() < 0.15
    late = np.correlate(*(np.stack(part)[:, 30, 0] - 160 for part in (smoothed(shapes), shapes)), mode="full")
    assert int(late.argmax()) == COUNT - 1


def test_a_blink_stays_a_blink() -> None:
    shapes = [landmarks_at(160, 90, 60) for _ in range(20)]
    for number, closed in ((9, 0.6), (10, 1.0), (11, 1.0), (12, 0.6)):
        shapes[number][[37, 38], 1] += 4 * closed
    found = smoothed(shapes)[:, 37, 1] - shapes[0][37, 1]
    assert found.max() > 3.4


def test_lids_that_are_shut_for_a_frame_are_shut_in_that_one_and_open_beside_it() -> None:
    shapes = [landmarks_at(160, 90, 60) for _ in range(20)]
    for number in (9, 11):
        for upper, lower in (((37, 38), (41, 40)), ((43, 44), (47, 46))):
            shapes[number][list(upper), 1] = shapes[number][list(lower), 1] - 0.3
    found, wanted = smoothed(shapes), np.stack(shapes).astype(np.float64)
    assert np.abs(found[8:13, 36:48] - wanted[8:13, 36:48]).max() < 0.1
    assert np.abs(found[:, :36] - wanted[:, :36]).max() < 0.1


@pytest.mark.parametrize("gap", ["cut", "missing"])
def test_what_does_not_follow_is_not_smoothed_together(gap: str) -> None:
    one, two = landmarks_at(80, 90, 60), landmarks_at(240, 90, 60)
    step = 1 if gap == "cut" else 2
    frames = {n: [face(one)] for n in range(1, 9)} | {8 + step + n: [face(two)] for n in range(8)}
    found = steadied(frames)
    for number, faces in frames.items():
        assert np.allclose(found[number][0].landmarks, faces[0].landmarks, atol=1e-3)


def test_jerks_are_not_smoothed_away() -> None:
    chance = np.random.default_rng(3)
    shapes = [landmarks_at(160 + x, 90 + y, 60) for x, y in chance.uniform(-8, 8, (20, 2))]
    assert np.abs(smoothed(shapes) - np.stack(shapes)).mean() < 0.12


def test_two_faces_keep_their_places() -> None:
    left, right = landmarks_at(80, 90, 60), landmarks_at(240, 90, 60)
    frames = {n: [face(left), face(right)] if n % 2 else [face(right), face(left)] for n in range(1, 12)}
    found = steadied(frames)
    for number, faces in frames.items():
        for have, want in zip(found[number], faces, strict=True):
            assert np.allclose(have.landmarks, want.landmarks, atol=1e-3)


def test_few_frames_stay_as_they_are() -> None:
    shapes = walk()[:4]
    assert np.array_equal(smoothed(shapes), np.stack(shapes).astype(np.float64))
