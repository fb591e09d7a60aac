"""The team in the browser: the owner lets people in and out; everybody changes their own password."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member, members

TOKEN = "the-printed-token"


@pytest.fixture
def site(workspace: Workspace) -> Flask:
    return create_web_app(workspace, door=Door(workspace.root, token=TOKEN))


@pytest.fixture
def owner(site: Flask) -> FlaskClient:
    client = site.test_client()
    client.get(f"/?token={TOKEN}")
    return client


def sign_in(site: Flask, name: str, password: str) -> tuple[FlaskClient, int]:
    client = site.test_client()
    return client, client.post("/sign-in", data={"name": name, "password": password}).status_code


def password_in(page: str) -> str:
    found = re.search(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", page)
    assert found is not None, "the password is shown"
    return found[1]


def test_somebody_is_let_in_raised_and_shown_out(site: Flask, owner: FlaskClient, workspace: Workspace) -> None:
    assert "Nobody is in the team yet" in owner.get("/team").text
    page = owner.post("/team/add", data={"name": "  Ann / Lee ", "role": "look"}).text
    password = password_in(page)
    assert "http://localhost/sign-in" in page and password not in owner.get("/team").text, "it is shown once"
    ann, status = sign_in(site, "ann / lee", password)
    assert status == 303
    assert ann.get("/publish").status_code == 403
    assert owner.post("/team/role", data={"name": "Ann / Lee", "role": "spend"}).status_code == 303
    assert ann.get("/merge").status_code == 200, "at once, and with the password of before"
    assert members(workspace.root)[0].role is Role.SPEND
    again = password_in(owner.post("/team/password", data={"name": "Ann / Lee"}).text)
    assert again != password and ann.get("/merge").status_code == 401, "signed out"
    assert [sign_in(site, "Ann / Lee", word)[1] for word in (password, again)] == [401, 303]
    assert owner.post("/team/remove", data={"name": "Ann / Lee"}).status_code == 400, "it asks first"
    for told in ("Ann / Lee may not sign in any more.", "There is no"):
        out = owner.post("/team/remove", data={"name": "Ann / Lee", "yes": "yes"}, follow_redirects=True)
        assert told in out.text, "pressed twice"
    assert members(workspace.root) == ()
    said = [item.what for item in acts(workspace, kind="team")][::-1]
    assert said == [
        *("Ann / Lee may " + word for word in ("look", "spend", "spend")),
        "Ann / Lee may not sign in any more",
    ]


def test_a_name_that_is_there_keeps_its_password(owner: FlaskClient, workspace: Workspace) -> None:
    add_member(workspace.root, "Ann", Role.OWN, "ann's long password")
    answer = owner.post("/team/add", data={"name": "ANN", "role": "look"})
    assert answer.status_code == 400 and "Ann is in the team already" in answer.text
    assert 'value="ANN"' in answer.text, "what was written is still there"
    assert members(workspace.root)[0].role is Role.OWN
    assert owner.post("/team/add", data={"name": " ", "role": "look"}).status_code == 400
    assert owner.post("/team/add", data={"name": "Ben", "role": "king"}).status_code == 400
    assert owner.post("/team/role", data={"name": "Nobody", "role": "look"}).status_code == 409


@pytest.mark.parametrize("role", [Role.LOOK, Role.DECIDE, Role.SPEND])
def test_who_comes_in_is_the_owners_to_say(site: Flask, workspace: Workspace, role: Role) -> None:
    add_member(workspace.root, "Ann", role, "ann's long password")
    ann, _ = sign_in(site, "Ann", "ann's long password")
    page = ann.get("/team").text
    assert "Ann" in page and '<form class="plain"' not in page and "Take out" not in page
    form = {"name": "Ann", "role": "own", "yes": "yes"}
    assert {ann.post(f"/team/{word}", data=form).status_code for word in ("add", "role", "password", "remove")} == {403}
    assert members(workspace.root)[0].role is role


def test_a_member_changes_their_own_password_and_is_out_elsewhere(site: Flask, workspace: Workspace) -> None:
    add_member(workspace.root, "Ann", Role.LOOK, "ann's long password")
    here, elsewhere = (sign_in(site, "Ann", "ann's long password")[0] for _ in range(2))
    assert 'name="now"' in here.get("/settings").text
    wrong = {"now": "not the password", "new": "another long password"}
    assert here.post("/password", data=wrong).status_code == 400
    short = here.post("/password", data={"now": "ann's long password", "new": "short"})
    assert short.status_code in (400, 409) and "at least 10 characters" in short.text
    right = {"now": "ann's long password", "new": "another long password"}
    assert "Your password is changed." in here.post("/password", data=right, follow_redirects=True).text
    assert elsewhere.get("/faces").status_code == 401 and here.get("/faces").status_code == 200
    assert sign_in(site, "Ann", "another long password")[1] == 303
    for _ in range(10):
        here.post("/password", data=wrong)
    assert here.post("/password", data=wrong).status_code == 429, "a password is not guessed from a borrowed window"


def test_the_printed_link_has_no_password(owner: FlaskClient) -> None:
    assert 'name="now"' not in owner.get("/settings").text
    assert owner.post("/password", data={"now": "x", "new": "another long password"}).status_code == 400


def test_whoever_came_by_the_link_is_named_in_the_readers_language(owner: FlaskClient, workspace: Workspace) -> None:
    owner.post("/team/add", data={"name": "Work", "role": "look"})  # a word of the pages, and somebody's name
    (link,) = {item.who for item in acts(workspace, kind="team")}
    german = {"Accept-Language": "de"}
    page = owner.get("/team/log", headers=german).text
    assert f'<option value="{link}">der Link vom' in page and page.count("the link of") == 1
    assert "selected>der Link vom" in owner.get("/team/log", query_string={"who": link}, headers=german).text
    folder = workspace.root / "jobs" / "20260102-030405-abcdef"
    folder.mkdir(parents=True)
    job = {"kind": "extract", "choices": {}, "files": [], "by": link, "started_at": "2026-01-02T03:04:05+00:00"}
    for by, told in ((link, "der Link vom"), ("Work", "Work")):
        (folder / "job.json").write_text(json.dumps(job | {"by": by}))
        for path in ("/jobs", f"/jobs/{folder.name}"):
            assert f"von {told}" in owner.get(path, headers=german).text, path
