"""`as_good_as`: status and report say whether publishing goes on, and the same state is counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Question, Side
from galloway.pipeline.app import App
from galloway.pipeline.asking import advice as adaptive
from galloway.pipeline.asking.decide import infer
from galloway.pipeline.workspace.folder import CONFIG_NAME, Workspace

from tests.support.faces import make_face, make_vote


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Twelve faces of side B with a vote each; the goal is a majority of five."""
    text = '[ask]\nas_good_as = 5\n[side_b]\nquestions = ["usable"]\n'
    (tmp_path / CONFIG_NAME).write_text(text, encoding="utf-8")
    app = App(Workspace.open(tmp_path))
    faces = [make_face(number, side=Side.B) for number in range(12)]
    app.store.add_faces(faces)
    app.store.add_votes(make_vote(face, "keep", f"A{place % 3}", minute=place) for place, face in enumerate(faces))
    return app


def test_with_few_votes_publishing_goes_on(app: App) -> None:
    known = infer(app)
    goal = adaptive.against_majority(app, known, frozenset())[Question.USABLE]
    assert (goal.votes, goal.waiting, goal.asks > 0) == (5, 0, True)
    assert adaptive.goes_on(app)
    pair = (known.faces[0].face_id, Question.USABLE)
    assert adaptive.against_majority(app, known, frozenset({pair}))[Question.USABLE].waiting == 1


def test_with_all_votes_it_stops(app: App) -> None:
    faces = app.store.faces()
    assert adaptive.goes_on(app)
    app.store.add_votes(
        make_vote(face, "keep", f"B{worker}", minute=100 * place + worker)
        for place, face in enumerate(faces)
        for worker in range(4)
    )
    assert not adaptive.goes_on(app), "new votes are counted"


def test_the_same_votes_are_counted_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert adaptive.goes_on(app)

    def again(*_: object) -> None:
        raise AssertionError("counted anew")

    monkeypatch.setattr(adaptive, "truth_by_question", again)
    assert adaptive.goes_on(app)
