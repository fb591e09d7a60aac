"""List, preview, accept, work, return, and what became of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from galloway.mturk.marketplace.desk import values
from galloway.mturk.marketplace.desk.values import QualificationEntry, Unmet
from galloway.mturk.marketplace.pages import create_worker_app
from galloway.mturk.marketplace.rules.questionform import Content, FormQuestion, FreeText, QuestionForm
from galloway.mturk.marketplace.rules.questions import Question

from tests.support.pages import NOW, FakeWork, config, group, record


def _signed_in(work: FakeWork) -> FlaskClient:
    client = create_worker_app(work, config()).test_client()
    client.post("/join/inv1", data={"name": "ann", "password": "secret123"})
    return client


def test_the_list_shows_pay_time_and_escapes_titles(worker: FlaskClient) -> None:
    page = worker.get("/").text
    assert "$0.15" in page
    assert "$8.85 an hour" in page
    assert "61 seconds" in page
    assert "30 minutes" in page
    assert "faces &lt;b&gt;" in page


def test_filters_reach_the_marketplace_and_nonsense_does_not(worker: FlaskClient, work: FakeWork) -> None:
    worker.get("/?sort=hourly&q=%20face%20&min_reward=0.10&max_minutes=5&qualified=1")
    filters = work.calls[-1][1]
    assert filters["sort"] == "hourly"
    assert filters["query"] == "face"
    assert filters["min_reward"] == Decimal("0.10")
    assert filters["max_minutes"] == 5
    assert filters["qualified_only"] is True
    worker.get("/?sort=x&min_reward=NaN&max_minutes=-1&qualified=2")
    filters = work.calls[-1][1]
    assert (filters["sort"], filters["min_reward"], filters["max_minutes"]) == ("newest", None, None)
    assert filters["qualified_only"] is False


@pytest.mark.parametrize(
    "url",
    [
        "/mturk/preview?groupId=3GROUP1",
        "/mturk/preview?groupId=3TYPE1",
        "/mturk/previewandaccept?groupId=3GROUP1",
        "/projects/3GROUP1/tasks/accept_random",
        "/projects/3GROUP1/tasks",
        "/projects/3GROUP1/tasks/3HIT9",
    ],
)
def test_every_known_link_to_a_group_previews_it(worker: FlaskClient, url: str) -> None:
    answer = worker.get(url)
    assert answer.status_code == 200
    assert 'sandbox="allow-scripts allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox"' in answer.text
    assert "frame-src http://frames.test;" in answer.headers["Content-Security-Policy"]


def test_a_link_to_nothing_is_said_to_be_so(worker: FlaskClient) -> None:
    assert worker.get("/mturk/preview").status_code == 404
    assert worker.get("/mturk/preview?groupId=3NONE").status_code == 404


def test_accept_work_pause_and_return(worker: FlaskClient, work: FakeWork) -> None:
    there = worker.post("/projects/3GROUP1/accept", data={"hitId": "3HIT1"}).location
    assert there == "/work/3ASSIGN1"
    assert 'src="http://frames.test/frame/work?lang=en"' in worker.get(there).text
    assert "Go on" in worker.get("/").text
    assert worker.get("/projects/3GROUP1/tasks/3HIT1").location == there
    assert worker.post("/work/3ASSIGN1/return").location == "/?said=returned"
    assert "Returned." in worker.get("/?said=returned").text
    assert worker.get(there).status_code == 404


def test_every_accept_button_is_a_form_of_its_own(worker: FlaskClient, work: FakeWork) -> None:
    """A double click sends the same form twice: the marketplace sees that by its token."""
    form = re.compile(r'/accept">.*?name="once" value="([^"]+)"')
    first, second, third = (form.findall(worker.get(page).text)[0] for page in ("/", "/", "/projects/3GROUP1/tasks"))
    assert len({first, second, third}) == 3
    worker.post("/projects/3GROUP1/accept", data={"once": first})
    assert work.calls[-2:].count(("accept", {"once": first})) == 1
    assert 'name="once"' in worker.get("/work/3ASSIGN1").text
    work.submit("3ASSIGN1", [])
    assert 'name="once"' in worker.get("/work/3ASSIGN1/after").text


def test_an_external_question_keeps_its_own_origin() -> None:
    work = FakeWork(Question("external", 600, external_url="https://other.example/task"))
    answer = _signed_in(work).get("/projects/3GROUP1/tasks")
    assert "allow-same-origin" in answer.text
    assert 'height="600"' in answer.text
    assert "frame-src https: http:;" in answer.headers["Content-Security-Policy"]


def test_what_is_missing_is_listed_instead_of_an_accept_button() -> None:
    unmet = Unmet("3QUAL", "Sharp eyes", "at least 80", "70", True, True)
    client = _signed_in(FakeWork(groups=[group(unmet=(unmet,))]))
    page = client.get("/").text
    assert "must be at least 80; yours is 70" in page
    assert ">Accept<" not in page
    refused = client.post("/projects/3GROUP1/accept")
    assert refused.status_code == 403
    assert "Sharp eyes" in refused.text


def test_a_full_group_is_a_sentence_not_an_error_page() -> None:
    answer = _signed_in(FakeWork(groups=[group(available=0)])).post("/projects/3GROUP1/accept")
    assert answer.status_code == 409
    assert "Somebody else was faster." in answer.text


def test_after_a_submit_the_server_is_asked(worker: FlaskClient, work: FakeWork) -> None:
    worker.post("/projects/3GROUP1/accept")
    assert worker.get("/work/3ASSIGN1/after").location == "/work/3ASSIGN1?said=unsent"
    assert "have not arrived yet" in worker.get("/work/3ASSIGN1?said=unsent").text
    work.submit("3ASSIGN1", [])
    page = worker.get("/work/3ASSIGN1/after").text
    assert "Sent. Thank you" in page
    assert "Do another one" in page


def test_history_and_appeal(worker: FlaskClient, work: FakeWork) -> None:
    rejected = record("3ASSIGN7", "Rejected", feedback="Too <fast>", can_appeal=True, decided_at=NOW)
    work.records["3ASSIGN7"] = rejected
    assert "Too &lt;fast&gt;" in worker.get("/history?status=Rejected").text
    assert work.calls[-1][1]["status"] == "Rejected"
    assert "Send the appeal" in worker.get("/history/3ASSIGN7").text
    assert worker.post("/history/3ASSIGN7/appeal", data={"text": " "}).status_code == 422
    assert worker.post("/history/3ASSIGN7/appeal", data={"text": "I looked"}).status_code == 303
    page = worker.get("/history/3ASSIGN7").text
    assert "I looked" in page
    assert "Send the appeal" not in page


def test_earnings_show_the_hourly_figure(worker: FlaskClient) -> None:
    page = worker.get("/earnings").text
    assert "$0.40" in page
    assert "$8.00" in page


def test_messages_can_be_marked_as_read(worker: FlaskClient) -> None:
    assert "1 new message<" in worker.get("/").text
    assert "Mark as read" in worker.get("/messages").text
    worker.post("/messages/m1/read")
    assert "Mark as read" not in worker.get("/messages").text
    assert "new message" not in worker.get("/").text


def test_a_qualification_test_is_drawn_and_handed_in(work: FakeWork, worker: FlaskClient) -> None:
    entry = QualificationEntry("3QUAL", "Eyes", "Sharp", "A studio", "None", None, "", True, True, None)
    question = FormQuestion("q1", "First", True, (Content("text", "How many?"),), FreeText(numeric=True, max_value=9))
    paper = Question("form", 0, form=QuestionForm((question,)))
    work.entries = (entry,)
    work.paper = values.TestPaper("3REQ", entry, paper, NOW + timedelta(minutes=5))
    assert "Take the test" in worker.get("/qualifications/3QUAL").text
    page = worker.post("/qualifications/3QUAL/test").text
    assert 'name="q1"' in page
    assert 'max="9"' in page
    assert worker.post("/qualifications/3QUAL/test/3REQ", data={"q1": "4"}).status_code == 303
    assert work.calls[-1] == ("test", "3REQ", [("q1", "4")])


def test_a_qualification_without_a_test_is_asked_for(work: FakeWork, worker: FlaskClient) -> None:
    entry = QualificationEntry("3QUAL", "Eyes", "Sharp", "A studio", "None", None, "", False, True, None)
    work.entries = (entry, replace(entry, qualification_type_id="3Q2", status="Granted", value=88))
    assert "Granted: 88" in worker.get("/qualifications").text
    assert "Ask for it" in worker.get("/qualifications/3QUAL").text
    assert worker.post("/qualifications/3QUAL/request").status_code == 303
    assert work.calls[-1] == ("request", "3QUAL")


def test_a_market_without_money_counts_points() -> None:
    client = create_worker_app(FakeWork(), config(currency="points")).test_client()
    client.post("/join/inv1", data={"name": "ann", "password": "secret123"})
    assert "0.15 points" in client.get("/").text


def test_a_marketplace_that_is_away_says_so(worker: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = sa.exc.OperationalError("SELECT secret", {}, Exception("database is locked"))
    monkeypatch.setattr(FakeWork, "worker_of", lambda *_args: (_ for _ in ()).throw(gone))
    for path in ("/", "/account", "/history"):
        answer = worker.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), path
        assert "What you sent before is safe" in answer.text and "secret" not in answer.text
