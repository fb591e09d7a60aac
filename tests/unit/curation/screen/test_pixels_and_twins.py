"""Sharpness, exposure, hashes and near-duplicates."""

from __future__ import annotations

import numpy as np
from galloway.curation.screen.pixels import PATCH, face_patch, measure, percentiles
from galloway.curation.screen.twins import twin_leaders
from hypothesis import given
from hypothesis import strategies as st

from tests.support.screen import picture


def test_blur_lowers_sharpness_step_by_step() -> None:
    values = [measure(face_patch(picture(1, blur=blur))).sharpness for blur in (0, 1, 3, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1] + 1


def test_a_dim_face_is_not_taken_for_a_blurred_one() -> None:
    bright = picture(2)
    dim, soft = (bright * 0.5).astype(np.uint8), picture(2, blur=6)
    sharpness = [measure(face_patch(pixels)).sharpness for pixels in (bright, dim, soft)]
    assert abs(sharpness[1] - sharpness[0]) < 0.5 * abs(sharpness[2] - sharpness[0])


def test_light_and_exposure() -> None:
    pixels = np.full((100, 100, 3), 60, dtype=np.uint8)
    pixels[:, 50:] = 180
    found = measure(face_patch(pixels))
    assert found.light > 0.4
    assert measure(face_patch(pixels[:, ::-1])).light < -0.4
    assert measure(face_patch(np.zeros((50, 50, 3), dtype=np.uint8))).clipped == 1


def test_the_patch_follows_landmarks_and_stays_inside() -> None:
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:40, :40] = 255
    corner = np.array([[0, 0], [39, 39]], dtype=np.float32)
    assert face_patch(pixels, corner).mean() > 240
    outside = np.array([[-500, -500], [-400, -400]], dtype=np.float32)
    assert face_patch(pixels, outside).shape == (PATCH, PATCH)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=40))
def test_percentiles_are_ranks(values: list[float]) -> None:
    ranks = percentiles(np.array(values))
    assert ranks.min() >= 0 and ranks.max() <= 1
    assert (np.diff(ranks[np.argsort(values, kind="stable")]) >= 0).all()


def test_twins_need_likeness_and_nearness() -> None:
    hashes = [0b0, 0b1, 0b0, 0xFFFF, 0b0]
    frames = [1, 2, 500, 3, None]
    sharp = np.array([1.0, 2.0, 1.0, 1.0, 1.0])
    assert twin_leaders(hashes, ["v"] * 5, frames, sharp).tolist() == [1, 1, 2, 3, 4]


def test_another_source_is_never_a_twin() -> None:
    assert twin_leaders([7, 7], ["v", "w"], [1, 2], np.zeros(2)).tolist() == [0, 1]


def test_stills_of_one_source_are_compared() -> None:
    assert twin_leaders([7, 7], ["photos", "photos"], [None, None], np.array([0.0, 1.0])).tolist() == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 2**10), st.integers(0, 80), st.floats(0, 1)), min_size=1, max_size=40))
def test_leaders_lead_themselves_and_are_sharpest(rows: list[tuple[int, int, float]]) -> None:
    sharp = np.array([row[2] for row in rows])
    leaders = twin_leaders([row[0] for row in rows], ["v"] * len(rows), [row[1] for row in rows], sharp)
    for index, leader in enumerate(leaders):
        assert leaders[leader] == leader
        assert sharp[leader] >= sharp[index]
        assert (rows[index][0] ^ rows[leader][0]).bit_count() <= 4
        assert abs(rows[index][1] - rows[leader][1]) <= 30


def test_a_slow_turn_does_not_chain_into_one_group() -> None:
    """Each neighbour differs by 3 bits: with chaining all would be twins of the first."""
    hashes, code = [], 0
    for step in range(20):
        hashes.append(code)
        code |= 0b111 << (3 * step)
    leaders = twin_leaders(hashes, ["v"] * 20, list(range(20)), np.zeros(20))
    assert len(set(leaders.tolist())) > 5
