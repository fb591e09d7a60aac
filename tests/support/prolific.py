"""A Prolific of our own: it checks every documented field, keeps accounts, and fails where it is told to.

It is a transport (see `mturk.requester.recruit.transport`), so that tests need no socket; `serve` puts it on loopback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from galloway.mturk.requester.errors import PanelDoubt, PanelUnreachable
from galloway.mturk.requester.recruit.secret import Secret
from galloway.mturk.requester.recruit.transport import Answer

from tests.support.loopback import serving

__all__ = ["FAULTS", "TOKEN", "FakeProlific"]

TOKEN = "pk-never-to-be-seen-4711"
FAULTS = ("unreachable", "dropped before", "dropped after", "500 before", "502 after", "429", "garbled after")
_CODE_TYPES = (
    *("COMPLETED", "FAILED_ATTENTION_CHECK", "FOLLOW_UP_STUDY", "GIVE_BONUS", "INCOMPATIBLE_DEVICE", "NO_CONSENT"),
    *("FIXED_SCREEN_OUT", "OTHER"),
)
_ACTIONS = (
    *("AUTOMATICALLY_APPROVE", "MANUALLY_REVIEW", "REQUEST_RETURN", "ADD_TO_PARTICIPANT_GROUP"),
    "REMOVE_FROM_PARTICIPANT_GROUP",
)
_CATEGORIES = ("TOO_QUICKLY", "TOO_SLOWLY", "FAILED_CHECK", "LOW_EFFORT", "NO_CODE", "BAD_CODE", "NO_DATA", "OTHER")
_REQUIRED = {
    "name": str,
    "internal_name": str,
    "description": str,
    "prolific_id_option": str,
    "completion_codes": list,
    "total_available_places": int,
    "estimated_completion_time": int,
    "maximum_allowed_time": int,
    "reward": int,
    "device_compatibility": list,
    "submissions_config": dict,
}
_ALLOWED = {*_REQUIRED, "external_study_url", "access_details"}
_PLACEHOLDERS = ("{{%PROLIFIC_PID%}}", "{{%STUDY_ID%}}", "{{%SESSION_ID%}}")


class _Refusal(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class FakeProlific:
    """`fault(method, path)` names the fault of a call, "" for none. `calls` is what was asked, in order."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        fault: Callable[[str, str], str] = lambda _method, _path: "",
        bonus_takes: timedelta = timedelta(minutes=5),
    ) -> None:
        self.clock, self.fault, self.bonus_takes = clock, fault, bonus_takes
        self.studies: dict[str, dict[str, Any]] = {}
        self.submissions: dict[str, dict[str, Any]] = {}
        self.bonuses: dict[str, dict[str, Any]] = {}
        self.paid: list[tuple[str, str, int]] = []  # (session, reward or bonus, cents)
        self.due: list[tuple[datetime, str, int]] = []
        self.hook_secret, self.subscriptions = "", {}
        self.calls: list[str] = []
        self.injected: Counter[str] = Counter()
        self._made = 0
        self._lock = threading.Lock()

    # -- the participant's side ---------------------------------------------------------------------------------
    def _id(self) -> str:
        self._made += 1
        return hashlib.sha256(str(self._made).encode()).hexdigest()[:24]

    def arrive(self, study_id: str, group: int = 0) -> tuple[str, str, str]:
        """(participant, session, link) of somebody who takes a place of a published study."""
        study = self.studies[study_id]
        assert study["status"] == "ACTIVE", study["status"]
        person, session = self._id(), self._id()
        self.submissions[session] = {
            "id": session,
            "study_id": study_id,
            "participant": person,
            "status": "ACTIVE",
            "entered_code": None,
            "started_at": self.clock().isoformat(),
            "completed_at": None,
            "bonus_payments": [],
        }
        link = study.get("external_study_url") or study["access_details"][group]["external_url"]
        for name, value in zip(_PLACEHOLDERS, (person, study_id, session), strict=True):
            link = link.replace(name, value)
        return person, session, link

    def come_back(self, session: str, url: str) -> None:
        """The participant follows the completion link."""
        code = parse_qs(urlsplit(url).query)["cc"][0]
        submission = self.submissions[session]
        codes = {item["code"]: item for item in self.studies[submission["study_id"]]["completion_codes"]}
        if submission["status"] == "ACTIVE" and code in codes:
            done = "APPROVED" if codes[code]["actions"][0]["action"] == "AUTOMATICALLY_APPROVE" else "AWAITING REVIEW"
            submission.update(status=done, entered_code=code, completed_at=self.clock().isoformat())

    def report(
        self, event: str, about: Mapping[str, str], *, at: datetime | None = None
    ) -> tuple[dict[str, str], bytes]:
        """(headers, body) of a signed report."""
        body = json.dumps(dict(about)).encode()
        sent = str(int((at or self.clock()).timestamp()))
        mac = hmac.new(self.hook_secret.encode(), sent.encode() + body, hashlib.sha256).digest()
        signed = {"X-Prolific-Request-Signature": base64.b64encode(mac).decode(), "X-Prolific-Request-Timestamp": sent}
        return {**signed, "X-Event-ID": event}, body

    def money(self, session: str) -> int:
        """Cents that were paid for a submission, bonuses included."""
        self._let_time_pass()
        return sum(cents for name, _, cents in self.paid if name == session)

    def _let_time_pass(self) -> None:
        now = self.clock()
        for item in [item for item in self.due if item[0] <= now]:
            self.due.remove(item)
            self.paid.append((item[1], "bonus", item[2]))
            self.submissions[item[1]]["bonus_payments"].append(item[2])

    # -- the wire -----------------------------------------------------------------------------------------------
    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes, token: Secret) -> Answer:
        with self._lock:
            self.calls.append(f"{method} {path}")
            fault = self.fault(method, path)
            if fault:
                self.injected[fault] += 1
            if fault == "unreachable":
                raise PanelUnreachable("the fake is away")
            if fault == "dropped before":
                raise PanelDoubt("dropped before it was done")
            if fault == "500 before":
                return Answer(500, {}, b"")
            if fault == "429":
                return Answer(429, {"retry-after": "1"}, b"")
            answer = self._answer(method, path, body, token)
            if fault == "dropped after":
                raise PanelDoubt("dropped after it was done")
            if fault == "502 after":
                return Answer(502, {}, b"<html>bad gateway")
            return Answer(answer.status, answer.headers, b"<html>") if fault == "garbled after" else answer

    def _answer(self, method: str, path: str, body: bytes, token: Secret) -> Answer:
        self._let_time_pass()
        try:
            if token.reveal() != TOKEN:
                raise _Refusal(401, "no such token")
            assert path.startswith("/api/v1/"), path
            parts = urlsplit(path.removeprefix("/api/v1"))
            found, extra = self._route(method, parts.path, parse_qs(parts.query), json.loads(body) if body else {})
            return Answer(200, extra, json.dumps(found).encode())
        except _Refusal as refusal:
            return Answer(refusal.status, {}, json.dumps({"error": {"detail": refusal.detail}}).encode())

    def _route(self, method: str, path: str, query: Any, body: Any) -> tuple[Any, dict[str, str]]:
        for verb, pattern, does in (
            ("GET", r"/studies/", lambda: {"results": list(self.studies.values())}),
            ("POST", r"/studies/", lambda: self._make_study(body)),
            ("GET", r"/studies/(\w+)/", self._study),
            ("DELETE", r"/studies/(\w+)/", self._delete_study),
            ("POST", r"/studies/(\w+)/transition/", lambda key: self._change_study(key, body)),
            ("GET", r"/studies/(\w+)/access-details-progress/", self._progress),
            ("GET", r"/submissions/", lambda: self._list(query)),
            ("GET", r"/submissions/(\w+)/", self._submission),
            ("POST", r"/submissions/bonus-payments/", lambda: self._make_bonus(body)),
            ("POST", r"/submissions/(\w+)/transition/", lambda key: self._change_submission(key, body)),
            ("POST", r"/submissions/(\w+)/request-return/", lambda key: self._ask_return(key, body)),
            ("POST", r"/bulk-bonus-payments/(\w+)/pay/", self._pay_bonus),
            ("POST", r"/hooks/secrets/", lambda: self._secret(body)),
            ("POST", r"/hooks/subscriptions/(\w+)/", lambda key: self._confirm(key, body)),
        ):
            match = re.fullmatch(pattern, path)
            if verb == method and match is not None:
                return does(*match.groups()), {}
        if (method, path) == ("POST", "/hooks/subscriptions/"):
            return self._subscribe(body)
        raise _Refusal(404, f"no such address: {method} {path}")

    # -- studies ------------------------------------------------------------------------------------------------
    def _make_study(self, body: dict[str, Any]) -> dict[str, Any]:
        _check_study(body)
        made = {**body, "id": self._id(), "status": "UNPUBLISHED"}
        self.studies[made["id"]] = made
        return made

    def _study(self, key: str) -> dict[str, Any]:
        if key not in self.studies:
            raise _Refusal(404, "no such study")
        return self.studies[key]

    def _delete_study(self, key: str) -> dict[str, Any]:
        if self._study(key)["status"] != "UNPUBLISHED":
            raise _Refusal(400, "published studies cannot be deleted")
        del self.studies[key]
        return {}

    def _change_study(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        study = self._study(key)
        moves = {
            ("UNPUBLISHED", "PUBLISH"): "ACTIVE",
            ("ACTIVE", "PAUSE"): "PAUSED",
            ("PAUSED", "START"): "ACTIVE",
            ("ACTIVE", "STOP"): "AWAITING REVIEW",
            ("PAUSED", "STOP"): "AWAITING REVIEW",
        }
        move = (study["status"], body.get("action"))
        if move not in moves:
            raise _Refusal(400, f"cannot {body.get('action')} a study that is {study['status']}")
        study["status"] = moves[move]
        return study

    def _progress(self, key: str) -> dict[str, Any]:
        details = self._study(key).get("access_details")
        if details is None:
            raise _Refusal(404, "not a Taskflow study")
        return {"id": key, "progress": [{**item, "allocated": 0} for item in details]}

    # -- submissions --------------------------------------------------------------------------------------------
    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        if "study" not in query:
            raise _Refusal(400, "study is required")
        mine = [item for item in self.submissions.values() if item["study_id"] == query["study"][0]]
        start = int(query.get("page", ["1"])[0]) - 1
        rows = mine[start * 50 : start * 50 + 50]
        more = len(mine) > start * 50 + 50
        link = f"https://elsewhere.example/api/v1/submissions/?study={query['study'][0]}&page={start + 2}"
        return {"results": rows, "_links": {"next": {"href": link if more else None}}}

    def _submission(self, key: str) -> dict[str, Any]:
        if key not in self.submissions:
            raise _Refusal(404, "no such submission")
        return self.submissions[key]

    def _change_submission(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        submission = self._submission(key)
        if body.get("action") not in ("APPROVE", "REJECT"):
            raise _Refusal(400, "action: APPROVE or REJECT")
        if submission["status"] != "AWAITING REVIEW":
            raise _Refusal(400, f"the submission is {submission['status']}")
        if body["action"] == "REJECT":
            if len(body.get("message", "")) < 100 or body.get("rejection_category") not in _CATEGORIES:
                raise _Refusal(400, "message of at least 100 characters and rejection_category are required")
            submission["status"] = "REJECTED"
        else:
            submission["status"] = "APPROVED"
            self.paid.append((key, "reward", self.studies[submission["study_id"]]["reward"]))
        return submission

    def _ask_return(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("request_return_reasons"):
            raise _Refusal(400, "request_return_reasons is required")
        return {**self._submission(key), "return_requested": self.clock().isoformat()}

    # -- bonuses ------------------------------------------------------------------------------------------------
    def _make_bonus(self, body: dict[str, Any]) -> dict[str, Any]:
        self._study(str(body.get("study_id")))
        match = re.fullmatch(r"(\w+),([0-9]+\.[0-9]{2})", str(body.get("csv_bonuses", "")).strip())
        if match is None or set(body) != {"study_id", "csv_bonuses"} or match[1] not in self.submissions:
            raise _Refusal(400, "study_id and csv_bonuses of one submission are expected")
        made = {
            "id": self._id(),
            "study": body["study_id"],
            "session": match[1],
            "amount": int(Decimal(match[2]) * 100),
        }
        self.bonuses[made["id"]] = made
        return made

    def _pay_bonus(self, key: str) -> dict[str, Any]:
        """Pays as often as it is asked, some minutes later, as Prolific says that it does."""
        if key not in self.bonuses:
            raise _Refusal(404, "no such bonus")
        bonus = self.bonuses[key]
        self.due.append((self.clock() + self.bonus_takes, bonus["session"], bonus["amount"]))
        return {}

    # -- reports ------------------------------------------------------------------------------------------------
    def _secret(self, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("workspace_id"):
            raise _Refusal(400, "workspace_id is required")
        self.hook_secret = "hook-" + self._id()
        return {"id": self._id(), "value": self.hook_secret, "workspace_id": body["workspace_id"]}

    def _subscribe(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        if set(body) != {"workspace_id", "event_type", "target_url"} or not body["target_url"].startswith("https://"):
            raise _Refusal(400, "workspace_id, event_type and an https target_url are required")
        made = self._id()
        self.subscriptions[made] = {**body, "secret": self._id(), "confirmed": False}
        return {"id": made}, {"x-hook-secret": self.subscriptions[made]["secret"]}

    def _confirm(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.subscriptions.get(key, {}).get("secret") != body.get("secret"):
            raise _Refusal(400, "wrong secret")
        self.subscriptions[key]["confirmed"] = True
        return {}

    # -- on loopback --------------------------------------------------------------------------------------------
    @contextmanager
    def serve(self) -> Iterator[str]:
        """Answers on a port of this machine; the origin. A drop closes the connection without an answer."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    given = Secret(self.headers.get("Authorization", "").removeprefix("Token "))
                    answer = fake(self.command, self.path, dict(self.headers), body, given)
                except (PanelDoubt, PanelUnreachable):
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        with serving(Handler) as origin:
            yield origin


def _check_study(body: dict[str, Any]) -> None:
    for name, kind in _REQUIRED.items():
        if not isinstance(body.get(name), kind):
            raise _Refusal(400, f"{name} is missing or wrong")
    if unknown := set(body) - _ALLOWED:
        raise _Refusal(400, f"unknown: {unknown}")
    if ("external_study_url" in body) == ("access_details" in body):
        raise _Refusal(400, "either external_study_url or access_details")
    links = [body.get("external_study_url"), *(item["external_url"] for item in body.get("access_details", ()))]
    for link in filter(None, links):
        if not link.startswith("https://") or any(name not in link for name in _PLACEHOLDERS):
            raise _Refusal(400, f"the link needs https and its three placeholders: {link}")
    allotted = sum(item["total_allocation"] for item in body.get("access_details", ()))
    if "access_details" in body and allotted != body["total_available_places"]:
        raise _Refusal(400, "the allocations must sum to total_available_places")
    minutes = body["estimated_completion_time"]
    if body["maximum_allowed_time"] < minutes or body["total_available_places"] < 1 or body["reward"] < 1:
        raise _Refusal(400, "times, places or reward")
    if body["prolific_id_option"] not in ("url_parameters", "question", "not_required"):
        raise _Refusal(400, "prolific_id_option")
    if not set(body["device_compatibility"]) <= {"desktop", "mobile", "tablet"}:
        raise _Refusal(400, "device_compatibility")
    for code in body["completion_codes"]:
        good = code["code_type"] in _CODE_TYPES and code["actor"] in ("participant", "researcher") and code["code"]
        if not good or any(action["action"] not in _ACTIONS for action in code["actions"]):
            raise _Refusal(400, f"completion code {code}")
