"""The protocol itself: signatures, errors, throttling, and what botocore lets through but MTurk refused."""

from __future__ import annotations

import dataclasses
import json
import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import sqlalchemy as sa
from defusedxml import ElementTree
from galloway.mturk.marketplace.model import TARGET, service_model
from galloway.mturk.marketplace.operations import OPERATIONS

from tests.support.marketplace import Bench, call_wsgi, fails, mturk_client

URL = "http://market.test/"
LONG = "x" * 5000


def raw(
    bench: Bench,
    operation: str,
    body: bytes = b"{}",
    *,
    key: str = "",
    secret: str = "",
    tamper: dict[str, str] | None = None,
    method: str = "POST",
    service: str = "mturk-requester",
) -> tuple[int, Any]:
    """(status, parsed body) of a signed request with any body; `tamper` changes headers after signing."""
    request = botocore.awsrequest.AWSRequest(
        method, URL, headers={"X-Amz-Target": f"{TARGET}.{operation}", "Host": "market.test"}, data=body
    )
    credentials = botocore.credentials.Credentials(key or bench.key, secret or bench.secret)
    botocore.auth.SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in {**dict(request.headers), **(tamper or {})}.items()}
    status, _, content = call_wsgi(bench.market.api_wsgi, method, URL, headers, body)
    return status, json.loads(content)


def test_all_39_operations_are_there() -> None:
    assert set(OPERATIONS) == set(service_model().operation_names) and len(OPERATIONS) == 39


def test_a_good_signature_from_any_region(bench: Bench) -> None:
    status, answer = raw(bench, "GetAccountBalance")
    assert (status, answer) == (200, {"AvailableBalance": "10000.00"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key": "GLWYUNKNOWN"}, "UnrecognizedClientException"),
        ({"tamper": {"X-Amz-Target": f"{TARGET}.DeleteHIT"}}, "InvalidSignatureException"),
        ({"tamper": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}}, "IncompleteSignatureException"),
        ({"tamper": {"Authorization": ""}}, "MissingAuthenticationTokenException"),
        ({"tamper": {"X-Amz-Date": "today"}}, "IncompleteSignatureException"),
        ({"service": "s3"}, "IncompleteSignatureException"),
    ],
)
def test_signatures_that_are_refused(bench: Bench, change: dict[str, Any], code: str) -> None:
    status, answer = raw(bench, "GetAccountBalance", **change)
    assert (status, answer["__type"]) == (400, code)


def test_the_api_before_2017_answers_as_the_service_did(bench: Bench) -> None:
    query = "Service=AWSMechanicalTurkRequester&Version=2014-08-15&Operation=GetAccountBalance"
    form = {"content-type": "application/x-www-form-urlencoded"}
    for asked in (("GET", f"{URL}?{query}", {}, b""), ("POST", URL, form, query.encode())):
        status, headers, content = call_wsgi(bench.market.api_wsgi, *asked)
        assert (status, headers["Content-Type"]) == (403, "text/xml")
        error = ElementTree.fromstring(content).find("Errors/Error")
        assert error is not None
        assert error.findtext("Code") == "Forbidden"
        assert "no longer supported" in error.findtext("Message", "")


def test_a_changed_body_is_refused(bench: Bench) -> None:
    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace(b"mine", b"evil") if request.body else request.body

    client = mturk_client(bench.market.api_wsgi, bench.key, bench.secret)
    client.meta.events.register_first("before-send", change)
    with fails("InvalidSignatureException"):
        client.create_worker_block(WorkerId="A1", Reason="mine")


def test_old_and_future_signatures_are_refused(start: Any) -> None:
    bench = start(clock_skew_seconds=900)
    for shift, code in ((0, None), (-14, None), (-16, "expired"), (16, "expired")):
        bench.clock.now = datetime.now(UTC) - timedelta(minutes=shift)
        status, answer = raw(bench, "GetAccountBalance")
        assert status == (400 if code else 200), (shift, answer)
    assert "Signature expired" in answer["Message"]


def test_unverified_signatures_still_name_a_requester(start: Any) -> None:
    bench = start(verify_signatures=False)
    assert raw(bench, "GetAccountBalance", secret="wrong")[0] == 200
    assert raw(bench, "GetAccountBalance", key="GLWYUNKNOWN")[0] == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"MaxResults": NaN}', "SerializationException"),
        (b'{"MaxResults": "5"}', "SerializationException"),
        (b'{"MaxResults": 1.5}', "SerializationException"),
        (b'{"MaxResults": true}', "SerializationException"),
        (b'{"MaxResults": 99999999999999999999}', "SerializationException"),
        (b'{"MaxResults": 101}', "ValidationException"),
        (b'{"MaxResults": 0}', "ValidationException"),
        (b'{"NextToken": ""}', "ValidationException"),
        (b'{"NextToken": "\\ud800"}', "SerializationException"),
        (b'{"NextToken": "\\u0000"}', "SerializationException"),
    ],
)
def test_bodies_that_are_refused(bench: Bench, body: bytes, code: str) -> None:
    status, answer = raw(bench, "ListHITs", body)
    assert (status, answer["__type"]) == (400, code)


