"""The nearest pictures of a person, mixed."""

from __future__ import annotations

import numpy as np
from galloway.pipeline.engines.embedded.nearest import (
    MIXED,
    as_other,
    expression_of,
    halves_of,
    lower_rows,
    mixed,
    moving_parts,
    rests_of,
    varied,
)
from galloway.pipeline.engines.embedded.shape import fronted, own
from numpy.typing import NDArray

from tests.support.engines import landmarks_at

SIDE = 40
NUMBERS = 95
MOUTH = slice(44, 84)
Floats = NDArray[np.float32]
UPPER = np.zeros(4, np.float32)
"""All four rows are the eyes'."""


def expressions(values: NDArray[np.floating], mouths: NDArray[np.floating] | float = 0.0) -> Floats:
    """Numbers of faces whose lids and whose mouth do so much."""
    keys = np.zeros((len(values), NUMBERS), np.float32)
    keys[:, 20], keys[:, MOUTH.start] = values, mouths
    return keys


def kept(count: int) -> tuple[NDArray[np.int8], Floats]:
    """Pictures that are as bright as their lids are open."""
    values = np.linspace(-100, 100, count)
    fine = np.broadcast_to(values[:, None, None, None], (count, 4, 4, 3)).astype(np.float32)
    return rests_of(fine, np.zeros_like(fine)), expressions(np.linspace(0, 1, count))


def mix(
    rests: NDArray[np.int8], keys: Floats, wanted: Floats, lower: Floats, *, without: NDArray[np.int64] | None = None
) -> Floats:
    return mixed(rests, halves_of(keys, wanted, without), lower)


def test_the_picture_of_the_very_expression_counts_most() -> None:
    rests, keys = kept(200)
    for wanted in (0.2, 0.5, 0.83):
        found = mix(rests, keys, expressions(np.array([wanted])), UPPER)[0]
        assert abs(float(found.mean()) - (200 * wanted - 100)) < 3


def test_one_picture_with_closed_lids_counts_more_than_many_with_half_open_ones() -> None:
    open_ = np.r_[0.0, np.linspace(0.5, 1, 30)]
    fine = np.broadcast_to((200 * open_ - 100)[:, None, None, None], (31, 4, 4, 3)).astype(np.float32)
    found = mix(rests_of(fine, np.zeros_like(fine)), expressions(open_), expressions(np.array([0.05])), UPPER)
    assert float(found.mean()) < -60


def test_lids_and_mouth_come_from_different_pictures() -> None:
    lids, mouths = np.repeat([0.0, 1.0], 20), np.tile([0.0, 1.0], 20)
    seen = lids + mouths < 2  # nobody saw this person's mouth open under open lids
    lids, mouths = lids[seen], mouths[seen]
    fine = np.zeros((len(lids), 4, 4, 3), np.float32)
    fine[:, :2] = (200 * lids - 100)[:, None, None, None]
    fine[:, 2:] = (200 * mouths - 100)[:, None, None, None]
    lower = np.array([0, 0, 1, 1], np.float32)
    found = mix(rests_of(fine, np.zeros_like(fine)), expressions(lids, mouths), expressions(np.ones(1), 1.0), lower)
    assert float(found.min()) > 90


def test_nothing_jumps_when_one_picture_takes_the_place_of_another() -> None:
    rests, keys = kept(60)
    wanted = expressions(np.linspace(0.3, 0.7, 400))
    found = mix(rests, keys, wanted, UPPER).mean(axis=(1, 2, 3))
    assert np.abs(np.diff(found)).max() < 4 * (200 * 0.4 / 400)


def test_a_picture_is_not_mixed_into_itself() -> None:
    rests, keys = kept(40)
    rests[20] = 127
    alone = mix(rests, keys, keys[20:21], UPPER, without=np.array([20]))
    assert abs(float(alone.mean())) < 15
    assert float(mix(rests, keys, keys[20:21], UPPER, without=np.array([-1])).mean()) > float(alone.mean()) + 20


def test_a_single_picture_is_taken_and_none_gives_nothing() -> None:
    rests, keys = kept(1)
    assert np.allclose(mix(rests, keys, keys, UPPER), 2 * rests)
    assert not mix(rests, keys, keys, UPPER, without=np.array([0])).any()
    assert MIXED > 1


