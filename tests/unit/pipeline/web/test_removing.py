"""Taking footage out in the browser: with its figure first, nothing where that changed, one row in the log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.mturk.requester.ledger_tables import hit as hit_table
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.market.pictures import reference_files
from galloway.pipeline.stages.ingest import add_references
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.stages.sources import reference_digest
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import open_workspace
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import batch_table
from PIL import Image

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


def test_one_photograph_of_the_person_goes_alone(client: FlaskClient, app: App, tmp_path: Path) -> None:
    for number, colour in enumerate(("navy", "olive", "teal")):
        (tmp_path / str(number)).mkdir()
        Image.new("RGB", (80, 80), colour).save(tmp_path / str(number) / "ann.png")
    kept = add_references(app, Side.A, [tmp_path / str(number) / "ann.png" for number in range(3)])
    originals = kept[0].parent / "originals"
    assert len(set(kept)) == len(list(originals.iterdir())) == 3, "of one name, all three as they were given"
    page = client.get("/footage").text
    digests = dict(re.findall(r'<option value="([0-9a-f]{64})">\d+: ([\w.-]+)', page))
    (second,) = (digest for digest, name in digests.items() if name == kept[1].name)
    form = {"digest": second, "yes": "yes"}
    assert client.post("/footage/photograph/a/remove", data={"digest": second}).status_code == 400, "it asks first"
    there = len(digests)
    for told in (f"has {there - 1} photographs left", "is not there any more"):
        assert told in client.post("/footage/photograph/a/remove", data=form, follow_redirects=True).text
    assert not kept[1].exists() and kept[0].exists() and kept[2].exists()
    assert sorted(path.stem for path in originals.iterdir()) == sorted((kept[0].stem, kept[2].stem))
    (row,) = acts(app.workspace, kind="remove-photo")
    assert (row.what, row.figure) == ("side a", f"{there - 1} left")


def test_a_photograph_on_an_open_page_stays(workspace: Workspace) -> None:
    """In the workspace where a round is out: a page of it shows the photographs as long as it can be answered."""
    later = datetime.now(UTC) + timedelta(days=1)
    with workspace.db.begin() as db:
        db.execute(batch_table.update().values(question="identity"))
        db.execute(hit_table.update().values(expires_at=later))
    client, files = create_web_app(workspace).test_client(), reference_files(workspace, Side.A)
    form = {"digest": reference_digest(files[0]), "yes": "yes"}
    answer = client.post("/footage/photograph/a/remove", data=form)
    assert answer.status_code == 400 and "stand beside questions on open pages of" in answer.text
    assert reference_files(workspace, Side.A) == files
    with workspace.db.begin() as db:
        db.execute(hit_table.update().values(expires_at=later - timedelta(days=9)))
    assert client.post("/footage/photograph/a/remove", data=form).status_code == 303
    assert reference_files(workspace, Side.A) == []
