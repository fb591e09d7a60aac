"""The frame origin: documents, drafts, externalSubmit."""

from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages import create_frame_app
from galloway.mturk.marketplace.rules.questionform import (
    Content,
    FormQuestion,
    FreeText,
    QuestionForm,
    Selection,
    SelectionAnswer,
)
from galloway.mturk.marketplace.rules.questions import Question
from werkzeug.datastructures import MultiDict

from tests.support.pages import NOT_AVAILABLE, FakeWork, config

FORM = QuestionForm(
    (
        (Content("title", "Fruit"), Content("formatted", '<b onclick="x()">bold</b><script>alert(1)</script>')),
        FormQuestion("name", "", True, (), FreeText(max_length=5)),
        FormQuestion(
            "kinds",
            "Kinds",
            False,
            (),
            SelectionAnswer(
                "checkbox",
                (Selection("a", (Content("text", "Apple"),)), Selection("b", (Content("text", "Pear"),))),
                0,
                2,
                FreeText(),
            ),
        ),
    )
)


def _frame(work: FakeWork) -> FlaskClient:
    work.accept("AWORKER1", group_id="3GROUP1")
    return create_frame_app(work, config()).test_client()


def test_documents_are_sandboxed_and_framed_by_the_portal_only(frame: FlaskClient) -> None:
    policy = frame.get("/frame/work").headers["Content-Security-Policy"]
    assert policy == (
        "sandbox allow-scripts allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox; frame-ancestors http://work.example"
    )


def test_a_submit_is_stored_once(work: FakeWork) -> None:
    client = _frame(work)
    data = {"assignmentId": "3ASSIGN1", "a": ["1", "2"]}
    assert "have arrived" in client.post("/mturk/externalSubmit", data=data).text
    again = client.post("/mturk/externalSubmit", data=data | {"a": "3"})
    assert again.status_code == 200
    assert "already arrived" in again.text
    assert work.submitted == {"3ASSIGN1": [("assignmentId", "3ASSIGN1"), ("a", "1"), ("a", "2")]}


def test_the_assignment_id_may_stand_in_the_address(work: FakeWork) -> None:
    client = _frame(work)
    assert client.post("/mturk/externalSubmit?assignmentId=3ASSIGN1", data={"a": "1"}).status_code == 200


def test_multipart_forms_are_read(work: FakeWork) -> None:
    client = _frame(work)
    data = {"assignmentId": "3ASSIGN1", "a": "1"}
    answer = client.post("/mturk/externalSubmit", data=data, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert ("a", "1") in work.submitted["3ASSIGN1"]


def test_previews_and_strangers_store_nothing(work: FakeWork, frame: FlaskClient) -> None:
    preview = frame.post("/mturk/externalSubmit", data={"assignmentId": NOT_AVAILABLE})
    assert preview.status_code == 409
    assert frame.post("/mturk/externalSubmit", data={"assignmentId": "3NONE"}).status_code == 404
    assert frame.get("/mturk/externalSubmit").status_code == 405
    assert work.submitted == {}


def test_a_draft_comes_back_in_the_form() -> None:
    work = FakeWork(Question("form", 0, form=FORM))
    client = _frame(work)
    data = {"assignmentId": "3ASSIGN1", "name": '"Ann"', "kinds": ["b"], "other:kinds": "fig"}
    assert "Saved" in client.post("/mturk/draft", data=data).text
    page = client.get("/frame/work").text
    assert 'value="&#34;Ann&#34;"' in page or 'value="&quot;Ann&quot;"' in page
    assert 'value="b" checked' in page
    assert 'value="a" checked' not in page
    assert 'value="fig"' in page


def test_a_question_form_is_drawn_with_its_rules_and_without_its_scripts() -> None:
    client = _frame(FakeWork(Question("form", 0, form=FORM)))
    page = client.get("/frame/work").text
    assert "<b>bold</b>" in page
    assert "alert(1)" not in page
    assert 'maxlength="5"' in page
    assert "required" in page
    assert "Choose up to 2." in page
    assert 'action="http://frames.test/mturk/externalSubmit"' in page
    assert 'value="3ASSIGN1"' in page


def test_an_external_question_is_one_redirect_away() -> None:
    client = _frame(FakeWork(Question("external", 0, external_url="https://other.example/t")))
    assert client.get("/frame/work").location == "https://other.example/t?assignmentId=3ASSIGN1"


def test_no_cookie_is_ever_set(frame: FlaskClient) -> None:
    for answer in (frame.get("/frame/work"), frame.get("/frame/none"), frame.get("/assets/frame.js", buffered=True)):
        assert "Set-Cookie" not in answer.headers


def test_too_much_is_refused(work: FakeWork) -> None:
    client = _frame(work)
    assert client.post("/mturk/externalSubmit", data={"a": "x" * 3_000_000}).status_code == 413


@pytest.mark.parametrize(
    "gone",
    [
        sa.exc.OperationalError("INSERT secret", {}, Exception("database is locked")),
        sa.exc.TimeoutError("QueuePool limit"),
        OSError(28, "No space left on device"),
    ],
)
def test_answers_that_cannot_be_stored_just_now_come_back_to_be_sent_again(
    work: FakeWork, gone: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _frame(work)
    data = {"assignmentId": "3ASSIGN1", "a": ["1", "2"], 'odd"<b>': "<script>alert(1)</script> ä"}
    with monkeypatch.context() as away:
        away.setattr(FakeWork, "submit", lambda *_args: (_ for _ in ()).throw(gone))
        answer = client.post("/mturk/externalSubmit", data=data)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Your answers are still here" in answer.text
    assert "secret" not in answer.text and "<script>alert" not in answer.text
    kept = [
        (unescape(name), unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', answer.text)
    ]
    assert "have arrived" in client.post("/mturk/externalSubmit", data=MultiDict(kept)).text
    assert work.submitted["3ASSIGN1"] == [(name, value) for name, value in MultiDict(data).items(multi=True)]
    monkeypatch.setattr(FakeWork, "open_frame", lambda *_args: (_ for _ in ()).throw(gone))
    assert client.get("/frame/work").status_code == 503
