"""What of a picture is face: not the wall beside it, not the hair over it."""

from __future__ import annotations

import numpy as np
from galloway.pipeline.engines.align import hull_mask
from galloway.pipeline.engines.embedded.skin import face_of
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from tests.support.engines import landmarks_at

SIZE = 160
POINTS = landmarks_at(80, 74, 76).astype(np.float64)
WALL, SKIN, HAIR = (60, 170, 160), (200, 150, 120), (40, 30, 25)


def painted() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A face narrower than its landmarks, before a turquoise wall and with hair over the forehead; and what is skin."""
    picture = np.full((SIZE, SIZE, 3), WALL, np.float32)
    middle = POINTS.mean(axis=0)
    narrow = POINTS.copy()
    narrow[:17] = middle + (POINTS[:17] - middle) * (0.94, 1.0)
    skin = hull_mask(narrow, (SIZE, SIZE), extended=True) > 0
    picture[skin] = SKIN
    top = np.arange(SIZE)[:, None] < POINTS[17:27, 1].min() - 6
    picture[skin & top] = HAIR
    picture += np.random.default_rng(1).normal(0, 4, picture.shape)
    return picture.astype(np.float32), skin & ~top


def test_neither_the_wall_nor_the_hair_is_face() -> None:
    picture, skin = painted()
    face = face_of(picture, POINTS) > 0.6
    hull = hull_mask(POINTS, (SIZE, SIZE), extended=True) > 0
    assert not (face & ~hull).any()
    beside = hull & ~skin
    assert (face & beside).sum() < 0.12 * beside.sum()
    inner = distance_transform_edt(skin) > 6
    assert face[inner].mean() > 0.97


def test_eyes_brows_and_mouth_are_face() -> None:
    picture, _ = painted()
    for part, colour in ((slice(36, 42), 240), (slice(42, 48), 20), (slice(48, 60), 90)):
        x, y = np.rint(POINTS[part].mean(axis=0)).astype(int)
        picture[y - 3 : y + 4, x - 6 : x + 7] = colour
    face = face_of(picture, POINTS)
    for part in (slice(36, 42), slice(42, 48), slice(48, 60)):
        x, y = np.rint(POINTS[part].mean(axis=0)).astype(int)
        assert face[y, x] > 0.95


def test_a_face_without_colours_is_all_face() -> None:
    face = face_of(np.full((SIZE, SIZE, 3), 128, np.float32), POINTS)
    assert face[hull_mask(POINTS, (SIZE, SIZE), extended=False) > 0].mean() > 0.95
