"""The project pages: who may do what, what was shown is what is sent, and the requester's own page in its cage."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.mturk.requester.money import NO_FEES
from galloway.mturk.requester.publish import batch_row, hit_rows, quote_batch
from galloway.pipeline.app import App
from galloway.pipeline.projects.batches import SentBatch, spec_of
from galloway.pipeline.projects.project import Terms, find_project, make_project
from galloway.pipeline.projects.results import Results
from galloway.pipeline.projects.sheets import keep_sheet
from galloway.pipeline.projects.table import Table
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member

_PAGE = '<p>${bird}</p><script>parent.document.title = "mine"</script><input name="answer" required>'
_FORM = {
    "name": "fish", "title": "A fish?", "reward": "0.10", "seconds": "36", "assignments": "2", "minutes": "30",
    "lifetime_hours": "72", "auto_approve_hours": "72", "template": '<p>${fish}</p><input name="answer">',
}  # fmt: skip
_TABLE = "bird;place\nFink;Köln\nAmsel;Malmö\n"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A workspace with a project and a table that was given."""
    made, _ = make_workspace(tmp_path / "ws")
    terms = Terms(title="A bird?", description="Look", assignments=2, reward="0.10", seconds=36)
    keep_sheet(make_project(made, "birds", terms, _PAGE), "birds.csv", _TABLE.encode("cp1252"))
    return made


@pytest.fixture
def site(shop: Workspace) -> Iterator[Flask]:
    made = create_web_app(shop)
    yield made
    jobs(made).close()


def sheet_address(client: FlaskClient, name: str = "birds") -> str:
    found = re.search(rf'href="(/projects/{name}/sheets/[0-9a-f]{{12}})"', client.get(f"/projects/{name}").text)
    assert found is not None
    return found[1]


def test_a_table_that_cannot_be_sent_says_why_and_has_no_button(client: FlaskClient) -> None:
    for text, words in (
        (b"birt\nFink\n", "Is birt meant?"),
        (b"bird\n", "has a header and no rows"),
        (b"bird,x\na,b,c\n", "more cells than the 2 columns"),
        (b"\x00\x01\x02bird", "no text"),
    ):
        files = {"table": (io.BytesIO(text), "../../table.csv")}
        sheet = client.post("/projects/birds/sheets", data=files).location
        page = client.get(sheet).text
        assert words in page
        assert 'name="digest"' not in page
        assert "sheets/" not in re.sub(r'"[^"]*"', "", page), "no path of this machine is shown"
    empty = {"table": (io.BytesIO(b""), "table.csv")}
    assert client.post("/projects/birds/sheets", data=empty).status_code == 400
    assert client.post("/projects/birds/sheets", data={}).status_code == 400


def test_a_refused_form_keeps_what_was_typed(client: FlaskClient, shop: Workspace) -> None:
    for change, words in (
        ({"reward": "free"}, "reward"),
        ({"reward": "0.001"}, "reward"),
        ({"seconds": "0"}, "seconds"),
        ({"countries": "UK"}, "Did you mean GB?"),
        ({"name": "../out"}, "is no name for a project"),
        ({"name": "birds"}, "There is a project birds already"),
        ({"template": "<p>no field</p>"}, "has no field with a name"),
        ({"template": "<crowd-sorcerer></crowd-sorcerer>"}, "is not supported here"),
    ):
        answer = client.post("/projects/new", data={**_FORM, **change})
        assert answer.status_code == 400
        assert words in answer.text
        assert "A fish?" in answer.text
    made = client.post("/projects/new", data={**_FORM, "countries": "de, AT", "approved_percent": "95"})
    assert made.location == "/projects/fish"
    terms = find_project(shop, "fish").terms
    assert [one["QualificationTypeId"] for one in terms.requirements()] == ["000000000000000000L0", "0" * 18 + "71"]
    assert "live in DE, AT" in client.get("/projects/fish").text
    uploaded = {**_FORM, "name": "x", "page": (io.BytesIO("<p>Köln</p><input name=a>".encode("cp1252")), "p.html")}
    assert client.post("/projects/fish/edit", data=uploaded).status_code == 303
    assert find_project(shop, "fish").template == "<p>Köln</p><input name=a>"


