"""Markets: names, addresses, state that never mixes, and what AWS's closure looks like."""

import json
import logging
from decimal import Decimal

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.errors import (
    AlreadyExists,
    DoesNotExist,
    InsufficientFunds,
    MarketUnreachable,
    MTurkError,
    RequestRefused,
    WrongState,
)
from galloway.mturk.requester.markets import AWS_CLOSED, resolve_market
from galloway.mturk.requester.money import AWS_FEES, NO_FEES
from galloway.mturk.requester.pace import TokenBucket
from galloway.mturk.requester.refusals import translate

from tests.support.mturk import FakeMarket, in_process_client

AWS = resolve_market("aws")
LOCAL = resolve_market("local", local_endpoint="http://127.0.0.1:5", worker_url="http://127.0.0.1:6/")


def test_local_is_free_and_keeps_its_state_when_the_port_changes() -> None:
    other = resolve_market("local", local_endpoint="http://127.0.0.1:7")
    assert LOCAL.state_key == other.state_key == "local"
    assert not LOCAL.paying
    assert LOCAL.is_loopback
    assert LOCAL.notice is None
    assert LOCAL.fees == NO_FEES


def test_aws_markets_pay_and_say_that_aws_closed() -> None:
    sandbox = resolve_market("aws-sandbox")
    assert (AWS.paying, sandbox.paying) == (True, False)
    assert AWS.notice == sandbox.notice == AWS_CLOSED
    assert "30 September 2026" in AWS_CLOSED
    assert "local" in AWS_CLOSED
    assert AWS.fees == AWS_FEES
    assert len({AWS.state_key, sandbox.state_key, LOCAL.state_key}) == 3


def test_one_endpoint_has_one_state_key() -> None:
    spellings = ["https://Turk.Example.org", "https://turk.example.org/", "https://turk.example.org:443"]
    assert {resolve_market(text).state_key for text in spellings} == {"url:https://turk.example.org"}
    assert resolve_market(spellings[0]).paying
    assert not resolve_market(spellings[0], paying=False).paying
    assert resolve_market("http://127.0.0.1:80").endpoint_url == "http://127.0.0.1"
    assert resolve_market("http://[::1]:8080").is_loopback


@pytest.mark.parametrize(
    "name",
    ["", "amazon", "ftp://x", "https://", "http://turk.example.org", "https://a?b=c", "https://u:p@h", "http://h:x"],
)
def test_names_that_are_no_market(name: str) -> None:
    with pytest.raises(MTurkError):
        resolve_market(name)


def test_a_market_that_is_not_running_says_how_to_start_it() -> None:
    with pytest.raises(MarketUnreachable, match="galloway market serve"):
        MTurkClient(resolve_market("local"))


def test_aws_notice_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        in_process_client(FakeMarket(), market=AWS)
    assert AWS_CLOSED in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://x"),
        ConnectionClosedError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
    ],
)
def test_network_failures_name_the_way_out(error: Exception) -> None:
    assert AWS_CLOSED in str(translate(error, AWS, "create_hit"))  # type: ignore[arg-type]
    local = translate(error, LOCAL, "create_hit")  # type: ignore[arg-type]
    assert isinstance(local, MarketUnreachable)
    assert "galloway market serve" in str(local)
    url = translate(error, resolve_market("https://turk.example.org"), "create_hit")  # type: ignore[arg-type]
    assert isinstance(url, MarketUnreachable)
    assert AWS_CLOSED not in str(url)


def test_missing_keys_and_unsendable_calls() -> None:
    assert "AWS_ACCESS_KEY_ID" in str(translate(NoCredentialsError(), AWS, "x"))
    assert isinstance(translate(ParamValidationError(report="Reward"), LOCAL, "create_hit"), RequestRefused)


@pytest.mark.parametrize(("status", "body"), [(403, b"<html>"), (404, b"gone"), (404, b"{}")])
def test_aws_403_and_404_mean_closed(status: int, body: bytes) -> None:
    client = in_process_client(FakeMarket(), market=AWS, respond=lambda: (status, body))
    with pytest.raises(MarketUnreachable, match="30 September 2026"):
        client.balance()


