"""Counts of faces and votes that the database itself keeps: every write to a row of theirs changes them in the same
transaction, whoever writes it, so that no page counts a hundred thousand rows and none of them can say something else.

They are kept by triggers of the tables, in SQLite. Whoever makes one of these tables anew under its name
(`batch_alter_table`) makes its triggers anew, too; whoever copies rows leaves these tables out, for the triggers fill
them. PostgreSQL counts rows in a fraction of the time, and there writers would wait for each other at the counts: its
tables stay empty, and `face_counts` and its like read the rows.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .tables import metadata, shown_table, vote_table

__all__ = [
    "CELLS",
    "KEPT",
    "cell_count_table",
    "cell_counts",
    "cells_of",
    "face_change_table",
    "face_count_table",
    "face_counts",
    "metadata",
    "triggers",
    "vote_count_table",
    "vote_counts",
]

CELLS = 160
"""So many columns and rows has a map that is drawn."""

KEPT = {"kept": "by triggers"}
"""In the `info` of the tables that nobody writes or copies."""

face_count_table = sa.Table(
    "face_count",
    metadata,
    # How many faces of a side stand alike; 0 where there were some.
    sa.Column("side", sa.String(1), primary_key=True),
    sa.Column("gone", sa.Boolean, primary_key=True),
    sa.Column("status", sa.String(16), primary_key=True),
    sa.Column("reason", sa.String(32), primary_key=True),
    sa.Column("decided_by", sa.String(16), primary_key=True),
    sa.Column("faces", sa.Integer, nullable=False),
    info=KEPT,
)

cell_count_table = sa.Table(
    "cell_count",
    metadata,
    # How many faces of which status lie in a cell of a side's map.
    sa.Column("side", sa.String(1), primary_key=True),
    sa.Column("across", sa.Integer, primary_key=True),
    sa.Column("down", sa.Integer, primary_key=True),
    sa.Column("status", sa.String(16), primary_key=True),
    sa.Column("faces", sa.Integer, nullable=False),
    info=KEPT,
)

vote_count_table = sa.Table(
    "vote_count",
    metadata,
    sa.Column("kind", sa.String(8), primary_key=True),  # whose votes: worker | person
    sa.Column("votes", sa.Integer, nullable=False),
    info=KEPT,
)

face_change_table = sa.Table(
    "face_change",
    metadata,
    # How often a face of the side came or went: as long as it is the same, the faces are.
    sa.Column("side", sa.String(1), primary_key=True),
    sa.Column("changes", sa.Integer, nullable=False),
    info=KEPT,
)

_FACE = ("side", "gone", "status", "reason", "decided_by")
_KEPT: tuple[tuple[str, sa.Table, str, dict[str, str]], ...] = (
    ("shown_face", face_count_table, "faces", {name: f"{{row}}.{name}" for name in _FACE}),
    (
        "shown_face",
        cell_count_table,
        "faces",
        {
            "side": "{row}.side",
            "across": f"CAST({{row}}.x * {CELLS - 1} AS INTEGER)",
            "down": f"CAST({{row}}.y * {CELLS - 1} AS INTEGER)",
            "status": "{row}.status",
        },
    ),
    ("vote", vote_count_table, "votes", {"kind": "{row}.kind"}),
)
"""Which table's rows are counted where, in which column, and by what of a row."""


def face_counts(dialect: sa.Dialect) -> Any:
    """The columns side, gone, status, reason, decided_by and faces: one row for faces that stand alike."""
    if dialect.name == "sqlite":
        return face_count_table.c
    columns = [shown_table.c[name] for name in _FACE]
    return sa.select(*columns, sa.func.count().label("faces")).group_by(*columns).subquery().c


def cell_counts(dialect: sa.Dialect) -> Any:
    """The columns side, across, down, status and faces: one row a cell of a side's map and status."""
    if dialect.name == "sqlite":
        return cell_count_table.c
    columns = shown_table.c.side, *cells_of(dialect), shown_table.c.status
    return sa.select(*columns, sa.func.count().label("faces")).group_by(*columns).subquery().c


def vote_counts(dialect: sa.Dialect) -> Any:
    """The columns kind and votes."""
    if dialect.name == "sqlite":
        return vote_count_table.c
    kind = vote_table.c.kind
    return sa.select(kind, sa.func.count().label("votes")).group_by(kind).subquery().c


def cells_of(dialect: sa.Dialect) -> tuple[sa.Label[int], sa.Label[int]]:
    """In which column and row of the map a face lies."""
    places: list[sa.ColumnElement[Any]] = [at * (CELLS - 1) for at in (shown_table.c.x, shown_table.c.y)]
    if dialect.name != "sqlite":  # there a cast rounds
        places = [sa.func.trunc(place) for place in places]
    across, down = (sa.cast(place, sa.Integer) for place in places)
    return across.label("across"), down.label("down")


def triggers() -> list[str]:
    """The statements that make the triggers, for SQLite."""
    made = []
    for rows, counts, figure, by in _KEPT:
        more, less = _more(counts, figure, by), _less(counts, figure, by)
        changed = " OR ".join(f"{_of(what, 'OLD')} IS NOT {_of(what, 'NEW')}" for what in by.values())
        for event, when, body in (
            ("INSERT", "", more),
            ("DELETE", "", less),
            ("UPDATE", f" WHEN {changed}", f"{less} {more}"),
        ):
            name = f"{counts.name}_{event.lower()}"
            made.append(
                f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {rows} FOR EACH ROW{when} BEGIN {body} END"
            )
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        made.append(
            f"CREATE TRIGGER IF NOT EXISTS face_change_{event.lower()} AFTER {event} ON face FOR EACH ROW BEGIN "
            f"INSERT INTO face_change (side, changes) VALUES ({row}.side, 1) "
            "ON CONFLICT (side) DO UPDATE SET changes = changes + 1; END"
        )
    return made


def _of(what: str, row: str) -> str:
    return what.format(row=row)


def _more(counts: sa.Table, figure: str, by: dict[str, str]) -> str:
    """One more where the new row counts."""
    names, values = ", ".join(by), ", ".join(_of(what, "NEW") for what in by.values())
    # An upsert holds also where the statement that fires the trigger says OR IGNORE; INSERT OR … would not.
    return (
        f"INSERT INTO {counts.name} ({names}, {figure}) VALUES ({values}, 1) "
        f"ON CONFLICT ({names}) DO UPDATE SET {figure} = {figure} + 1;"
    )


def _less(counts: sa.Table, figure: str, by: dict[str, str]) -> str:
    """One fewer where the old row counted."""
    here = " AND ".join(f"{name} = {_of(what, 'OLD')}" for name, what in by.items())
    return f"UPDATE {counts.name} SET {figure} = {figure} - 1 WHERE {here};"


def _keep_counts(_metadata: Any, db: sa.Connection, **_rest: Any) -> None:
    if db.dialect.name == "sqlite":
        for statement in triggers():
            db.exec_driver_sql(statement)


sa.event.listen(metadata, "after_create", _keep_counts)
