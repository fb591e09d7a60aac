"""Notifications: settings, the outbox, delivery over SQS, SNS and webhooks, and the guard in front of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from galloway.mturk.marketplace.courier import Courier, NotDelivered, send
from moto.server import ThreadedMotoServer

from tests.support.marketplace import Bench, fails

EVENTS = [
    "AssignmentAccepted",
    "AssignmentAbandoned",
    "AssignmentReturned",
    "AssignmentSubmitted",
    "AssignmentRejected",
    "AssignmentApproved",
    "HITCreated",
    "HITExpired",
    "HITReviewable",
    "HITExtended",
    "HITDisposed",
]
HOOK = "https://hooks.example.org/mturk"


def spec(destination: str = HOOK, transport: str = "SQS", events: list[str] = EVENTS) -> dict[str, Any]:
    return {"Destination": destination, "Transport": transport, "Version": "2014-08-15", "EventTypes": events}


def hit_type(bench: Bench) -> str:
    kind: str = bench.client.create_hit_type(
        Title="Faces", Description="d", Reward="0.05", AssignmentDurationInSeconds=60
    )["HITTypeId"]
    return kind


class Recorder:
    """A sender that keeps what it was given, or fails."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.events: list[dict[str, Any]] = []

    def __call__(self, _config: Any, row: Any, _secret: str) -> None:
        if self.failures:
            self.failures -= 1
            raise NotDelivered("the door is closed")
        self.events.extend(json.loads(row["body"])["Events"])


def hit_of(bench: Bench, kind: str, **more: Any) -> str:
    made: str = bench.hit(
        Title="Faces", Description="d", Keywords=None, Reward="0.05", AssignmentDurationInSeconds=60, **more
    )["HITId"]
    assert bench.client.get_hit(HITId=made)["HIT"]["HITTypeId"] == kind
    return made


def happen(bench: Bench, **to: Any) -> None:
    """One HITCreated for the destination in the outbox."""
    kind = hit_type(bench)
    bench.client.update_notification_settings(HITTypeId=kind, Notification=spec(events=["HITCreated"], **to))
    hit_of(bench, kind)


def ping(bench: Bench, destination: str = HOOK, transport: str = "SQS", event: str = "Ping") -> None:
    bench.client.send_test_event_notification(Notification=spec(destination, transport), TestEventType=event)


def test_every_event_reaches_the_outbox(bench: Bench) -> None:
    kind = hit_type(bench)
    bench.client.update_notification_settings(HITTypeId=kind, Notification=spec())
    hit = hit_of(bench, kind, MaxAssignments=4, LifetimeInSeconds=300)
    workers = [bench.worker(name) for name in ("ann", "ben", "cyd", "dan")]
    bench.work.return_(workers[0], bench.work.accept(workers[0], hit_id=hit).assignment_id)
    bench.client.approve_assignment(AssignmentId=bench.done(hit, workers[1]))
    bench.client.reject_assignment(AssignmentId=bench.done(hit, workers[2]), RequesterFeedback="no")
    bench.work.accept(workers[3], hit_id=hit)
    bench.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=1)
    bench.clock.forward(minutes=6)
    bench.client.delete_hit(HITId=hit)
    recorder = Recorder()
    assert Courier(bench.market.store, recorder).deliver() == len(recorder.events)
    assert {event["EventType"] for event in recorder.events} == set(EVENTS)
    for event in recorder.events:
        assert event["HITId"] == hit and event["HITTypeId"] == kind
        assert ("AssignmentId" in event) == event["EventType"].startswith("Assignment")
    assert Courier(bench.market.store, recorder).deliver() == 0, "what arrived is not sent again"


