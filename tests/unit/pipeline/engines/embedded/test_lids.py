"""Lids that somebody never shut are left as the frame has them; where somebody shut them, they are theirs."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import face_matrix, transform_points, warp
from galloway.pipeline.engines.embedded.blend import blend
from galloway.pipeline.engines.embedded.detail import DETAIL, shrink
from galloway.pipeline.engines.embedded.lids import lids_of, openness, shut
from galloway.pipeline.engines.embedded.look import Look, draw, fit
from galloway.pipeline.engines.embedded.pieces import Piece
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.support.engines import drawn_face, landmarks_at

from .test_look import CANVAS, shape

SIZE = 128
POINTS = landmarks_at(100, 80, 60)
MATRIX = face_matrix(POINTS, SIZE)
EYES = (slice(36, 42), slice(42, 48))
BLINKS = [1.0, 0.9, 1.05, 0.95, 1.0, 0.2] * 5
STARES = [1.0, 0.95, 1.05, 0.9, 1.0, 0.98] * 5


def eyes_open(share: float) -> NDArray[np.float64]:
    """Landmarks on the canvas with eyes open to this share of what is usual."""
    points = shape()
    for eye in EYES:
        middle = points[eye, 1].mean()
        points[eye, 1] = middle + share * (points[eye, 1] - middle)
    return points


def looking(shares: list[float]) -> Look:
    """Somebody whose eyes were seen so far open."""
    shapes = np.stack([eyes_open(share) for share in shares])
    side = CANVAS * DETAIL
    detailed = np.stack([drawn_face(np.asarray(points * DETAIL, np.float32), side, side) for points in shapes])
    return fit((shrink(detailed) + 0.5).astype(np.uint8), detailed, shapes)


def left_of(theirs: Look, shares: list[float]) -> list[tuple[float, ...]]:
    """How much is left of lids that are open to these shares when they are drawn as somebody else."""
    mine, grey = looking(BLINKS), np.full((len(shares), CANVAS, CANVAS, 3), 90, np.uint8)
    drawn = draw(theirs, mine, grey, np.stack([eyes_open(share) for share in shares]))
    return [tuple(piece.share for piece in pieces[1:]) for pieces in drawn.pieces]


def test_lids_that_were_never_seen_shut_are_left_and_those_that_were_are_drawn() -> None:
    assert left_of(looking(STARES), [1.0, 0.15]) == [(0.0, 0.0), pytest.approx((1.0, 1.0), abs=0.05)]
    assert np.abs(left_of(looking(BLINKS), [1.0, 0.2])).max() < 0.05


def test_half_closed_eyes_are_drawn_for_they_show_whose_they_are() -> None:
    open_, least = np.full(30, 0.3), np.zeros(30)
    own = np.linspace(0.1, 0.3, 30)
    shares = shut(own, 0.3, least, open_)
    assert shares[0] == 1 and shares[own > 0.7 * 0.3].max() == 0
    assert (np.diff(shares) <= 0).all() and len(np.unique(shares)) > 4, "it does not jump"
    wanted = np.linspace(0, 0.3, 30)
    lacking = shut(least, 0.3, wanted, open_)
    assert lacking[0] == 1 and lacking[-1] == 0 and (np.diff(lacking) <= 0).all()
    assert np.isfinite(shut(least, 0.0, least, least)).all()


def test_openness_is_told_in_widths_of_the_eye() -> None:
    eyes = np.concatenate([shape()[eye] for eye in EYES])[None]
    usual = openness(eyes)[0]
    narrow = np.concatenate([eyes_open(0.25)[eye] for eye in EYES])[None]
    assert openness(np.concatenate([3 * eyes, narrow])) == pytest.approx([usual, usual / 4], rel=0.01)


def test_what_is_left_lies_where_the_drawn_eyes_are_in_the_drawn_skin_s_light() -> None:
    frame = np.full((160, 200, 3), (200, 150, 130), np.uint8)
    picture = Image.fromarray(frame)
    for eye in EYES:  # shut: a black line from corner to corner
        ends = [tuple(float(n) for n in POINTS[eye][at]) for at in (0, 3)]
        ImageDraw.Draw(picture).line(ends, fill="black", width=2)
    skin = np.array([140, 110, 95])
    frame, drawn = np.asarray(picture), np.full((SIZE, SIZE, 3), skin, np.uint8)
    here = transform_points(MATRIX, POINTS)
    there = here + np.array([0.0, -5.0])
    (pieces,) = lids_of(here[None], there[None], np.array([1.0]), 1, 0)
    made = warp(blend(frame, drawn, MATRIX, POINTS, mask="extended", colour="none", pieces=pieces), MATRIX, SIZE)
    for eye in EYES:
        x, y = there[eye].mean(axis=0).round().astype(int)
        assert made[y - 1 : y + 2, x].min() < 60, "the shut lid's line"
        assert np.abs(made[y - 6, x] - skin).max() < 12, "the skin is the drawn one's, not the frame's"
        assert np.abs(made[y + 5, x] - skin).max() < 25, "its old place is drawn over"


def test_a_piece_at_the_edge_of_the_crop_is_no_error() -> None:
    frame, drawn = drawn_face(POINTS, 200, 160), np.full((SIZE, SIZE, 3), 128, np.uint8)
    for place in ((-60.0, 20.0), (SIZE + 30.0, SIZE + 30.0)):
        outline = np.array([(x, y) for x in (0.0, 5.0) for y in (0.0, 3.0, 6.0, 9.0)]) + place
        made = Piece(1.0, outline, np.zeros(2), 0.02, matched=True).left_in(drawn, frame, MATRIX)
        assert np.array_equal(made[12:-12, 12:-12], drawn[12:-12, 12:-12])
