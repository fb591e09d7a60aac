"""Ids and times as they are stored: opaque upper-case ids, whole milliseconds since 1970 (UTC)."""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime

__all__ = ["from_ms", "id_of", "new_access_key", "new_customer_id", "new_id", "new_secret", "new_token", "to_ms"]

_ALPHABET = string.ascii_uppercase + string.digits


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def new_id() -> str:
    """An EntityId of MTurk's own form: 30 characters that begin with "3", about 150 random bits."""
    return "3" + _letters(29)


def id_of(digest: bytes) -> str:
    """The EntityId that belongs to a digest of 20 and more bytes."""
    number, letters = int.from_bytes(digest), ""
    for _ in range(29):
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return "3" + letters


def new_customer_id() -> str:
    """A worker or requester id: "A" and 13 characters, as recorded ids have."""
    return "A" + _letters(13)


def new_access_key() -> str:
    """A 20-character access key id."""
    return "GLWY" + _letters(16)


def new_secret() -> str:
    """A 40-character secret key without characters that shells or ini files would quote."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def new_token() -> str:
    """A link-safe secret of 160 random bits."""
    return secrets.token_urlsafe(20)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970 of an aware time."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; pass an aware UTC time")
    return round(moment.timestamp() * 1000)


def from_ms(stamp: int) -> datetime:
    """The aware UTC time of a stored stamp."""
    return datetime.fromtimestamp(stamp / 1000, UTC)
