"""The operator page."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages import create_worker_app

from tests.support.pages import FakeDesk, FakeWork, config


@pytest.fixture
def operator(stranger: FlaskClient) -> FlaskClient:
    assert stranger.get("/operator/enter?token=optok").status_code == 303
    return stranger


@pytest.mark.parametrize("path", ["/operator/", "/operator/workers/AWORKER1.json", "/operator/workers/AWORKER1/erase"])
def test_nobody_else_gets_in(worker: FlaskClient, path: str) -> None:
    assert worker.get(path).status_code == 403
    assert worker.get("/operator/enter?token=guess").status_code == 403


def test_everything_is_on_the_page_and_escaped(operator: FlaskClient) -> None:
    page = operator.get("/operator/").text
    for words in ("A studio", "AWORKER1", "Keep &lt;i&gt;", "held past its deadline", "timed out", "I looked at all"):
        assert words in page


def test_an_invite_link_is_made(operator: FlaskClient, work: FakeWork) -> None:
    page = operator.post("/operator/invite", data={"uses": "5", "note": "hi"}).text
    assert "http://work.example/join/inv1" in page
    assert work.calls[-1] == ("invite", "hi", 5)


def test_export_is_a_file_and_unknown_workers_are_named(operator: FlaskClient) -> None:
    answer = operator.get("/operator/workers/AWORKER1.json")
    assert answer.json is not None
    assert answer.json["worker_id"] == "AWORKER1"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "There is no worker AX" in operator.get("/operator/workers/AX.json").text


def test_erasing_asks_once_more(operator: FlaskClient, desk: FakeDesk) -> None:
    assert "cannot be undone" in operator.get("/operator/workers/AWORKER1/erase").text
    assert desk.erased == []
    assert operator.post("/operator/workers/AWORKER1/erase").status_code == 303
    assert desk.erased == ["AWORKER1"]


def test_without_a_desk_there_is_no_operator_page() -> None:
    assert create_worker_app(FakeWork(), config()).test_client().get("/operator/").status_code == 404
