"""Following faces between whole searches: none is lost, few frames are searched, and a killed run finds the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from galloway.pipeline.engines.embedded.detect import LONG_SIDE, Box, FaceFinder, Found, View, overlap, view
from galloway.pipeline.engines.embedded.follow import EVERY, NEAR, follow, stretch_start
from galloway.pipeline.engines.frames import Frame
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.engines import filmed_frames


class Whole(Frame):
    """A frame of which no part is cut: who looks at it finds its faces where they lie in the whole."""

    def around(self, low: object, high: object) -> tuple[np.ndarray, tuple[int, int]]:
        return self.image, (0, 0)


class Film:
    """A finder that knows where the faces are, and counts how often it is asked."""

    def __init__(self, faces: Sequence[Sequence[Box]], blind: frozenset[int] = frozenset()) -> None:
        self.faces, self.blind = faces, blind
        self.faint: Box | None = None
        self.searched: list[int] = []
        self.glanced: list[int] = []
        self.looked: list[int] = []

    def frames(self) -> list[Frame]:
        # A frame's pixels say which it is, and show where its faces are.
        return [
            Whole(number, f"f{number}", lambda number=number: self.picture(number))  # type: ignore[misc]
            for number in range(len(self.faces))
        ]

    def picture(self, number: int) -> np.ndarray:
        picture = np.full((360, 640, 3), number, np.uint8)
        for left, top, right, bottom in self.faces[number]:
            picture[round(top) : round(bottom), round(left) : round(right), 1] = 200
        return picture

    def search(self, image: np.ndarray, long_side: int = LONG_SIDE) -> list[Found]:
        number = int(image[0, 0, 0])
        (self.searched if long_side == LONG_SIDE else self.glanced).append(number)
        return [(box, 0.25 if box == self.faint else 0.9) for box in self.faces[number]]

    def look(self, image: np.ndarray, near: Box, seen: View) -> Found | None:
        number = int(image[0, 0, 0])
        self.looked.append(number)
        if number in self.blind:
            return None
        shown = [box for box in self.faces[number] if box != self.faint]
        best = max(shown, key=lambda box: overlap(box, near), default=None)
        return (best, 0.9) if best is not None and overlap(best, near) > 0.3 else None


def moving(count: int, x: float = 0.0, step: float = 2.0) -> list[list[Box]]:
    return [[(x + step * n, 10.0, x + step * n + 60, 70.0)] for n in range(count)]


def boxes(film: Film) -> list[list[Box]]:
    found = follow(film.frames(), film)  # type: ignore[arg-type]
    return [[box for box, _ in faces] for _, faces in found]


def seen_where_they_are(film: Film) -> bool:
    """Whether every frame's faces are found, and nothing else, with boxes that lie on them."""
    return all(
        len(found) == len(there) and all(max(overlap(box, one) for one in found) > 0.85 for box in there)
        for found, there in zip(boxes(film), film.faces, strict=True)
    )


def test_a_face_that_moves_is_followed_and_few_frames_are_searched() -> None:
    film = Film(moving(41, step=1))
    assert boxes(film) == film.faces
    assert film.searched == [0, 16, 32, 40]
    assert film.glanced == [8, 24]
    # Between frames that lie NEAR apart, who hardly moved is on the line.
    assert film.looked == [8, 4, 12, 24, 20, 28, 36]


def test_who_moves_fast_is_looked_for_and_keeps_the_box_that_was_seen() -> None:
    film = Film([[(100.0 + 40 * np.sin(n / 2), 10.0, 160 + 40 * np.sin(n / 2), 70.0)] for n in range(33)])
    assert seen_where_they_are(film)


def test_a_cut_and_a_face_that_comes_or_goes_are_found_frame_by_frame() -> None:
    cut = moving(11) + moving(20, x=500)
    comes = [[*faces, (300.0, 300.0, 340.0, 340.0)] if 5 <= n < 23 else faces for n, faces in enumerate(moving(30))]
    nobody: list[list[Box]] = [[] for _ in range(20)]
    for faces in (cut, comes, nobody, [*nobody[:5], *moving(9), *nobody[:7]], [*nobody[:6], *moving(4), *nobody]):
        assert seen_where_they_are(Film(faces))


