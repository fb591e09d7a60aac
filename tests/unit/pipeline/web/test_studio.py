"""The studio's door and its list: each project under its own path, and what cannot be opened says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.pipeline.errors import PipelineError
from galloway.pipeline.web.studio import Studio
from werkzeug.test import Client

from tests.support.web import empty_workspace


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "shelf")
    yield made
    made.close()


@pytest.fixture
def client(studio: Studio) -> Client:
    """A browser that opened the link."""
    client = Client(studio)
    assert client.get(f"/?token={studio.token}").status_code == 303
    return client


def test_nobody_comes_in_by_a_wrong_token_or_by_none(studio: Studio) -> None:
    empty_workspace(studio.folder / "one")
    for path in ("/", "/?token=x", "/?token=é", "/machine", "/w/none/"):
        assert Client(studio).get(path).status_code == 401, path
    assert Client(studio).post("/projects", data={"name": "x"}).status_code == 401
    assert Client(studio).get("/w/one/", headers={"Accept": "text/html"}).headers["Location"] == "/w/one/sign-in"
    assert Client(studio).get("/", headers={"Host": "evil.example"}).status_code == 403


def test_a_project_is_made_and_opened_under_its_path(studio: Studio, client: Client) -> None:
    made = client.post("/projects", data={"name": " Зима & co "})
    assert made.status_code == 303
    (project,) = studio.projects()
    assert (project.name, project.next) == ("Зима-co", "ingest")
    opened = client.get(made.headers["Location"])
    assert opened.status_code == 303
    page = client.get(opened.headers["Location"]).text
    assert "The face that is replaced" in page
    assert page.count('href="/w/') > 10, "all its links stay under it"
    assert 'href="/footage"' not in page


def test_a_name_that_is_taken_or_says_nothing_makes_nothing(studio: Studio, client: Client) -> None:
    studio.make("one")
    for name, said in (("ONE", "something called ONE"), (" ", "needs a name"), ("../..", "needs a name")):
        answer = client.post("/projects", data={"name": name})
        assert (answer.status_code, said in answer.text) == (400, True), name
    assert [path.name for path in studio.folder.iterdir()] == ["one"]
    with pytest.raises(PipelineError):
        studio.make("...")


def test_a_project_that_cannot_be_opened_says_why_and_the_others_work(studio: Studio, client: Client) -> None:
    empty_workspace(studio.folder / "good")
    empty_workspace(studio.folder / "bad")
    (studio.folder / "bad" / "galloway.toml").write_text("name = ", encoding="utf-8")
    page = client.get("/").text
    assert "galloway.toml" in page
    assert "Next: ingest" in page
    assert client.get("/w/bad/").status_code == 404
    assert "galloway.toml" in client.get("/w/bad/").text


@pytest.mark.parametrize("path", ["/w/%2e%2e/", "/w/../", "/w//", "/w/a%2fb/", "/w/%00/", "/w/none/"])
def test_what_is_no_project_is_none(studio: Studio, client: Client, path: str) -> None:
    empty_workspace(studio.folder.parent / "secret")
    assert client.get(path).status_code in (404, 308), path
