"""A small market for the client's tests: the requester operations over one in-memory state.

It runs inside the process (unit tests: unmodified boto3, no socket) or behind a loopback HTTP server (tests that
kill or cut off a client). It can drop the connection after the work is done. The embedded marketplace is the real
thing; the contract tests run against both.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import sqlalchemy as sa
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.ledger import Ledger
from galloway.mturk.requester.markets import Market, resolve_market
from galloway.mturk.requester.publish import BatchSpec, HitSpec
from galloway.mturk.requester.questions import html_question

__all__ = ["Dropped", "FakeMarket", "answer_xml", "batch", "client_for", "in_process_client", "make_ledger", "serve"]

_PREFIX = "AWS.MechanicalTurk."


class Dropped(Exception):
    """The server did the work and hung up."""


class Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code if "." in code else _PREFIX + code


@dataclass
class FakeMarket:
    """The state of a market. `drop` names operations whose answer is lost (how many more times)."""

    available: str = "10000.00"
    page: int = 100
    forget_tokens: bool = False
    drop: dict[str, int] = field(default_factory=dict)
    hits: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, dict[str, Any]] = field(default_factory=dict)
    bonuses: list[dict[str, Any]] = field(default_factory=list)
    blocks: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    number: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The HTTP status and body of a call. Raises Dropped after the work where the answer is to be lost."""
        with self.lock:
            self.calls.append(operation)
            try:
                answer = (200, getattr(self, f"do_{operation}")(**params))
            except Refusal as no:
                answer = (400, {"__type": "RequestError", "Message": str(no), "TurkErrorCode": no.code})
            if self.drop.get(operation, 0) > 0:
                self.drop[operation] -= 1
                raise Dropped(operation)
            return answer

    def submit(self, hit_id: str, worker_id: str, answers: dict[str, str], *, xml: str | None = None) -> str:
        """A worker submits; the assignment's id."""
        now, number = time.time(), next(self.number)
        assignment_id = f"3ASSIGNMENT{number:019d}"
        self.assignments[assignment_id] = {
            "AssignmentId": assignment_id,
            "HITId": hit_id,
            "WorkerId": worker_id,
            "AssignmentStatus": "Submitted",
            "AcceptTime": now - 60,
            "SubmitTime": now + number / 1000,
            "AutoApprovalTime": now + 3600,
            "Answer": answer_xml(answers) if xml is None else xml,
        }
        return assignment_id

    def _token(self, token: str | None, made: str) -> None:
        if token and not self.forget_tokens:
            self.tokens[token] = made

    def _hit(self, hit_id: str) -> dict[str, Any]:
        hit = self.hits.get(hit_id)
        if hit is None or hit["HITStatus"] == "Disposed":
            raise Refusal("HITDoesNotExist", f"Hit {hit_id} does not exist. (1619128282649)")
        return hit

    def _assignment(self, assignment_id: str) -> dict[str, Any]:
        if assignment_id not in self.assignments:
            raise Refusal("AssignmentDoesNotExist", f"Assignment {assignment_id} does not exist. (1563504162075 s)")
        return self.assignments[assignment_id]

    def _paged(self, key: str, rows: list[Any], token: str | None, size: int) -> dict[str, Any]:
        start = int(token or 0)
        size = min(size, self.page)
        some = rows[start : start + size]
        more = {"NextToken": str(start + size)} if start + size < len(rows) else {}
        return {key: some, "NumResults": len(some), **more}

    def do_GetAccountBalance(self) -> dict[str, Any]:
        return {"AvailableBalance": self.available}

    def do_CreateHIT(self, **params: Any) -> dict[str, Any]:
        token = params.pop("UniqueRequestToken", None)
        if token in self.tokens:
            raise Refusal("HitAlreadyExists", f'The HIT with ID "{self.tokens[token]}" already exists. (1619128282649)')
        hit_id = f"3HIT{next(self.number):026d}"
        params |= {"HITId": hit_id, "HITTypeId": "3TYPE", "HITGroupId": "3GROUP", "HITStatus": "Assignable"}
        params["Expiration"] = time.time() + params.pop("LifetimeInSeconds")
        params["NumberOfAssignmentsAvailable"] = params.get("MaxAssignments", 1)
        self.hits[hit_id] = params
        self._token(token, hit_id)
        return {"HIT": params}

    def do_GetHIT(self, HITId: str) -> dict[str, Any]:
        if self.hits.get(HITId, {}).get("HITStatus") == "Disposed":  # until it is purged
            return {"HIT": self.hits[HITId]}
        return {"HIT": self._hit(HITId)}

    def do_ListHITs(self, MaxResults: int = 10, NextToken: str | None = None) -> dict[str, Any]:
        rows = [hit for hit in self.hits.values() if hit["HITStatus"] != "Disposed"]
        return self._paged("HITs", rows[::-1], NextToken, MaxResults)

    def do_ListAssignmentsForHIT(
        self, HITId: str, MaxResults: int = 10, NextToken: str | None = None
    ) -> dict[str, Any]:
        self._hit(HITId)
        rows = [row for row in self.assignments.values() if row["HITId"] == HITId]
        return self._paged("Assignments", rows, NextToken, MaxResults)

    def do_GetAssignment(self, AssignmentId: str) -> dict[str, Any]:
        row = self._assignment(AssignmentId)
        return {"Assignment": row, "HIT": self.hits[row["HITId"]]}

    def _decide(self, assignment_id: str, allowed: tuple[str, ...], status: str) -> dict[str, Any]:
        row = self._assignment(assignment_id)
        if row["AssignmentStatus"] not in allowed:
            raise Refusal("InvalidAssignmentState", "This operation can be called with a status of: Submitted (1)")
        row["AssignmentStatus"] = status
        return {}

    def do_ApproveAssignment(
        self, AssignmentId: str, RequesterFeedback: str = "", OverrideRejection: bool = False
    ) -> dict[str, Any]:
        allowed = ("Submitted", "Rejected") if OverrideRejection else ("Submitted",)
        return self._decide(AssignmentId, allowed, "Approved")

    def do_RejectAssignment(self, AssignmentId: str, RequesterFeedback: str) -> dict[str, Any]:
        return self._decide(AssignmentId, ("Submitted",), "Rejected")

    def do_SendBonus(self, UniqueRequestToken: str = "", **params: Any) -> dict[str, Any]:
        self._assignment(params["AssignmentId"])
        if UniqueRequestToken in self.tokens:
            raise Refusal("InvalidParameterValue", "The idempotency token has been used before (3REQUEST). (1)")
        if Decimal(params["BonusAmount"]) > Decimal(self.available):
            raise Refusal("InsufficientFunds", "This Requester has insufficient funds in their account.")
        self.bonuses.append({**params, "GrantTime": time.time()})
        self._token(UniqueRequestToken, "bonus")
        return {}

    def do_ListBonusPayments(
        self, AssignmentId: str, MaxResults: int = 10, NextToken: str | None = None
    ) -> dict[str, Any]:
        rows = [row for row in self.bonuses if row["AssignmentId"] == AssignmentId]
        return self._paged("BonusPayments", rows, NextToken, MaxResults)

    def do_UpdateExpirationForHIT(self, HITId: str, ExpireAt: float) -> dict[str, Any]:
        hit = self._hit(HITId)
        hit["HITStatus"] = "Unassignable" if hit.get("held") else "Reviewable"
        return {}

    def do_DeleteHIT(self, HITId: str) -> dict[str, Any]:
        hit = self._hit(HITId)
        undecided = any(
            row["AssignmentStatus"] == "Submitted" for row in self.assignments.values() if row["HITId"] == HITId
        )
        if hit["HITStatus"] != "Reviewable" or undecided:
            raise Refusal("InvalidHITState", f"This HIT is currently in the state '{hit['HITStatus']}'.")
        hit["HITStatus"] = "Disposed"
        return {}

    def do_CreateWorkerBlock(self, WorkerId: str, Reason: str) -> dict[str, Any]:
        self.blocks[WorkerId] = Reason
        return {}

    def do_DeleteWorkerBlock(self, WorkerId: str, Reason: str = "") -> dict[str, Any]:
        self.blocks.pop(WorkerId, None)
        return {}

    def do_ListWorkerBlocks(self, MaxResults: int = 10, NextToken: str | None = None) -> dict[str, Any]:
        rows = [{"WorkerId": worker, "Reason": reason} for worker, reason in self.blocks.items()]
        return self._paged("WorkerBlocks", rows, NextToken, MaxResults)

    def do_NotifyWorkers(self, Subject: str, MessageText: str, WorkerIds: list[str]) -> dict[str, Any]:
        assert len(WorkerIds) <= 100
        failed = [worker for worker in WorkerIds if worker.endswith("LOST")]
        return {
            "NotifyWorkersFailureStatuses": [
                {"NotifyWorkersFailureCode": "HardFailure", "NotifyWorkersFailureMessage": "gone", "WorkerId": worker}
                for worker in failed
            ]
        }


