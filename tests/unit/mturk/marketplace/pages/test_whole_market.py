"""The pages over the real marketplace: late submits, foreign workers, and forms full of nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from galloway.mturk.marketplace.rules.answers import read_answers
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tests.support.marketplace import QUESTION_FORM, Bench, external_question, html_question, start_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = start_bench(tmp_path)
    yield made
    made.market.close()


@pytest.fixture
def fuzzed(bench: Bench) -> tuple[Client, Client]:
    """A signed-in worker's browser, and the frame origin."""
    return _worker(bench, "fuzz"), _frames(bench)


def _worker(bench: Bench, name: str) -> Client:
    client = Client(bench.market.worker_wsgi, Response)
    answer = client.post(f"/join/{bench.work.invite().token}", data={"name": name, "password": "correct horse"})
    assert answer.status_code == 303
    return client


def _accept(client: Client, hit: dict[str, str]) -> str:
    answer = client.post(f"/projects/{hit['HITGroupId']}/accept", data={"hitId": hit["HITId"]})
    assert answer.status_code == 303, answer.text
    return str(answer.location.rsplit("/", 1)[-1])


def _frames(bench: Bench) -> Client:
    return Client(bench.market.frame_wsgi, Response)


def _frame_path(client: Client, assignment_id: str) -> str:
    page = client.get(f"/work/{assignment_id}").text
    source = page.split('<iframe id="task"')[1].split('src="')[1].split('"')[0]
    parts = urlsplit(source.replace("&amp;", "&"))
    return f"{parts.path}?{parts.query}"


def test_a_submit_after_the_deadline_is_refused_and_kept(bench: Bench) -> None:
    client = _worker(bench, "ann")
    held = _accept(client, bench.hit())
    bench.clock.forward(minutes=11)
    late = _frames(bench).post("/mturk/externalSubmit", data={"assignmentId": held, "face.k1": "keep"})
    assert late.status_code == 410
    assert client.get(f"/work/{held}").status_code == 410
    export = bench.market.operator.export_worker(str(bench.market.operator.workers()[0].worker_id))
    assert "face.k1" in str(export["late_submissions"])


def test_the_back_button_after_sending_leads_to_where_the_work_went(bench: Bench) -> None:
    client = _worker(bench, "ann")
    held = _accept(client, bench.hit(MaxAssignments=2))
    form = {"assignmentId": held, "face.k1": "keep"}
    assert _frames(bench).post("/mturk/externalSubmit", data=form).status_code == 200
    again = _frames(bench).post("/mturk/externalSubmit", data=form)
    assert again.status_code == 200 and 'data-repeated="1"' in again.text, "sent twice is sent once"
    back = client.get(f"/work/{held}")
    assert (back.status_code, back.location) == (302, f"/work/{held}/after?said=again")
    assert "Sent. Thank you" in client.get(f"/work/{held}/after").text
    assert "Your answers were here already" in client.get(back.location).text
    assert _worker(bench, "ben").get(f"/work/{held}").status_code == 404
    given_back = _accept(client, bench.hit())
    client.post(f"/work/{given_back}/return")
    assert "no longer yours" in client.get(f"/work/{given_back}", follow_redirects=True).text


def test_a_form_that_is_refused_is_kept(bench: Bench) -> None:
    client = _worker(bench, "ann")
    held = _accept(client, bench.hit(Question=QUESTION_FORM))
    refused = _frames(bench).post("/mturk/externalSubmit", data={"assignmentId": held, "age": "200"})
    assert refused.status_code == 422
    assert "is kept" in refused.text
    assert 'value="200"' in _frames(bench).get(_frame_path(client, held)).text


def test_a_long_answer_that_is_refused_is_kept(bench: Bench) -> None:
    client, frames = _worker(bench, "ann"), _frames(bench)
    held = _accept(client, bench.hit())
    refused = frames.post("/mturk/externalSubmit", data={"assignmentId": held, "face.k1": "long text " * 30_000})
    assert (refused.status_code, "is kept" in refused.text) == (422, True)
    assert "long text long text" in frames.get(_frame_path(client, held)).text


def test_what_a_page_of_another_server_sent_is_not_said_to_be_kept(bench: Bench) -> None:
    held = _accept(_worker(bench, "ann"), bench.hit(Question=external_question("https://example.org/")))
    refused = _frames(bench).post("/mturk/externalSubmit", data={"assignmentId": held, "q": "x" * 300_000})
    assert (refused.status_code, "is kept" in refused.text) == (422, False)


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", {"json": {"q": "v"}}),
        ("&score=5", {"json": {"q": "v"}}),
        ("", {"data": "q=v", "content_type": "text/plain"}),
        ("", {"data": {"workerId": "A1"}}),
        ("&hitId=3H", {}),
    ],
)
def test_a_page_that_sends_no_form_or_no_answer_stays_open(bench: Bench, query: str, sent: dict[str, Any]) -> None:
    client, frames = _worker(bench, "ann"), _frames(bench)
    held = _accept(client, bench.hit(Question=external_question("https://example.org/")))
    path = f"/mturk/externalSubmit?assignmentId={held}{query}"
    refused = frames.post(path, **sent)
    assert refused.status_code == 422 and "Nothing was stored" in refused.text and "is kept" not in refused.text
    assert client.get(f"/work/{held}").status_code == 200
    assert "have arrived" in frames.post(path, data={"q": "the real answer"}).text


