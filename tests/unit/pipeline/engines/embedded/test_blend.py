"""Blending: only the mask changes, colours match, edges are soft."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import face_matrix, face_outline, hull, hull_mask, polygon_mask, warp
from galloway.pipeline.engines.embedded.blend import MASKS, blend, match_sharpness
from galloway.pipeline.engines.embedded.colours import COLOURS, _harmonic
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tests.support.engines import a_picture, drawn_face, landmarks_at

POINTS = landmarks_at(100, 80, 60, roll=10)
FRAME = drawn_face(POINTS, 200, 160)
MATRIX = face_matrix(POINTS, 64)
WHITE = np.full((64, 64, 3), 255, np.uint8)
Picture = NDArray[np.uint8]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("colour", COLOURS)
def test_drawing_the_same_face_changes_next_to_nothing(mask: str, colour: str) -> None:
    same = warp(FRAME, MATRIX, 64)
    blended = blend(FRAME, same, MATRIX, POINTS, mask=mask, colour=colour)
    assert np.abs(blended.astype(int) - FRAME).mean() < 2


@pytest.mark.parametrize("mask", ["extended", "components"])
def test_nothing_outside_the_mask_changes(mask: str) -> None:
    drawn = np.full((64, 64, 3), (0, 255, 0), np.uint8)
    blended = blend(FRAME, drawn, MATRIX, POINTS, mask=mask, colour="none")
    edge = face_outline(POINTS) if mask == "extended" else hull(POINTS, extended=False)
    outside = polygon_mask(edge, (200, 160)) == 0
    assert np.array_equal(blended[outside], FRAME[outside])
    assert tuple(blended[80, 100]) == (0, 255, 0)


def test_the_edge_is_soft() -> None:
    blended = blend(np.zeros_like(FRAME), WHITE, MATRIX, POINTS, mask="components", colour="none")
    row = blended[80, :, 0].astype(int)
    assert row.max() == 255
    assert np.abs(np.diff(row)).max() < 120


@pytest.mark.parametrize("end", [17, 26])
def test_brows_are_drawn_over_to_their_ends(end: int) -> None:
    blended = blend(np.zeros_like(FRAME), WHITE, MATRIX, POINTS, mask="extended", colour="none")
    x, y = np.rint(POINTS[end]).astype(int)
    assert blended[y, x].min() > 0.7 * 255


@pytest.mark.parametrize("colour", ["avg-color", "match-hist", "seamless-clone"])
def test_colours_come_from_what_is_covered(colour: str) -> None:
    frame = np.full((160, 200, 3), (40, 90, 160), np.uint8)
    drawn = np.full((64, 64, 3), (200, 120, 60), np.uint8)
    blended = blend(frame, drawn, MATRIX, POINTS, mask="extended", colour=colour)
    assert np.abs(blended.astype(int) - frame).max() <= 3


def test_black_stays_black_when_the_mean_colour_is_matched() -> None:
    frame = np.full((160, 200, 3), (90, 120, 200), np.uint8)
    drawn = np.full((64, 64, 3), (200, 120, 60), np.uint8)
    drawn[28:36] = 0
    blended = blend(frame, drawn, MATRIX, POINTS, mask="extended", colour="avg-color")
    assert blended.reshape(-1, 3).min(axis=0).max() < 12


def test_a_dark_face_brought_to_a_light_one_keeps_its_contrast() -> None:
    frame = np.full((160, 200, 3), 210, np.uint8)
    drawn = np.full((64, 64, 3), 100, np.uint8)
    drawn[26:29, 20:44] = 55
    blended = blend(frame, drawn, MATRIX, POINTS, mask="extended", colour="avg-color")
    inside = hull_mask(POINTS, (200, 160), extended=False) > 0
    found = blended[inside].astype(float).mean(axis=1)
    # Of one to 0.55 the curve alone leaves one to 0.88.
    assert np.quantile(found, 0.005) / np.median(found) < 0.72
    assert abs(found.mean() - 210) < 12


@pytest.mark.parametrize("rows", [slice(26, 29), slice(14, 17)])
def test_a_light_face_brought_to_a_dark_one_gets_no_brows_of_ink(rows: slice) -> None:
    frame = np.full((160, 200, 3), (110, 85, 75), np.uint8)
    drawn = np.full((64, 64, 3), (235, 210, 200), np.uint8)
    drawn[rows, 20:44] = (130, 100, 90)
    blended = blend(frame, drawn, MATRIX, POINTS, mask="extended", colour="avg-color")
    inside = hull_mask(POINTS, (200, 160), extended=False) > 0
    found = blended[inside].astype(float)
    # The curve alone would make 7 of 110 of what was 130 of 235.
    assert np.quantile(found[:, 0], 0.005) / np.median(found[:, 0]) > 0.42
    assert np.quantile(found[:, 0], 0.005) / np.median(found[:, 0]) < 0.72
    assert found.mean(axis=0) == pytest.approx((110, 85, 75), abs=8)


@settings(max_examples=30)
@given(st.floats(-80, 280), st.floats(-80, 240), st.floats(2, 300), st.floats(-180, 180))
def test_faces_anywhere_keep_the_frame_whole(x: float, y: float, size: float, roll: float) -> None:
    points = landmarks_at(x, y, size, roll)
    drawn = a_picture(32, 32)
    blended = blend(FRAME, drawn, face_matrix(points, 32), points, mask="extended", colour="avg-color")
    assert blended.shape == FRAME.shape
    assert blended.dtype == np.uint8


def test_a_harmonic_function_continues_a_slope() -> None:
    # A linear function solves Laplace's equation, so a hole in it is filled with it again.
    slope = np.add.outer(np.arange(20.0), 2 * np.arange(24.0)).astype(np.float32)[..., None]
    inside = np.zeros((20, 24), bool)
    inside[5:15, 6:18] = True
    holed = np.where(inside[..., None], np.float32(0), slope)
    assert np.allclose(_harmonic(holed, inside), slope, atol=1e-3)


def test_a_face_out_of_focus_gets_a_face_out_of_focus() -> None:
    sharp = warp(FRAME, MATRIX, 64)
    soft = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(4)))
    assert match_sharpness(sharp, sharp, np.eye(2, 3)) is sharp
    matched = match_sharpness(sharp, soft, np.eye(2, 3))
    assert np.abs(matched.astype(int) - soft).mean() < 0.5 * np.abs(sharp.astype(int) - soft).mean()


def test_what_is_not_the_drawn_persons_face_is_never_shown() -> None:
    points = landmarks_at(80, 60, 60)
    frame = drawn_face(points, 160, 120)
    matrix = face_matrix(points, 64)
    drawn = np.full((64, 64, 3), (60, 170, 160), np.uint8)
    face = np.zeros((64, 64), np.uint8)
    face[:, 24:40] = 255
    drawn[:, 24:40] = (200, 150, 120)
    result = blend(frame, drawn, matrix, points, mask="extended", colour="none", face=face)
    changed = np.abs(result.astype(int) - frame).max(axis=2) > 0
    assert changed.any()
    turquoise, before = (picture[..., 1].astype(int) - picture[..., 0] > 40 for picture in (result, frame))
    assert not (turquoise & ~before).any()


def over_time(frames: list[Picture], drawn: list[Picture]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean colour inside the face of each frame, as it was and after the drawn face was blended in: (n, 3) each."""
    inside = hull_mask(POINTS, (200, 160), extended=False) > 0
    after = [
        blend(frame, face, MATRIX, POINTS, mask="extended", colour="avg-color")
        for frame, face in zip(frames, drawn, strict=True)
    ]
    was, became = (np.stack([picture[inside].mean(axis=0) for picture in film]) for film in (frames, after))
    return was, became


def lit(picture: Picture, light: NDArray[np.float64]) -> Picture:
    return np.clip(picture * light + 0.5, 0, 255).astype(np.uint8)


def test_a_drawn_face_that_flickers_does_not_flicker_in_the_film() -> None:
    same, chance = warp(FRAME, MATRIX, 64), np.random.default_rng(4)
    flicker = [lit(same, chance.uniform(0.85, 1.15, 3)) for _ in range(20)]
    injected = np.stack([face[16:-16, 16:-16].mean(axis=(0, 1)) for face in flicker])
    _, became = over_time([FRAME] * 20, flicker)
    assert injected.std(axis=0).min() > 6
    assert became.std(axis=0).max() < 0.5, "each frame's colours are matched to that frame"


def test_a_change_of_light_comes_in_the_frame_in_which_it_comes() -> None:
    same, light = warp(FRAME, MATRIX, 64), np.ones((20, 3))
    light[7:] = (0.6, 0.55, 0.7)
    frames = [lit(FRAME, part) for part in light]
    was, became = over_time(frames, [same] * 20)
    assert np.abs(became - was).max() < 2, "neither a frame before nor one after"
    assert np.abs(np.diff(became, axis=0)).argmax(axis=0).tolist() == [6, 6, 6]
