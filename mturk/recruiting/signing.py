"""Signatures: of links into a study, of completion codes, of what a panel reports. And the worker behind a person.

Everything is made from the marketplace's own key and compared in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from .values import Study

__all__ = [
    "FRESH_SECONDS",
    "Arrival",
    "LinkRefused",
    "completion_code",
    "hook_is_genuine",
    "is_id",
    "landed_at",
    "landing_stamp",
    "panel_link",
    "person_link",
    "read_arrival",
    "study_secret",
    "worker_of",
]

FRESH_SECONDS = 300
"""A panel's report counts for so long after the time it carries."""
_READING_MS = 30 * 60 * 1000
_ID = re.compile(r"[\w.@:+=-]{1,128}")
_PLACEHOLDER = "PARTICIPANT"
"""What a panel puts an id in place of."""
_PROLIFIC_ID = re.compile(r"[0-9a-f]{24}")
_PROLIFIC = {"participant": "PROLIFIC_PID", "session": "SESSION_ID"}


class LinkRefused(ValueError):
    """A link into a study that does not open it; the text is for the person who followed it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came by a genuine link, and for which group of HITs ("": any of the study's)."""

    participant: str
    session: str
    group: str


def study_secret(key: bytes, study: str) -> bytes:
    """The secret of one study, from the marketplace's key."""
    return hmac.new(key, b"recruit\n" + study.encode(), hashlib.sha256).digest()


def _mac(secret: bytes, *parts: str) -> str:
    made = hmac.new(secret, "\n".join(parts).encode(), hashlib.sha256).digest()[:20]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def worker_of(key: bytes, source: str, participant: str) -> str:
    """The worker id of a source's participant: always the same, not to be turned back, another in another source."""
    made = hmac.new(key, f"worker\n{source}\n{participant}".encode(), hashlib.sha256).digest()
    return "A" + base64.b32encode(made)[:19].decode()


def completion_code(secret: bytes, participant: str, session: str) -> str:
    """The one-time code of a person who finished: `ABCDE-FGHIJ-KLMNO`, 75 bits that only we can make."""
    made = hmac.new(secret, f"done\n{participant}\n{session}".encode(), hashlib.sha256).digest()
    letters = base64.b32encode(made)[:15].decode()
    return "-".join(letters[start : start + 5] for start in range(0, 15, 5))


def person_link(site: str, study: Study, secret: bytes, participant: str, session: str, until: int | None) -> str:
    """The link of one person, good until `until` (epoch seconds; None: as long as the study)."""
    stop = "" if until is None else str(until)
    values = {"participant": participant, "session": session, **({"until": stop} if stop else {})}
    signature = _mac(secret, "person", participant, session, stop)
    return f"{site}/recruit/{study.key}?{urlencode({**values, 'sig': signature})}"


def panel_link(site: str, study: Study, secret: bytes, group: str = "") -> str:
    """The link of the whole study, into which the panel fills the ids in place of its placeholders."""
    values = {"group": group} if group else {}
    base = f"{site}/recruit/{study.key}?{urlencode({**values, 'sig': _mac(secret, 'study', group)})}"
    if study.profile == "prolific":
        # Prolific replaces these as they stand here: they are not to be escaped.
        names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
        return base + "".join(f"&{name}={{{{%{name}%}}}}" for name in names)
    return f"{base}&participant={_PLACEHOLDER}&session=SESSION"


def is_id(text: str) -> bool:
    """Whether a link may name a person or a session so: 1 to 128 letters, digits and . _ @ : + = -."""
    return _ID.fullmatch(text) is not None and text != _PLACEHOLDER


def read_arrival(study: Study, secret: bytes, given: Mapping[str, str], now_ms: int) -> Arrival:
    """Who came, if the link is genuine, in date and filled in. Raises LinkRefused."""
    names = _PROLIFIC if study.profile == "prolific" else {"participant": "participant", "session": "session"}
    participant, session = (given.get(names[name], "") for name in ("participant", "session"))
    group, until = given.get("group", ""), given.get("until", "")
    parts = ("study", group) if study.signed == "study" else ("person", participant, session, until)
    if not hmac.compare_digest(_mac(secret, *parts).encode(), given.get("sig", "").encode("utf-8", "replace")):
        raise LinkRefused(
            "This link is not signed by us, or it was changed on its way. Use the link exactly as it was sent."
        )
    if study.signed == "person" and until and not (until.isdigit() and int(until) * 1000 > now_ms):
        raise LinkRefused("This link is out of date. Ask whoever sent it for a new one.")
    if study.profile == "link":  # SONA and Connect know a person by one id
        session = session or participant
    _check_ids(study, participant, session, given)
    if group and group not in {one.group_id for one in study.groups}:
        raise LinkRefused("This link names work that is not part of the study.")
    return Arrival(participant, session, group)


def _check_ids(study: Study, participant: str, session: str, given: Mapping[str, str]) -> None:
    named = _PROLIFIC_ID.fullmatch if study.profile == "prolific" else is_id
    if not named(participant) or not named(session):
        raise LinkRefused(
            "This link names nobody: the panel did not fill in who you are. Open it from the panel's own page."
        )
    if study.profile == "prolific" and given.get("STUDY_ID", "") != study.panel_id:
        raise LinkRefused("This link belongs to another study. Open it from Prolific's own page.")


def landing_stamp(secret: bytes, session: str, now_ms: int) -> str:
    """When the first page was shown, signed: reading it is part of the time that is paid."""
    return f"{now_ms}.{_mac(secret, 'landed', session, str(now_ms))}"


def landed_at(secret: bytes, session: str, stamp: str, now_ms: int) -> int:
    """The time of a genuine stamp, at most half an hour back; else now."""
    at, _, mac = stamp.partition(".")
    if not at.isdigit() or len(at) > 15 or not hmac.compare_digest(_mac(secret, "landed", session, at), mac):
        return now_ms
    return min(now_ms, max(int(at), now_ms - _READING_MS))


def hook_is_genuine(secret: bytes, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether a report is the panel's: base64 of HMAC-SHA256 over timestamp and body, as Prolific signs."""
    made = base64.b64encode(hmac.new(secret, timestamp.encode("utf-8", "replace") + body, hashlib.sha256).digest())
    return hmac.compare_digest(made, signature.encode("utf-8", "replace"))
