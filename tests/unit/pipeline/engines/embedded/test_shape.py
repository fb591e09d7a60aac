"""Whose face it is, apart from pose and expression: carried from one person to another in space."""

from __future__ import annotations

import numpy as np
from galloway.pipeline.engines.align import MEAN_FACE, normalising_matrix, transform_points
from galloway.pipeline.engines.embedded.shape import carried, fronted, own
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

DEPTHS = 30 - 60 * np.abs(MEAN_FACE[:, 0] - 0.49)
Doubles = NDArray[np.float64]


def seen(person: Doubles, yaw: float, pitch: float = 0.0, scale: float = 0.4) -> Doubles:
    """Landmarks (68, 2) of a face in space (51, 3) that is turned; the jaw is a half circle."""
    turn, nod = np.deg2rad(yaw), np.deg2rad(pitch)
    around = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    over = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    inner = (person @ around.T @ over.T)[:, :2] * scale + 40
    at = np.linspace(0, np.pi, 17)
    jaw = np.stack([40 - 32 * np.cos(at), 40 + 36 * np.sin(at)], axis=1)
    return np.concatenate([jaw, inner])


def laid(shape: Doubles) -> Doubles:
    """On the mean face, as crops are."""
    return transform_points(normalising_matrix(shape), shape)


def person(*, nose: float = 0.0, mouth: float = 0.0, open_: float = 1.0, wide: float = 1.0) -> Doubles:
    """A face in space whose nose stands out further and whose mouth is lower by so many millimetres, and whose eyes are
    so many times as open and wide."""
    points = np.column_stack([(MEAN_FACE - MEAN_FACE.mean(axis=0)) * 122, DEPTHS - DEPTHS.mean()])
    points[10:19, 2] += nose
    points[31:, 1] += mouth
    for eye in (slice(19, 25), slice(25, 31)):
        middle = points[eye].mean(axis=0)
        points[eye] = middle + (points[eye] - middle) * [wide, open_, 1]
    return points


def test_a_person_is_carried_to_another_pose_than_the_ones_seen() -> None:
    a, b = person(), person(mouth=6)
    mine = own(np.stack([seen(a, yaw) for yaw in (25, 30, 35)]))
    theirs = own(np.stack([seen(b, yaw) for yaw in (-4, 0, 4)]))
    moved = laid(carried(seen(a, 30)[None], mine, theirs)[0])
    before, wanted = laid(seen(a, 30)), laid(seen(b, 30))
    assert np.abs(moved[48:68] - wanted[48:68]).mean() < 0.75 * np.abs(before[48:68] - wanted[48:68]).mean()


@given(st.floats(-40, 40), st.floats(-20, 20))
def test_nothing_is_carried_between_one_person_and_himself(yaw: float, pitch: float) -> None:
    mine = own(np.stack([seen(person(mouth=4), angle) for angle in (-20, 0, 20)]))
    shape = seen(person(), yaw, pitch)[None]
    assert np.allclose(carried(shape, mine, mine), shape)


def test_the_jaw_and_the_shapes_of_mouth_and_brows_stay() -> None:
    a, b = person(), person(nose=8, mouth=5)
    shape = seen(a, 20)[None]
    shape[0, 57, 1] += 6  # the mouth is open
    moved = carried(shape, own(shape), own(seen(b, 0)[None]))
    assert np.allclose(moved[:, :17], shape[:, :17])
    for part in (slice(17, 22), slice(48, 68)):
        assert np.allclose(moved[0, part] - moved[0, part].mean(axis=0), shape[0, part] - shape[0, part].mean(axis=0))


def heights(shape: Doubles) -> Doubles:
    """How far both eyes are open, in shares of their width."""
    eyes = np.stack([shape[36:42], shape[42:48]])
    lids = np.linalg.norm(eyes[:, [1, 2]] - eyes[:, [5, 4]], axis=2).mean(axis=1)
    return lids / np.linalg.norm(eyes[:, 0] - eyes[:, 3], axis=1)


def test_eyes_are_as_open_as_the_others_and_close_when_they_do() -> None:
    a, narrow = person(), person(open_=0.8)
    mine, theirs = own(seen(a, 0)[None]), own(seen(narrow, 0)[None])
    for yaw in (0, 25):
        moved = heights(carried(seen(a, yaw)[None], mine, theirs)[0])
        assert np.abs(moved - heights(seen(narrow, yaw))).max() < 0.35 * np.abs(moved - heights(seen(a, yaw))).min()
    shut = heights(carried(seen(person(open_=0.05), 0)[None], mine, theirs)[0])
    assert (shut < 0.1 * heights(seen(a, 0))).all()


def test_an_expression_is_the_same_however_the_head_is_turned() -> None:
    whose = own(np.stack([seen(person(nose=4, wide=1.1), yaw) for yaw in (-35, 0, 35)]))
    faces = [seen(person(nose=4, wide=1.1, mouth=4), yaw) for yaw in (0, 30)]
    front, aside = (fronted(face[None], whose)[0, 19:] for face in faces)
    plain, turned = (laid(face)[36:] for face in faces)
    assert np.abs(front - aside).mean() < 0.45 * np.abs(plain - turned).mean()
