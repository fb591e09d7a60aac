"""Alignment: similarity transforms, crops in faceswap's geometry, masks."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import (
    HEAD_SPAN,
    MEAN_FACE,
    Warp,
    face_matrix,
    face_outline,
    head_matrix,
    hull_mask,
    invert,
    normalising_matrix,
    polygon_mask,
    similarity,
    transform_points,
    warp,
    warped_picture,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.engines import a_picture, landmarks_at

SIZES = st.floats(5, 400)
PLACES = st.floats(-500, 2000)
ROLLS = st.floats(-180, 180)


@given(PLACES, PLACES, SIZES, ROLLS)
def test_a_moved_turned_scaled_mean_face_comes_back_to_its_place(x: float, y: float, size: float, roll: float) -> None:
    points = landmarks_at(x, y, size, roll)
    back = transform_points(normalising_matrix(points), points)
    assert np.allclose(back[17:], MEAN_FACE, atol=0.02)


@given(PLACES, PLACES, SIZES, ROLLS)
def test_inverting_undoes(x: float, y: float, size: float, roll: float) -> None:
    matrix = head_matrix(landmarks_at(x, y, size, roll), 256)
    points = np.array([[0.0, 0.0], [255.0, 17.0], [100.0, 200.0]])
    assert np.allclose(transform_points(matrix, transform_points(invert(matrix), points)), points, atol=1e-4)


def test_similarity_never_mirrors() -> None:
    points = np.random.default_rng(1).normal(size=(10, 2))
    matrix = similarity(points, points * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_in_one_spot_do_not_divide_by_nothing() -> None:
    matrix = similarity(np.ones((5, 2)), MEAN_FACE[:5])
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("roll", [0.0, 30.0, -100.0])
def test_the_mean_face_takes_its_share_of_a_head_crop_and_stands_upright(roll: float) -> None:
    points = landmarks_at(300, 200, 90, roll)
    crop = transform_points(head_matrix(points, 256), points)
    eyes = crop[36:42].mean(axis=0), crop[42:48].mean(axis=0)
    want = (MEAN_FACE[25:31].mean(axis=0) - MEAN_FACE[19:25].mean(axis=0)) * HEAD_SPAN * 256
    assert np.allclose(eyes[1] - eyes[0], want, atol=0.1)


def test_a_nod_moves_a_head_crop_as_faceswap_does() -> None:
    # Measured on crops of faceswap: a jaw that is seen lower below the eyes moves the crop up.
    upright = landmarks_at(200, 200, 100)
    nodding = upright.copy()
    nodding[:17, 1] += 10
    moved = head_matrix(nodding, 256)[1, 2] - head_matrix(upright, 256)[1, 2]
    assert moved == pytest.approx(-0.465 * 0.1 * 256, rel=0.05)


def test_model_crops_keep_brows_and_chin_inside() -> None:
    points = landmarks_at(300, 200, 90)
    crop = transform_points(face_matrix(points, 64), points)
    assert crop.min() > 2
    assert crop.max() < 62


def test_warping_by_a_whole_number_of_pixels_copies_them() -> None:
    picture = a_picture(60, 50)
    matrix = np.array([[1.0, 0.0, -7.0], [0.0, 1.0, -3.0]])
    assert np.array_equal(warp(picture, matrix, 40), picture[3:43, 7:47])


def test_warping_shows_black_outside_the_frame() -> None:
    picture = np.full((20, 20, 3), 200, np.uint8)
    warped = warp(picture, np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 0.0]]), 20)
    assert not warped[:, :9].any()
    assert (warped[1:-1, 12:] == 200).all()


@pytest.mark.parametrize("scale", [0.3, 1.1, 2.6])
def test_a_part_of_what_is_seen_is_that_part_of_the_whole(scale: float) -> None:
    picture = Image.fromarray(a_picture(120, 100))
    matrix = scale * np.array([[0.98, -0.17, 9.0], [0.17, 0.98, -4.0]])
    whole = warped_picture(picture, matrix, (90, 70))
    assert np.array_equal(Warp.of(picture, matrix, (90, 70)).part(13, 21, 80, 66), whole[21:66, 13:80])


def test_shrinking_averages_fine_patterns() -> None:
    board = np.indices((240, 240)).sum(axis=0) % 2 * 255
    picture = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    small = warp(picture, np.array([[1 / 6, 0.0, 0.0], [0.0, 1 / 6, 0.0]]), 40)
    assert abs(small[2:-2, 2:-2].astype(int) - 127).max() <= 3


@given(st.integers(0, 4), st.integers(0, 4))
def test_shrinking_keeps_things_where_they_are(dx: int, dy: int) -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[80 + dy : 120 + dy, 60 + dx : 100 + dx] = 255
    scale = 0.2
    small = warp(picture, np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]]), 40)[..., 0].astype(float)
    rows, columns = np.indices(small.shape)
    centre = (rows * small).sum() / small.sum(), (columns * small).sum() / small.sum()
    assert centre == pytest.approx(((99.5 + dy) * scale, (79.5 + dx) * scale), abs=0.15)


def test_extended_masks_reach_above_the_brows() -> None:
    points = landmarks_at(60, 60, 50)
    plain = hull_mask(points, (120, 120), extended=False)
    extended = hull_mask(points, (120, 120), extended=True)
    assert (extended >= plain).all()
    brows = int(points[17:27, 1].min())
    assert not plain[: brows - 1].any()
    assert extended[brows - 5].any()


def test_a_faces_outline_reaches_beyond_both_brows() -> None:
    points = landmarks_at(60, 60, 50).astype(np.float64)
    outline, brow = polygon_mask(face_outline(points), (120, 120)) > 0, np.ptp(points[17:22, 0])
    assert outline[hull_mask(points, (120, 120), extended=True) > 0].all()
    for end, away in ((17, -1), (26, 1)):
        x, y = points[end]
        assert outline[round(y), round(x + away * 0.15 * brow)]
        assert not outline[round(y), round(x + away * 0.45 * brow)]


def test_a_brow_seen_from_its_end_has_no_temple_behind_it() -> None:
    points = landmarks_at(60, 60, 50).astype(np.float64)
    points[17:22, 0] = points[21, 0] + (points[17:22, 0] - points[21, 0]) / 10
    points[:, 0] = np.maximum(points[:, 0], points[17, 0])
    assert points[17, 0] - face_outline(points)[:, 0].min() < 0.5


def test_a_mask_of_points_in_a_line_is_empty_enough() -> None:
    points = np.stack([np.arange(68.0), np.arange(68.0)], axis=1)
    assert hull_mask(points, (70, 70), extended=False).sum() <= 255 * 70 * 3
