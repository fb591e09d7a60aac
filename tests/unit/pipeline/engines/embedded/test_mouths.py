"""What is in a mouth that somebody never opened is left as it is; where somebody opened it, it is theirs."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import face_matrix, invert, transform_points, warp
from galloway.pipeline.engines.embedded.blend import blend
from galloway.pipeline.engines.embedded.detail import DETAIL, shrink
from galloway.pipeline.engines.embedded.look import Look, draw, fit
from galloway.pipeline.engines.embedded.mouths import INNER, lacking
from galloway.pipeline.engines.embedded.pieces import Piece
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.support.engines import drawn_face, landmarks_at

from .test_look import CANVAS, open_mouth

SIZE = 64
POINTS = landmarks_at(100, 80, 60)
MATRIX = face_matrix(POINTS, SIZE)
GREEN = (0, 255, 0)
TALK = [0.2, 0.3, 1.0, 2.0, 3.0, 4.0] * 4


def speaker(points: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """A drawn face with the dark between its lips."""
    picture = Image.fromarray(drawn_face(np.asarray(points, np.float32), side, side))
    ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in points[INNER]], fill=(40, 10, 10))
    return np.asarray(picture)


def speaking(gaps: list[float]) -> Look:
    """Somebody whose lips were seen so many pixels of the canvas apart."""
    shapes = np.stack([open_mouth(gap) for gap in gaps])
    side = CANVAS * DETAIL
    detailed = np.stack([speaker(points * DETAIL, side) for points in shapes])
    return fit((shrink(detailed) + 0.5).astype(np.uint8), detailed, shapes)


def left_of(theirs: Look, gaps: list[float]) -> list[float]:
    """How much of mouths with these gaps is left when they are drawn as somebody else."""
    mine, grey = speaking(TALK), np.full((len(gaps), CANVAS, CANVAS, 3), 90, np.uint8)
    drawn = draw(theirs, mine, grey, np.stack([open_mouth(gap) for gap in gaps]))
    return [pieces[0].share for pieces in drawn.pieces]


def test_a_mouth_that_was_never_seen_open_is_left_and_one_that_was_is_drawn() -> None:
    closed, opened = speaking([0.2, 0.25, 0.3, 0.35] * 6), speaking(TALK)
    assert left_of(closed, [0.2, 3.5]) == pytest.approx([0.0, 1.0], abs=0.05)
    assert left_of(opened, [0.2, 1.5, 3.5]) == pytest.approx([0.0, 0.0, 0.0], abs=0.05)


def test_the_less_open_the_pictures_are_the_more_is_left() -> None:
    shares = lacking(np.full(20, 0.1), np.linspace(0.0, 0.1, 20))
    assert shares[0] == 1
    assert shares[-1] == 0
    assert (np.diff(shares) <= 0).all()
    assert len(np.unique(shares)) > 4, "it does not jump"
    assert lacking(np.array([0.001, 0.0]), np.zeros(2)).max() == 0, "closed lips have nothing between them"


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_mouth_that_is_left_comes_with_the_drawn_lips(share: float) -> None:
    frame = drawn_face(POINTS, 200, 160).copy()
    inner = POINTS[INNER]
    box = np.floor(inner.min(axis=0)).astype(int), np.ceil(inner.max(axis=0)).astype(int)
    frame[box[0][1] : box[1][1] + 1, box[0][0] : box[1][0] + 1] = GREEN
    moved = np.array([0.0, -6.0])
    outline = transform_points(MATRIX, inner) + moved
    drawn = np.full((SIZE, SIZE, 3), 128, np.uint8)
    kept = Piece(share, outline, moved, 0.006)
    made = blend(frame, drawn, MATRIX, POINTS, mask="extended", colour="none", pieces=[kept])
    seen = warp(made, MATRIX, SIZE).astype(float)
    x, y = outline.mean(axis=0).round().astype(int)
    wanted = 128 + share * (np.array(GREEN) - 128)
    assert np.abs(seen[y, x] - wanted).max() < 12
    below = transform_points(invert(MATRIX), outline.mean(axis=0, keepdims=True) + np.array([0, 10]))[0]
    assert np.abs(made[round(below[1]), round(below[0])].astype(int) - 128).max() < 12, "its old place is drawn over"


def test_a_mouth_at_the_edge_of_the_crop_is_no_error() -> None:
    frame, drawn = drawn_face(POINTS, 200, 160), np.full((SIZE, SIZE, 3), 128, np.uint8)
    for place in ((-40.0, 20.0), (SIZE + 30.0, SIZE + 30.0)):
        outline = np.array([(x, y) for x in (0.0, 5.0) for y in (0.0, 3.0, 6.0, 9.0)]) + place
        made = Piece(1.0, outline, np.zeros(2), 0.006).left_in(drawn, frame, MATRIX)
        assert np.array_equal(made[8:-8, 8:-8], drawn[8:-8, 8:-8])
