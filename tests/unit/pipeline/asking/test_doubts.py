"""Where photographs leave open who is wanted, "same or different?" comes before anything else of the side, once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.learn.features import Features
from galloway.curation.screen.identity import PersonGroup
from galloway.curation.types import FaceId, PageKind, Question, Side, Status, Vote, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.asking.choosing import advise_round
from galloway.pipeline.asking.crowd import persons_found
from galloway.pipeline.asking.decide import infer
from galloway.pipeline.asking.doubts import who_first
from galloway.pipeline.asking.layout import lay_out
from galloway.pipeline.asking.left_out import leave_out, leave_out_below
from galloway.pipeline.asking.needs import Need
from galloway.pipeline.asking.persons import confirmed, keep_persons
from galloway.pipeline.asking.publish import needs_now, page_layout
from galloway.pipeline.asking.review import answer, next_page
from galloway.pipeline.asking.sight import Sight
from galloway.pipeline.workspace.acts import acts
from PIL import Image

from tests.support.faces import make_vote
from tests.support.screen import workspace_with_faces


def group(*members: int) -> PersonGroup:
    return PersonGroup(np.array(members, dtype=np.intp), 0.5, np.zeros(128, np.float32))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Thirty faces of side B and a photograph that may be either of two persons."""
    monkeypatch.setenv("GALLOWAY_ASK__METHOD", "auto")
    app = workspace_with_faces(tmp_path / "w", {Side.B: 30})
    folder = app.workspace.references_dir(Side.B)
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "navy").save(folder / "ann.jpg")
    faces = app.store.faces(Side.B)
    rng = np.random.default_rng(1)
    features = Features(rng.normal(0, 1, (30, 12)), rng.normal(0, 1, (30, 8)), np.linspace(0, 1, 30), np.arange(30))
    sight = Sight(tuple(face.face_id for face in faces), features)
    monkeypatch.setattr("galloway.pipeline.asking.taught.seen", lambda _app, side: sight if side is Side.B else None)
    monkeypatch.setattr("galloway.pipeline.asking.review.look_at", lambda _app, _side: None)
    keep_persons(app, Side.B, persons_found([group(3, 4, 5), group(9, 10), group(20)], faces, (0.6, 0.3, 0.01)))
    return app


def now(app: App, **pairs: set[tuple[FaceId, Question]]) -> list[Need]:
    """What a round would ask, with pairs `waiting` on open pages or `passed`."""
    known, waiting = infer(app), pairs.get("waiting", set())
    first = who_first(app, known, waiting=waiting, passed=pairs.get("passed", ()))
    price = Decimal("0.01")
    advice = advise_round(
        app, known, price=price, budget=None, waiting=frozenset(waiting), audited=frozenset(), later=first
    )
    needs, _ = needs_now(app, known, known.faces, waiting=waiting, first=first, advice=advice)
    return needs


def meant(app: App) -> list[FaceId]:
    faces = app.store.faces(Side.B)
    return [faces[3].face_id, faces[9].face_id]


def test_three_workers_say_who_it_is_before_anything_else(app: App) -> None:
    (need,) = now(app)
    assert (need.question, need.votes, [face.face_id for face in need.faces]) == (Question.IDENTITY, 3, meant(app))
    (plan,) = lay_out(need, page_layout(app, infer(app), order={}))
    assert plan.page is PageKind.PAIR
    pairs = {(face, Question.IDENTITY) for face in meant(app)}
    assert now(app, waiting=pairs) == [], "the next faces follow from these answers"
    asked = {face.face_id for need in now(app, passed=pairs) for face in need.faces}
    assert len(asked) > 2, "nobody answered, and the work goes on"


def test_a_photograph_that_surely_fits_costs_no_question(app: App) -> None:
    keep_persons(app, Side.B, persons_found([group(3, 4), group(9)], app.store.faces(Side.B), (0.99, 0.3)))
    assert who_first(app, infer(app), waiting=(), passed=()) == {}


def test_faces_said_to_be_the_same_are_as_good_as_photographs(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = {face.face_id: face for face in app.store.faces(Side.B)}
    same, other = meant(app)
    batches = [type("Batch", (), {"page": PageKind.PAIR, "round": 1})]
    monkeypatch.setattr("galloway.pipeline.asking.persons.frozen_batches", lambda _workspace: batches)

    def said(face: FaceId, label: str, worker: str) -> Vote:
        return replace(make_vote(faces[face], label, worker, question=Question.IDENTITY), look="pair:face")

    app.store.add_votes([said(same, "same", f"A{n}") for n in range(2)])
    assert confirmed(app, Side.B) == [], "two are not three"
    app.store.add_votes([said(same, "same", "A2"), *(said(other, "different", f"A{n}") for n in range(3))])
    assert confirmed(app, Side.B) == [same]
    assert confirmed(app, Side.A) == []
    later = make_vote(faces[same], "same", "A0", question=Question.IDENTITY, round_=2)
    app.store.add_votes([replace(later, kind=VoterKind.PERSON, look="cluster:1")])
    assert confirmed(app, Side.B) == [same], "the same said again on another page"
    app.store.add_votes([replace(said(same, "different", "person:Ann"), kind=VoterKind.PERSON)])
    assert confirmed(app, Side.B) == [], "a person overrules"


def test_alone_it_is_the_first_page_and_comes_once(app: App) -> None:
    first = next_page(app, "Ann")
    assert first.batch.page is PageKind.PAIR
    assert [tile.face_id for tile in first.tiles.values()] == meant(app)
    keys = list(first.tiles)
    answer(app, "Ann", first.key, {f"face.{keys[0]}": "same", f"face.{keys[1]}": "skip"})
    assert confirmed(app, Side.B) == meant(app)[:1]
    second = next_page(app, "Ann")
    assert second.batch.page is not PageKind.PAIR


def test_who_is_left_out_takes_no_place_among_the_first_faces(app: App) -> None:
    keep_persons(app, Side.B, persons_found([group(3), group(*range(10, 30))], app.store.faces(Side.B), (0.99, 0.01)))
    leave_out(app, Side.B, 2)
    needs = now(app)
    faces = app.store.faces(Side.B)
    asked = {face.face_id for need in needs for face in need.faces}
    assert asked and asked <= {face.face_id for face in faces[:10]}
    leave_out_below(app, Side.B, 10_000)
    assert now(app) == []
    decided = {item.status for item in infer(app).decisions if item.question is None}
    assert decided == {Status.REJECTED}


def test_the_log_says_that_a_size_was_taken_back(app: App) -> None:
    gone = leave_out_below(app, Side.B, 10_000)
    leave_out_below(app, Side.B, 0)
    last, first = acts(app.workspace, kind="choose", most=2)
    assert first.what == "side b: below 10000 pixels is not asked"
    assert last.what == "side b: faces of every size are asked again"
    assert last.figure == first.figure == f"{gone} faces"
