"""Brows are where a picture shows them, whatever the landmarks say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from galloway.pipeline.engines.align import FACE_SPAN
from galloway.pipeline.engines.embedded.brows import brow_moves, settle_brows
from galloway.pipeline.engines.embedded.look import draw, fit
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tests.support.engines import landmarks_at

CANVAS, TIMES = 80, 2
LEFT, RIGHT = slice(17, 22), slice(22, 27)
SKIN, OTHER_SKIN = (215, 170, 145), (150, 105, 85)

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


def shape() -> Doubles:
    return landmarks_at(CANVAS / 2, 0.46 * CANVAS, FACE_SPAN / 1.25 * CANVAS).astype(np.float64)


def face(left: float, right: float, skin: tuple[int, int, int] = SKIN, seed: int = 0) -> Bytes:
    """A face at TIMES the canvas whose brows are so many of its pixels higher than `shape` says."""
    points, side = shape() * TIMES, CANVAS * TIMES
    canvas = Image.new("RGB", (side, side), skin)
    pen = ImageDraw.Draw(canvas)
    for brow, up in ((LEFT, left), (RIGHT, right)):
        line = [(float(x), float(y - up * TIMES)) for x, y in points[brow]]
        pen.line(line, fill=(60, 45, 40), width=5)
    for start, stop, colour in ((36, 42, "white"), (42, 48, "white"), (48, 60, (170, 60, 70))):
        pen.polygon([(float(x), float(y)) for x, y in points[start:stop]], fill=colour, outline=(40, 30, 30))
    grain = np.random.default_rng(seed).normal(0, 3, (side, side, 1))
    return np.clip(np.asarray(canvas.filter(ImageFilter.GaussianBlur(1.2))) + grain, 0, 255).astype(np.uint8)


def smaller(faces: Bytes) -> Bytes:
    return np.stack([np.asarray(Image.fromarray(one).resize((CANVAS, CANVAS), Image.Resampling.BOX)) for one in faces])


def people(raised: Sequence[tuple[float, float]], skin: tuple[int, int, int] = SKIN) -> tuple[Bytes, Bytes, Doubles]:
    """Faces at the canvas and at TIMES it, and the landmarks of a detector that follows no brow."""
    detailed = np.stack([face(left, right, skin, seed) for seed, (left, right) in enumerate(raised)])
    return smaller(detailed), detailed, np.repeat(shape()[None], len(raised), axis=0)


RAISED = [(0.0, 0.0)] * 8 + [(3.0, 3.0)] * 5 + [(5.0, 5.0)] * 4 + [(4.0, 0.0)] * 4 + [(0.0, 4.0)] * 3


def test_brows_are_put_where_they_are_seen() -> None:
    images, _, shapes = people(RAISED)
    found = settle_brows(images, shapes)
    for brow, side in ((LEFT, 0), (RIGHT, 1)):
        up = (shapes - found)[:, brow, 1].mean(axis=1)
        wanted = np.array(RAISED)[:, side]
        assert up - up[0] == pytest.approx(wanted - wanted[0], abs=0.8)
    others = np.ones(68, bool)
    others[LEFT], others[RIGHT] = False, False
    assert (found[:, others] == shapes[:, others]).all()
    assert (found[..., 0] == shapes[..., 0]).all()


def test_brows_that_landmarks_follow_stay() -> None:
    images, _, shapes = people([(0.0, 0.0)] * 12)
    assert settle_brows(images, shapes) == pytest.approx(shapes, abs=0.3)


def test_a_face_without_brows_keeps_its_landmarks() -> None:
    images = np.full((6, CANVAS, CANVAS, 3), 180, np.uint8)
    shapes = np.repeat(shape()[None], 6, axis=0)
    assert (settle_brows(images, shapes) == shapes).all()
    flat = images.astype(np.float32)
    assert not brow_moves(flat, flat[0], shapes[0]).any()


def test_who_raises_brows_has_no_shadow_of_them_in_the_mean_picture() -> None:
    """All of the brow's darkness lies in one band, not spread over all the places where it ever was."""
    look = fit(*people(RAISED))
    column = look.texture[:CANVAS, 62:66].mean(axis=(1, 2))
    lids = int(look.shape[37:41, 1].min() * TIMES) - 4
    dark = column[:lids].max() - column[:lids]
    assert (dark > dark.max() / 2).sum() <= 8


@pytest.mark.parametrize("up", [0.0, 4.0])
def test_the_other_person_raises_brows_as_one_does_whose_landmarks_do_not_tell(up: float) -> None:
    mine, theirs = fit(*people(RAISED)), fit(*people([(0.0, 0.0)] * 12, OTHER_SKIN))
    images = smaller(np.stack([face(0, 0, seed=50), face(up, up, seed=51)]))
    calm, drawn = draw(theirs, mine, images, np.repeat(shape()[None], 2, axis=0)).pictures[..., :3].astype(float)

    def height(picture: NDArray[np.float64]) -> float:
        lids = int(shape()[37:41, 1].min() * TIMES) - 4
        column = picture[10:lids, 62:66].mean(axis=(1, 2))
        dark = np.clip(column.max() - column - 15, 0, None) ** 2
        return float((dark * np.arange(len(dark))).sum() / dark.sum()) / TIMES

    assert height(calm) - height(drawn) == pytest.approx(up, abs=1.2)