def test_unknown_members_and_nulls_are_ignored(bench: Bench) -> None:
    assert raw(bench, "ListHITs", b'{"Later": 1, "MaxResults": null}')[0] == 200
    assert raw(bench, "ListHITs", b"")[0] == 200


def test_targets_and_sizes(bench: Bench) -> None:
    assert raw(bench, "GetEverything")[1]["__type"] == "UnknownOperationException"
    assert raw(bench, "ListHITs", b" " * (2 * 1024 * 1024 + 1))[1]["__type"] == "RequestEntityTooLargeException"
    status, _, content = call_wsgi(bench.market.api_wsgi, "GET", URL, {}, b"")
    assert status == 200 and b"boto3" in content


def test_times_may_be_numbers_or_iso_text(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    for moment in ("2026-11-22T07:30:00Z", "1795332600", 1795332600, 1795332600.5, 1.7953326e9):
        given = moment if not (isinstance(moment, str) and moment.isdigit()) else int(moment)
        assert raw(bench, "UpdateExpirationForHIT", json.dumps({"HITId": hit, "ExpireAt": given}).encode())[0] == 200
    for wrong in ("soon", True, 1e300, []):
        body = json.dumps({"HITId": hit, "ExpireAt": wrong}).encode()
        assert raw(bench, "UpdateExpirationForHIT", body)[1]["__type"] == "SerializationException"


REFUSED = [
    ("list_reviewable_hits", {"Status": "Nope"}, "ValidationException", "enum value set: [Reviewable, Reviewing]"),
    ("list_hits", {"MaxResults": 500}, "ValidationException", "less than or equal to 100"),
    ("get_hit", {"HITId": "lower case!"}, "ValidationException", "^[A-Z0-9]+$"),
    ("get_hit", {"HITId": "X" * 65}, "ValidationException", "length less than or equal to 64"),
    ("create_hit_type", {"Reward": "$1.234"}, "ValidationException", "regular expression"),
    ("create_hit_type", {"Reward": "-1"}, "ValidationException", "regular expression"),
    ("create_hit_type", {"Reward": "0.123"}, "ValidationException", "regular expression"),
    ("create_hit_type", {"Reward": "9" * 40}, "ParameterOutOfRange", "Reward"),
    ("create_hit_type", {"Title": "x" * 129}, "InvalidParameterValue", "128"),
    ("create_hit_type", {"Title": " "}, "InvalidParameterValue", "Title"),
    ("create_hit_type", {"Description": "x" * 2001}, "InvalidParameterValue", "2000"),
    ("create_hit_type", {"Keywords": "x" * 1001}, "InvalidParameterValue", "1000"),
    ("create_hit_type", {"AssignmentDurationInSeconds": 29}, "ParameterOutOfRange", "30"),
    ("create_hit_type", {"AssignmentDurationInSeconds": 31_536_001}, "ParameterOutOfRange", "31536000"),
    ("create_hit_type", {"AutoApprovalDelayInSeconds": 2_592_001}, "ParameterOutOfRange", "2592000"),
    ("create_hit_type", {"AutoApprovalDelayInSeconds": -1}, "ParameterOutOfRange", "between 0"),
    ("list_worker_blocks", {"NextToken": "x" * 256}, "ValidationException", "255"),
    ("create_worker_block", {"WorkerId": "B1", "Reason": "r"}, "InvalidParameterValue", "WorkerId is invalid."),
    ("create_worker_block", {"WorkerId": "A0X", "Reason": "r" * 2001}, "WorkerDoesNotExist", ""),
    ("list_qualification_requests", {"QualificationTypeId": "x"}, "ValidationException", ""),
    ("send_bonus", {"UniqueRequestToken": "x" * 65}, "ValidationException", "64"),
    ("create_qualification_type", {"QualificationTypeStatus": "Off"}, "ValidationException", "Active, Inactive"),
    ("create_qualification_type", {"Name": "x" * 201}, "InvalidParameterValue", "200"),
    ("create_qualification_type", {"Name": " "}, "InvalidParameterValue", "Name"),
    ("create_qualification_type", {"RetryDelayInSeconds": -1}, "ParameterOutOfRange", "Retry"),
    ("create_qualification_type", {"TestDurationInSeconds": 0}, "ParameterOutOfRange", "Test"),
    ("get_qualification_type", {"QualificationTypeId": "3NOBODY"}, "QualificationTypeDoesNotExist", ""),
    ("list_review_policy_results_for_hit", {"HITId": "3NOBODY"}, "HITDoesNotExist", "does not exist"),
    ("list_review_policy_results_for_hit", {"HITId": "3X", "PolicyLevels": ["Worker"]}, "ValidationException", ""),
    ("send_test_event_notification", {"TestEventType": "Nothing"}, "ValidationException", "Ping"),
]
FILLED: dict[str, dict[str, Any]] = {
    "create_hit_type": {"Title": "t", "Description": "d", "Reward": "0.01", "AssignmentDurationInSeconds": 60},
    "send_bonus": {"WorkerId": "A1", "BonusAmount": "1", "AssignmentId": "3X", "Reason": "r"},
    "create_qualification_type": {"Name": "n", "Description": "d", "QualificationTypeStatus": "Active"},
    "send_test_event_notification": {
        "Notification": {
            "Destination": "https://example.org",
            "Transport": "SQS",
            "Version": "2014-08-15",
            "EventTypes": ["HITCreated"],
        }
    },
}


@pytest.mark.parametrize(("method", "change", "code", "words"), REFUSED)
def test_values_that_mturk_refused(bench: Bench, method: str, change: dict[str, Any], code: str, words: str) -> None:
    with fails(code, words):
        getattr(bench.client, method)(**{**FILLED.get(method, {}), **change})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"RequesterAnnotation": "x" * 256}, "InvalidParameterValue"),
        ({"MaxAssignments": 0}, "ParameterOutOfRange"),
        ({"MaxAssignments": 1_000_000_001}, "ParameterOutOfRange"),
        ({"LifetimeInSeconds": 29}, "ParameterOutOfRange"),
        ({"LifetimeInSeconds": 31_536_001}, "ParameterOutOfRange"),
        ({"UniqueRequestToken": "x" * 65}, "ValidationException"),
        ({"HITLayoutParameters": [{"Name": "a", "Value": "b"}]}, "InvalidParameterValue"),
    ],
)
def test_hits_that_mturk_refused(bench: Bench, change: dict[str, Any], code: str) -> None:
    with fails(code):
        bench.hit(**change)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_names_its_missing_members(bench: Bench, name: str) -> None:
    from galloway.mturk.marketplace.model import service_model

    required = service_model().operation_model(name).input_shape.required_members
    status, answer = raw(bench, name)
    if required:
        assert (status, answer["__type"]) == (400, "ValidationException") and "must not be null" in answer["Message"]
    else:
        assert status == 200 or answer["__type"] == "RequestError"


