"""Prolific's API, as far as recruiting needs it (docs.prolific.com, read in November 2026).

Reads are tried again; what changes something is sent once, except where Prolific itself says that it was too fast.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ...recruiting.values import Study, StudyStatus
from ...recruiting.wage import maximum_minutes
from ..errors import PanelDoubt, PanelError, PanelRefused, PanelUnreachable
from .panel import Action, Category, Submission, checked_reason
from .secret import Secret
from .transport import Answer, Transport

__all__ = ["API", "EVENTS", "Prolific", "study_fields"]

_LOG = logging.getLogger(__name__)
API = "https://api.prolific.com"
EVENTS = ("submission.status.change", "study.status.change")
_BASE = "/api/v1"
_TRIES = 4
_LONGEST_WAIT = 60.0
_MOST_PAGES = 1000
_AFTER: dict[str, StudyStatus] = {
    "UNPUBLISHED": "draft",
    "SCHEDULED": "published",
    "PUBLISHING": "published",
    "ACTIVE": "published",
    "PAUSED": "paused",
    "AWAITING REVIEW": "stopped",
    "COMPLETED": "stopped",
}
_ACTED = {"PUBLISH": ("published",), "START": ("published",), "PAUSE": ("paused",), "STOP": ("stopped",)}


class Prolific:
    """One researcher's Prolific. `name_of` gives a study's internal name, by which a draft is found again."""

    pays = True

    def __init__(
        self,
        token: Secret,
        transport: Transport,
        *,
        name_of: Callable[[Study], str],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._send = transport
        self._name_of = name_of
        self._pause = pause

    # -- studies ------------------------------------------------------------------------------------------------
    def draft(self, study: Study, links: Sequence[tuple[str, int]]) -> str:
        """The draft's id: found by its internal name, else made. A second draft that a lost answer left costs nothing,
        for only the one that is found is ever published."""
        name = self._name_of(study)
        if found := self._find(name):
            return found
        try:
            made = self._call("POST", "/studies/", study_fields(study, name, links))
        except PanelDoubt:
            if found := self._find(name):
                return found
            raise
        return str(made["id"])

    def drop(self, study: Study) -> None:
        """All drafts of that internal name go: one that stayed would be found again by the next study of the name."""
        for made in dict.fromkeys(filter(None, (study.panel_id, *self._named(self._name_of(study))))):
            try:
                self._call("DELETE", f"/studies/{quote(made, safe='')}/")
            except PanelRefused as error:
                if error.status != 404:
                    raise

    def _find(self, name: str) -> str:
        return next(iter(self._named(name)), "")

    def _named(self, name: str) -> list[str]:
        return [str(item["id"]) for item in self._pages("/studies/") if item.get("internal_name") == name]

    def change(self, study: Study, action: Action) -> StudyStatus:
        """Sent only where the study does not stand so already: publishing takes money."""
        status = self._status(study)
        if status in _ACTED[action]:
            return status
        try:
            self._call("POST", f"/studies/{study.panel_id}/transition/", {"action": action})
        except PanelDoubt:
            if (status := self._status(study)) in _ACTED[action]:
                return status
            raise
        return self._status(study)

    def _status(self, study: Study) -> StudyStatus:
        found = str(self._call("GET", f"/studies/{study.panel_id}/").get("status", "")).upper()
        if found not in _AFTER:
            raise PanelError(
                f"Prolific says that the study {study.panel_id} is {found or 'nothing'}. Look at it there."
            )
        return _AFTER[found]

    def progress(self, study: Study) -> dict[str, dict[str, int]]:
        """Address → Prolific's own counts of it, of a study with several groups of HITs (Taskflow)."""
        found = self._call("GET", f"/studies/{study.panel_id}/access-details-progress/")
        rows = (dict(item) for item in found.get("progress", ()))
        return {
            str(row.pop("external_url", "")): {name: value for name, value in row.items() if type(value) is int}
            for row in rows
        }

    # -- submissions --------------------------------------------------------------------------------------------
    def submissions(self, study: Study) -> dict[str, Submission]:
        found = self._pages(f"/submissions/?{urlencode({'study': study.panel_id})}")
        return {str(item["id"]): _submission(item) for item in found}

    def submission(self, session: str) -> Submission | None:
        try:
            return _submission(self._call("GET", f"/submissions/{quote(session, safe='')}/"))
        except PanelRefused as error:
            if error.status == 404:
                return None
            raise

    def approve(self, session: str) -> None:
        self._transition(session, {"action": "APPROVE"})

    def reject(self, session: str, reason: str, category: Category) -> None:
        body = {"action": "REJECT", "message": checked_reason(reason), "rejection_category": category}
        self._transition(session, body)

    def _transition(self, session: str, body: Mapping[str, Any]) -> None:
        self._call("POST", f"/submissions/{quote(session, safe='')}/transition/", body)

    def ask_return(self, session: str) -> None:
        reasons = {"request_return_reasons": ["There was no work left when you came. Please return the submission."]}
        self._call("POST", f"/submissions/{quote(session, safe='')}/request-return/", reasons)

    def create_bonus(self, study: Study, session: str, amount: Decimal) -> str:
        body = {"study_id": study.panel_id, "csv_bonuses": f"{session},{amount:.2f}"}
        return str(self._call("POST", "/submissions/bonus-payments/", body)["id"])

    def pay_bonus(self, ref: str) -> None:
        self._call("POST", f"/bulk-bonus-payments/{quote(ref, safe='')}/pay/", {})

    # -- reports ------------------------------------------------------------------------------------------------
    def hook_secret(self, workspace: str) -> Secret:
        """A new secret with which Prolific signs its reports; one is active for each workspace."""
        return Secret(str(self._call("POST", "/hooks/secrets/", {"workspace_id": workspace})["value"]))

    def subscribe(self, workspace: str, event: str, target: str) -> str:
        """Have events reported to `target`, and confirm it; the subscription's id."""
        if not target.startswith("https://"):
            raise PanelError(
                f"Prolific reports to https addresses only, not to {target}. Poll instead: recruit settle --every"
            )
        body = {"workspace_id": workspace, "event_type": event, "target_url": target}
        answer = self._answer("POST", "/hooks/subscriptions/", body)
        made = str(_json(answer).get("id", ""))
        self._call("POST", f"/hooks/subscriptions/{made}/", {"secret": answer.headers.get("x-hook-secret", "")})
        return made

    # -- the wire -----------------------------------------------------------------------------------------------
    def _pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        for _ in range(_MOST_PAGES):
            page = self._call("GET", path)
            yield from page.get("results", ())
            link = page.get("_links", {}).get("next") or {}
            following = urlsplit(str(link.get("href") or page.get("next") or ""))
            if not following.path.startswith(_BASE):
                return
            # Only the path is followed: whatever the link's host, the token goes to Prolific alone.
            path = f"{following.path.removeprefix(_BASE)}?{following.query}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _json(self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        for tried in range(_TRIES):
            left, pause = tried + 1 < _TRIES, 0.5 * 2**tried
            try:
                answer = self._once(method, path, body)
            except (PanelUnreachable, PanelDoubt):
                if method != "GET" or not left:
                    raise
                self._pause(pause)
                continue
            if answer.status == 429 and left:
                self._pause(_wait(answer))
                continue
            if answer.status >= 500 and method == "GET" and left:
                self._pause(pause)
                continue
            return _good(answer, method, path)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"}
        if sent:
            headers["Content-Type"] = "application/json"
        _LOG.info("asking Prolific", extra={"method": method, "path": path.partition("?")[0]})
        return self._send(method, _BASE + path, headers, sent, self._token)


