"""A market that answers another shape: one sentence with the remedy, and whether a call was done stays open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler

import pytest
from galloway.mturk.requester.client import HitRequest, MTurkClient
from galloway.mturk.requester.errors import MarketUnreachable, MTurkError
from galloway.mturk.requester.markets import resolve_market

from tests.support.loopback import serving

_TIMES = {"HIT": {"HITId": "3X", "Expiration": "soon"}, "HITs": [{"HITId": "3X", "Expiration": "x"}]}
_KINDS = {"HITs": {"a": 1}, "HIT": [], "AvailableBalance": {}, "Assignments": 3}
_ITEMS = {"HITs": [1, None, "x"], "Assignments": [[]], "AvailableBalance": "a lot", "HIT": 4}
SHAPES = {
    "nothing": b"",
    "object": b"{}",
    "list": b"[]",
    "null": b"null",
    "number": b"17",
    "text": b'"ok"',
    "cut": b'{"HITs": [{"HITI',
    "latin": b'{"HITs": "\xe9\xff"}',
    "page": b"<!doctype html><title>Hotel Wi-Fi: sign in</title>",
    "deep": b"[" * 100_000,
    "wrong kinds": json.dumps(_KINDS).encode(),
    "items": json.dumps(_ITEMS).encode(),
    "times": json.dumps(_TIMES).encode(),
}
REQUEST = HitRequest(
    "t", "d", "k", Decimal("0.10"), 1, timedelta(hours=1), timedelta(hours=1), timedelta(hours=1), "<q/>", "a", "token"
)


@contextmanager
def answering(body: bytes, status: int) -> Iterator[MTurkClient]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as origin:
        yield MTurkClient(resolve_market(origin), "key", "secret", read_timeout=5)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("status", [200, 302, 404])
def test_every_call_ends_in_a_sentence(shape: str, status: int) -> None:
    with answering(SHAPES[shape], status) as client:
        calls = {
            "balance": client.balance,
            "list": lambda: list(client.list_hits()),
            "assignments": lambda: list(client.list_assignments("3X")),
            "create": lambda: client.create_hit(REQUEST),
            "get": lambda: client.get_hit("3X"),
        }
        for name, call in calls.items():
            with pytest.raises(MTurkError) as refused:
                call()
            text = str(refused.value)
            assert isinstance(refused.value, MarketUnreachable), f"{name}: whether it was done is open: {text}"
            assert "galloway.toml" in text or "run the same command again" in text.lower(), text
            assert "Traceback" not in text
