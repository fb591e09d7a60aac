"""The studio's door and its list: each project under its own path, and what cannot be opened says why."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.extras import requirements
from galloway.pipeline.engines.base import Check
from galloway.pipeline.errors import PipelineError
from galloway.pipeline.web import studio as module
from galloway.pipeline.web.studio import Studio
from galloway.pipeline.workspace.held import LOCK, held
from galloway.pipeline.workspace.team import Role, add_member
from werkzeug.test import Client

from tests.support.patience import PATIENCE
from tests.support.web import empty_workspace, face_id, full_workspace
from tests.support.workspace import built_app


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


def test_whoever_came_to_the_list_opens_a_project_by_its_bare_address(studio: Studio, client: Client) -> None:
    for name in ("one", "two"):
        add_member(empty_workspace(studio.folder / name).root, "Lena", Role.LOOK, "lena's long password")
    assert "Collect answers" not in client.get("/w/one/footage").text
    assert client.get("/w/one/footage").status_code == 200, "a bookmark"
    assert client.post("/w/one/people/invite", data={"uses": "0"}).status_code == 400, "let in as the owner"
    stranger = Client(studio)
    page = stranger.get("/w/one/", headers={"Accept": "text/html"}, follow_redirects=True)
    assert page.status_code == 401 and "galloway studio" in page.text and "galloway serve" not in page.text
    for made_up in ("x", client.get_cookie(studio.list_app.config["SESSION_COOKIE_NAME"]).value[:-1] + "_"):  # type: ignore[union-attr]
        stranger.set_cookie(studio.list_app.config["SESSION_COOKIE_NAME"], made_up)
        assert stranger.get("/w/one/api/status").status_code == 401
    member = Client(studio)
    member.post("/w/one/sign-in", data={"name": "Lena", "password": "lena's long password"})
    assert member.get("/w/one/api/status").status_code == 200
    assert member.get("/w/two/api/status").status_code == 401 and member.get("/").status_code == 401
    client.post("/w/one/sign-in", data={"name": "Lena", "password": "lena's long password"})
    assert client.post("/w/one/people/invite", data={"uses": "0"}).status_code == 403, "who signs in is who they say"
    assert client.post("/w/two/people/invite", data={"uses": "0"}).status_code == 400


def test_a_project_is_made_and_opened_under_its_path(studio: Studio, client: Client) -> None:
    made = client.post("/projects", data={"name": " Зима & co "})
    assert made.status_code == 303
    (project,) = studio.projects()
    assert (project.name, project.next) == ("Зима-co", "add footage.")
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
    assert "Next: add footage." in page
    assert client.get("/w/bad/").status_code == 404
    assert "galloway.toml" in client.get("/w/bad/").text


def test_a_project_goes_off_the_list_and_comes_back(studio: Studio, client: Client) -> None:
    built_app(studio.folder / "one", faces=3).workspace.db.dispose()
    empty_workspace(studio.folder / "two")
    (studio.folder / "two" / "galloway.toml").write_text("name = ", encoding="utf-8")
    assert client.get(f"/w/one/?token={studio.token}", follow_redirects=True).status_code == 200, "it is open"
    page = client.get("/").text
    assert "yes, it goes with 2 sources, 6 faces, 0 films" in page
    form = {"name": "one", "figure": "2 sources, 6 faces, 0 films"}
    assert client.post("/projects/remove", data=form).status_code == 400, "it asks first"
    for wrong in ({"figure": "1 source, 6 faces, 0 films"}, {"name": "../one"}, {"name": ".removed"}):
        answer = client.post("/projects/remove", data={**form, "yes": "yes", **wrong})
        assert answer.status_code == 409, wrong
    with held(studio.folder / "one", LOCK, "training", 0):
        answer = client.post("/projects/remove", data=form | {"yes": "yes"})
        assert answer.status_code == 409 and "(training, since" in answer.text
    assert [item.name for item in studio.projects()] == ["one", "two"]
    told = client.post("/projects/remove", data=form | {"yes": "yes"}, follow_redirects=True).text
    assert "The project is off the list" in told
    assert [item.name for item in studio.projects()] == ["two"]
    assert client.get("/w/one/").status_code == 404
    assert client.post("/projects/remove", data={"name": "two", "figure": "", "yes": "yes"}).status_code == 303
    assert studio.projects() == [], "one that cannot be opened, too"
    gone = sorted((studio.folder / ".removed").iterdir())
    gone[0].rename(studio.folder / "one")
    assert [item.figure for item in studio.projects()] == ["2 sources, 6 faces, 0 films"]


def test_a_decision_leads_back_to_the_faces_of_its_project(studio: Studio, client: Client) -> None:
    full_workspace(studio.folder / "my film")
    client.get(f"/w/my%20film/?token={studio.token}", follow_redirects=True)
    page = client.get("/w/my%20film/faces?side=a").text
    (back,) = re.findall(r'name="back" value="(/faces[^"]*)"', page)
    form = {"answer": "keep", "by": "Ann", "note": "it is her", "face": face_id(Side.A, 0), "back": back}
    for address in ("/w/my%20film/faces", f"/w/my%20film/faces/{face_id(Side.A, 0)}"):
        answer = client.post(address, data=form)
        assert answer.headers["Location"] == "/w/my%20film/faces?side=a"
    assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", ["/w/%2e%2e/", "/w/../", "/w//", "/w/a%2fb/", "/w/%00/", "/w/none/"])
def test_what_is_no_project_is_none(studio: Studio, client: Client, path: str) -> None:
    empty_workspace(studio.folder.parent / "secret")
    assert client.get(path).status_code in (404, 308), path


def test_what_the_doctor_finds_is_mended_by_a_button_and_nothing_else_is(
    studio: Studio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = [
        ("machine", Check("disk", False, "0 GiB free", "Free some.")),
        ("machine", Check("ffmpeg", False, "none", extra="video")),
    ]
    monkeypatch.setattr(module, "examine", lambda _folder: lacking)
    asked: list[Sequence[str]] = []

    def command(wanted: Sequence[str]) -> list[str]:
        asked.append(wanted)
        return [sys.executable, "-c", "print('it is here')"]

    studio.mending.command = command
    monkeypatch.setattr(type(studio.mending), "can", False)
    assert "<form" not in client.get("/machine").text, "without pip nothing is promised"
    monkeypatch.setattr(type(studio.mending), "can", True)
    page = client.get("/machine").text
    assert page.count("<form") == 1, "no button for what a machine cannot mend"
    assert "imageio-ffmpeg" in page
    for extra in ("excel", "video; rm", ""):
        assert client.post("/machine/mend", data={"extra": extra}).status_code == 400
    assert client.post("/machine/mend", data={"extra": "video"}).status_code == 303
    until = time.monotonic() + PATIENCE
    while studio.mending.state == "running":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert "Installed: <b>video</b>" in client.get("/machine").text
    assert studio.mending.lines() == ["it is here"]
    assert any(item.startswith("imageio-ffmpeg") for item in asked[0])
    assert not any("galloway" in item for item in asked[0]), "nothing of our own name is fetched"
    assert Client(studio).post("/machine/mend", data={"extra": "video"}).status_code == 401


def test_what_an_extra_brings_is_read_from_what_is_installed() -> None:
    lines = ["click>=8", "av>=18; extra == 'video'", 'galloway[video]; extra == "embedded"',
             'tf>=2; (sys_platform == "linux" and platform_machine == "x86_64") and extra == "embedded"']  # fmt: skip
    assert requirements("embedded", lines) == [
        "av>=18",
        'tf>=2; (sys_platform == "linux" and platform_machine == "x86_64")',
    ]
    assert requirements("none", lines) == []
