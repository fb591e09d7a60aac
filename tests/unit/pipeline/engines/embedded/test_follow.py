"""Following faces between whole searches: none is lost, few frames are searched, and a killed run finds the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from galloway.pipeline.engines.embedded.detect import LONG_SIDE, Box, FaceFinder, Found, overlap
from galloway.pipeline.engines.embedded.follow import EVERY, follow, stretch_start
from galloway.pipeline.engines.frames import Frame
from hypothesis import given
from hypothesis import strategies as st

from tests.support.engines import filmed_frames


class Film:
    """A finder that knows where the faces are, and counts how often it is asked."""

    def __init__(self, faces: Sequence[Sequence[Box]], blind: frozenset[int] = frozenset()) -> None:
        self.faces, self.blind = faces, blind
        self.searched: list[int] = []
        self.glanced: list[int] = []
        self.looked: list[int] = []

    def frames(self) -> list[Frame]:
        # A frame's only pixel says which it is.
        return [
            Frame(number, f"f{number}", lambda value=number: np.full((1, 1, 3), value, np.uint8))  # type: ignore[misc]
            for number in range(len(self.faces))
        ]

    def search(self, image: np.ndarray, long_side: int = LONG_SIDE) -> list[Found]:
        number = int(image[0, 0, 0])
        (self.searched if long_side == LONG_SIDE else self.glanced).append(number)
        return [(box, 0.9) for box in self.faces[number]]

    def look(self, image: np.ndarray, near: Box) -> Found | None:
        number = int(image[0, 0, 0])
        self.looked.append(number)
        if number in self.blind:
            return None
        best = max(self.faces[number], key=lambda box: overlap(box, near), default=None)
        return (best, 0.9) if best is not None and overlap(best, near) > 0.3 else None


def moving(count: int, x: float = 0.0, step: float = 2.0) -> list[list[Box]]:
    return [[(x + step * n, 10.0, x + step * n + 60, 70.0)] for n in range(count)]


def boxes(film: Film) -> list[list[Box]]:
    found = follow(film.frames(), film)  # type: ignore[arg-type]
    return [[box for box, _ in faces] for _, faces in found]


def test_a_face_that_moves_is_followed_and_few_frames_are_searched() -> None:
    film = Film(moving(41, step=1))
    assert boxes(film) == film.faces
    assert film.searched == [0, 16, 32, 40]
    assert film.glanced == [8, 24]


def test_a_cut_and_a_face_that_comes_or_goes_are_found_frame_by_frame() -> None:
    cut = moving(11) + moving(20, x=500)
    comes = [[*faces, (300.0, 300.0, 340.0, 340.0)] if 5 <= n < 23 else faces for n, faces in enumerate(moving(30))]
    nobody: list[list[Box]] = [[] for _ in range(20)]
    for faces in (cut, comes, nobody, [*nobody[:5], *moving(9), *nobody[:7]], [*nobody[:6], *moving(4), *nobody]):
        assert [sorted(frame) for frame in boxes(Film(faces))] == [sorted(frame) for frame in faces]


def test_a_face_that_is_lost_on_the_way_is_searched_for() -> None:
    film = Film(moving(9), blind=frozenset({3, 4}))
    assert boxes(film) == film.faces
    assert 3 in film.searched and 4 in film.searched


@given(st.integers(1, 40), st.data())
def test_what_is_found_depends_on_the_stretch_alone(count: int, data: st.DataObject) -> None:
    place = st.floats(0, 400).map(round)
    faces = [
        [(float(x), 0.0, float(x) + 50, 50.0) for x in data.draw(st.lists(place, max_size=2))] for _ in range(count)
    ]
    whole = boxes(Film(faces))
    first = data.draw(st.integers(0, count - 1))
    start = stretch_start(first)
    film = Film(faces)
    again = [found for _, found in follow(film.frames()[start:], film)]  # type: ignore[arg-type]
    assert [[box for box, _ in found] for found in again] == whole[start:]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def test_a_real_face_is_found_where_a_search_finds_it(finder: FaceFinder) -> None:
    # Each twice: further on the person bends the head so far that dlib's points lie elsewhere in every search, too.
    pictures = [picture for picture in filmed_frames(EVERY // 2 + 1) for _ in range(2)][: EVERY + 1]
    frames = [
        Frame(number, f"f{number}", lambda picture=picture: picture)  # type: ignore[misc]
        for number, picture in enumerate(pictures, 1)
    ]
    for frame, found in follow(frames, finder):
        (searched,) = finder.find(frame.image)
        (followed,) = finder.detections(frame.image, found, 20)
        eyes = float(np.linalg.norm(searched.landmarks[36] - searched.landmarks[45]))
        assert overlap(searched.box, followed.box) > 0.7
        assert float(np.linalg.norm(searched.landmarks - followed.landmarks, axis=1).mean()) < 0.08 * eyes


def test_a_face_at_the_frames_edge_and_no_face(finder: FaceFinder) -> None:
    picture = filmed_frames(1)[0]
    (box, _), *_ = finder.search(picture)
    cut = np.ascontiguousarray(picture[:, int(box[0] + 12) :])
    moved = (box[0] - int(box[0] + 12), box[1], box[2] - int(box[0] + 12), box[3])
    at = finder.look(cut, moved)
    assert at is None or overlap(at[0], moved) > 0.3
    assert finder.look(np.zeros((90, 90, 3), np.uint8), (20, 20, 60, 60)) is None