def test_settings_switch_replace_and_belong_to_one_requester(bench: Bench) -> None:
    kind, recorder = hit_type(bench), Recorder()
    with fails("InvalidParameterValue", "no notification"):
        bench.client.update_notification_settings(HITTypeId=kind, Active=True)
    with fails("InvalidParameterValue", "At least one"):
        bench.client.update_notification_settings(HITTypeId=kind)
    with fails("HITTypeDoesNotExist"):
        bench.requester("Bob").update_notification_settings(HITTypeId=kind, Active=True)
    bench.client.update_notification_settings(HITTypeId=kind, Notification=spec(), Active=False)
    hit_of(bench, kind)
    bench.client.update_notification_settings(HITTypeId=kind, Active=True)
    hit_of(bench, kind)
    bench.client.update_notification_settings(HITTypeId=kind, Notification=spec(events=["HITReviewable"]))
    hit_of(bench, kind)
    Courier(bench.market.store, recorder).deliver()
    assert [event["EventType"] for event in recorder.events] == ["HITCreated"]


@pytest.mark.parametrize(
    ("destination", "transport"),
    [
        ("someone@example.org", "Email"),
        ("topic", "SNS"),
        ("http://example.org/hook", "SQS"),
        ("http://169.254.169.254/latest/meta-data", "SQS"),
        ("https://user:word@example.org/", "SQS"),
        ("https://example.org/\r\nX: y", "SQS"),
        ("ftp://example.org", "SQS"),
        ("https://[", "SQS"),
    ],
)
def test_destinations_that_are_refused(bench: Bench, destination: str, transport: str) -> None:
    with fails("InvalidTransportEndpoint"):
        bench.client.update_notification_settings(HITTypeId=hit_type(bench), Notification=spec(destination, transport))


def test_the_email_transport_is_refused_in_words(bench: Bench) -> None:
    with fails("InvalidTransportEndpoint", "Email transport is not offered"):
        bench.client.update_notification_settings(
            HITTypeId=hit_type(bench), Notification=spec("a@example.org", "Email")
        )


def test_both_versions_that_clients_send_are_taken(bench: Bench) -> None:
    for version in ("2006-05-05", "2014-08-15"):
        bench.client.update_notification_settings(
            HITTypeId=hit_type(bench), Notification={**spec(), "Version": version}
        )


def test_versions_and_events_are_checked(bench: Bench) -> None:
    kind = hit_type(bench)
    for wrong in ({**spec(), "Version": "2005-10-01"}, spec(events=[]), spec(events=["Ping"])):
        with fails("InvalidParameterValue"):
            bench.client.update_notification_settings(HITTypeId=kind, Notification=wrong)


def test_test_events_are_sent_at_once_and_ignore_the_event_types(bench: Bench) -> None:
    recorder = bench.market.courier.sender = Recorder()
    for event in ("Ping", "AssignmentApproved"):
        bench.client.send_test_event_notification(Notification=spec(events=["HITCreated"]), TestEventType=event)
    assert [event["EventType"] for event in recorder.events] == ["Ping", "AssignmentApproved"]
    assert "HITId" not in recorder.events[0] and "AssignmentId" in recorder.events[1]
    bench.market.courier.sender = Recorder(failures=1)
    with fails("InvalidTransportEndpoint", "the door is closed"):
        ping(bench)
    assert bench.market.courier.deliver() == 0, "a test is not tried again"
    assert bench.market.operator.overview().failures == ()


def test_failures_are_shown_and_tried_again(bench: Bench) -> None:
    happen(bench)
    recorder = Recorder(failures=1)
    courier = Courier(bench.market.store, recorder)
    assert courier.deliver() == 0
    (failure,) = bench.market.operator.overview().failures
    assert (failure.event_type, failure.attempts, failure.last_error) == ("HITCreated", 1, "the door is closed")
    assert courier.deliver() == 0, "not before its time"
    bench.clock.forward(seconds=5)
    assert courier.deliver() == 1
    assert bench.market.operator.overview().failures == ()


