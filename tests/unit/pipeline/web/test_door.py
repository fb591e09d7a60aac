"""Nobody reads a page by an address alone: a token, or a member of the team with the role that the page takes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.errors import NothingToDo, WorkspaceError
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member, admit, members, new_password, remove_member

from tests.support.web import face_id

FACE = face_id(Side.A, 0)
VOTE = {"answer": "keep", "by": "Somebody Else", "note": "it is her"}
PASSWORDS = {
    "Ann": "ann's long password",
    "Ben": "ben's long password",
    "Cara": "cara's long password",
    "Dora": "dora's long password",
}
# What nginx sends with nothing but `proxy_pass http://127.0.0.1:8500`: our own address as Host, and no trace of itself.
NGINX = {"Host": "127.0.0.1:8500", "Connection": "close", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def site(workspace: Workspace) -> Flask:
    return create_web_app(workspace, door=Door(workspace.root, token="the-printed-token"))


@pytest.fixture
def team(workspace: Workspace) -> None:
    for (name, password), role in zip(PASSWORDS.items(), Role, strict=True):
        add_member(workspace.root, name, role, password)


def signed_in(site: Flask, name: str) -> FlaskClient:
    client = site.test_client()
    answer = client.post("/sign-in", data={"name": name.lower(), "password": PASSWORDS[name]})
    assert (answer.status_code, answer.location) == (303, "/")
    return client


@pytest.mark.parametrize(
    "headers",
    [{}, NGINX, {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"Via": "1.1 proxy"}],
    ids=["plain", "nginx", "x-forwarded-for", "forwarded", "via"],
)
def test_a_stranger_reads_and_starts_nothing(site: Flask, workspace: Workspace, headers: dict[str, str]) -> None:
    client = site.test_client()
    before = App(workspace).store.count_votes()
    values = {"face_id": FACE, "side": "a", "name": "x", "key": "k", "run_id": "1", "number": 1, "filename": "site.css"}
    values |= {"upload_id": "0" * 16, "job_id": "20260102-030405-abcdef", "kind": "extract"}
    values |= {"picture": FACE, "how": "clear", "step_id": "person-" + "0" * 32, "at": 1, "frame": 1}
    tried = 0
    for rule in site.url_map.iter_rules():
        with site.test_request_context():
            path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]
        for method in (rule.methods or set()) & {"GET", "POST"}:
            if rule.endpoint in ("static", "door.sign_in", "door.enter"):
                continue
            answer = client.open(path, method=method, headers=headers, data=VOTE if method == "POST" else None)
            assert answer.status_code in (303, 401), (path, method)
            assert answer.location in (None, "/sign-in")
            assert "trial" not in answer.text and FACE not in answer.text
            tried += 1
    assert tried > 30
    assert App(workspace).store.count_votes() == before
    assert jobs(site).last is None


def test_a_forwarded_request_is_told_why(site: Flask) -> None:
    answer = site.test_client().get("/api/faces", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 401
    assert "came through a proxy" in answer.get_json()["error"]["message"]


def test_the_printed_link_opens_everything_and_its_token_leaves_the_address(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/?token=wrong", headers={"Accept": "text/html"}).location == "/sign-in"
    assert client.get("/api/status").status_code == 401
    answer = client.get("/faces?token=the-printed-token&status=all")
    assert (answer.status_code, answer.location) == (303, "/faces?status=all")
    assert "clip_000001_0.png" in client.get(answer.location or "").text
    assert "Collect answers" in client.get("/").text
    assert client.post("/sign-out").status_code == 303
    assert client.get("/api/status").status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%09/evil.example", "/nothing"])
def test_the_link_leads_nowhere_else(site: Flask, path: str) -> None:
    answer = site.test_client().get(f"{path}?token=the-printed-token")
    assert answer.location in (None, "/") and answer.status_code in (303, 308, 401, 403, 404)


def test_a_program_sends_the_token(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/api/status", headers={"Authorization": "Bearer the-printed-token"}).status_code == 200
    for wrong in ("Bearer no", "Bearer", "Basic dGhlOnByaW50ZWQ=", "Bearer \xe9", "the-printed-token"):
        assert client.get("/api/status", headers={"Authorization": wrong}).status_code == 401


def test_sessions_of_another_run_are_worth_nothing(site: Flask, workspace: Workspace) -> None:
    """Whoever has a copy of the workspace has its keys, and cannot make a session of them."""
    client = site.test_client()
    client.get("/?token=the-printed-token")
    cookie = client.get_cookie(site.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    other = create_web_app(workspace, door=Door(workspace.root)).test_client()
    other.set_cookie(cookie.key, cookie.value)
    assert other.get("/api/status").status_code == 401


@pytest.mark.usefixtures("team")
def test_a_team_of_four_with_four_roles(site: Flask, workspace: Workspace) -> None:
    look, decide, spend, own = (signed_in(site, name) for name in PASSWORDS)
    for client in (look, decide, spend, own):
        assert "clip_000001_0.png" in client.get("/faces?status=all").text
    assert look.post(f"/faces/{FACE}", data=VOTE).status_code == 403
    assert 'name="note"' not in look.get(f"/faces/{FACE}").text
    assert 'name="note"' not in look.get("/faces").text
    assert decide.post(f"/faces/{FACE}", data=VOTE).status_code == 303
    assert App(workspace).store.votes(faces=[FACE])[-1].worker_id.endswith("Ben"), "under the name that signed in"
    for client in (look, decide):
        assert client.post("/collect").status_code == 403
        assert client.get("/publish").status_code == 403
        assert "Collect answers" not in client.get("/").text
    assert spend.post("/publish").status_code == 400, "it is let in, and the price was not ticked"
    assert "Collect answers" in spend.get("/").text
    for client in (look, decide, spend):
        for path in ("/people/invite", "/people/open"):
            assert client.post(path, data={"uses": "0"}).status_code == 403, "who comes in is the owner's to say"
        assert client.get("/people").status_code == 403 and 'href="/people"' not in client.get("/").text
    assert own.post("/people/invite", data={"uses": "0"}).status_code == 400, "let in, and 0 people is none"
    assert 'href="/people"' in own.get("/").text and own.post("/publish").status_code == 400


@pytest.mark.usefixtures("team")
def test_changes_of_the_team_count_at_once(site: Flask, workspace: Workspace) -> None:
    ben, cara = signed_in(site, "Ben"), signed_in(site, "Cara")
    add_member(workspace.root, "cara", Role.LOOK, "quite another password")
    assert cara.get("/api/status").status_code == 401, "a new password ends old sessions"
    remove_member(workspace.root, "BEN")
    assert ben.get("/api/status").status_code == 401
    with pytest.raises(NothingToDo, match="no 'Ben' in the team"):
        remove_member(workspace.root, "Ben")


@pytest.mark.usefixtures("team")
def test_guessing_ends_after_ten(site: Flask) -> None:
    client = site.test_client()
    for _ in range(10):
        assert client.post("/sign-in", data={"name": "Ann", "password": "a guess too many"}).status_code == 401
    answer = client.post("/sign-in", data={"name": "ann", "password": PASSWORDS["Ann"]})
    assert answer.status_code == 429
    assert "Wait ten minutes" in answer.text
    signed_in(site, "Ben")


def test_the_team_file_is_the_owners_and_holds_no_password(workspace: Workspace) -> None:
    password = new_password()
    add_member(workspace.root, "  Ann   Lee ", Role.DECIDE, password)
    path = workspace.root / "team.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert password not in path.read_text(encoding="utf-8")
    assert admit(workspace.root, "ann lee", password) == members(workspace.root)[0]
    assert admit(workspace.root, "ann lee", password + "x") is None
    assert admit(workspace.root, "nobody", password) is None


@pytest.mark.parametrize("text", ["[]]", "{}", "[1]", '[{"name": "A"}]', "\xff", "[" * 20_000, "null"])
def test_a_damaged_team_file_is_named(workspace: Workspace, text: str) -> None:
    Path(workspace.root / "team.json").write_bytes(text.encode("latin-1"))
    if text == "{}":
        assert members(workspace.root) == ()
        return
    with pytest.raises(WorkspaceError, match=r"team\.json is damaged"):
        members(workspace.root)


@pytest.mark.parametrize(
    ("name", "password"), [("", "long enough it is"), ("A\x1bb", "long enough it is"), ("A", "short")]
)
def test_names_and_passwords_have_bounds(workspace: Workspace, name: str, password: str) -> None:
    with pytest.raises(WorkspaceError):
        add_member(workspace.root, name, Role.LOOK, password)
