"""Taking footage out in the browser: with its figure first, nothing where that changed, one row in the log."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.web.opened import open_workspace
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.records import sources

from tests.support.acting import job_state

PAGE = "/footage/a/clipa/remove"


@pytest.fixture
def app(site: Flask) -> App:
    with site.app_context():
        return open_workspace()


def test_footage_goes_with_what_was_shown(client: FlaskClient, site: Flask, app: App) -> None:
    assert PAGE in client.get("/footage").text
    page = client.get(PAGE).text
    assert "6 faces, 0 votes" in page and "go for good" in page
    assert client.post(PAGE, data={"figure": "6 faces, 0 votes"}).status_code == 400, "it asks first"
    assert client.post(PAGE, data={"figure": "6 faces, 0 votes", "yes": "yes"}).status_code == 303
    state, said = job_state(site)
    assert state == "done" and said.startswith("Removed: 6 faces, 0 votes.")
    assert [item.name for item in sources(app.workspace)] == ["clipb"] and app.store.faces(Side.A) == []
    (row,) = acts(app.workspace, kind="remove")
    assert (row.what, row.figure, row.through) == ("side a", "6 faces, 0 votes", "page")
    assert client.post(PAGE, data={"figure": "6 faces, 0 votes", "yes": "yes"}).status_code == 303
    assert job_state(site)[0] == "failed" and len(acts(app.workspace, kind="remove")) == 1, "pressed twice"
    assert "has no source named" in client.get(PAGE).text


def test_a_vote_that_came_since_stops_it(client: FlaskClient, site: Flask, app: App) -> None:
    face = app.store.faces(Side.A)[0]
    overrule(app, face.face_id, "keep", name="Ann", note="it is her")
    client.post(PAGE, data={"figure": "6 faces, 0 votes", "yes": "yes"})
    state, said = job_state(site)
    assert state == "failed" and "has 6 faces, 1 vote now" in said
    assert len(app.store.faces(Side.A)) == 6
    assert "is not paid back" in client.get(PAGE).text


def test_a_merged_side_says_what_comes_first(client: FlaskClient, app: App) -> None:
    for face in app.store.faces(Side.A):
        overrule(app, face.face_id, "keep", name="Ann", note="it is her")
    merge(app, Side.A, open_faces="keep")
    page = client.get(PAGE).text
    assert "Take the merge back first" in page and "<button" not in page.partition("<main")[2]
    assert client.get("/footage/c/clipa/remove").status_code == 404