def test_the_eyes_half_ends_below_the_lids_and_the_mouths_begins_at_the_lip() -> None:
    mean = landmarks_at(20, 20, 24).astype(np.float64)
    lower = lower_rows(mean, SIDE)
    assert (lower[: int(mean[36:48, 1].max()) + 1] == 0).all()
    assert (lower[int(np.ceil(mean[48:68, 1].min())) :] == 1).all()
    assert (np.diff(lower) >= 0).all()


def test_a_blink_and_a_shout_are_kept_among_faces_that_do_nothing() -> None:
    lids, mouths = np.ones(400), np.zeros(400)
    lids[[33, 210]], mouths[101] = 0.0, 1.0
    keys = expressions(lids, mouths)
    keys[:, 21] = np.linspace(0, 0.1, 400)
    found = varied(keys, 40)
    assert len(found) == len(set(found.tolist())) == 40
    assert {33, 210, 101} <= set(found.tolist())
    assert np.diff(found[(found != 33) & (found != 101) & (found != 210)]).max() <= 24, "spread evenly, too"
    assert list(varied(keys[:5], 40)) == [0, 1, 2, 3, 4]
    assert len(varied(np.zeros((50, NUMBERS), np.float32), 20)) == 20, "though all are alike"


def test_narrow_eyes_are_no_half_closed_ones_and_a_mouth_is_as_it_is_drawn() -> None:
    shapes = landmarks_at(20, 20, 24)[None].astype(np.float64)
    whose = own(shapes)
    told, narrow, wide = (expressions(np.array([value])) for value in (0.3, 0.4, 0.6))
    found = as_other(told, narrow[0], wide[0], shapes, whose)
    assert np.isclose(found[0, 20], 0.5), "as far below what is usual with one as with the other"
    assert np.allclose(found[0, MOUTH], fronted(shapes, whose)[0, 31:51].ravel())


def test_a_glance_to_the_side_is_an_expression() -> None:
    shapes = np.repeat(landmarks_at(20, 20, 24)[None].astype(np.float64), 3, axis=0)
    flat = np.full((3, SIDE, SIDE, 3), 200, np.float32)
    for row, shift in enumerate((-2, 0, 2)):
        for eye in (slice(36, 42), slice(42, 48)):
            x, y = np.rint(shapes[0, eye].mean(axis=0)).astype(int)
            flat[row, y - 1 : y + 2, x + shift - 1 : x + shift + 1] = 10
    left, middle, right = expression_of(shapes, own(shapes), flat, shapes[0], np.zeros((3, 9), np.float32))
    assert left[84] < middle[84] < right[84]
    assert np.allclose(np.delete(left, 84), np.delete(right, 84))


def test_of_mouths_with_the_same_landmarks_the_one_that_is_pulled_as_far_counts_most() -> None:
    mouths = expressions(np.zeros(40))
    mouths[:, 86:] = np.linspace(-0.05, 0.05, 40)[:, None]
    shares = halves_of(mouths, expressions(np.zeros(1)))
    assert abs(float(shares.mouth[0] @ mouths[:, 86])) < 0.002
    assert set(np.argsort(-shares.mouth[0])[:2]) == {19, 20}
    assert np.ptp(shares.eyes[0, :14]) < 1e-3, "which says nothing of the eyes"


def test_what_moves_are_the_eyes_and_the_mouth() -> None:
    mean = landmarks_at(20, 20, 24).astype(np.float64)
    eyes, mouth = moving_parts(mean, SIDE)
    assert eyes.shape == mouth.shape == (SIDE, SIDE)
    for share, part in ((eyes, slice(36, 42)), (eyes, slice(42, 48)), (mouth, slice(48, 60))):
        x, y = np.rint(mean[part].mean(axis=0)).astype(int)
        assert share[y, x] > 0.6
    x, y = np.rint(mean[30]).astype(int)
    assert eyes[y, x] < 0.05 and mouth[y, x] < 0.05, "the nose is no part of them"
    assert not (np.minimum(eyes, mouth) > 0.01).any()