class _Body(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def in_process_client(
    fake: FakeMarket, *, market: Market | None = None, respond: Callable[[], tuple[int, bytes] | None] = lambda: None
) -> MTurkClient:
    """An MTurkClient whose unmodified boto3 reaches `fake` without a socket. `respond` may answer in its stead."""
    market = market or resolve_market("local", local_endpoint="http://127.0.0.1:1")
    boto = boto3.client(
        "mturk",
        region_name="us-east-1",
        endpoint_url=market.endpoint_url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        other = respond()
        if other is not None:
            status, data = other
        else:
            operation = request.headers["X-Amz-Target"]
            operation = (operation.decode() if isinstance(operation, bytes) else operation).rpartition(".")[2]
            try:
                status, body = fake.handle(operation, json.loads(request.body))
            except Dropped as dropped:
                raise ConnectionClosedError(endpoint_url=request.url) from dropped
            data = json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, status, headers, _Body(data))

    boto.meta.events.register("before-send.mturk", send)
    return MTurkClient(market, boto=boto)


@contextmanager
def serve(fake: FakeMarket) -> Iterator[str]:
    """The fake behind a loopback HTTP server; yields its endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            try:
                status, answer = fake.handle(operation, json.loads(body))
            except Dropped:
                self.close_connection = True
                return
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_line: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def client_for(endpoint: str, access_key: str = "AKIDEXAMPLE", secret_key: str = "secret") -> MTurkClient:
    """A client over HTTP to a local market."""
    return MTurkClient(resolve_market("local", local_endpoint=endpoint), access_key, secret_key)


def make_ledger(path: Path | None = None) -> Ledger:
    """A ledger with its tables: in memory, or in the SQLite file `path` as a workspace has it."""
    if path is None:
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = sa.create_engine(f"sqlite:///{path}")
    ledger = Ledger(engine)
    ledger.create_tables()
    return ledger


def batch(
    hits: int = 3,
    *,
    key: str = "round-1",
    reward: str = "0.15",
    places: int = 3,
    budget: str | None = None,
    page: str = "",
) -> BatchSpec:
    """A batch of small pages."""
    return BatchSpec(
        batch_key=key,
        title="Keep or reject faces",
        description="Look at pictures",
        keywords="faces, images",
        reward=Decimal(reward),
        max_assignments=places,
        lifetime=timedelta(hours=72),
        duration=timedelta(minutes=30),
        auto_approval_delay=timedelta(hours=72),
        hits=[
            HitSpec(f"hit-{n}", html_question(f"<form action='/x'><input name='face.{n}'>{page}</form>"))
            for n in range(hits)
        ],
        budget=None if budget is None else Decimal(budget),
        expected_seconds=Decimal(48),
    )


def answer_xml(answers: dict[str, str]) -> str:
    """The XML that the market makes of submitted fields."""
    from xml.sax.saxutils import escape

    parts = "".join(
        f"<Answer><QuestionIdentifier>{escape(k)}</QuestionIdentifier><FreeText>{escape(v)}</FreeText></Answer>"
        for k, v in answers.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazon'
        f'aws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd">{parts}</QuestionFormAnswers>'
    )