def test_the_requesters_page_is_shown_in_an_origin_of_its_own(client: FlaskClient) -> None:
    sheet = sheet_address(client)
    for address in ("/projects/birds/page", f"{sheet}/rows/1"):
        shown = client.get(address)
        policy = shown.headers["Content-Security-Policy"]
        assert "sandbox allow-scripts" in policy
        assert "allow-same-origin" not in policy and "allow-forms" not in policy
        assert "form-action 'none'" in policy
        assert "mturk.com" not in shown.text
    assert "[bird]" in client.get("/projects/birds/page").text
    assert client.get(f"{sheet}/rows/3").status_code == 404
    assert client.get("/projects/birds").headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_answers_are_turned_over_from_the_first_that_came(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    row = dict.fromkeys(("WorkerId", "AssignmentStatus", "WorkTimeInSeconds", "SubmitTime"), "x")
    table = Results(("Answer.bird",), tuple(row | {"Answer.bird": f"bird {number}"} for number in range(3)), ())
    monkeypatch.setattr("galloway.pipeline.web.projects.answers.known_results", lambda *_: table)
    monkeypatch.setattr("galloway.pipeline.web.projects.answers._PAGE", 1)
    page = client.get("/projects/birds/results?page=2").text
    assert "bird 1" in page and "bird 0" not in page
    assert 'page=1">Previous page</a>' in page and 'page=3">Next page</a>' in page


LOOK = (
    "/projects",
    "/projects/birds",
    "/projects/birds/results",
    "/projects/birds/votes",
    "/projects/birds/export.zip",
)
PREPARE = ("/projects/new", "/projects/birds/edit", "/projects/birds/sheets", "/projects/birds/votes/again")
SPEND = (
    "/projects/birds/sheets/{id}/publish",
    "/projects/birds/batches/x/extend",
    "/projects/birds/batches/x/cancel",
    "/projects/birds/settle",
    "/projects/birds/collect",
    "/projects/birds/batches/x/publish",
    "/projects/birds/settle/0123456789abcdef",
)
DOWNLOADS = ("/projects/birds/results.csv", "/projects/birds/results.parquet", "/projects/birds/batches/x/extend")


@pytest.mark.parametrize("member", list(Role))
def test_each_role_may_do_its_part(shop: Workspace, member: Role) -> None:
    add_member(shop.root, "Ann", member, "ann's long password")
    site = create_web_app(shop, door=Door(shop.root))
    client = site.test_client()
    client.post("/sign-in", data={"name": "ann", "password": "ann's long password"})
    key = sheet_address(client).rpartition("/")[2]
    assert all(client.get(path).status_code == 200 for path in LOOK)
    for path in PREPARE:
        refused = client.post(path, data={}).status_code == 403
        assert refused is (member < Role.DECIDE), path
    for path in SPEND if member < Role.SPEND else SPEND[:-3]:  # the others would start the market
        refused = client.post(path.format(id=key), data={}).status_code == 403
        assert refused is (member < Role.SPEND), path
    for path in DOWNLOADS:
        assert (client.get(path).status_code == 403) is (member < Role.SPEND), path
    page = client.get(f"/projects/birds/sheets/{key}").text
    assert ("is fine" in page) is (member >= Role.SPEND)


def test_a_server_that_may_not_act_spends_nothing(shop: Workspace) -> None:
    site = create_web_app(shop, actions=False)
    client = site.test_client()
    key = sheet_address(client).rpartition("/")[2]
    for path in SPEND:
        assert client.post(path.format(id=key), data={"yes": "yes"}).status_code == 403, path
    assert jobs(site).last is None
    assert client.post("/projects/birds/collect", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_names_that_lead_elsewhere_are_not_found(client: FlaskClient) -> None:
    for path in ("/projects/nothing", "/projects/..", "/projects/birds/sheets/../../x", "/projects/birds/settle/zz"):
        assert client.get(path).status_code in (400, 404, 405), path
    assert client.get("/projects/birds/sheets/0123456789ab").status_code == 400
    assert client.post("/projects/birds/settle/nothing", data={"yes": "yes"}).status_code == 404
    big = {"CONTENT_LENGTH": str(66 << 20), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    assert client.post("/projects/birds/sheets", environ_overrides=big).status_code == 413


def test_the_page_of_a_large_batch_shows_its_beginning(client: FlaskClient, shop: Workspace) -> None:
    project = find_project(shop, "birds")
    table = Table(("bird",), tuple((f"bird {number}",) for number in range(1000)))
    batch = SentBatch("birds-1", project.terms, project.template, table)
    spec = spec_of(batch, str)
    App(shop).ledger.plan(batch_row("local", spec, quote_batch(spec, NO_FEES)), hit_rows("local", spec))
    page = client.get("/batches/birds-1").text
    assert "The first 200 HITs; there are 800 more." in page
    assert len(page) < 100_000
