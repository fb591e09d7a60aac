"""Temples: B's skin where A has skin, A's hair where A has hair, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from galloway.pipeline.engines.align import hull_mask
from galloway.pipeline.engines.embedded.detail import DETAIL, shrink
from galloway.pipeline.engines.embedded.look import Look, draw, fit
from galloway.pipeline.engines.embedded.temples import Temples, with_temples
from numpy.typing import NDArray

from tests.support.engines import drawn_face

from .test_look import CANVAS, SKIN_A, SKIN_B, shape

HAIR = (25, 20, 18)
SIDE = CANVAS * DETAIL
ENDS = {17: -1, 26: 1}
"""Where each brow ends, and on which side the temple is."""


def somebody(skin: tuple[int, int, int], *, hair: bool, further: float = 0.01) -> Look:
    """A drawn person without anything around the face but skin, or with hair from so much `further` than the brows'
    ends on, in shares of a side."""
    points, chance = shape(), np.random.default_rng(2)
    large = np.asarray(points * DETAIL, np.float32)
    inside = hull_mask(points * DETAIL, (SIDE, SIDE), extended=False)[..., None] > 0
    face = np.where(inside, drawn_face(large, SIDE, SIDE, skin), np.array(skin)).astype(float)
    left, right = (large[end, 0] for end in ENDS)
    columns, more = np.arange(SIDE), further * SIDE
    upper = np.arange(SIDE)[:, None] < large[36:48, 1].mean()
    if hair:
        face[upper & ((columns < left - more) | (columns > right + more))] = HAIR
    lit = [np.clip(face * light, 0, 255).astype(np.uint8) for light in chance.uniform(0.8, 1.0, 24)]
    detailed = np.stack(lit)
    return fit((shrink(detailed) + 0.5).astype(np.uint8), detailed, np.repeat(points[None], 24, axis=0))


def beyond(look: Look, end: int) -> tuple[int, int]:
    """A pixel of the look's texture just beyond a brow's end: row, column."""
    x, y = look.shape[end] * look.detail
    return round(y), round(x + ENDS[end] * 0.04 * len(look.texture))


def temples(*, hair_a: bool, hair_b: bool) -> tuple[Look, Temples]:
    a, b = somebody(SKIN_A, hair=hair_a), somebody(SKIN_B, hair=hair_b)
    return b, with_temples(b, a)


@pytest.mark.parametrize("end", ENDS)
def test_skin_is_carried_on_to_where_the_one_who_is_seen_has_skin(end: int) -> None:
    b, found = temples(hair_a=False, hair_b=True)
    spot = beyond(b, end)
    assert np.abs(b.texture[spot] - HAIR).max() < 30, "B has hair there"
    assert np.abs(found.look.texture[spot] - 0.9 * np.array(SKIN_B)).max() < 30
    assert found.look.face[spot] > 0.8 > b.face[spot]
    assert found.uncovered[spot] > 0.8


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("hair_b", [True, False])
def test_hair_stays_before_what_is_drawn(end: int, hair_b: bool) -> None:
    b, found = temples(hair_a=True, hair_b=hair_b)
    assert found.uncovered[beyond(b, end)] < 0.3
    middle = tuple(np.rint(b.shape[30][::-1] * b.detail).astype(int))
    assert found.uncovered[middle] == pytest.approx(1)


def test_a_brow_that_hair_hides_is_not_cut_off() -> None:
    a, b = somebody(SKIN_A, hair=False), somebody(SKIN_B, hair=True, further=-0.06)
    found = with_temples(b, a)
    assert np.array_equal(found.look.texture, b.texture)
    assert np.array_equal(found.look.face, b.face)
    assert found.uncovered.min() == 1


def test_only_temples_are_touched() -> None:
    b, found = temples(hair_a=False, hair_b=True)
    rows, columns = (np.abs(found.look.texture - b.texture).max(axis=2) > 1).nonzero()
    ends = b.shape[list(ENDS)] * b.detail
    apart = np.hypot(columns[:, None] - ends[:, 0], rows[:, None] - ends[:, 1]).min(axis=1)
    assert len(rows)
    assert apart.max() < 0.3 * len(b.texture)
    eyes = slice(*(np.array([b.shape[36:48, 1].min(), b.shape[8, 1]]) * b.detail).astype(int))
    face = slice(*(b.shape[[36, 45], 0] * b.detail).astype(int))
    assert np.array_equal(found.look.rests[:, eyes, face], b.rests[:, eyes, face])


@pytest.mark.parametrize(("hair", "covered"), [(True, True), (False, False)])
def test_a_drawn_face_says_where_the_others_hair_lies_before_it(hair: bool, covered: bool) -> None:
    a, b = somebody(SKIN_A, hair=hair), somebody(SKIN_B, hair=False)
    look, uncovered = with_temples(b, a)
    grey = np.full((2, CANVAS, CANVAS, 3), 90, np.uint8)
    drawn = draw(look, a, grey, np.repeat(shape()[None], 2, axis=0), uncovered=uncovered)
    assert drawn.uncovered is not None
    assert drawn.uncovered.shape == drawn.pictures.shape[:3]
    assert (drawn.uncovered[1][beyond(b, 26)] < 128) == covered


def test_planes_of_another_size_are_brought_to_this_one() -> None:
    a, b = somebody(SKIN_A, hair=True), somebody(SKIN_B, hair=True)
    found = with_temples(b, _doubled(a))
    assert found.uncovered.shape == b.face.shape
    assert np.abs(found.uncovered - with_temples(b, a).uncovered).mean() < 0.02


def _doubled(look: Look) -> Look:
    texture = np.repeat(np.repeat(look.texture, 2, axis=0), 2, axis=1)
    face: NDArray[np.float32] = np.repeat(np.repeat(look.face, 2, axis=0), 2, axis=1)
    return replace(look, texture=texture, face=face)
