"""What the tables are made of: their registry, and the kinds of columns that they share."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["SEQ", "count", "flag", "maybe_text", "metadata", "own_id", "ref", "seq", "stamp", "text"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""The type of `seq`, and of what points at one."""


def seq() -> sa.Column[int]:
    return sa.Column("seq", SEQ, primary_key=True, autoincrement=True)


def own_id() -> sa.Column[str]:
    return sa.Column("id", sa.String(64), nullable=False, unique=True)


def stamp(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def ref(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def maybe_text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=True)
