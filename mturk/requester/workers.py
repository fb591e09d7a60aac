"""Workers as a requester sees them: blocks, messages, qualifications, and the pseudonyms that reports use."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .client import MTurkClient
from .errors import AlreadyExists, MTurkError, RequestRefused

__all__ = [
    "ADULT",
    "Qualified",
    "Request",
    "accept_request",
    "block",
    "blocked",
    "create_qualification",
    "grant",
    "grant_known",
    "notify",
    "pseudonym",
    "qualified",
    "refuse_request",
    "requests_for",
    "revoke",
    "unblock",
]

_NOTIFY_AT_ONCE = 100
ADULT = "00000000000000000060"
"""Amazon's own qualification of workers who agreed to adult content; its rules ask for it on such HITs."""


@dataclass(frozen=True, slots=True)
class Qualified:
    """A worker who holds a qualification, with its value."""

    worker_id: str
    value: int


@dataclass(frozen=True, slots=True)
class Request:
    """A worker who asks for a qualification; `answer` is the XML of the test, "" without one."""

    request_id: str
    worker_id: str
    answer: str
    sent_at: datetime


def pseudonym(worker_id: str, secret: bytes) -> str:
    """What a report calls a worker: "W-" and eight letters, the same for the same secret, not to be turned back."""
    digest = hmac.new(secret, b"galloway worker\x00" + worker_id.encode(), hashlib.sha256).digest()
    return "W-" + base64.b32encode(digest)[:8].decode()


def block(client: MTurkClient, worker_id: str, reason: str) -> None:
    """The worker can accept none of our HITs any more; the reason stays with us. Twice changes nothing."""
    if not reason.strip():
        raise MTurkError(f"Blocking worker {worker_id} needs a reason; blocks count against a worker's account.")
    client.call("create_worker_block", WorkerId=worker_id, Reason=reason)


def unblock(client: MTurkClient, worker_id: str, reason: str = "") -> None:
    """Take a block back. Twice changes nothing."""
    extra = {"Reason": reason} if reason else {}
    client.call("delete_worker_block", WorkerId=worker_id, **extra)


def blocked(client: MTurkClient) -> dict[str, str]:
    """Blocked worker → reason, all pages."""
    return {
        str(item["WorkerId"]): str(item.get("Reason", ""))
        for item in client.pages("list_worker_blocks", "WorkerBlocks")
    }


def notify(client: MTurkClient, worker_ids: Sequence[str], subject: str, text: str) -> dict[str, str]:
    """Write to workers, a hundred at a time; the workers who could not be reached, with the market's reason."""
    if not 0 < len(subject) <= 200 or not 0 < len(text) <= 4096:
        raise MTurkError("A message to workers needs a subject of 1 to 200 and a text of 1 to 4,096 characters.")
    failed: dict[str, str] = {}
    unique = list(dict.fromkeys(worker_ids))
    for start in range(0, len(unique), _NOTIFY_AT_ONCE):
        some = unique[start : start + _NOTIFY_AT_ONCE]
        answer = client.call("notify_workers", Subject=subject, MessageText=text, WorkerIds=some)
        for item in answer.get("NotifyWorkersFailureStatuses", ()):
            failed[str(item["WorkerId"])] = str(item.get("NotifyWorkersFailureMessage", ""))
    return failed


def create_qualification(
    client: MTurkClient,
    name: str,
    description: str,
    keywords: str = "",
    *,
    for_asking: bool = False,
    test: str = "",
    seconds: int = 0,
    retry: int = 0,
) -> str:
    """The id of our qualification of this name, made if it is not there yet; `for_asking`: whoever asks for it gets it
    at once; with a `test` of so many `seconds`, which may be asked for again after `retry` seconds."""
    extra: dict[str, Any] = {"Keywords": keywords} if keywords else {}
    if for_asking:
        extra |= {"AutoGranted": True, "AutoGrantedValue": 1}
    if test:
        extra |= {"Test": test, "TestDurationInSeconds": seconds, "RetryDelayInSeconds": retry}
    try:
        answer = client.call(
            "create_qualification_type",
            Name=name,
            Description=description,
            QualificationTypeStatus="Active",
            **extra,
        )
    except AlreadyExists:
        found = find_qualification(client, name)
        if found is None:
            raise
        return found
    return str(answer["QualificationType"]["QualificationTypeId"])


def find_qualification(client: MTurkClient, name: str) -> str | None:
    """The id of our qualification of this name; None where nobody made it. Nothing is made."""
    own = client.pages(
        "list_qualification_types", "QualificationTypes", MustBeRequestable=False, MustBeOwnedByCaller=True
    )
    return next((str(item["QualificationTypeId"]) for item in own if item.get("Name") == name), None)


def grant(client: MTurkClient, qualification_id: str, worker_id: str, value: int = 1, *, tell: bool = False) -> None:
    """Give a worker a qualification, or change its value."""
    client.call(
        "associate_qualification_with_worker",
        QualificationTypeId=qualification_id,
        WorkerId=worker_id,
        IntegerValue=value,
        SendNotification=tell,
    )


def grant_known(client: MTurkClient, qualification_id: str, worker_ids: Iterable[str]) -> list[str]:
    """Give it to each worker whom the market knows; the others, who can do no work there (erased, or of another
    market)."""
    unknown = []
    for worker_id in worker_ids:
        try:
            grant(client, qualification_id, worker_id)
        except RequestRefused as error:
            name = error.turk_code.rpartition(".")[2]
            if name not in ("WorkerDoesNotExist", "InvalidParameterValue"):
                raise
            unknown.append(worker_id)
    return unknown


def revoke(client: MTurkClient, qualification_id: str, worker_id: str, reason: str) -> None:
    """Take a qualification from a worker, who reads the reason."""
    client.call(
        "disassociate_qualification_from_worker",
        QualificationTypeId=qualification_id,
        WorkerId=worker_id,
        Reason=reason,
    )


def qualified(client: MTurkClient, qualification_id: str) -> list[Qualified]:
    """Who holds a qualification, all pages."""
    return [
        Qualified(str(item["WorkerId"]), int(item.get("IntegerValue", 1)))
        for item in client.pages(
            "list_workers_with_qualification_type",
            "Qualifications",
            QualificationTypeId=qualification_id,
            Status="Granted",
        )
    ]


def requests_for(client: MTurkClient, qualification_id: str) -> list[Request]:
    """Who asks for a qualification and has no answer yet, all pages."""
    return [
        Request(
            str(item["QualificationRequestId"]), str(item["WorkerId"]), str(item.get("Answer", "")), item["SubmitTime"]
        )
        for item in client.pages(
            "list_qualification_requests", "QualificationRequests", QualificationTypeId=qualification_id
        )
    ]


def accept_request(client: MTurkClient, request_id: str) -> None:
    """Give what was asked for."""
    client.call("accept_qualification_request", QualificationRequestId=request_id)


def refuse_request(client: MTurkClient, request_id: str, reason: str) -> None:
    """Do not give it; the worker reads the reason."""
    client.call("reject_qualification_request", QualificationRequestId=request_id, Reason=reason)
