"""The loops of programs that were written for Mechanical Turk: create, answer, list, decide, dispose.

They take `NextToken` of every page that holds something, unasked, and end at an empty one (Mephisto's
`get_outstanding_hits` and oTree's `get_all_assignments` do); or they end where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.marketplace import Bench

Loop = Callable[..., Iterator[dict[str, Any]]]


def unasked(call: Callable[..., dict[str, Any]], key: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Takes the token without looking whether it is there."""
    page = call(**params)
    while len(page[key]) > 0:
        yield from page[key]
        page = call(NextToken=page["NextToken"], **params)


def asked(call: Callable[..., dict[str, Any]], key: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Goes on while there is a token."""
    page = call(**params)
    yield from page[key]
    while page.get("NextToken"):
        page = call(NextToken=page["NextToken"], **params)
        yield from page[key]


@pytest.mark.parametrize("loop", [unasked, asked])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_create_answer_list_decide_dispose(bench: Bench, loop: Loop, size: int) -> None:
    client = bench.client
    made = [bench.hit(MaxAssignments=2)["HITId"] for _ in range(3)]
    workers = [bench.worker("ann"), bench.worker("ben")]
    for hit in made:
        for worker in workers:
            bench.done(hit, worker, answer="yes")
    found = list(loop(client.list_hits, "HITs", MaxResults=size))
    assert sorted(hit["HITId"] for hit in found) == sorted(made)
    assert len(list(loop(client.list_reviewable_hits, "HITs", MaxResults=size))) == 3
    for hit in made:
        asks = {"HITId": hit, "MaxResults": size, "AssignmentStatuses": ["Submitted", "Approved", "Rejected"]}
        work = list(loop(client.list_assignments_for_hit, "Assignments", **asks))
        assert sorted(one["WorkerId"] for one in work) == sorted(workers)
        client.approve_assignment(AssignmentId=work[0]["AssignmentId"])
        client.reject_assignment(AssignmentId=work[1]["AssignmentId"], RequesterFeedback="Not looked at")
        client.send_bonus(
            WorkerId=work[0]["WorkerId"], AssignmentId=work[0]["AssignmentId"], BonusAmount="0.10", Reason="Well done"
        )
        paid = loop(client.list_bonus_payments, "BonusPayments", HITId=hit, MaxResults=size)
        assert [one["BonusAmount"] for one in paid] == ["0.10"]
    for hit in loop(client.list_hits, "HITs", MaxResults=size):
        try:
            client.delete_hit(HITId=hit["HITId"])
        except ClientError:  # as Mephisto does, with a date long ago and no zone
            client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=datetime(2015, 1, 1))
            client.delete_hit(HITId=hit["HITId"])
    assert list(loop(client.list_hits, "HITs", MaxResults=size)) == []


@pytest.mark.parametrize("loop", [unasked, asked])
def test_lists_of_people_and_qualifications(bench: Bench, loop: Loop) -> None:
    client = bench.client
    types = [
        client.create_qualification_type(Name=f"Q{number}", Description="d", QualificationTypeStatus="Active")[
            "QualificationType"
        ]["QualificationTypeId"]
        for number in range(3)
    ]
    workers = [bench.worker(name) for name in ("ann", "ben", "cem")]
    for worker in workers:
        client.associate_qualification_with_worker(QualificationTypeId=types[0], WorkerId=worker, IntegerValue=1)
        client.create_worker_block(WorkerId=worker, Reason="r")
        bench.work.request_qualification(worker, types[1])
    needs = [{"QualificationTypeId": types[0], "Comparator": "Exists"}]
    for number in range(3):
        bench.hit(QualificationRequirements=needs, RequesterAnnotation=str(number))
    lists = (
        (
            client.list_qualification_types,
            "QualificationTypes",
            {"MustBeRequestable": False, "MustBeOwnedByCaller": True},
        ),
        (client.list_workers_with_qualification_type, "Qualifications", {"QualificationTypeId": types[0]}),
        (client.list_worker_blocks, "WorkerBlocks", {}),
        (client.list_hits_for_qualification_type, "HITs", {"QualificationTypeId": types[0]}),
        (client.list_qualification_requests, "QualificationRequests", {"QualificationTypeId": types[1]}),
    )
    for call, key, params in lists:
        for size in (1, 3, 100):
            assert len(list(loop(call, key, MaxResults=size, **params))) == 3, key
