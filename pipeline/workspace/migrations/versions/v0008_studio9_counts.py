"""Counts of faces and votes that triggers keep in SQLite, and figures that take long to compute."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_FACE = "side, gone, status, reason, decided_by"
_CELL = "side, across, down, status"
_ACROSS, _DOWN = "CAST({row}x * 159 AS INTEGER)", "CAST({row}y * 159 AS INTEGER)"
_FACE_CHANGED = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _FACE.split(", "))
_CELL_CHANGED = (
    f"OLD.side IS NOT NEW.side OR {_ACROSS.format(row='OLD.')} IS NOT {_ACROSS.format(row='NEW.')} OR "
    f"{_DOWN.format(row='OLD.')} IS NOT {_DOWN.format(row='NEW.')} OR OLD.status IS NOT NEW.status"
)


def upgrade() -> None:
    """The counts begin with what is there."""
    _tables()
    if op.get_bind().dialect.name != "sqlite":
        return  # there the rows are counted
    cell = f"side, {_ACROSS.format(row='')}, {_DOWN.format(row='')}, status"
    op.execute(f"INSERT INTO face_count ({_FACE}, faces) SELECT {_FACE}, count(*) FROM shown_face GROUP BY {_FACE}")
    op.execute(f"INSERT INTO cell_count ({_CELL}, faces) SELECT {cell}, count(*) FROM shown_face GROUP BY {cell}")
    op.execute("INSERT INTO vote_count (kind, votes) SELECT kind, count(*) FROM vote GROUP BY kind")
    face = {name: f"{{row}}{name}" for name in _FACE.split(", ")}
    _count("shown_face", "face_count", "faces", face, _FACE_CHANGED)
    places = {"side": "{row}side", "across": _ACROSS, "down": _DOWN, "status": "{row}status"}
    _count("shown_face", "cell_count", "faces", places, _CELL_CHANGED)
    _count("vote", "vote_count", "votes", {"kind": "{row}kind"}, "OLD.kind IS NOT NEW.kind")
    op.execute("INSERT INTO face_change (side, changes) SELECT side, count(*) FROM face GROUP BY side")
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER face_change_{event.lower()} AFTER {event} ON face FOR EACH ROW BEGIN "
            f"INSERT INTO face_change (side, changes) VALUES ({row}.side, 1) "
            "ON CONFLICT (side) DO UPDATE SET changes = changes + 1; END"
        )


def _tables() -> None:
    op.create_table(
        "face_count",
        sa.Column("side", sa.String(1), primary_key=True),
        sa.Column("gone", sa.Boolean, primary_key=True),
        sa.Column("status", sa.String(16), primary_key=True),
        sa.Column("reason", sa.String(32), primary_key=True),
        sa.Column("decided_by", sa.String(16), primary_key=True),
        sa.Column("faces", sa.Integer, nullable=False),
    )
    op.create_table(
        "cell_count",
        sa.Column("side", sa.String(1), primary_key=True),
        sa.Column("across", sa.Integer, primary_key=True),
        sa.Column("down", sa.Integer, primary_key=True),
        sa.Column("status", sa.String(16), primary_key=True),
        sa.Column("faces", sa.Integer, nullable=False),
    )
    op.create_table(
        "face_change",
        sa.Column("side", sa.String(1), primary_key=True),
        sa.Column("changes", sa.Integer, nullable=False),
    )
    op.create_table(
        "vote_count",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("votes", sa.Integer, nullable=False),
    )
    op.create_table(
        "kept_figure",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(80), nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def _count(rows: str, counts: str, figure: str, by: dict[str, str], changed: str) -> None:
    """Three triggers: a row that comes, goes or changes."""
    names = ", ".join(by)
    values = ", ".join(what.format(row="NEW.") for what in by.values())
    here = " AND ".join(f"{name} = {what.format(row='OLD.')}" for name, what in by.items())
    more = (
        f"INSERT INTO {counts} ({names}, {figure}) VALUES ({values}, 1) "
        f"ON CONFLICT ({names}) DO UPDATE SET {figure} = {figure} + 1;"
    )
    less = f"UPDATE {counts} SET {figure} = {figure} - 1 WHERE {here};"
    op.execute(f"CREATE TRIGGER {counts}_insert AFTER INSERT ON {rows} FOR EACH ROW BEGIN {more} END")
    op.execute(f"CREATE TRIGGER {counts}_delete AFTER DELETE ON {rows} FOR EACH ROW BEGIN {less} END")
    op.execute(
        f"CREATE TRIGGER {counts}_update AFTER UPDATE ON {rows} FOR EACH ROW WHEN {changed} BEGIN {less} {more} END"
    )
