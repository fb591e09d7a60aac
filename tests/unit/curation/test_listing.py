"""Listing faces: the database counts, finds and sorts as reading all of them would."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
import sqlalchemy as sa
from galloway.curation.errors import CurationError
from galloway.curation.listing import (
    CELLS,
    Order,
    Pose,
    ShownFace,
    Wanted,
    count_faces,
    count_persons,
    count_statuses,
    map_cells,
    near_in_time,
    page_of_faces,
    voters,
)
from galloway.curation.shown import LookedAt
from galloway.curation.store import Store
from galloway.curation.types import DecidedBy, FaceId, Side, Status, WorkerId

from tests.support.databases import tables_in
from tests.support.faces import NOON, make_decision, make_face, make_vote

pytestmark = pytest.mark.both_databases


@pytest.fixture
def engine(rows_in: str) -> sa.Engine:
    return tables_in(rows_in)


def ids(page: list[ShownFace]) -> list[FaceId]:
    return [item.face.face_id for item in page]


def test_what_is_open_comes_first_then_the_least_certain(engine: sa.Engine) -> None:
    disputed, silent, sure, unsure = (make_face(number) for number in (5, 4, 1, 2))
    store = Store(engine)
    store.add_faces([disputed, silent, sure, unsure])
    old = [make_decision(face, Status.REJECTED) for face in (disputed, silent)]
    store.add_decisions(old, method="majority", made_at=NOON)
    now = [
        make_decision(sure, Status.APPROVED, posterior=0.99),
        make_decision(unsure, Status.APPROVED, posterior=0.8),
        make_decision(silent, Status.UNDECIDED),
        make_decision(disputed, Status.DISPUTED),
    ]
    store.add_decisions(now, method="majority", made_at=NOON)
    page = page_of_faces(engine, Wanted())
    assert set(ids(page)[:2]) == {disputed.face_id, silent.face_id}
    assert ids(page)[2:] == [unsure.face_id, sure.face_id]
    assert [item.face for item in page_of_faces(engine, Wanted(side=Side.A, status=Status.UNDECIDED))] == [silent]
    assert count_faces(engine, Wanted(side=Side.B)) == 0


def full(engine: sa.Engine, seed: int = 1) -> list[FaceId]:
    """Sixty faces of two sides and films, looked at, decided and voted on by chance."""
    chance = random.Random(seed)
    faces = [
        make_face(number, side=chance.choice(list(Side)), source=chance.choice(["one", "two"]))
        for number in range(1, 61)
    ]
    store = Store(engine)
    store.add_faces([replace(face, box=(0, 0, 40 + 3 * n, 200)) for n, face in enumerate(faces)])
    decisions = [
        make_decision(face, chance.choice(list(Status)), posterior=chance.choice([None, 0.7, 0.9]))
        for face in faces[:50]
    ]
    store.add_decisions(decisions, method="majority", made_at=NOON)
    store.note_looks(
        [
            LookedAt(f.face_id, chance.choice([0.1, 0.5, 0.5]), chance.uniform(-80, 80), chance.randrange(4), 0.2, 0.7)
            for f in faces
        ]
    )
    store.add_votes([make_vote(face, "keep", f"A{number % 7}") for number, face in enumerate(faces)])
    return [face.face_id for face in faces]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("back", [False, True])
def test_pages_together_are_the_whole_listing_in_every_order(engine: sa.Engine, order: Order, back: bool) -> None:
    every = full(engine)
    wanted = Wanted(order=order, back=back)
    walked = walk(engine, wanted)
    assert sorted(ids(walked)) == sorted(every)
    assert walked == page_of_faces(engine, wanted)
    assert page_of_faces(engine, wanted, skip=20, most=5) == walked[20:25]
    assert ids(page_of_faces(engine, replace(wanted, back=not back))) == ids(walked)[::-1]
    for some in (
        replace(wanted, side=Side.B),
        replace(wanted, status=Status.REJECTED),
        replace(wanted, side=Side.A, status=Status.APPROVED, decided_by=DecidedBy.CROWD, gone=False),
        replace(wanted, side=Side.A, pose=Pose.PROFILE),
        replace(wanted, source="one", sizes=(50, 150)),
    ):
        whole = page_of_faces(engine, some)
        assert walk(engine, some) == whole
        assert {item.face.face_id for item in whole} < set(every) and whole
        assert page_of_faces(engine, some, skip=2, most=3) == whole[2:5]


def walk(engine: sa.Engine, wanted: Wanted) -> list[ShownFace]:
    """All that fit, page after page."""
    walked: list[ShownFace] = []
    while page := page_of_faces(engine, wanted, after=walked[-1].place if walked else "", most=7):
        walked += page
    return walked


@pytest.mark.in_a_file("counts the steps of SQLite's own machine")
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(side=Side.A),
        Wanted(side=Side.A, order=Order.SHARPNESS),
        Wanted(status=Status.APPROVED, order=Order.POSE),
        Wanted(side=Side.A, status=Status.APPROVED, decided_by=DecidedBy.CROWD, gone=False, order=Order.DOUBT),
    ],
)
def test_a_page_takes_the_same_work_at_any_number_of_faces(wanted: Wanted) -> None:
    few, many = (work(filled(count), wanted) for count in (1_000, 8_000))
    assert many < 1.5 * few


def filled(count: int) -> sa.Engine:
    """Tables in SQLite with so many approved and disputed faces of both sides."""
    engine = tables_in("sqlite")
    faces = [make_face(number, side=list(Side)[number % 2]) for number in range(count)]
    store = Store(engine)
    store.add_faces(faces)
    decisions = [
        make_decision(face, Status.DISPUTED if place % 50 < 2 else Status.APPROVED, posterior=place / count)
        for place, face in enumerate(faces)
    ]
    store.add_decisions(decisions, method="majority", made_at=NOON)
    return engine


def work(engine: sa.Engine, wanted: Wanted) -> int:
    """How many steps SQLite takes for the first page, in tens."""
    tens = 0

    def ten() -> None:
        nonlocal tens
        tens += 1

    with engine.connect() as db:
        assert db.connection.dbapi_connection is not None
        db.connection.dbapi_connection.set_progress_handler(ten, 10)
    assert len(page_of_faces(engine, wanted, most=20)) == 20
    return tens


def test_counts_add_up_and_every_choice_narrows(engine: sa.Engine) -> None:
    full(engine)
    everything = page_of_faces(engine, Wanted())
    counts = count_statuses(engine)
    assert {type(count) for of_side in counts.values() for count in of_side.values()} == {int}
    for side in Side:
        for status in Status:
            assert count_faces(engine, Wanted(side=side, status=status)) == counts[side][status]
    choices = {
        Wanted(source="one"): [one.face.source == "one" for one in everything],
        Wanted(frames=(2, 9)): [2 <= (one.face.frame_number or 0) <= 9 for one in everything],
        Wanted(person=2): [one.person == 2 for one in everything],
        Wanted(pose=Pose.FRONT): [abs(one.yaw) <= 20 for one in everything],
        Wanted(pose=Pose.HALF): [20 < abs(one.yaw) < 50 for one in everything],
        Wanted(pose=Pose.PROFILE): [abs(one.yaw) >= 50 for one in everything],
        Wanted(sizes=(64, 128)): [64 <= min(one.face.box[2:]) < 128 for one in everything],
        Wanted(sharpness=(0, 0.4)): [one.sharpness < 0.4 for one in everything],
        Wanted(decided_by=DecidedBy.CROWD): [one.decided_by is DecidedBy.CROWD for one in everything],
        Wanted(lasso=((0.1, 0.6), (0.3, 0.6), (0.2, 0.9))): [True for _ in everything],
        Wanted(lasso=((0.3, 0.6), (0.5, 0.6), (0.2, 0.9))): [False for _ in everything],
    }
    for wanted, fits in choices.items():
        assert count_faces(engine, wanted) == sum(fits) == len(page_of_faces(engine, wanted)), wanted
    assert sum(count for _, _, count in count_persons(engine)) == 60
    cells = json.loads(map_cells(engine, Wanted(side=Side.A)))
    assert {tuple(cell[:2]) for cell in cells} == {(int(0.2 * (CELLS - 1)), int(0.7 * (CELLS - 1)))}
    assert {Status(status): count for _, _, status, count in cells} == {s: n for s, n in counts[Side.A].items() if n}


def test_the_faces_that_one_worker_answered(engine: sa.Engine) -> None:
    every = full(engine)
    assert voters(engine) == [f"A{number}" for number in range(7)]
    assert sorted(ids(page_of_faces(engine, Wanted(worker="A3")))) == sorted(every[3::7])
    assert page_of_faces(engine, Wanted(worker=WorkerId("nobody"))) == []


def test_a_decision_and_its_change_are_in_the_listing_at_once(engine: sa.Engine) -> None:
    store, face = Store(engine), make_face(1)
    store.add_faces([face])
    store.add_decisions([make_decision(face, Status.DISPUTED)], method="majority", made_at=NOON)
    store.change_decisions([make_decision(face, Status.APPROVED, posterior=1.0)], now=NOON)
    (shown,) = page_of_faces(engine, Wanted())
    assert (shown.status, shown.doubt, shown.risk) == (Status.APPROVED, 0.0, 0.0)
    store.note_risks({face.face_id: 0.25})
    assert page_of_faces(engine, Wanted())[0].risk == 0.25
    store.forget_source(Side.A, "clip")
    assert page_of_faces(engine, Wanted()) == []


def test_a_line_round_places_holds_what_lies_inside(engine: sa.Engine) -> None:
    """A star: its middle is inside, what lies between its points is not."""
    store, faces = Store(engine), [make_face(number) for number in range(1, 401)]
    store.add_faces(faces)
    chance = random.Random(2)
    places = {face.face_id: (chance.random(), chance.random()) for face in faces}
    store.note_looks([LookedAt(face, 0.5, 0.0, 0, x, y) for face, (x, y) in places.items()])
    corners = [(0.5, 0.0), (0.6, 0.4), (1.0, 0.5), (0.6, 0.6), (0.5, 1.0), (0.4, 0.6), (0.0, 0.5), (0.4, 0.4)]

    def inside(x: float, y: float) -> bool:
        u, v = abs(x - 0.5), abs(y - 0.5)
        return min(4 * u + v, u + 4 * v) < 0.5 if max(u, v) > 0.1 else 4 * u + v < 0.5 or u + 4 * v < 0.5

    found = set(ids(page_of_faces(engine, Wanted(lasso=tuple(corners)))))
    assert found == {face for face, place in places.items() if inside(*place)} and len(found) > 50


def test_the_neighbours_in_time_stand_around_a_face(engine: sa.Engine) -> None:
    store, faces = Store(engine), [make_face(number) for number in range(1, 10)]
    store.add_faces(faces)
    assert [item.face for item in near_in_time(engine, faces[4], 2)] == faces[2:7]
    assert [item.face for item in near_in_time(engine, faces[0], 2)] == faces[:3]


@pytest.mark.parametrize("after", ["x", "[1]", '["a","b"]', "[[1],2]", '{"a":1}', "[true,true]"])
def test_a_place_that_is_none_is_refused(engine: sa.Engine, after: str) -> None:
    with pytest.raises(CurationError, match="no place"):
        page_of_faces(engine, Wanted(), after=after)


def test_faces_that_a_merge_moved_away_do_not_stand(engine: sa.Engine) -> None:
    faces = [make_face(1), make_face(2)]
    store = Store(engine)
    store.add_faces(faces)
    store.place_faces(Side.A, {}, {faces[0].face_id: "facesets/a/rejected/m1/clip_000001_0.png"})
    assert count_statuses(engine)[Side.A][Status.UNDECIDED] == 2
    assert count_statuses(engine, standing=True)[Side.A][Status.UNDECIDED] == 1
    store.place_faces(Side.A, {faces[0].face_id: ("clip_000001_0.png", 0)}, {})
    assert count_statuses(engine, standing=True)[Side.A][Status.UNDECIDED] == 2