def test_hopeless_destinations_are_given_up(bench: Bench) -> None:
    happen(bench)
    courier = Courier(bench.market.store, Recorder(failures=99))
    for _ in range(12):
        courier.deliver()
        bench.clock.forward(hours=2)
    (failure,) = bench.market.operator.overview().failures
    assert failure.next_try_at is None and failure.attempts == 12


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; `/gone` is an error and `/moved` a redirect."""

    got: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((dict(self.headers), body))
        self.send_response({"/gone": 410, "/moved": 302}.get(self.path, 204))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    """The address of a server that takes webhooks."""
    Hook.got = []
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_webhooks_are_signed(start: Any, hook: str) -> None:
    bench = start(webhook_hosts=("127.0.0.1",))
    ping(bench, f"{hook}/in?a=1")
    ((headers, body),) = Hook.got
    stamp, mac = (part.partition("=")[2] for part in headers["X-Galloway-Signature"].split(","))
    assert mac == hmac.new(bench.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["Events"][0]["EventType"] == "Ping"


def test_errors_and_redirects_of_webhooks_are_failures(start: Any, hook: str) -> None:
    bench = start(webhook_hosts=("127.0.0.1",))
    for path, status in (("gone", 410), ("moved", 302)):
        happen(bench, destination=f"{hook}/{path}")
        with fails("InvalidTransportEndpoint", f"answered {status}"):
            ping(bench, f"{hook}/{path}")
    assert bench.market.courier.deliver() == 0
    assert {row.last_error.split(";")[0] for row in bench.market.operator.overview().failures} == {
        "127.0.0.1 answered 410",
        "127.0.0.1 answered 302",
    }


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "[::ffff:10.0.0.1]", "169.254.169.254"]
)
def test_webhooks_do_not_reach_into_the_network(bench: Bench, host: str) -> None:
    with fails("InvalidTransportEndpoint", "the operator has not allowed it"):
        ping(bench, f"https://{host}/")
    happen(bench, destination=f"https://{host}/")
    assert bench.market.courier.deliver() == 0
    assert "the operator has not allowed it" in bench.market.operator.overview().failures[0].last_error


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """moto's stand-in for SQS and SNS."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return keys


def test_sqs_and_sns_get_the_documents(start: Any, aws: str, aws_keys: dict[str, str]) -> None:
    bench = start(aws_endpoint_url=aws)
    queues = boto3.client("sqs", endpoint_url=aws, region_name="us-east-1")
    topics = boto3.client("sns", endpoint_url=aws, region_name="us-east-1")
    queue = queues.create_queue(QueueName="hits")["QueueUrl"]
    topic = topics.create_topic(Name="hits")["TopicArn"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    for destination, transport in ((queue, "SQS"), (topic, "SNS")):
        ping(bench, destination, transport, "HITReviewable")
    messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    documents = [json.loads(message["Body"]) for message in messages]
    assert len({document["EventDocId"] for document in documents}) == 2
    assert {document["Events"][0]["EventType"] for document in documents} == {"HITReviewable"}
    assert {document["CustomerId"][0] for document in documents} == {"A"}


def test_a_fifo_queue_and_topic_need_no_setting_of_their_own(start: Any, aws: str, aws_keys: dict[str, str]) -> None:
    bench = start(aws_endpoint_url=aws)
    queues = boto3.client("sqs", endpoint_url=aws, region_name="us-east-1")
    topics = boto3.client("sns", endpoint_url=aws, region_name="us-east-1")
    by_id = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    own = f"{bench.market.store.engine.dialect.name}.fifo"  # messages in flight hold back those of the next database
    queue = queues.create_queue(QueueName=own, Attributes=by_id)["QueueUrl"]
    ping(bench, queue)
    happen(bench, destination=queue)
    assert bench.market.courier.deliver() == 1
    messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    for message in messages["Messages"]:
        assert message["Attributes"]["MessageDeduplicationId"] == json.loads(message["Body"])["EventDocId"]
    assert len(messages["Messages"]) == 2
    by_id = {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
    ping(bench, topics.create_topic(Name=own, Attributes=by_id)["TopicArn"], "SNS")


def test_a_missing_queue_is_a_failure(start: Any, aws: str, aws_keys: dict[str, str]) -> None:
    bench = start(aws_endpoint_url=aws)
    row = {"transport": "SQS", "destination": f"{aws}/123456789012/nothing", "body": "{}"}
    with pytest.raises(NotDelivered, match="SQS"):
        send(bench.market.config, row, "secret")