@pytest.mark.parametrize(("sandbox", "end"), [(True, " s)"), (False, ")")])
def test_messages_end_as_recorded(start: Any, sandbox: bool, end: str) -> None:
    bench = start(sandbox=sandbox)
    stamp = round(bench.clock.now.timestamp() * 1000)
    assert raw(bench, "GetHIT", b'{"HITId": "3X"}')[1]["Message"] == f"Hit 3X does not exist. ({stamp}{end}"


def test_throttling_has_its_own_error(start: Any) -> None:
    bench = start(throttle_tps=2)
    codes = [raw(bench, "GetAccountBalance")[1].get("__type") for _ in range(3)]
    assert codes == [None, None, "ThrottlingException"]
    bench.clock.forward(seconds=1)
    assert raw(bench, "GetAccountBalance")[0] == 200


def test_our_own_failures_are_faults_without_traces(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    broken = dataclasses.replace(OPERATIONS["GetAccountBalance"], run=lambda call: {"Balance": 1 / 0})
    from galloway.mturk.marketplace.wire import Wire

    wire = Wire(bench.market.store, operations={**OPERATIONS, "GetAccountBalance": broken})
    client = mturk_client(wire, bench.key, bench.secret)
    with caplog.at_level(logging.CRITICAL), fails("ServiceFault") as refused:
        client.get_account_balance()
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 500 and "ZeroDivision" not in refused["Message"]


def test_a_full_disk_is_a_fault_without_a_traceback(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> Any:
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(bench.market.store, "read", full)
    status, answer = raw(bench, "GetAccountBalance")
    assert (status, answer["__type"]) == (500, "ServiceFault")
    (told,) = [record for record in caplog.records if "does not answer" in record.message]
    assert "disk is full" in told.message and told.exc_info is None and "INSERT" not in told.message
