"""Listing faces: the database counts and sorts as reading all of them would."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa
from galloway.curation.listing import count_statuses, page_of_faces
from galloway.curation.store import Store
from galloway.curation.tables import metadata
from galloway.curation.types import Face, Side, Status

from tests.support.faces import NOON, make_decision, make_face


@pytest.fixture
def engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def test_disputes_come_first_then_open_faces_then_the_least_certain(engine: sa.Engine) -> None:
    disputed, silent, sure, unsure, rejected = (make_face(number) for number in (5, 4, 1, 2, 3))
    store = Store(engine)
    store.add_faces([disputed, silent, sure, unsure, rejected])
    old = [make_decision(face, Status.REJECTED) for face in (disputed, silent)]
    store.add_decisions(old, method="majority", made_at=NOON)
    now = [
        make_decision(sure, Status.APPROVED, posterior=0.99),
        make_decision(unsure, Status.APPROVED, posterior=0.8),
        make_decision(rejected, Status.REJECTED),
        make_decision(disputed, Status.DISPUTED),
    ]
    store.add_decisions(now, method="majority", made_at=NOON)
    page = page_of_faces(engine, None, None, first=0, most=10)
    assert page.faces == (disputed, silent, rejected, unsure, sure)
    assert page_of_faces(engine, Side.A, Status.UNDECIDED, first=0, most=10).faces == (silent,)
    assert page_of_faces(engine, Side.B, None, first=0, most=10).total == 0


def test_pages_together_are_the_whole_listing_and_counts_add_up(engine: sa.Engine) -> None:
    generator = random.Random(1)
    faces = [make_face(number, side=generator.choice(list(Side))) for number in range(1, 60)]
    store = Store(engine)
    store.add_faces(faces)
    decisions = [
        make_decision(face, generator.choice(list(Status)), posterior=generator.choice([None, 0.7, 0.9]))
        for face in faces[:50]
    ]
    store.add_decisions(decisions, method="majority", made_at=NOON)
    walked: list[Face] = []
    while (page := page_of_faces(engine, None, None, first=len(walked), most=7)).faces:
        walked += page.faces
        assert page.total == 59
    assert sorted(face.face_id for face in walked) == sorted(face.face_id for face in faces)
    counts = count_statuses(engine)
    assert sum(counts[Side.A].values()) == sum(face.side is Side.A for face in faces)
    for side in Side:
        for status in Status:
            assert page_of_faces(engine, side, status, first=0, most=99).total == counts[side][status]


def test_faces_that_a_merge_moved_away_do_not_stand(engine: sa.Engine) -> None:
    faces = [make_face(1), make_face(2)]
    store = Store(engine)
    store.add_faces(faces)
    store.place_faces(Side.A, {}, {faces[0].face_id: "facesets/a/rejected/m1/clip_000001_0.png"})
    assert count_statuses(engine)[Side.A][Status.UNDECIDED] == 2
    assert count_statuses(engine, standing=True)[Side.A][Status.UNDECIDED] == 1
