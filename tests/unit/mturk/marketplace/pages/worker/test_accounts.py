"""Joining, signing in and out, leaving; and who is let in at all."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages import create_worker_app

from tests.support.pages import FakeWork, config


def test_an_invite_link_makes_an_account_and_signs_in(stranger: FlaskClient) -> None:
    assert "You are invited" in stranger.get("/join/inv1").text
    answer = stranger.post("/join/inv1", data={"name": "ann", "password": "secret123", "country": "de"})
    assert answer.status_code == 303
    assert "Welcome, ann" in stranger.get(answer.location).text


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = stranger.post("/join/inv1", data={"name": "ann", "password": "secret123"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_broken_invite_is_named(stranger: FlaskClient) -> None:
    answer = stranger.get("/join/other")
    assert answer.status_code == 404
    assert "not valid any more" in answer.text


def test_a_form_that_is_refused_keeps_what_was_typed(stranger: FlaskClient) -> None:
    answer = stranger.post("/join/inv1", data={"name": "zoë", "password": "short"})
    assert answer.status_code == 422
    assert "at least 8 characters" in answer.text
    assert 'value="zoë"' in answer.text


def test_strangers_are_sent_to_sign_in_and_come_back(stranger: FlaskClient) -> None:
    answer = stranger.get("/projects/3GROUP1/tasks?x=1")
    assert answer.location == "/sign-in?next=/projects/3GROUP1/tasks?x%3D1"
    form = {"name": "ann", "password": "secret123", "next": "/projects/3GROUP1/tasks"}
    assert stranger.post("/sign-in", data=form).location == "/projects/3GROUP1/tasks"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\nb",
        "",
        "/\t/evil.example",
        "/\t\\evil.example",
        "\t//evil.example",
        "/\r/evil.example",
        "/ /evil",
        "/\x00",
        "/a\\b",
        "\\\\evil.example",
    ],
)
def test_a_sign_in_never_leads_elsewhere(stranger: FlaskClient, target: str) -> None:
    form = {"name": "ann", "password": "secret123", "next": target}
    assert stranger.post("/sign-in", data=form).location == "/"


def test_wrong_password_and_too_many_tries(stranger: FlaskClient) -> None:
    assert stranger.post("/sign-in", data={"name": "ann", "password": "no"}).status_code == 403
    slow = stranger.post("/sign-in", data={"name": "busy", "password": "no"})
    assert slow.status_code == 429
    assert slow.headers["Retry-After"] == "300"


def test_behind_a_proxy_failures_are_counted_for_the_client(stranger: FlaskClient, work: FakeWork) -> None:
    stranger.post(
        "/sign-in", data={"name": "ann", "password": "no"}, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    )
    assert work.addresses == ["203.0.113.9"]


def test_signing_out_ends_the_session(worker: FlaskClient, work: FakeWork) -> None:
    worker.post("/sign-out")
    assert not work.sessions
    assert worker.get("/").status_code == 302


def test_a_worker_can_take_everything_stored_along(worker: FlaskClient) -> None:
    answer = worker.get("/account/data.json")
    assert answer.json is not None
    assert answer.json["worker_id"] == "AWORKER1"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_password_is_changed_by_whoever_knows_it(worker: FlaskClient, work: FakeWork) -> None:
    for form, status in (({"old": "no", "new": "battery staple"}, 403), ({"old": "secret123", "new": "short"}, 422)):
        answer = worker.post("/account/password", data=form)
        assert answer.status_code == status and 'role="alert"' in answer.text
    changed = worker.post("/account/password", data={"old": "secret123", "new": "battery staple"})
    assert changed.location == "/account?said=password"
    assert work.calls[-1] == ("password", "battery staple", "tok")
    assert "Your password is changed" in worker.get(changed.location).text


def test_leaving_needs_the_password(worker: FlaskClient, work: FakeWork) -> None:
    assert worker.post("/account/leave", data={"password": "no"}).status_code == 403
    assert not work.closed
    assert worker.post("/account/leave", data={"password": "secret123"}).location == "/goodbye"
    assert work.closed
    assert "erased" in worker.get("/goodbye").text


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://work.example"}, True),
        ({"Origin": "http://localhost:8080"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_posts_from_other_origins_are_refused(worker: FlaskClient, headers: dict[str, str], allowed: bool) -> None:
    answer = worker.post("/projects/3GROUP1/accept", headers=headers)
    assert answer.status_code == (303 if allowed else 403)


def test_a_post_without_a_session_is_refused(stranger: FlaskClient) -> None:
    assert stranger.post("/projects/3GROUP1/accept").status_code == 403


def test_localhost_leads_to_the_one_address_that_frames_know(work: FakeWork) -> None:
    local = create_worker_app(work, config(worker_url="http://127.0.0.1:8001")).test_client()
    answer = local.get("/history?status=Approved", base_url="http://localhost:8001")
    assert answer.location == "http://127.0.0.1:8001/history?status=Approved"
    assert local.get("/sign-in", base_url="http://127.0.0.1:8001").status_code == 200
    assert local.get("/sign-in", base_url="http://elsewhere.example:8001").status_code == 200


def test_every_page_says_what_may_be_loaded_and_framed(worker: FlaskClient) -> None:
    answer = worker.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
