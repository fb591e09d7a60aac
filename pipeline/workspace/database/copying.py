"""Rows from one database to another, of either kind, compared when they are there."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from .tables import standing

__all__ = ["TableSum", "copy_as_it_is", "copy_rows", "rewrite_tables", "sums", "tables_with"]

_PART = 2_000
_ALL = 1 << 128


class TableSum(NamedTuple):
    """What is in a table: how many rows, and a sum of their digests, the same in any order."""

    rows: int
    digest: str


def copy_rows(source: sa.Connection, target: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, TableSum]:
    """Copy all rows of these tables, which are empty at the target; what was copied, by table. Numbers that the
    database gives go on behind the largest."""
    found = {}
    for table in tables:
        count, total = 0, 0
        for part in _parts(source, table):
            target.execute(table.insert(), part)
            count += len(part)
            total = (total + sum(_number(row) for row in part)) % _ALL
        found[table.name] = TableSum(count, f"{total:032x}")
        _go_on_behind(target, table)
    return found


def sums(db: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, TableSum]:
    """What is in these tables."""
    found = {}
    for table in tables:
        count, total = 0, 0
        for part in _parts(db, table):
            count += len(part)
            total = (total + sum(_number(row) for row in part)) % _ALL
        found[table.name] = TableSum(count, f"{total:032x}")
    return found


def _parts(db: sa.Connection, table: sa.Table) -> Iterable[list[dict[str, object]]]:
    with db.execute(sa.select(table), execution_options={"yield_per": _PART}) as rows:
        for part in rows.mappings().partitions(_PART):
            yield [dict(row) for row in part]


def _number(row: Mapping[str, object]) -> int:
    return int.from_bytes(blake2b(repr(tuple(row.values())).encode(), digest_size=16).digest(), "big")


def _go_on_behind(db: sa.Connection, table: sa.Table) -> None:
    column = table.autoincrement_column
    if db.dialect.name != "postgresql" or column is None or not isinstance(column.type, sa.Integer):
        return
    largest = db.scalar(sa.select(sa.func.max(column)))
    if largest is not None:
        db.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, column.name), largest)))


def rewrite_tables(engine: sa.Engine) -> None:
    """Have PostgreSQL write its tables anew, without the rows that were deleted."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        for table in sa.inspect(db).get_table_names():
            db.exec_driver_sql(f'VACUUM FULL "{table}"')


def tables_with(engine: sa.Engine, pattern: re.Pattern[bytes]) -> list[str]:
    """The tables in which some text holds what `pattern` finds."""
    there = sa.MetaData()
    found = []
    with engine.connect() as db, db.begin():
        there.reflect(db)
        for table in there.sorted_tables:
            texts = [column for column in table.columns if isinstance(column.type, sa.String)]
            with db.execute(sa.select(*texts), execution_options={"yield_per": _PART}) as rows:
                if any(pattern.search("\n".join(filter(None, row)).encode()) for row in rows):
                    found.append(table.name)
    return found


def copy_as_it_is(engine: sa.Engine, file: Path, version: int) -> None:
    """Copy a database whose tables are of an older `version` into a SQLite file, as they are."""
    there = sa.MetaData()
    own = {table.name for table in standing.tables.values()}
    lite = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source:
        there.reflect(source, only=lambda name, _: name not in own)
        for table in there.tables.values():
            for column in table.columns:
                column.server_default = None  # in PostgreSQL's words
                if isinstance(column.type, sa.String):
                    column.type = sa.Text()
        with lite.begin() as target:
            there.create_all(target)
            copy_rows(source, target, there.sorted_tables)
    lite.dispose()
    with closing(sqlite3.connect(file)) as done:
        done.execute(f"PRAGMA user_version = {version:d}")
