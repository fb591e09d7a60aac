"""The tables of those who serve: which servers answer for the marketplace, and what they have in common."""

from __future__ import annotations

import sqlalchemy as sa

from .columns import count, metadata, stamp, text

__all__ = ["server", "shared_note"]

server = sa.Table(
    "server",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    text("machine"),
    count("pid"),
    text("api"),
    text("worker"),
    text("frames"),
    stamp("started_at"),
    # Renewed while it runs; who was not seen for a while was killed.
    stamp("seen_at"),
)

shared_note = sa.Table(
    "shared_note",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    text("value"),
)