def _wait(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return min(_LONGEST_WAIT, float(text)) if text.isdigit() else 5.0


def _good(answer: Answer, method: str, path: str) -> Answer:
    what = f"{method} {path.partition('?')[0]}"
    if answer.status >= 500:
        raise PanelDoubt(f"Prolific answered {answer.status} to {what}. It may have been done: run the same again.")
    if answer.status in (401, 403):
        raise PanelRefused(
            f"Prolific does not accept the token for {what}. Make a new one in its settings.", status=answer.status
        )
    if answer.status >= 300:
        raise PanelRefused(f"Prolific refused {what} ({answer.status}): {_words(answer)}", status=answer.status)
    return answer


def _words(answer: Answer) -> str:
    try:
        error = json.loads(answer.body).get("error", {})
        detail = error.get("detail") or error.get("title") or ""
        return (detail if isinstance(detail, str) else json.dumps(detail))[:500]
    except (ValueError, AttributeError, RecursionError):
        return "without a reason"


def _json(answer: Answer) -> dict[str, Any]:
    if not answer.body.strip():
        return {}
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise PanelDoubt("Prolific's answer cannot be read. It may have been done: run the same again.") from None
    return found if isinstance(found, dict) else {"results": found}


def _submission(item: Mapping[str, Any]) -> Submission:
    participant = item.get("participant") or item.get("participant_id") or ""
    return Submission(
        session=str(item["id"]),
        participant=str(participant),
        status=str(item.get("status", "")).upper().replace("_", " ").replace("TIMED OUT", "TIMED-OUT"),
        code=str(item.get("entered_code") or item.get("study_code") or ""),
        bonuses=tuple(Decimal(str(cents)).scaleb(-2) for cents in item.get("bonus_payments") or ()),
    )


def study_fields(study: Study, name: str, links: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """A draft in Prolific's words. Several links are one study with a Taskflow: each person gets one of them."""
    fields: dict[str, Any] = {
        "name": study.title,
        "internal_name": name,
        "description": study.about,
        "prolific_id_option": "url_parameters",
        "completion_codes": _codes(study),
        "total_available_places": study.places,
        "estimated_completion_time": study.minutes,
        "maximum_allowed_time": maximum_minutes(study.minutes),
        "reward": int(study.reward * 100),
        "device_compatibility": ["desktop", "tablet", "mobile"],
        "submissions_config": {"max_submissions_per_participant": 1},
    }
    if study.taskflow:
        fields["access_details"] = [{"external_url": url, "total_allocation": places} for url, places in links]
    else:
        fields["external_study_url"] = links[0][0]
    return fields


def _codes(study: Study) -> list[dict[str, Any]]:
    """Finished work is looked at before it is paid; who did not agree or found no work is asked to return the place."""
    back = {"action": "REQUEST_RETURN", "return_reason": "Nothing was asked of you, so please return your submission."}
    kinds = (
        ("COMPLETED", "COMPLETED", {"action": "MANUALLY_REVIEW"}),
        ("NO_CONSENT", "NO_CONSENT", back),
        ("NO_WORK", "OTHER", back),
    )
    return [
        {"code": study.codes[outcome], "code_type": kind, "actor": "participant", "actions": [action]}
        for outcome, kind, action in kinds
    ]