@pytest.mark.parametrize("shots", [(1, 16), (3, 14), (7, 10), (8, 9), (10, 16), (12, 13)])
def test_a_face_is_found_to_the_frame_where_the_shot_ends(shots: tuple[int, int]) -> None:
    # Three shots in one stretch, of which the middle one may lie between two frames that are searched anyway.
    first, second = shots
    faces = [[(100.0, 100.0, 160.0, 160.0)]] * first + [[(400.0, 50.0, 480.0, 140.0)]] * (second - first)
    film = Film(faces + [[(250.0, 200.0, 300.0, 260.0)]] * (33 - second))
    assert seen_where_they_are(film)
    assert len(film.searched) <= 3 + 7, "not every frame is searched for it"


@pytest.mark.parametrize("shot", [range(6, 11), range(17, 21), range(22, 24)])
def test_another_shot_between_two_that_are_alike_is_seen(shot: range) -> None:
    # Its own face lies where nobody looks, and something like the first one's stays.
    faces = [[(100.0, 100.0, 160.0, 160.0)] for _ in range(33)]
    for number in shot:
        faces[number] = [(104.0, 100.0, 164.0, 160.0), (300.0, 20.0, 600.0, 320.0)]
    assert seen_where_they_are(Film(faces))


def test_a_crowd_of_which_one_leaves_costs_some_searches_not_all() -> None:
    crowd = [(30.0 + 60 * n, 40.0, 62.0 + 60 * n, 80.0) for n in range(9)]
    film = Film([crowd if n < 21 else crowd[:-1] for n in range(65)])
    assert seen_where_they_are(film)
    assert len(film.searched) <= 65 // NEAR + 4


def test_a_faint_face_that_no_part_of_a_frame_shows_is_found_around_the_frame_in_which_a_search_sees_it() -> None:
    faint = (300.0, 300.0, 340.0, 340.0)
    film = Film([[*faces, faint] if 14 <= n < 19 else faces for n, faces in enumerate(moving(33, step=1))])
    film.faint = faint
    assert seen_where_they_are(film)
    assert len(film.searched) < 33 // 2, "only where it comes and goes"


def test_a_face_that_is_lost_on_the_way_is_searched_for() -> None:
    # It moves too far to be taken for being on the line.
    film = Film([[(12.0 * n, 10.0, 12.0 * n + 60, 70.0)] for n in range(9)], blind=frozenset({2, 3, 5}))
    assert seen_where_they_are(film)
    assert {2, 3} & set(film.searched)


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
    at = finder.look(cut, moved, view(moved, (cut.shape[1], cut.shape[0])))
    assert at is None or overlap(at[0], moved) > 0.3
    assert finder.look(np.zeros((90, 90, 3), np.uint8), (20, 20, 60, 60), view((20, 20, 60, 60), (90, 90))) is None


def test_a_small_face_is_shown_the_pixels_that_a_whole_search_sees(finder: FaceFinder) -> None:
    picture = filmed_frames(1)[0]
    large = np.zeros((720, 1280, 3), np.uint8)
    shrunk = np.asarray(Image.fromarray(picture).resize((160, 90)))
    large[301 : 301 + 90, 517 : 517 + 160] = shrunk
    ((box, score), *_) = finder.search(large)
    assert max(box[2] - box[0], box[3] - box[1]) < 80, "a small one"
    seen = view(box, (1280, 720))
    assert seen.net[0] <= 128 and seen.corner[0] % 64 == 0, "a whole number of the network's coarsest pixels"
    at = finder.look(large, box, seen)
    assert at is not None and overlap(at[0], box) > 0.9 and at[1] == pytest.approx(score, abs=0.1)
