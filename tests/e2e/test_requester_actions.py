"""The requester's work from the pages alone: publish, open the worker site, collect, decide about work, merge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs, open_workspace
from galloway.pipeline.workspace.folder import Workspace

from tests.support.acting import acting_site, job_state
from tests.support.workspace import answer_everything


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    with acting_site(tmp_path / "ws") as made:
        yield made


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


def root_of(site: Flask) -> Path:
    with site.app_context():
        return open_workspace().workspace.root


def digest_of(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def test_a_round_is_published_as_it_was_shown(client: FlaskClient, site: Flask) -> None:
    page = client.get("/publish").text
    assert "$0.72" in page  # four pages of 5 and 1 faces a side, two answers each, paid in proportion
    assert client.post("/publish", data={"digest": digest_of(page)}).status_code == 400
    assert jobs(site).last is None
    answer = client.post("/publish", data={"digest": digest_of(page), "yes": "yes"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert job_state(site) == ("done", "12 faces on 4 HITs for $0.72.")
    assert "12 faces on 4 HITs" in client.get("/").text
    assert "galloway collect" in client.get("/publish").text


def test_a_round_over_the_budget_has_no_button(site: Flask) -> None:
    root = root_of(site)
    config = root / "galloway.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("[ask]", '[ask]\nbudget = "0.50"'), encoding="utf-8")
    walled = create_web_app(Workspace.open(root))
    page = walled.test_client().get("/publish").text
    assert "the budget is $0.50" in page
    assert 'name="digest"' not in page
    jobs(walled).close()


def test_a_round_that_changed_since_it_was_shown_is_not_sent(client: FlaskClient, site: Flask) -> None:
    shown = digest_of(client.get("/publish").text)
    app = App(Workspace.open(root_of(site)))
    face = app.store.faces(Side.A)[0]
    decision = {"answer": "keep", "by": "Ann", "note": "it is her"}
    assert client.post(f"/faces/{face.face_id}", data=decision).status_code == 303
    client.post("/publish", data={"digest": shown, "yes": "yes"})
    failed, text = job_state(site)
    assert failed == "failed"
    assert "since you looked" in text
    assert app.ledger.batches() == []


def test_collecting_where_nothing_was_published_says_so(client: FlaskClient, site: Flask) -> None:
    client.post("/collect", data={"pay": "yes"})
    assert job_state(site)[0] == "nothing"
    assert "galloway publish" in client.get("/").text


def test_people_are_invited_to_a_site_that_runs_as_long_as_the_server(client: FlaskClient) -> None:
    assert "not running" in client.get("/people").text
    page = client.post("/people/invite", data={"uses": "3", "note": "the team"}).text
    assert re.search(r"<code>http://127\.0\.0\.1:\d+/join/[\w-]+</code>", page)
    assert "3 people" in page
    assert "not running" not in client.get("/people").text
    assert client.post("/people/open").status_code == 303
    assert client.post("/people/invite", data={"uses": "0"}).status_code == 400


def paid(app: App) -> list[Decimal]:
    """What was paid, fees included."""
    rows = [row for row in app.ledger.payments("local") if row["kind"] != "reject" and row["status"] == "done"]
    return [row["amount"] + row["fee"] for row in rows]


def test_the_whole_job_from_the_pages(client: FlaskClient, site: Flask) -> None:
    """A round, answers, pay by hand, a batch taken back, and both sides merged; nothing is typed in a terminal."""
    client.post("/people/open")
    client.post("/publish", data={"digest": digest_of(client.get("/publish").text), "yes": "yes"})
    assert job_state(site)[0] == "done"
    app = App(Workspace.open(root_of(site)))
    answer_everything(app)
    (most,) = re.findall(r'name="most" value="([\d.]+)"', client.get("/").text)
    assert f"pay for them: ${most} at most" in client.get("/").text and Decimal(most) > 0
    for shown in ("", "0.01", "nan", "-1"):
        assert client.post("/collect", data={"pay": "yes", "most": shown}).status_code == 409
    client.post("/collect")
    assert job_state(site) == (
        "done",
        "8 assignments so far, 24 new votes, $0.00 paid now. No page waits for an answer.",
    )
    key = app.ledger.batches()[0]["batch_key"]
    first, second, *_ = app.ledger.assignments("local", [key])
    bad = {"assignment": first["assignment_id"], "decision": "reject", "reason": "one second for a page"}
    assert client.post(f"/batches/{key}/work", data=bad).status_code == 303
    assert "1 rejected" in client.get(f"/batches/{key}").text
    assert client.post(f"/batches/{key}/work", data=bad).status_code == 409
    good = {"assignment": [first["assignment_id"], second["assignment_id"]], "decision": "approve", "override": "yes"}
    asked = client.post(f"/batches/{key}/work", data=good)
    assert asked.status_code == 200 and "2 answers for $" in asked.text and len(paid(app)) == 0
    (total,) = re.findall(r'name="sum" value="([\d.]+)"', asked.text)
    assert client.post(f"/batches/{key}/work", data={**good, "sum": "0.01"}).status_code == 200, (
        "another sum is asked again"
    )
    assert client.post(f"/batches/{key}/work", data={**good, "sum": total}).status_code == 303
    assert str(sum(paid(app))) == total
    client.post(f"/batches/{key}/cancel", data={"yes": "yes", "pay": "yes"})
    assert job_state(site)[0] == "done"
    assert "Take it back" not in client.get(f"/batches/{key}").text
    client.post("/collect", data={"pay": "yes", "most": most})
    assert job_state(site)[0] == "done"
    assert sum(paid(app)) == Decimal(most), "what was said at most, since all of it was answered"
    for side in Side:
        client.post("/merge", data={"side": side.value, "open": "reject"})
        assert job_state(site)[0] == "done"
    assert all(app.standing_merge(side) for side in Side)
    assert "Merged" in client.get("/merge").text
