"""Anything may come over the wire and out of a form: no 500, no traceback, no broken state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa
from galloway.mturk.marketplace.errors import WorkError
from galloway.mturk.marketplace.model import service_model
from galloway.mturk.marketplace.store.tables import assignment, hit
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.marketplace.test_wire import raw
from tests.support.marketplace import QUESTION_FORM, Bench, call_wsgi, html_question, start_bench

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["0.05", "5.", "Active", html_question(), QUESTION_FORM, "2014-08-15", "SQS", "https://x.org"]),
)


def member(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of the shape's type, mostly inside its limits."""
    kind = shape.type_name
    if kind == "structure":
        required = {
            name: member(inner, depth + 1) for name, inner in shape.members.items() if name in shape.required_members
        }
        optional = {name: member(inner, depth + 1) for name, inner in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "list":
        return st.lists(member(shape.member, depth + 1), max_size=3)
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        if "enum" in shape.metadata:
            return st.sampled_from(shape.metadata["enum"])
        if shape.name in ("EntityId", "CustomerId"):
            return st.sampled_from(["3KNOWN", "A0KNOWN", "A1", "3HIT"]) | st.from_regex("[A-Z0-9]{1,9}", fullmatch=True)
        return WORDS
    if kind == "timestamp":
        return st.floats(-1e13, 1e13) | st.integers(-(10**13), 10**13)
    return st.integers(-(2**63), 2**63) | st.integers(0, 100)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One marketplace with a HIT, a submitted assignment and a qualification type, for all examples."""
    bench = start_bench(tmp_path_factory.mktemp("fuzz"))
    yield bench
    bench.market.close()


@pytest.fixture(scope="module")
def known(market: Bench) -> dict[str, str]:
    """Ids that exist, in place of the made-up ones."""
    worker = market.worker()
    made = market.hit(MaxAssignments=50)["HITId"]
    done = market.done(made, worker)
    kind = market.client.create_qualification_type(Name="n", Description="d", QualificationTypeStatus="Active")
    return {"3KNOWN": done, "A0KNOWN": worker, "3HIT": made, "A1": kind["QualificationType"]["QualificationTypeId"]}


@pytest.fixture(scope="module")
def session(market: Bench) -> str:
    """The session token of a signed-in worker."""
    token: str = market.work.join(market.work.invite().token, name="form fuzz", password="correct horse").token
    return token


def consistent(bench: Bench) -> None:
    """Every HIT's counters equal its assignments, and nothing is over-filled."""
    with bench.market.store.read() as tx:
        for row in tx.conn.execute(sa.select(hit)).mappings():
            states = dict(
                tx.conn.execute(
                    sa.select(assignment.c.state, sa.func.count())
                    .where(assignment.c.hit_id == row["id"])
                    .group_by(assignment.c.state)
                ).all()
            )
            counted = tuple(states.get(name, 0) for name in ("Accepted", "Submitted", "Approved", "Rejected"))
            assert counted == (row["held"], row["submitted"], row["approved"], row["rejected"])
            assert sum(counted) <= row["max_assignments"]


QUIET = settings(max_examples=12)


@pytest.mark.parametrize("name", sorted(service_model().operation_names))
@QUIET
@given(data=st.data())
def test_no_request_breaks_the_server(market: Bench, known: dict[str, str], name: str, data: st.DataObject) -> None:
    shape = service_model().operation_model(name).input_shape
    parameters = data.draw(st.one_of(member(shape), member(shape), JUNK))
    text = json.dumps(parameters)
    for made_up, real in known.items():
        text = text.replace(f'"{made_up}"', f'"{real}"')
    status, answer = raw(market, name, text.encode())
    assert status in (200, 400), answer
    if status == 400:
        assert answer["__type"] and answer["Message"] and "Traceback" not in answer["Message"]
    consistent(market)


FIELDS = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=6)


@settings(max_examples=40)
@given(fields=FIELDS)
def test_any_form_is_stored_readably_or_refused(fields: list[Any]) -> None:
    from galloway.mturk.marketplace.rules.answers import answers_xml, page_answers, read_answers

    document = answers_xml(page_answers(fields))
    assert len(read_answers(document)) <= len(fields)


@settings(max_examples=25)
@given(text=st.text(max_size=30), fields=FIELDS)
def test_the_desk_only_refuses_with_its_own_errors(market: Bench, text: str, fields: list[tuple[str, str]]) -> None:
    calls = (
        lambda: market.work.submit(text, fields),
        lambda: market.work.save_draft(text, fields),
        lambda: market.work.open_frame(text),
        lambda: market.work.read_invite(text),
        lambda: market.work.worker_of(text),
        lambda: market.work.groups(known_worker(market), query=text, cursor=text),
        lambda: market.work.history(known_worker(market), status=text, cursor=text),
    )
    for call in calls:
        try:
            call()
        except WorkError as refusal:
            assert str(refusal)
    consistent(market)


def known_worker(market: Bench) -> str:
    """Any worker; one is made for the first example."""
    found = market.market.operator.workers()
    return found[0].worker_id if found else market.worker("fuzz")


PATHS = [
    "/",
    "/join/{}",
    "/sign-in",
    "/mturk/preview?groupId={}",
    "/projects/{}/tasks",
    "/projects/{}/tasks/{}",
    "/projects/{}/accept",
    "/work/{}",
    "/work/{}/return",
    "/work/{}/after",
    "/?sort={}&q={}&min_reward={}&max_minutes={}&cursor={}",
    "/operator/enter?token={}",
    "/{}",
]
FRAMES = ["/frame/{}", "/mturk/externalSubmit", "/mturk/draft", "/mturk/externalSubmit?assignmentId={}", "/{}"]
TEXT = st.text(max_size=12) | st.sampled_from(["3KNOWN", "3HIT", "ASSIGNMENT_ID_NOT_AVAILABLE", "-1", "1e999", "../.."])


@settings(max_examples=120)
@given(
    place=st.sampled_from([(site, path) for site, paths in (("site", PATHS), ("frames", FRAMES)) for path in paths]),
    words=st.lists(TEXT, min_size=5, max_size=5),
    fields=st.lists(st.tuples(TEXT | st.sampled_from(["assignmentId", "name", "password", "hitId"]), TEXT), max_size=4),
    method=st.sampled_from(["GET", "POST"]),
)
def test_no_form_breaks_the_sites(
    market: Bench,
    known: dict[str, str],
    session: str,
    place: tuple[str, str],
    words: list[str],
    fields: list[Any],
    method: str,
) -> None:
    site, path = place
    app = market.market.worker_wsgi if site == "site" else market.market.frame_wsgi
    real = [known.get(word, word) for word in words]
    url = "http://127.0.0.1:8001" + path.format(*(quote(word, safe="") for word in real))
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": f"market_8001={session}"}
    body = urlencode([(name, known.get(value, value)) for name, value in fields]).encode() if method == "POST" else b""
    status, _, content = call_wsgi(app, method, url, headers, body)
    assert status < 500, (method, url, content[:300])
    assert b"Traceback" not in content
    consistent(market)
