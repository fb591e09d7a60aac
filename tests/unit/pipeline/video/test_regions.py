"""Keyframed regions: interpolation, what lies inside, and JSON that is refused with its place."""

from __future__ import annotations

import json

import pytest
from galloway.pipeline.errors import StageError
from galloway.pipeline.video.regions import Key, Region, Regions, parse_regions, regions_json
from hypothesis import given
from hypothesis import strategies as st


def box(x: float, y: float, width: float = 10, height: float = 10) -> tuple[tuple[float, float], ...]:
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


MOVING = Region("man", (Key(1, box(0, 0)), Key(11, box(100, 50))), 1, 20)


def test_corners_move_in_straight_lines_between_keys_and_stand_outside() -> None:
    assert MOVING.at(1) == box(0, 0)
    assert MOVING.at(6) == box(50, 25)
    assert MOVING.at(11) == MOVING.at(20) == box(100, 50)
    assert MOVING.at(21) == ()
    assert Region("all", (Key(5, box(0, 0)),)).at(1) == box(0, 0)


@given(st.integers(1, 20), st.floats(0.1, 9.9), st.floats(0.1, 9.9))
def test_what_lies_inside_goes_along(frame: int, x: float, y: float) -> None:
    left, top = MOVING.at(frame)[0]
    assert MOVING.holds(frame, left + x, top + y)
    assert not MOVING.holds(frame, left - x, top + y)
    assert not MOVING.holds(frame, left + x, top + 10 + y)


def test_a_polygon_need_not_be_convex() -> None:
    corners = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 2.0), (0.0, 10.0))
    region = Region("m", (Key(1, corners),))
    assert region.holds(1, 1, 5)
    assert not region.holds(1, 5, 8)


def test_a_face_is_masked_by_its_centre() -> None:
    regions = Regions((Region("", (Key(1, box(0, 0, 50, 50)),)),))
    assert regions.masks(3, (30, 30, 30, 30))
    assert not regions.masks(3, (40, 40, 30, 30))
    assert regions.masks(None, (0, 0, 20, 20)), "a photograph"
    assert not Regions().masks(1, (0, 0, 10, 10))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=3, max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read(shapes: list[list[tuple[int, int]]]) -> None:
    regions = Regions(
        tuple(
            Region(f"r{n}", (Key(1, tuple((float(x), float(y)) for x, y in shape)),), 2, 9)
            for n, shape in enumerate(shapes)
        )
    )
    assert parse_regions(regions_json(regions), "x") == regions


KEY = {"frame": 1, "rectangle": [0, 0, 5, 5]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "m.json is no JSON"),
        ("[" * 100_000, "m.json is no JSON"),
        ('{"regions": [{"keys": [{"frame": 1, "rectangle": [NaN, 0, 5, 5]}]}]}', "NaN is no number of pixels"),
        ({}, "regions: field required"),
        ({"regions": [{"keys": []}]}, "region 1, keys: list should have at least 1 item"),
        ({"regions": [{"keys": [KEY], "colour": "red"}]}, "region 1, colour: there is no such setting"),
        ({"regions": [{"keys": [{"frame": 1}]}]}, "region 1, key 1: give either a rectangle or a polygon"),
        ({"regions": [{"keys": [{"frame": 0, "rectangle": [0, 0, 5, 5]}]}]}, "key 1, frame: input should be greater"),
        ({"regions": [{"keys": [{"frame": "1", "rectangle": [0, 0, 5, 5]}]}]}, "key 1, frame: input should be a valid"),
        ({"regions": [{"keys": [{"frame": 1, "rectangle": [0, 0, 5]}]}]}, r"\[x, y, width, height\], not 3 numbers"),
        ({"regions": [{"keys": [{"frame": 1, "rectangle": [0, 0, 5, 0]}]}]}, "width and height are above 0"),
        ({"regions": [{"keys": [{"frame": 1, "rectangle": [0, 0, 5, 1e9]}]}]}, "far outside of any frame"),
        ({"regions": [{"keys": [{"frame": 1, "polygon": [[0, 0], [1, 1]]}]}]}, "3 to 60 corners, not 2"),
        ({"regions": [{"keys": [{"frame": 1, "polygon": [[0, 0], [1, 1], [2]]}]}]}, r"corner 3 is \[x, y\]"),
        ({"regions": [{"keys": [KEY, KEY]}]}, "the key at frame 1 stands after that at 1; put them in order"),
        (
            {"regions": [{"keys": [KEY, {"frame": 2, "polygon": [[0, 0], [1, 1], [2, 0]]}]}]},
            "4 corners at frame 1 cannot become 3 at frame 2",
        ),
        ({"regions": [{"frames": [5, 2], "keys": [KEY]}]}, r"region 1: frames is \[first, last\]"),
        (
            {"regions": [{"keys": [{"frame": 99, "rectangle": [0, 0, 5, 5]}]}]},
            "key at frame 99; the film has 20 frames",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(given: object, said: str) -> None:
    text = given if isinstance(given, str) else json.dumps(given)
    with pytest.raises(StageError, match=said):
        parse_regions(text, "m.json", frames=20)
