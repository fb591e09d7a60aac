"""Addresses of databases as people write them, and what a connection to PostgreSQL asks for. Both sides use it: the
marketplace for its own database, a workspace for its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

__all__ = ["bare_address", "connect_arguments", "read_address"]

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgresql+psycopg": "postgresql+psycopg"}


def read_address(text: str, whose: str) -> sa.URL:
    """The address of a database with the driver that is used for it. Raises ValueError with a sentence about `whose`
    address it is ("The database's"), which never shows a password."""
    try:
        found = sa.make_url(text)
        asked = (found.port, found.query)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(f"{whose} address cannot be read.") from None
    assert asked is not None
    if found.drivername == "postgres":
        raise ValueError(f"{whose} address begins with postgres://.")
    if found.drivername not in _DRIVERS:
        raise ValueError(f"{whose} address begins with {found.drivername[:40]!r}, which is not known here.")
    if found.get_backend_name() == "postgresql" and not found.database:
        raise ValueError(f"{whose} address names no database.")
    return found.set(drivername=_DRIVERS[found.drivername])


def bare_address(url: sa.URL) -> str:
    """Which database of which server, for messages and notes: without who signs in there and with which password."""
    return f"postgresql://{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


def connect_arguments(settings: Mapping[str, str | int], *, silence_ms: int) -> dict[str, Any]:
    """What the driver is told for each connection: the server's `settings` for it, and that a machine which went away
    without a word is noticed, on this side after `silence_ms` of unanswered data."""
    return {
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        "application_name": "galloway",
        "connect_timeout": 5,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "tcp_user_timeout": silence_ms,
    }
