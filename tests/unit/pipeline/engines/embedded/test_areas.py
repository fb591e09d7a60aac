"""Where a frame is looked at: parts that do not overlap, with every face that can be drawn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from galloway.curation.faceset.png.types import FaceAlignment
from galloway.pipeline.engines.embedded.areas import areas
from galloway.pipeline.engines.pixels import ALIGNED
from hypothesis import given
from hypothesis import strategies as st

from tests.support.engines import landmarks_at

PLACES = st.tuples(st.floats(-80, 720), st.floats(-80, 440), st.floats(8, 200), st.floats(-40, 40))


def a_face(x: float, y: float, size: float, roll: float) -> FaceAlignment:
    return FaceAlignment(0, 0, 1, 1, landmarks=landmarks_at(x, y, size, roll))


@given(st.lists(PLACES, max_size=8))
def test_areas_lie_apart_inside_the_frame_and_hold_each_face_once(places: list[tuple[float, ...]]) -> None:
    faces = [a_face(*place) for place in places]
    found = areas(faces, (640, 360))
    for left, top, right, bottom in (area for area, _ in found):
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 360
        assert left % ALIGNED == top % ALIGNED == 0
    for (one, _), (two, _) in combinations(found, 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
    held = [id(face) for _, inside in found for face in inside]
    assert len(held) == len(set(held))
    seen = [face for face in faces if _within(face)]
    assert {id(face) for face in seen} <= set(held)


def _within(face: FaceAlignment) -> bool:
    return bool((face.landmarks >= 0).all() and (face.landmarks < np.array([640, 360])).all())


def test_faces_that_overlap_are_drawn_together_in_their_order() -> None:
    faces = [a_face(300, 150, 80, 0), a_face(60, 60, 20, 0), a_face(330, 160, 80, 0)]
    found = areas(faces, (640, 360))
    assert sorted(len(inside) for _, inside in found) == [1, 2]
    assert next(inside for _, inside in found if len(inside) == 2) == [faces[0], faces[2]]
