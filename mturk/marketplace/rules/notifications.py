"""What a notification says, and which destinations may be named."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from ..errors import Refused

__all__ = ["VERSION", "VERSIONS", "check_destination", "document", "is_queue", "public_address"]

VERSION = "2014-08-15"
VERSIONS = ("2006-05-05", VERSION)
"""What a Notification may name: botocore's model calls the older one the valid value, the guide the newer one."""
_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")
_QUEUE = re.compile(r"/[0-9]{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?")
_AWS_QUEUES = re.compile(r"(sqs\.[a-z0-9-]+|[a-z0-9-]+\.queue|queue)\.amazonaws\.com(\.cn)?")
_PRINTABLE = re.compile(r"[!-~]+")


def document(*, doc_id: str, customer_id: str, event_type: str, at: str, ids: Iterable[tuple[str, str]]) -> str:
    """The JSON message of one event; `at` is an ISO time in UTC, `ids` the ids that go with the event."""
    event = {"EventType": event_type, "EventTimestamp": at, **dict(ids)}
    return json.dumps({"EventDocVersion": VERSION, "EventDocId": doc_id, "CustomerId": customer_id, "Events": [event]})


def is_queue(destination: str, aws_endpoint_url: str) -> bool:
    """True for the URL of an SQS queue: on AWS, or on the endpoint that stands in for it."""
    try:
        parts, stand_in = urlsplit(destination), urlsplit(aws_endpoint_url)
    except ValueError:
        return False
    host = parts.hostname or ""
    known = _AWS_QUEUES.fullmatch(host) or (stand_in.netloc and parts.netloc == stand_in.netloc)
    return bool(known) and _QUEUE.fullmatch(parts.path) is not None


def check_destination(
    transport: str, destination: str, *, aws_endpoint_url: str = "", webhook_hosts: Collection[str] = ()
) -> None:
    """Raises Refused (InvalidTransportEndpoint) unless the destination can be of the transport.

    SQS: a queue's URL, or (an extension of ours) any https address, which gets a signed webhook; http only for hosts
    that the operator has named. SNS: a topic's ARN. Email is refused in words, whatever the address.
    """
    if transport == "Email":
        raise Refused(
            "The Email transport is not offered by this marketplace: name an SQS queue, an SNS topic, or (Transport "
            "SQS) an https:// address for a signed webhook.",
            "AWS.MechanicalTurk.InvalidTransportEndpoint",
        )
    if transport == "SNS" and _ARN.fullmatch(destination):
        return
    if transport == "SQS" and len(destination) <= 1000:
        if is_queue(destination, aws_endpoint_url):
            return
        try:
            parts = urlsplit(destination)
            usable = bool(parts.hostname) and (parts.port or 1) > 0 and not parts.username
        except ValueError:
            usable = False
        allowed = usable and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in webhook_hosts))
        if allowed and _PRINTABLE.fullmatch(destination):
            return
    raise Refused(
        f"The destination is not a valid {transport} endpoint: {destination[:200]}",
        "AWS.MechanicalTurk.InvalidTransportEndpoint",
    )


def public_address(address: str) -> bool:
    """True for an address on the open internet: webhooks must not reach into the operator's own network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast
