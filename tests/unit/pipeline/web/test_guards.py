"""Who may ask for what, and what a person's decision does."""

from __future__ import annotations

import io
import re
import sys
from datetime import timedelta
from random import Random
from threading import Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from galloway.curation.types import FaceId, Side, Status, VoterKind
from galloway.mturk.requester.hosting import LocalHosting
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import face_decisions
from galloway.pipeline.market.pictures import IMAGE_PATH, face_key, hosting_secret, pictures_app
from galloway.pipeline.projects.template import gallery_page
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.door import Door
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member
from werkzeug.test import Client

from tests.support.web import face_id

DISPUTED = face_id(Side.A, 0)
FORM = {"answer": "keep", "by": "Ann", "note": "it is her, turned away", "back": "/faces?status=disputed"}


@pytest.fixture
def client(workspace: Workspace) -> FlaskClient:
    return create_web_app(workspace).test_client()


def status_of(workspace: Workspace, face: FaceId) -> Status:
    return face_decisions(App(workspace).store.decisions())[face].status


def test_a_decision_is_a_vote_of_a_person(client: FlaskClient, workspace: Workspace) -> None:
    store = App(workspace).store
    before = store.votes(faces=[DISPUTED])
    assert status_of(workspace, DISPUTED) is Status.DISPUTED
    answer = client.post(f"/faces/{DISPUTED}", data=FORM)
    assert (answer.status_code, answer.location) == (303, "/faces?status=disputed")
    votes = store.votes(faces=[DISPUTED])
    assert votes[: len(before)] == before
    added = votes[len(before) :]
    assert {vote.kind for vote in added} == {VoterKind.PERSON}
    assert {vote.note for vote in added} == {"it is her, turned away"}
    assert status_of(workspace, DISPUTED) is Status.APPROVED
    page = client.get(answer.location).text
    assert "clip_000001_0.png: approved, by Ann" in page
    assert 'name="by" value="Ann"' in page
    assert "clip_000001_0.png: approved" not in client.get(answer.location).text
    assert "it is her, turned away" in client.get(f"/faces/{DISPUTED}").text


def test_who_decides_on_and_on_without_a_look_at_a_page_stays_signed_in(client: FlaskClient) -> None:
    chance = Random(4)
    long = "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(1000))
    for note in ("seen", long, *["seen"] * 28):
        answer = client.post(f"/faces/{DISPUTED}", data={**FORM, "note": note})
        assert answer.status_code == 303
        assert len(answer.headers["Set-Cookie"]) < 3000, "browsers drop a cookie of more than 4 kB"
    page = client.get("/faces?status=disputed").text
    assert page.count("clip_000001_0.png: approved, by Ann") == 5
    assert 'name="by" value="Ann"' in page


def test_a_rejection_carries_its_reason(client: FlaskClient, workspace: Workspace) -> None:
    answer = client.post(f"/faces/{DISPUTED}", data={**FORM, "answer": "reject:not_a_face", "back": ""})
    assert answer.location == f"/faces/{DISPUTED}"
    assert status_of(workspace, DISPUTED) is Status.REJECTED
    assert App(workspace).store.votes(faces=[DISPUTED])[-1].reason == "not_a_face"


@pytest.mark.parametrize(
    "change",
    [{"answer": ""}, {"by": " "}, {"note": ""}, {"answer": "reject"}, {"answer": "reject:ugly"}, {"answer": "odd"}],
)
def test_an_incomplete_decision_changes_nothing(
    client: FlaskClient, workspace: Workspace, change: dict[str, str]
) -> None:
    before = App(workspace).store.count_votes()
    assert client.post(f"/faces/{DISPUTED}", data={**FORM, **change}).status_code == 400
    assert App(workspace).store.count_votes() == before


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/faces?a\r\nX: y", "/results"])
def test_a_decision_leads_back_to_faces_only(client: FlaskClient, back: str) -> None:
    answer = client.post(f"/faces/{DISPUTED}", data={**FORM, "back": back})
    assert answer.location == f"/faces/{DISPUTED}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
    ],
)
def test_posts_come_from_our_own_pages(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.post(f"/faces/{DISPUTED}", data=FORM, headers=headers).status_code == status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "[::1", ""])
def test_other_hosts_read_nothing(client: FlaskClient, host: str) -> None:
    answer = client.get("/api/faces", headers={"Host": host})
    assert answer.status_code in (400, 403)
    assert "face_id" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8500", "localhost:1", "[::1]:8500", "LOCALHOST"])