def test_answers_in_the_address_count_and_the_form_wins(bench: Bench) -> None:
    frames, client = _frames(bench), _worker(bench, "ann")
    for sent, stored in (
        ({"data": {"q": "v"}}, {"q": ("v",), "score": ("5",)}),
        ({"data": {"score": "7"}}, {"score": ("7",)}),
        ({}, {"score": ("5",)}),
    ):
        held = _accept(client, bench.hit(Question=external_question("https://example.org/")))
        path = f"/mturk/externalSubmit?assignmentId={held}&workerId=A1&score=5"
        assert frames.post(path, **sent).status_code == 200  # type: ignore[arg-type]
        assert read_answers(bench.client.get_assignment(AssignmentId=held)["Assignment"]["Answer"]) == stored


def test_boxes_that_are_all_unticked_are_an_answer(bench: Bench) -> None:
    boxes = "<form action='https://www.mturk.com/mturk/externalSubmit'><input type=checkbox name=cat></form>"
    held = _accept(_worker(bench, "ann"), bench.hit(Question=html_question(boxes)))
    assert _frames(bench).post("/mturk/externalSubmit", data={"assignmentId": held}).status_code == 200


def test_nobody_sees_another_workers_task_or_history(bench: Bench) -> None:
    ann, bob = _worker(bench, "ann"), _worker(bench, "bob")
    held = _accept(ann, bench.hit())
    assert ann.get(f"/work/{held}").status_code == 200
    for path in (f"/work/{held}", f"/work/{held}/after", f"/history/{held}"):
        assert bob.get(path).status_code == 404
    assert bob.post(f"/work/{held}/return").status_code == 404
    assert ann.get(f"/work/{held}").status_code == 200


def test_a_frame_link_dies_with_its_assignment(bench: Bench) -> None:
    client = _worker(bench, "ann")
    held = _accept(client, bench.hit())
    path, frames = _frame_path(client, held), _frames(bench)
    assert frames.get(path).status_code == 200
    assert frames.get(path.replace("/frame/a.", "/frame/p.")).status_code == 404
    client.post(f"/work/{held}/return")
    assert frames.get(path).status_code == 404


def test_ten_wrong_passwords_lock_the_name_for_a_while(bench: Bench) -> None:
    _worker(bench, "ann")
    stranger = Client(bench.market.worker_wsgi, Response)
    for _ in range(10):
        assert stranger.post("/sign-in", data={"name": "ann", "password": "wrong wrong"}).status_code == 403
    assert stranger.post("/sign-in", data={"name": "ann", "password": "correct horse"}).status_code == 429
    bench.clock.forward(minutes=16)
    assert stranger.post("/sign-in", data={"name": "ann", "password": "correct horse"}).status_code == 303


TEXT = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\x0b<b>", "' OR 1=1 --", "../..", "9" * 40, "%00", "💣" * 3, "NaN"]
)
PATHS = st.sampled_from(
    [
        "/",
        "/sign-in",
        "/join/{}",
        "/mturk/preview",
        "/projects/{}/tasks",
        "/projects/{}/tasks/{}",
        "/projects/{}/accept",
        "/work/{}",
        "/work/{}/return",
        "/work/{}/after",
        "/history",
        "/history/{}",
        "/history/{}/appeal",
        "/messages/{}/read",
        "/qualifications/{}",
        "/qualifications/{}/request",
        "/qualifications/{}/test",
        "/qualifications/{}/test/{}",
        "/operator/enter",
        "/frame/{}",
        "/mturk/externalSubmit",
        "/mturk/draft",
    ]
)
NAMES = st.sampled_from(
    [
        "name",
        "password",
        "country",
        "next",
        "hitId",
        "groupId",
        "q",
        "sort",
        "min_reward",
        "max_minutes",
        "cursor",
        "status",
        "text",
        "token",
        "assignmentId",
        "face.k1",
        "elapsed",
    ]
)


@settings(max_examples=150)
@given(
    path=PATHS,
    parts=st.lists(TEXT, min_size=2, max_size=2),
    fields=st.lists(st.tuples(NAMES, TEXT), max_size=5),
    post=st.booleans(),
    framed=st.booleans(),
)
def test_nonsense_is_refused_and_never_an_error_of_ours(
    bench: Bench,
    fuzzed: tuple[Client, Client],
    path: str,
    parts: list[str],
    fields: list[tuple[str, str]],
    post: bool,
    framed: bool,
) -> None:
    client = fuzzed[framed]
    held = bench.market.operator.workers()
    target = path.format(*(part.replace("?", "") for part in parts))
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    answer = client.post(target, data=data) if post else client.get(target, query_string=data)
    assert answer.status_code < 500, f"{target} {fields}"
    assert "Traceback" not in answer.text
    assert [worker.worker_id for worker in bench.market.operator.workers()] == [worker.worker_id for worker in held]