def test_404_elsewhere_is_not_an_mturk_api() -> None:
    client = in_process_client(FakeMarket(), respond=lambda: (404, b"<html>"))
    with pytest.raises(MarketUnreachable, match="speaks no MTurk API"):
        client.balance()


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("AWS.MechanicalTurk.HITDoesNotExist", "Hit 3X does not exist.", DoesNotExist),
        ("AWS.MechanicalTurk.AssignmentDoesNotExist", "does not exist", DoesNotExist),
        ("AWS.MechanicalTurk.InvalidAssignmentState", "status of: Submitted", WrongState),
        ("AWS.MechanicalTurk.InvalidHITState", "currently in the state", WrongState),
        ("AWS.MechanicalTurk.InsufficientFunds", "insufficient funds", InsufficientFunds),
        ("AWS.MechanicalTurk.QualificationTypeAlreadyExists", "already created", AlreadyExists),
        ("AWS.MechanicalTurk.InvalidParameterValue", "idempotency token", AlreadyExists),
        ("AWS.ParameterOutOfRange", "UniqueRequestToken is too long", RequestRefused),
        ("AWS.MechanicalTurk.InvalidParameterValue", "Reward", RequestRefused),
    ],
)
def test_errors_branch_on_turk_error_code(code: str, message: str, kind: type[Exception]) -> None:
    body = json.dumps({"__type": "RequestError", "Message": message, "TurkErrorCode": code}).encode()
    client = in_process_client(FakeMarket(), respond=lambda: (400, body))
    with pytest.raises(RequestRefused) as caught:
        client.get_hit("3X")
    assert type(caught.value) is kind
    assert caught.value.turk_code == code
    assert caught.value.operation == "get_hit"


@pytest.mark.parametrize("code", ["HitAlreadyExists", "HITAlreadyExists"])
def test_a_used_token_names_its_hit(code: str) -> None:
    hit_id = "3" + "A" * 29
    body = json.dumps(
        {
            "__type": "RequestError",
            "Message": f'The HIT with ID "{hit_id}" already exists. (1619128282649)',
            "TurkErrorCode": f"AWS.MechanicalTurk.{code}",
        }
    ).encode()
    client = in_process_client(FakeMarket(), respond=lambda: (400, body))
    with pytest.raises(AlreadyExists) as caught:
        client.get_hit("3X")
    assert caught.value.hit_id == hit_id


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "ThrottlingException"), (500, "ServiceFault"), (503, "ServiceUnavailable")]
)
def test_busy_markets_are_outages_not_refusals(status: int, kind: str) -> None:
    body = json.dumps({"__type": kind, "Message": "Rate exceeded"}).encode()
    client = in_process_client(FakeMarket(), respond=lambda: (status, body))
    with pytest.raises(MarketUnreachable):
        client.balance()


def test_wrong_keys_are_named() -> None:
    body = json.dumps({"__type": "UnrecognizedClientException", "Message": "no such key"}).encode()
    client = in_process_client(FakeMarket(), respond=lambda: (400, body))
    with pytest.raises(RequestRefused, match="AWS_ACCESS_KEY_ID"):
        client.balance()


def test_balance_as_some_sandboxes_write_it() -> None:
    assert in_process_client(FakeMarket(available="$10,000.00")).balance() == Decimal("10000.00")


def test_token_bucket_paces_exactly() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    bucket = TokenBucket(5.0, clock=lambda: now[0], sleep=sleep)
    times = []
    for _ in range(6):
        bucket.wait()
        times.append(round(now[0], 6))
    assert times == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    now[0] += 60
    assert [bucket.wait(), round(bucket.wait(), 6)] == [0.0, 0.2]


def test_remote_calls_are_paced_and_local_ones_are_not() -> None:
    waits: list[float] = []
    fake = FakeMarket()
    fake.page = 1
    client = in_process_client(fake, market=resolve_market("https://turk.example.org"))
    client._pace = TokenBucket(5.0, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(3):
        client.balance()
    assert [round(wait, 3) for wait in waits] == [0.2, 0.4]
    assert in_process_client(fake)._pace is None


def test_a_page_token_that_comes_twice_is_an_error() -> None:
    body = json.dumps({"HITs": [], "NumResults": 0, "NextToken": "again"}).encode()
    client = in_process_client(FakeMarket(), respond=lambda: (200, body))
    with pytest.raises(MarketUnreachable, match="in circles"):
        list(client.list_hits())
