"""Assignments, pay and bonuses through boto3."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.office.operator import Operator

from tests.support.marketplace import Bench, fails


def test_answers_come_back_as_they_were_written(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    held = bench.work.accept(bench.worker(), hit_id=hit)
    fields = [("assignmentId", held.assignment_id), ("face.k1", "keep"), ("comment", "<&>\x0b\r\nä"), ("two", "a")]
    bench.work.submit(held.assignment_id, [*fields, ("two", "b"), ("hitId", hit), ("workerId", "A1")])
    assignment = bench.client.get_assignment(AssignmentId=held.assignment_id)["Assignment"]
    assert "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01" in assignment["Answer"]
    from galloway.mturk.marketplace.rules.answers import read_answers

    assert read_answers(assignment["Answer"]) == {
        "face.k1": ("keep",),
        "comment": ("<&>\r\nä",),
        "two": ("a|b",),
    }


def test_get_assignment_only_after_submission(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    held = bench.work.accept(bench.worker(), hit_id=hit).assignment_id
    with fails("InvalidAssignmentState", "called with a status of: Reviewable,Approved,Rejected"):
        bench.client.get_assignment(AssignmentId=held)
    bench.clock.forward(seconds=90)
    bench.work.submit(held, [("q", "1")])
    found = bench.client.get_assignment(AssignmentId=held)
    assert found["HIT"]["HITId"] == hit
    assignment = found["Assignment"]
    assert assignment["AssignmentStatus"] == "Submitted"
    assert assignment["SubmitTime"] - assignment["AcceptTime"] == timedelta(seconds=90)
    assert assignment["AutoApprovalTime"] - assignment["SubmitTime"] == timedelta(days=30)
    assert assignment["Deadline"] - assignment["AcceptTime"] == timedelta(seconds=600)
    for name in ("3NOBODY", bench.hit(bench.requester("Bob"))["HITId"]):
        with fails("AssignmentDoesNotExist", "does not exist"):
            bench.client.get_assignment(AssignmentId=name)


def test_approve_twice_and_reject_after_approve_are_refused(bench: Bench) -> None:
    done = bench.done(bench.hit()["HITId"], bench.worker())
    bench.client.approve_assignment(AssignmentId=done, RequesterFeedback="well done")
    with fails("InvalidAssignmentState", "This operation can be called with a status of: Submitted"):
        bench.client.approve_assignment(AssignmentId=done)
    with fails("InvalidAssignmentState"):
        bench.client.reject_assignment(AssignmentId=done, RequesterFeedback="no")
    assignment = bench.client.get_assignment(AssignmentId=done)["Assignment"]
    assert (assignment["AssignmentStatus"], assignment["RequesterFeedback"]) == ("Approved", "well done")
    assert assignment["ApprovalTime"] == bench.clock.now


def test_a_rejection_can_be_overridden_for_30_days(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    first, second = (bench.done(hit, bench.worker(name)) for name in ("ann", "ben"))
    for done in (first, second):
        bench.client.reject_assignment(AssignmentId=done, RequesterFeedback="all the same")
    with fails("InvalidAssignmentState"):
        bench.client.approve_assignment(AssignmentId=first)
    bench.clock.forward(days=30)
    bench.client.approve_assignment(AssignmentId=first, OverrideRejection=True)
    assignment = bench.client.get_assignment(AssignmentId=first)["Assignment"]
    assert assignment["AssignmentStatus"] == "Approved" and "RejectionTime" not in assignment
    bench.clock.forward(seconds=1)
    with fails("InvalidAssignmentState", "30 days"):
        bench.client.approve_assignment(AssignmentId=second, OverrideRejection=True)
    assert bench.status(hit)[3] == 2


def test_work_is_approved_by_itself(bench: Bench) -> None:
    hit = bench.hit(AutoApprovalDelayInSeconds=3600)["HITId"]
    approved, rejected = (bench.done(hit, bench.worker(name)) for name in ("ann", "ben"))
    bench.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    due = bench.clock.now + timedelta(hours=1)
    bench.clock.forward(hours=5)
    assignment = bench.client.get_assignment(AssignmentId=approved)["Assignment"]
    assert (assignment["AssignmentStatus"], assignment["ApprovalTime"]) == ("Approved", due)
    assert bench.client.get_assignment(AssignmentId=rejected)["Assignment"]["AssignmentStatus"] == "Rejected"


def test_zero_delay_approves_at_submission(bench: Bench) -> None:
    hit = bench.hit(AutoApprovalDelayInSeconds=0, MaxAssignments=1)["HITId"]
    done = bench.done(hit, bench.worker())
    assert bench.client.get_assignment(AssignmentId=done)["Assignment"]["AssignmentStatus"] == "Approved"
    assert bench.status(hit) == ("Reviewable", 0, 0, 1)


def test_lists_by_status_in_the_order_of_submission(bench: Bench) -> None:
    hit = bench.hit(MaxAssignments=9)["HITId"]
    held = [bench.work.accept(bench.worker(f"w{number}"), hit_id=hit).assignment_id for number in range(5)]
    order = [held[place] for place in (3, 0, 4, 1)]
    for name in order:
        bench.clock.forward(seconds=1)
        bench.work.submit(name, [("q", "1")])
    bench.client.approve_assignment(AssignmentId=order[0])
    bench.client.reject_assignment(AssignmentId=order[1], RequesterFeedback="no")

    def listed(**more: Any) -> list[str]:
        pages = bench.client.get_paginator("list_assignments_for_hit").paginate(HITId=hit, **more)
        return [item["AssignmentId"] for page in pages for item in page["Assignments"]]

    assert listed() == listed(PaginationConfig={"PageSize": 1}) == order
    assert listed(AssignmentStatuses=["Submitted"]) == order[2:]
    assert listed(AssignmentStatuses=["Approved", "Rejected"]) == order[:2]
    with fails("HITDoesNotExist"):
        bench.requester("Bob").list_assignments_for_hit(HITId=hit)


def test_bonus_is_paid_once(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    done = bench.done(hit, worker)
    bonus = {"WorkerId": worker, "AssignmentId": done, "BonusAmount": "0.5", "Reason": "careful"}
    bench.client.send_bonus(**bonus, UniqueRequestToken="bonus-1")
    for _ in range(2):
        with fails("DuplicateRequest", 'The idempotency token "bonus-1" has already been processed.') as refused:
            bench.client.send_bonus(**bonus, UniqueRequestToken="bonus-1")
    assert "request ID" in refused["Message"]
    bench.client.send_bonus(**bonus)
    payments = bench.client.list_bonus_payments(HITId=hit)["BonusPayments"]
    assert [payment["BonusAmount"] for payment in payments] == ["0.50", "0.50"]
    pages = bench.client.get_paginator("list_bonus_payments").paginate(
        AssignmentId=done, PaginationConfig={"PageSize": 1}
    )
    assert [page["NumResults"] for page in pages] == [1, 1, 0]
    assert bench.work.earnings(worker).bonuses == 1


def test_bonus_refusals(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit).assignment_id
    bonus: dict[str, Any] = {"WorkerId": worker, "AssignmentId": held, "BonusAmount": "0.05", "Reason": "r"}
    with fails("AssignmentDoesNotExist", f"Assignment {held} does not exist."):
        bench.client.send_bonus(**bonus)
    bench.work.submit(held, [("q", "1")])
    with fails("InvalidParameterValue", "was not done by worker"):
        bench.client.send_bonus(**{**bonus, "WorkerId": bench.worker("ben")})
    with fails("ParameterOutOfRange"):
        bench.client.send_bonus(**{**bonus, "BonusAmount": "0.00"})
    with fails("InvalidParameterValue"):
        bench.client.send_bonus(**{**bonus, "Reason": " "})
    with fails("InvalidParameterValue", "Exactly one of HITId and AssignmentId"):
        bench.client.list_bonus_payments()
    with fails("InvalidParameterValue"):
        bench.client.list_bonus_payments(HITId=hit, AssignmentId=held)


def test_uploaded_files_are_gone_since_2017(bench: Bench) -> None:
    done = bench.done(bench.hit()["HITId"], bench.worker())
    with fails("InvalidParameterValue", "FileUploadAnswer"):
        bench.client.get_file_upload_url(AssignmentId=done, QuestionIdentifier="q")
    with fails("AssignmentDoesNotExist"):
        bench.client.get_file_upload_url(AssignmentId="3NOBODY", QuestionIdentifier="q")


def test_the_sandbox_balance_never_changes(bench: Bench) -> None:
    done = bench.done(bench.hit(Reward="900")["HITId"], bench.worker())
    bench.client.approve_assignment(AssignmentId=done)
    assert bench.client.get_account_balance()["AvailableBalance"] == "10000.00"


def balance(bench: Bench) -> tuple[str, str]:
    found = bench.client.get_account_balance()
    return found["AvailableBalance"], found["OnHoldBalance"]


def test_the_ledger_holds_pays_and_releases(start: Any) -> None:
    bench = start(sandbox=False, fee_percent=20)
    with fails("InsufficientFunds", "insufficient funds in their account"):
        bench.hit(Reward="0.05")
    bench.market.operator.fund("Ada", "1.00")
    hit, worker = bench.hit(Reward="0.05", MaxAssignments=3)["HITId"], bench.worker()
    assert balance(bench) == ("0.82", "0.18")
    done = bench.done(hit, worker)
    bench.client.approve_assignment(AssignmentId=done)
    assert balance(bench) == ("0.82", "0.12")
    bench.client.reject_assignment(AssignmentId=bench.done(hit, bench.worker("ben")), RequesterFeedback="no")
    assert balance(bench) == ("0.88", "0.06")
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    assert balance(bench) == ("0.94", "0.00")
    bench.client.send_bonus(WorkerId=worker, AssignmentId=done, BonusAmount="0.50", Reason="good")
    assert balance(bench) == ("0.34", "0.00")
    with fails("InsufficientFunds"):
        bench.client.send_bonus(WorkerId=worker, AssignmentId=done, BonusAmount="0.30", Reason="good")
    with fails("InsufficientFunds"):
        bench.hit(Reward="0.10", MaxAssignments=10)
    assert bench.client.list_hits()["NumResults"] == 1, "a HIT that could not be funded was not made"


def test_accounts_are_kept_by_every_process_of_a_market_that_keeps_any(start: Any) -> None:
    """A command paid somebody after an appeal, and nobody's account was debited: only the server knew of accounts."""
    bench = start(sandbox=False)
    bench.market.operator.fund("Ada", "1.00")
    worker = bench.worker()
    done = bench.done(bench.hit(Reward="0.20", MaxAssignments=1)["HITId"], worker)
    bench.client.reject_assignment(AssignmentId=done, RequesterFeedback="no")
    bench.work.appeal(worker, done, "I did it right")
    command = open_store(replace(bench.market.config, sandbox=True))
    try:
        assert not command.config.sandbox
        Operator(command).decide_appeal(done, pay=True, answer="yes", by="Zoe")
        assert balance(bench) == ("0.80", "0.00")
        bench.hit(Reward="0.10", MaxAssignments=2, LifetimeInSeconds=60)
        assert balance(bench) == ("0.60", "0.20")
        bench.clock.forward(seconds=90)
        Operator(command).requesters()
        assert balance(bench) == ("0.80", "0.00"), "what is over frees its money, whoever notices first"
    finally:
        command.engine.dispose()


def test_overriding_a_rejection_needs_money(start: Any) -> None:
    bench = start(sandbox=False)
    bench.market.operator.fund("Ada", "0.15")
    done = bench.done(bench.hit(Reward="0.15", MaxAssignments=1)["HITId"], bench.worker())
    bench.client.reject_assignment(AssignmentId=done, RequesterFeedback="no")
    bench.hit(Reward="0.15", MaxAssignments=1)
    with fails("InsufficientFunds"):
        bench.client.approve_assignment(AssignmentId=done, OverrideRejection=True)
    assert bench.client.get_assignment(AssignmentId=done)["Assignment"]["AssignmentStatus"] == "Rejected"
    bench.market.operator.fund("Ada", "0.15")
    bench.client.approve_assignment(AssignmentId=done, OverrideRejection=True)
    assert balance(bench) == ("0.00", "0.15")
