"""The price page says who is among the faces and leaves persons out; the first look at faces is a job with a page."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from galloway.curation.screen.identity import PersonGroup
from galloway.curation.types import DecidedBy, Decision, Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.crowd import persons_found
from galloway.pipeline.asking.left_out import left_out, left_out_below
from galloway.pipeline.asking.outcome import outcomes
from galloway.pipeline.asking.persons import keep_persons
from galloway.pipeline.asking.sight import unseen
from galloway.pipeline.errors import StageError
from galloway.pipeline.market.pictures import reference_files
from galloway.pipeline.stages.chosen import this_is
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs

from tests.support.screen import workspace_with_faces


def group(*members: int) -> PersonGroup:
    return PersonGroup(np.array(members, dtype=np.intp), 0.5, np.zeros(128, np.float32))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Twelve faces of which nobody knows anything yet, no weights to tell persons apart by."""
    monkeypatch.setenv("GALLOWAY_ASK__METHOD", "auto")
    monkeypatch.setattr("galloway.pipeline.asking.sight.embedder_available", lambda: False)
    return workspace_with_faces(tmp_path / "w", {Side.B: 12})


def test_faces_are_looked_at_in_a_job_before_the_price(app: App) -> None:
    site = create_web_app(app.workspace)
    client = site.test_client()
    page = client.get("/publish").text
    assert "12 faces were not looked at yet" in page
    assert unseen(app) == 12, "asking for the page looks at nothing"
    assert client.post("/publish/look").location == "/publish"
    jobs(site).wait(30)
    last = jobs(site).last
    assert last is not None
    assert (last.state, last.text) == ("done", "12 faces looked at.")
    assert "The next round" in client.get("/publish").text


def test_a_review_looks_first_too(app: App) -> None:
    site = create_web_app(app.workspace)
    client = site.test_client()
    client.post("/review/name", data={"by": "Ann"})
    assert "12 faces were not looked at yet" in client.get("/review").text
    assert client.post("/review/look").location == "/review"
    jobs(site).wait(30)
    assert "You review alone, as <b>Ann</b>" in client.get("/review").text


@pytest.fixture
def priced(app: App) -> FlaskClient:
    site = create_web_app(app.workspace)
    client = site.test_client()
    client.post("/publish/look")
    jobs(site).wait(30)
    faces = app.store.faces(Side.B)
    keep_persons(app, Side.B, persons_found([group(0, 1, 2), group(3, 4)], faces, (0.99, 0.01)))
    return client


def test_strangers_are_left_out_at_the_price_and_taken_back(priced: FlaskClient, app: App) -> None:
    page = priced.get("/publish").text
    assert "Who is among the 12 faces" in page
    assert page.count(">Leave out</button>") == 1, "not the right person"
    assert page.count("is the right one</button>") == 1
    sources = Counter(face.source for face in app.store.faces(Side.B)[3:5])
    told = ", ".join(f"{name} {count}" for name, count in sources.most_common())
    assert f"<br>{told}</small>" in page, "of which source"
    assert "<b>7 more</b>, too blurred, dark or small" in page
    priced.post("/publish/leave-out", data={"side": "b", "person": "2"})
    assert set(left_out(app, Side.B)) == {2}
    page = priced.get("/publish").text
    assert "Person 2: 2 faces are not asked." in page
    priced.post("/publish/leave-out", data={"side": "b", "person": "2", "back": "yes"})
    assert left_out(app, Side.B) == {}
    priced.post("/publish/leave-out", data={"side": "b", "below": "33"})
    assert left_out_below(app, Side.B) == 33
    assert priced.post("/publish/leave-out", data={"side": "b", "below": "many"}).status_code == 400
    assert priced.post("/publish/leave-out", data={"side": "b", "person": "7"}).status_code == 400


def test_who_is_wanted_is_said_where_no_photograph_is(priced: FlaskClient, app: App) -> None:
    keep_persons(app, Side.B, persons_found([group(0, 1, 2), group(3, 4)], app.store.faces(Side.B)))
    assert "There is no photograph of the person. Say below who it is" in priced.get("/publish").text
    priced.post("/publish/leave-out", data={"side": "b", "person": "1", "wanted": "yes"})
    assert len(reference_files(app.workspace, Side.B)) == 2
    assert "12 faces were not looked at yet" in priced.get("/publish").text, "now they are compared with the person"
    with pytest.raises(StageError, match="no person 9"):
        this_is(app, Side.B, 9)


def test_a_photograph_of_nobody_is_said_at_the_price(priced: FlaskClient, app: App) -> None:
    keep_persons(app, Side.B, persons_found([group(0, 1, 2)], app.store.faces(Side.B), (0.02,)))
    assert "Nobody here looks like the photograph" in priced.get("/publish").text


def test_the_end_of_a_review_says_what_was_decided_and_what_comes_next(app: App) -> None:
    faces = app.store.faces(Side.B)
    app.store.add_decisions(
        [
            Decision(face.face_id, None, *how, 0.99, 1, by, "auto")
            for face, (*how, by) in zip(
                faces,
                [
                    *[(Status.APPROVED, "keep", None, DecidedBy.PERSON)] * 6,
                    *[(Status.REJECTED, "reject", "another_person", DecidedBy.MODEL)] * 5,
                    (Status.UNDECIDED, None, None, DecidedBy.CROWD),
                ],
                strict=True,
            )
        ],
        method="auto",
        made_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    (found,) = outcomes(app)
    assert (found.open, found.reasons) == (1, (("another_person", 5),))
    assert found.by == (("by a person", 6), ("by the model that the answers taught", 5))
    assert found.by_model[Status.REJECTED] == tuple(sorted(face.face_id for face in faces[6:11]))
    assert found.by_model[Status.APPROVED] == ()
