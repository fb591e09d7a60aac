"""An appeal is decided once, by somebody else than who rejected, with an answer of substance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.office.operator import Operator

from tests.support.marketplace import Bench, start_bench

ANSWER = (
    "The page asked for every face of one person; all twelve were marked although three of them show somebody else, as "
    "you can see beside the photograph."
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = start_bench(tmp_path, requester="Ada")
    yield made
    made.market.close()


def _appealed(bench: Bench) -> tuple[Operator, str, str]:
    worker = bench.worker()
    assignment = bench.done(bench.hit()["HITId"], worker)
    bench.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="empty")
    bench.work.appeal(worker, assignment, "I marked three faces.")
    return Operator(bench.market.store), worker, assignment


def test_somebody_else_decides_and_the_worker_is_paid_and_told(bench: Bench) -> None:
    desk, worker, assignment = _appealed(bench)
    assert [row.assignment_id for row in desk.appeals()] == [assignment]
    with pytest.raises(OperatorError, match="decided by somebody else"):
        desk.decide_appeal(assignment, pay=True, answer="", by=" ada ")
    desk.decide_appeal(assignment, pay=True, answer="You did.", by="Ann")
    record = bench.work.record(worker, assignment)
    assert record.status == "Approved" and record.appeal is not None and record.appeal.answer == "You did."
    assert [message.text for message in bench.work.messages(worker)] == ["You were right: the work is paid. You did."]
    assert desk.appeals() == ()
    with pytest.raises(OperatorError, match="No appeal is open"):
        desk.decide_appeal(assignment, pay=False, answer=ANSWER, by="Ann")


def test_against_the_worker_only_with_a_reason_of_substance(bench: Bench) -> None:
    desk, worker, assignment = _appealed(bench)
    for answer, by in (("no", "Ann"), ("x" + " " * 200, "Ann"), (ANSWER, " ")):
        with pytest.raises(OperatorError, match="at least 100 characters"):
            desk.decide_appeal(assignment, pay=False, answer=answer, by=by)
    desk.decide_appeal(assignment, pay=False, answer=ANSWER, by="Ann")
    record = bench.work.record(worker, assignment)
    assert record.status == "Rejected" and record.appeal is not None and record.appeal.decided_at is not None
    assert desk.appeals() == ()


def test_a_rejection_is_shown_beside_the_task(bench: Bench) -> None:
    session = bench.work.join(bench.work.invite().token, name="bea", password="correct horse")
    assignment = bench.done(bench.hit()["HITId"], session.worker.worker_id)
    client = bench.market.worker_wsgi.test_client()  # type: ignore[attr-defined]
    client.post("/sign-in", data={"name": "bea", "password": "correct horse"})
    assert "once more" not in client.get(f"/history/{assignment}").text
    bench.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="Nothing was marked.")
    page = client.get(f"/history/{assignment}").text
    assert "Nothing was marked." in page and 'title="The task once more"' in page
    refused = client.post(f"/history/{assignment}/appeal", data={"text": ""})
    assert refused.status_code == 422 and 'title="The task once more"' in refused.text


def test_the_task_is_shown_beside_the_rejection_also_to_who_gets_no_more_of_them(bench: Bench) -> None:
    session = bench.work.join(bench.work.invite().token, name="cy", password="correct horse")
    worker = session.worker.worker_id
    assignment = bench.done(bench.hit()["HITId"], worker)
    bench.client.create_worker_block(WorkerId=worker, Reason="no more")
    client = bench.market.worker_wsgi.test_client()  # type: ignore[attr-defined]
    client.post("/sign-in", data={"name": "cy", "password": "correct horse"})
    bench.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="Nothing was marked.")
    page = client.get(f"/history/{assignment}").text
    assert "Nothing was marked." in page and 'title="The task once more"' in page
    bench.client.approve_assignment(AssignmentId=assignment, OverrideRejection=True)
    assert 'title="The task once more"' not in client.get(f"/history/{assignment}").text
