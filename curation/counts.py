"""Counts of faces and votes that the database itself keeps: every write to a row of theirs changes them in the same
transaction, whoever writes it, so that no page counts a hundred thousand rows and none of them can say something else.

They are kept by triggers of the tables. Whoever makes one of these tables anew under its name (`batch_alter_table`)
makes its triggers anew, too.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .tables import metadata

__all__ = ["CELLS", "cell_count_table", "face_count_table", "metadata", "triggers", "vote_count_table"]

CELLS = 160
"""So many columns and rows has a map that is drawn."""

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
)

vote_count_table = sa.Table(
    "vote_count",
    metadata,
    sa.Column("kind", sa.String(8), primary_key=True),  # whose votes: worker | person
    sa.Column("votes", sa.Integer, nullable=False),
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
    for statement in triggers():
        db.exec_driver_sql(statement)


sa.event.listen(metadata, "after_create", _keep_counts)
