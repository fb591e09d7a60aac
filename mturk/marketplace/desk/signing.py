"""Passwords, link tokens and frame links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re

from ..stamps import id_of

__all__ = ["check_password", "digest", "hash_password", "id_of_form", "open_link", "sign_link"]

# scrypt's interactive parameters: 16 MB and some 50 ms for each try.
_N, _R, _P = 2**14, 8, 1
_LINK = re.compile(r"([apx])\.([A-Z0-9]{1,64})\.([A-Z0-9]{1,64})\.([0-9]{1,15})\.([A-Za-z0-9_-]{27})")


def hash_password(password: str) -> str:
    """`salt$hash`, both base64."""
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P)
    return f"{base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def check_password(password: str, stored: str) -> bool:
    """Compare in constant time. With "" as `stored` it takes as long and is false, so that names cannot be guessed."""
    salt, _, wanted = stored.partition("$")
    made = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt) or b"nobody", n=_N, r=_R, p=_P)
    return hmac.compare_digest(base64.b64encode(made).decode(), wanted)


def digest(token: str) -> str:
    """What is stored of a session or invite token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def id_of_form(key: bytes, worker_id: str, once: str, turn: int) -> str:
    """The id of what a worker accepts by the form with the token `once`, for the first time (`turn` 0) or once more:
    nobody without `key` can tell it, and the same form gives the same."""
    payload = f"{worker_id}\n{turn}\n{once}".encode("utf-8", "replace")
    return id_of(hmac.new(key, b"once\n" + payload, hashlib.sha256).digest())


def _mac(key: bytes, payload: str) -> str:
    made = hmac.new(key, b"frame\n" + payload.encode(), hashlib.sha256).digest()[:20]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def sign_link(key: bytes, kind: str, target: str, worker_id: str, expires_ms: int) -> str:
    """The token of a frame link: kind "a" (assignment) or "p" (preview of a HIT)."""
    payload = f"{kind}.{target}.{worker_id}.{expires_ms}"
    return f"{payload}.{_mac(key, payload)}"


def open_link(key: bytes, token: str, now_ms: int) -> tuple[str, str, str] | None:
    """(kind, target, worker id) of a link that is genuine and in date, else None."""
    match = _LINK.fullmatch(token)
    if match is None:
        return None
    kind, target, worker_id, expires, mac = match.groups()
    if not hmac.compare_digest(mac, _mac(key, f"{kind}.{target}.{worker_id}.{expires}")):
        return None
    return (kind, target, worker_id) if int(expires) > now_ms else None