def test_loopback_by_any_name(client: FlaskClient, host: str) -> None:
    assert client.get("/api/status", headers={"Host": host}).status_code == 200


def test_further_hosts_are_named(workspace: Workspace) -> None:
    client = create_web_app(workspace, hosts={"studio.example"}).test_client()
    assert client.get("/", headers={"Host": "studio.example:8500"}).status_code == 200
    assert client.get("/", headers={"Host": "localhost"}).status_code == 403


def test_workers_pictures_have_an_app_that_knows_nothing_else(client: FlaskClient, workspace: Workspace) -> None:
    """Another market's workers come through a public address, with links that end."""
    pages, client = client, Client(pictures_app(workspace))
    hosting = LocalHosting(hosting_secret(workspace.root), IMAGE_PATH)
    good = hosting.url(face_key(DISPUTED), timedelta(hours=1))
    ended = hosting.url(face_key(DISPUTED), timedelta(minutes=-5))
    public = {"Host": "faces.example"}
    assert client.get(good, headers=public).mimetype == "image/jpeg"
    assert pages.get(good).status_code == 404
    for path in ("/", "/api/faces", "/faces", f"/pictures/{DISPUTED}", "/sign-in", "/images/../api/faces"):
        assert client.get(path).status_code == 404, path
    assert client.get(ended, headers=public).status_code == 404
    assert client.get(f"{IMAGE_PATH}/{DISPUTED}", headers=public).status_code == 404
    assert client.post(good, headers=public).status_code == 404


def test_a_decision_waits_for_no_other_command_and_what_must_says_for_which(
    client: FlaskClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("galloway.pipeline.web.review._PATIENCE", 0)
    with workspace.lock("collecting"):
        assert client.post(f"/faces/{DISPUTED}", data=FORM).status_code == 303
        answer = client.post("/review/stop")
    assert answer.status_code == 409
    assert "Another galloway command (collecting, since" in answer.text
    assert client.post("/review/stop").status_code == 303


def test_a_name_with_markup_stays_text(client: FlaskClient) -> None:
    client.post(f"/faces/{DISPUTED}", data={**FORM, "by": "<b>x", "note": '"><script>alert(1)</script>'})
    page = client.get(f"/faces/{DISPUTED}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>x" not in page


def test_large_posts_are_refused(client: FlaskClient) -> None:
    assert client.post(f"/faces/{DISPUTED}", data={**FORM, "note": "x" * 100_000}).status_code == 413


def test_the_marked_faces_are_decided_at_once_and_taken_back(client: FlaskClient, workspace: Workspace) -> None:
    """One answer with one name and one reason; what was not marked, or is no face, changes nothing."""
    second, third = face_id(Side.A, 4), face_id(Side.A, 8)
    form = {**FORM, "answer": "reject:bad_crop", "face": [DISPUTED, second]}
    before = App(workspace).store.count_votes()
    answer = client.post("/faces", data=form)
    assert (answer.status_code, answer.location) == (303, "/faces?status=disputed")
    assert "2 rejected, by Ann. The workers" in client.get(answer.location).text
    assert [status_of(workspace, face) for face in (DISPUTED, second, third)] == [
        Status.REJECTED, Status.REJECTED, Status.DISPUTED,
    ]  # fmt: skip
    page = client.get("/faces?status=disputed&side=a").text
    assert "reject:blurred" not in page, "on side A a blurred face is kept"
    assert "reject:blurred" in client.get("/faces?status=disputed&side=b").text
    (undo,) = re.findall(r'action="(/faces/decisions/[^"]+)"', client.get("/faces/decisions").text)
    assert "reject on 2 faces, by Ann" in client.post(undo, follow_redirects=True).text
    assert client.post(undo).status_code == 409, "it was taken back already"
    assert status_of(workspace, second) is Status.DISPUTED
    assert App(workspace).store.count_votes() == before


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"face": []}, 400), ({"answer": ""}, 400), ({"answer": "odd"}, 400), ({"answer": "reject:ugly"}, 400),
        ({"by": ""}, 400), ({"face": ["0"]}, 404), ({"face": [DISPUTED, "f" * 32]}, 404), ({"step": "mine"}, 400),
        ({"face": [f"{number:032x}" for number in range(501)]}, 400),
    ],
)  # fmt: skip
def test_what_is_no_decision_changes_nothing(
    client: FlaskClient, workspace: Workspace, change: dict[str, Any], status: int
) -> None:
    before = App(workspace).store.count_votes()
    assert client.post("/faces", data={**FORM, "face": [face_id(Side.A, 8)], **change}).status_code == status
    assert App(workspace).store.count_votes() == before


