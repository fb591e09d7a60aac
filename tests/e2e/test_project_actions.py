"""What the project pages start: a table is sent once as it was shown, and a killed server loses and doubles nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from galloway.pipeline.app import App
from galloway.pipeline.projects.project import Terms, find_project, make_project
from galloway.pipeline.projects.sheets import keep_sheet
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.folder import Workspace

from tests.support.acting import job_state
from tests.support.projects import answer, market
from tests.support.served import served

_PAGE = '<p>${bird}</p><input name="answer" required>'
_TERMS = Terms(title="A bird?", description="Look", assignments=2, reward="0.10", seconds=36)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    made, _ = make_workspace(tmp_path / "ws")
    make_project(made, "birds", _TERMS, _PAGE)
    return made


@pytest.fixture
def site(shop: Workspace) -> Iterator[Flask]:
    made = create_web_app(shop)
    yield made
    jobs(made).close()


def given(shop: Workspace, rows: int) -> str:
    """The address of a table of so many rows."""
    text = "bird\n" + "".join(f"bird {number}\n" for number in range(rows))
    return f"/projects/birds/sheets/{keep_sheet(find_project(shop, 'birds'), 'birds.csv', text.encode()).id}"


def digest_of(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def test_a_table_is_sent_once_as_it_was_shown(site: Flask, shop: Workspace) -> None:
    client, sheet = site.test_client(), given(shop, 2)
    page = client.get(sheet).text
    assert "$0.40" in page and "$10.00" in page
    agreed = {"digest": digest_of(page), "turn": "1"}
    assert client.post(f"{sheet}/publish", data=agreed).status_code == 400
    settings = find_project(shop, "birds").folder / "project.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"0.10"', '"0.20"'), encoding="utf-8")
    client.post(f"{sheet}/publish", data={**agreed, "yes": "yes"})
    assert job_state(site)[0] == "failed"
    assert "since you looked" in job_state(site)[1]
    assert App(shop).ledger.batches() == []
    agreed = {"digest": digest_of(client.get(sheet).text), "turn": "1", "yes": "yes"}
    assert client.post(f"{sheet}/publish", data=agreed).location == "/projects/birds"
    assert job_state(site) == ("done", "2 HITs for $0.80.")
    client.post(f"{sheet}/publish", data={**agreed, "digest": digest_of(client.get(sheet).text)})
    assert job_state(site)[0] == "nothing"
    assert client.get("/api/projects").json == [
        {
            "name": "birds", "title": "A bird?", "reward": "0.20", "assignments": 2, "columns": ["bird"],
            "batches": [
                {
                    "batch": App(shop).ledger.batches()[0]["batch_key"], "state": "open", "market": "local",
                    "hits": 2, "published": 2, "price": "0.80", "assignments": 4, "submitted": 0, "approved": 0,
                    "rejected": 0,
                }
            ],
        }
    ]  # fmt: skip


def test_a_batch_is_extended_settled_asked_again_and_taken_back(site: Flask, shop: Workspace, tmp_path: Path) -> None:
    client, sheet = site.test_client(), given(shop, 2)
    client.post(f"{sheet}/publish", data={"digest": digest_of(client.get(sheet).text), "turn": "1", "yes": "yes"})
    job_state(site)
    app = App(shop)
    key = app.ledger.batches()[0]["batch_key"]
    extend = f"/projects/birds/batches/{key}/extend"
    wanted = {"assignments": "3", "hours": "96"}
    shown = client.get(f"{extend}?{urlencode(wanted)}").text
    assert "$0.20 more" in shown
    client.post(extend, data={**wanted, "digest": "0" * 64, "yes": "yes"})
    assert job_state(site)[0] == "failed"
    client.post(extend, data={**wanted, "digest": digest_of(shown), "yes": "yes"})
    assert job_state(site) == ("done", "2 HITs got more places, 2 a later end, 0 gone.")
    with market(app) as boto:
        hits = boto.list_hits()["HITs"]
        assert [hit["MaxAssignments"] for hit in hits] == [3, 3]
        answer(app, hits, [("answer", "yes")], names=("ann", "bob"))
        answer(app, hits[:1], [("answer", "no")], names=("cem",))
        answer(app, hits[1:], [("answer", "yes")], names=("dan",))
        client.post("/projects/birds/collect")
        assert job_state(site) == ("done", "6 answers so far.")
    table = client.get("/projects/birds/results.csv")
    assert table.headers["Content-Disposition"] == 'attachment; filename="birds-results.csv"'
    lines = table.text.splitlines()
    marked = "\n".join([lines[0], *(f"{line.removesuffix(',')}x," for line in lines[1:])]) + "\n"
    (tmp_path / "marked.csv").write_text(marked, encoding="utf-8")
    with (tmp_path / "marked.csv").open("rb") as file:
        checked = client.post("/projects/birds/settle", data={"file": (file, "marked.csv")}).text
    assert "pay $0.60 and reject 0" in checked
    address = re.search(r'action="(/projects/birds/settle/[0-9a-f]{16})"', checked)
    assert address is not None
    assert client.post(address[1]).status_code == 400
    client.post(address[1], data={"yes": "yes"})
    assert job_state(site) == ("done", "6 approved ($0.60), 0 rejected, 0 were before.")
    client.post(address[1], data={"yes": "yes"})
    assert job_state(site)[0] == "nothing"
    assert "bird 0" in client.get("/projects/birds/votes").text
    assert client.get("/projects/birds/decisions.csv").text.startswith("task,label,posterior,votes,status\n")
    again = client.post("/projects/birds/votes/again").location
    assert "worth another vote" in client.get(again).text
    assert digest_of(client.get(again).text)
    client.post(f"/projects/birds/batches/{key}/cancel", data={"yes": "yes", "pay": "yes"})
    assert job_state(site) == ("done", "2 HITs deleted, 0 never sent, 0 answers paid.")


@pytest.mark.slow
def test_a_server_that_is_killed_while_it_publishes_goes_on_where_it_was(shop: Workspace) -> None:
    sheet = given(shop, 120)
    with served(shop) as (link, process):
        base, _, token = link.partition("/?token=")
        page = asked(base, token, sheet)
        asked(base, token, f"{sheet}/publish", {"digest": digest_of(page), "turn": "1", "yes": "yes"})
        sent = until(base, token, 20)
        process.kill()
    assert 20 <= sent < 120
    with served(shop) as (link, _process):
        base, _, token = link.partition("/?token=")
        key = json.loads(asked(base, token, "/api/projects"))[0]["batches"][0]["batch"]
        assert "Send the rest" in asked(base, token, "/projects/birds")
        asked(base, token, f"/projects/birds/batches/{key}/publish", {})
        assert until(base, token, 120) == 120
    with market(App(shop)) as boto:
        pages = boto.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100})
        hits = [hit for page in pages for hit in page["HITs"]]
    assert len(hits) == len({hit["RequesterAnnotation"] for hit in hits}) == 120
    assert len({hit["Question"] for hit in hits}) == 120


def asked(base: str, token: str, path: str, form: dict[str, str] | None = None) -> str:
    """A page, or what answers a form."""
    data = None if form is None else urlencode(form).encode()
    request = Request(base + path, data=data, headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=60) as answered:
        return str(answered.read().decode())


def until(base: str, token: str, published: int) -> int:
    """How many HITs were sent, once so many were."""
    for _ in range(600):
        batches = json.loads(asked(base, token, "/api/projects"))[0]["batches"]
        sent = int(batches[0].get("published", 0)) if batches else 0
        if sent >= published:
            return sent
        time.sleep(0.1)
    raise AssertionError(f"{published} HITs were never sent")
