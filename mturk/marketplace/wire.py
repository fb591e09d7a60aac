"""The protocol: AWS JSON 1.1 over HTTP, as unmodified boto3 speaks it. One WSGI app, no framework."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from . import sigv4
from .courier import Courier, NotDelivered
from .errors import Refused
from .model import TARGET, check_input
from .operations import OPERATIONS, Call, Operation
from .sigv4 import HttpRequest
from .store import Store, Tx, one
from .store.outage import AWAY
from .store.sealed import Unsealable, unseal
from .store.tables import access_key, requester
from .store.transactions import Row

__all__ = ["LARGEST_BODY", "Wire"]

_LOG = logging.getLogger(__name__)
LARGEST_BODY = 2 * 1024 * 1024
CONTENT_TYPE = "application/x-amz-json-1.1"
StartResponse = Callable[..., Any]
_REQUESTER = (
    sa.select(requester, access_key.c.secret)
    .join(access_key, access_key.c.requester_id == requester.c.id)
    .where(
        access_key.c.access_key == sa.bindparam("key"),
        access_key.c.revoked_at.is_(None),
        requester.c.revoked_at.is_(None),
    )
)


class Wire:
    """The requester API as a WSGI app."""

    def __init__(
        self, store: Store, courier: Courier | None = None, operations: Mapping[str, Operation] = OPERATIONS
    ) -> None:
        self.store = store
        self.courier = courier or Courier(store)
        self.operations = operations
        self.config = store.config
        self._public_host = urlsplit(self.config.api_url).netloc
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request_id = str(uuid.uuid4())
        if _is_legacy(environ):
            return _legacy(request_id, start_response)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return _greeting(environ, start_response)
        notes: list[str] = []
        try:
            status, answer = 200, self._answer(_read(environ), request_id, notes)
        except Refused as refusal:
            status, answer = refusal.status, self._refusal(refusal)
        except AWAY as error:
            # The disk is full or the database away: no fault of ours, so the reason is enough, without the way to it.
            self.store.outage.note(error)
            status, answer = 500, self._refusal(_fault("The server's database does not answer just now. Try again."))
        except Exception:
            # The transaction is undone by now; what the client gets is MTurk's own fault, which boto3 tries again.
            _LOG.exception("request failed", extra={"request_id": request_id})
            status, answer = 500, self._refusal(_fault(f"The server failed on this; its log says why: {request_id}."))
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        start_response(
            f"{status} {'OK' if status == 200 else 'Error'}",
            [
                ("Content-Type", CONTENT_TYPE),
                ("Content-Length", str(len(body))),
                ("x-amzn-RequestId", request_id),
                ("Cache-Control", "no-store"),
                *(("x-galloway-note", ascii(" ".join(notes))[1:-1][:900]) for _ in notes[:1]),
            ],
        )
        return [body]

    def _refusal(self, refusal: Refused) -> dict[str, str]:
        message = refusal.message
        if refusal.error_type == "RequestError":
            # Recorded messages end in the time in milliseconds, those of the sandbox with " s" behind it.
            stamp = round(self.config.clock().timestamp() * 1000)
            message = f"{message} ({stamp}{' s' if self.config.sandbox else ''})"
        body = {"__type": refusal.error_type, "Message": message, "message": message}
        if refusal.turk_code:
            body["TurkErrorCode"] = refusal.turk_code
        return body

    def _answer(self, request: HttpRequest, request_id: str, notes: list[str]) -> dict[str, Any]:
        prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
        operation = self.operations.get(name)
        if prefix != TARGET or operation is None:
            raise Refused(f"X-Amz-Target names no operation of {TARGET}.", error_type="UnknownOperationException")
        # The signature is checked first, so that strangers learn nothing and cost no write lock.
        with self.store.read() as tx:
            caller = self._authenticate(tx, request)
            if not operation.writes:
                self._throttle(caller["id"])
                params = check_input(name, _parameters(request.body))
                answer = operation.run(Call(tx, name, caller, request_id, params, notes))
        if operation.sends:
            return self._send(answer, str(caller["secret"]))
        if not operation.writes:
            return answer
        self._throttle(caller["id"])
        params = check_input(name, _parameters(request.body))

        def run(tx: Tx) -> dict[str, Any]:
            notes.clear()  # of a try before this one
            return operation.run(Call(tx, name, caller, request_id, params, notes))

        if operation.together:
            return self.store.together(run)
        with self.store.write() as tx:
            return run(tx)

    def _send(self, notification: Row, secret: str) -> dict[str, Any]:
        """Send a notification now, outside any transaction: the caller waits for the destination, nobody else does."""
        try:
            self.courier.sender(self.config, notification, secret)
        except NotDelivered as error:
            raise Refused(
                f"The notification did not arrive: {error}"[:500], "AWS.MechanicalTurk.InvalidTransportEndpoint"
            ) from error
        return {}

    def _authenticate(self, tx: Tx, request: HttpRequest) -> Row:
        credential = sigv4.read_credential(request)
        known = one(tx, _REQUESTER, {"key": credential.access_key})
        if known is not None:
            known["secret"] = _secret(tx, credential.access_key, known["secret"])
        if known is None or self.config.verify_signatures:
            sigv4.verify(
                request,
                credential,
                lambda _: None if known is None else str(known["secret"]),
                self.config.clock().astimezone(UTC),
                self.config.clock_skew_seconds,
                self._public_host,
            )
        assert known is not None
        return known

    def _throttle(self, requester_id: str) -> None:
        rate = self.config.throttle_tps
        if rate <= 0:
            return
        now = self.config.clock().timestamp()
        with self._lock:
            tokens, then = self._buckets.get(requester_id, (max(1.0, rate), now))
            tokens = min(max(1.0, rate), tokens + (now - then) * rate)
            self._buckets[requester_id] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise Refused("Rate exceeded", error_type="ThrottlingException")


def _fault(words: str) -> Refused:
    """What MTurk answers where it fails itself; boto3 tries again."""
    return Refused(words, "AWS.ServiceUnavailable", error_type="ServiceFault", status=500)


def _secret(tx: Tx, access_key: str, stored: str) -> str:
    try:
        return unseal(tx.key, access_key, stored)
    except Unsealable as error:
        raise Refused(
            f"{error} Whoever runs it: bring that file back, or revoke the requester and add a new one.",
            error_type="UnrecognizedClientException",
        ) from error


def _read(environ: dict[str, Any]) -> HttpRequest:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = -1
    if not 0 <= length <= LARGEST_BODY:
        raise Refused(f"The request is larger than {LARGEST_BODY} bytes.", error_type="RequestEntityTooLargeException")
    headers = {
        name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    headers["content-length"] = environ.get("CONTENT_LENGTH", "")
    return HttpRequest(
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO", "/"),
        environ.get("QUERY_STRING", ""),
        headers,
        environ["wsgi.input"].read(length),
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _parameters(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"The body is no JSON: {error}"[:300], error_type="SerializationException") from error


def _is_legacy(environ: Mapping[str, Any]) -> bool:
    """The API before 2017: parameters in the address or in a form, and no X-Amz-Target."""
    form = str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")
    return "HTTP_X_AMZ_TARGET" not in environ and (form or "Operation=" in str(environ.get("QUERY_STRING", "")))


def _legacy(request_id: str, start_response: StartResponse) -> Iterable[bytes]:
    """The answer of Mechanical Turk itself to the old API since June 2019, which old clients (boto 2) can read."""
    text = (
        '<?xml version="1.0"?>\n<Response><Errors><Error><Code>Forbidden</Code><Message>This Requester API is no '
        "longer supported. Please use the latest API using the official AWS SDK. "
        "https://aws.amazon.com/getting-started/tools-sdks</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    ).encode()
    start_response("403 Forbidden", [("Content-Type", "text/xml"), ("Content-Length", str(len(text)))])
    return [text]


def _greeting(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """For people and health checks who look with a browser."""
    text = b"An MTurk-compatible requester API. Use it with boto3: client('mturk', endpoint_url=<this address>).\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else text]