def test_a_script_is_told_what_stands_now(client: FlaskClient) -> None:
    json = {"Accept": "application/json"}
    step = "person-" + "0a" * 16
    done = client.post("/faces", data={**FORM, "face": [DISPUTED], "step": step}, headers=json).json
    assert done == {"faces": {DISPUTED: ["approved", ""]}, "said": "1 approved", "step": step}
    told = client.post(f"/faces/decisions/{step}/undo", headers=json).json
    assert told == {"said": "Taken back: keep on 1 face, by Ann."}


def test_two_people_who_decide_at_once_are_not_refused_and_lose_nothing(workspace: Workspace) -> None:
    """Each in a browser of their own, on faces of their own and on some of both."""
    site = create_web_app(workspace)
    faces = [[face_id(side, number) for number in range(12)] for side in Side]
    faces = [[*faces[0], *faces[1][:4]], [*faces[1], *faces[0][:4]]]
    refused: list[int] = []

    def person(name: str, mine: list[FaceId]) -> None:
        client = site.test_client()
        for face in mine:
            answer = client.post("/faces", data={**FORM, "by": name, "face": [face], "answer": "reject:covered"})
            refused.extend([] if answer.status_code == 303 else [answer.status_code])

    people = [Thread(target=person, args=(name, mine)) for name, mine in zip(("Ann", "Ben"), faces, strict=True)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    votes = App(workspace).store.votes()
    said = {(vote.worker_id, vote.face_id) for vote in votes if vote.kind is VoterKind.PERSON}
    assert refused == []
    assert said == {(f"person:{name}", face) for name, mine in zip(("Ann", "Ben"), faces, strict=True) for face in mine}
    reasons = {face: item.reason for face, item in face_decisions(App(workspace).store.decisions()).items()}
    assert {reasons[face] for _, face in said if face in faces[1][:12]} == {"covered"}


def test_only_who_may_decide_decides_and_takes_back_their_own(workspace: Workspace) -> None:
    for name, role in (("Ann", "decide"), ("Ben", "decide"), ("Eve", "look")):
        add_member(workspace.root, name, Role[role.upper()], f"the password of {name}")
    site = create_web_app(workspace, door=Door(workspace.root))

    def signed_in(name: str) -> FlaskClient:
        client = site.test_client()
        client.post("/sign-in", data={"name": name, "password": f"the password of {name}"})
        return client

    ann, ben, eve = map(signed_in, ("Ann", "Ben", "Eve"))
    assert eve.post("/faces", data={**FORM, "face": [DISPUTED]}).status_code == 403
    assert ann.post("/faces", data={**FORM, "face": [DISPUTED], "by": "Ben"}).status_code == 303, "signed in as Ann"
    (undo,) = re.findall(r'action="(/faces/decisions/[^"]+)"', ann.get("/faces/decisions").text)
    assert "/undo" not in ben.get("/faces/decisions").text
    assert (ben.post(undo).status_code, eve.post(undo).status_code) == (409, 403)
    assert ann.post(undo).status_code == 303


@pytest.mark.parametrize("film", [b"", b"no film" * 999])
def test_footage_that_cannot_be_read_is_said_with_what_to_do(
    client: FlaskClient, workspace: Workspace, film: bytes
) -> None:
    path = workspace.sources_dir(Side.A) / "clip.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(film)
    for page in ("/mask/a/clip", "/mask/a/clip/frame/1", f"/faces/{DISPUTED}/frame"):
        answer = client.get(page)
        assert (answer.status_code, "clip.mp4" in answer.text) == (400, True), page
        assert "Something broke" not in answer.text


def test_an_extra_that_is_not_installed_is_named(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = {"table": (io.BytesIO(b"PK\x03\x04" + b"\0" * 100), "a.xlsx")}
    form = {"name": "birds", "title": "T", "reward": "0.05", "seconds": "20", "assignments": "3", "minutes": "10"}
    form |= {"lifetime_hours": "24", "auto_approve_hours": "24", "template": gallery_page("yes-no")}
    assert client.post("/projects/new", data=form).status_code == 303
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    answer = client.post("/projects/birds/sheets", data=sheet, follow_redirects=True)
    assert (answer.status_code, "Something broke" in answer.text) == (400, False)
    assert "This needs openpyxl" in answer.text
