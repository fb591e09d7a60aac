"""Which few faces say most about many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from galloway.pipeline.judging.telling import Small, small_face, telling
from numpy.typing import NDArray

from tests.support.engines import write_faces

WHOLE = np.ones((24, 24), bool)


def face(*things: tuple[int, int, int]) -> Small:
    """A grey face with things before it: the colour of each, its row, and its column."""
    picture: NDArray[np.uint8] = np.full((24, 24, 3), 128, np.uint8)
    for colour, row, column in things:
        picture[row : row + 6, column : column + 6] = (colour, 255 - colour, 0)
    return Small(picture, WHOLE)


FACES = [
    face((250, 2, 2)),
    face((250, 2, 3), (10, 14, 14)),
    face((10, 15, 13)),
    face((250, 3, 2)),
    face((130, 8, 8)),
]


def test_what_shows_most_of_what_the_others_show_comes_first_then_what_is_missing() -> None:
    assert telling(FACES, 2) == [1, 4]
    assert telling(FACES, 2, before=[1]) == [4, 0], "where nothing is missing, the first"
    assert telling(FACES, 1, among=[0, 2, 4], before=[4]) in ([0], [2])
    assert sorted(telling(FACES, 99)) == list(range(5))
    assert telling(FACES, 99, before=list(range(5))) == []


def test_what_is_beside_the_face_does_not_count() -> None:
    only = np.zeros((24, 24), bool)
    only[12:] = True
    assert telling([Small(item.picture, only) for item in FACES], 1) == [1], "it alone shows what is low"
    low = [face((250, 2, 2)), face(), face()]
    assert telling([Small(item.picture, only) for item in low], 1) == [0], "all are alike there"


def test_a_face_is_read_from_its_file(tmp_path: Path) -> None:
    write_faces(tmp_path, 1)
    small = small_face(next(tmp_path.glob("*.png")))
    assert small.picture.shape == (24, 24, 3) and small.picture.dtype == np.uint8
    assert 0.3 < small.face.mean() < 0.8 and small.face[12, 12] and not small.face[0, 0]
