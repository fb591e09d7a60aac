"""The tables of faces, votes and decisions, and their rows as values and back. `metadata` is the newest schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from sys import intern
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from .errors import CurationError
from .types import (
    DecidedBy,
    Decision,
    Face,
    FaceId,
    Question,
    Side,
    Status,
    Vote,
    VoterKind,
)
from .votes import FIELDS, Columns, Votes

__all__ = [
    "Among",
    "decision_table",
    "decisions_of_rows",
    "face_of_row",
    "face_table",
    "insert_new",
    "metadata",
    "reading",
    "row_of_decision",
    "row_of_face",
    "row_of_vote",
    "run_table",
    "shown_table",
    "streaming",
    "vote_columns",
    "vote_table",
    "votes_of_rows",
    "word_of",
]

_Word = TypeVar("_Word", bound=StrEnum)
_AT_ONCE = 10_000
"""So many rows are in memory as rows."""


def reading(engine: sa.Engine) -> sa.Connection:
    """A connection on which nothing is written. On PostgreSQL each statement is a transaction of its own, which costs
    one round trip where BEGIN, the statement and its end cost three; statements of one READ COMMITTED transaction see
    no more of each other."""
    if engine.dialect.name == "postgresql":
        return engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    return engine.connect()


def streaming(engine: sa.Engine) -> sa.Connection:
    """As `reading`, for what is read of all faces: rows come in parts, where a driver would hold them all."""
    return engine.connect().execution_options(stream_results=True)


def word_of(kind: type[_Word], value: object) -> _Word:
    """What a row names, one of `kind`'s words. Nobody but us writes these tables: where a row says something else, its
    author is a stranger. Raises CurationError."""
    found = kind._value2member_map_.get(value)  # a look-up: calling the class costs five times as much, at every row
    if not isinstance(found, kind):
        raise CurationError(
            f"A table of the workspace's database holds {str(value)[:40]!r} where one of {', '.join(kind)} belongs. "
            "Bring galloway.db back from a copy that you trust (the workspace's backups/, or your own)."
        )
    return found


class _Texts(sa.types.TypeDecorator[list[str]]):
    """A list as one value: an array on PostgreSQL, JSON in SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The type that the database knows."""
        return dialect.type_descriptor(postgresql.ARRAY(sa.Text) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: list[str] | None, dialect: sa.Dialect) -> Any:
        """What is sent."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class Among(FunctionElement[bool]):
    """Whether a column is one of some texts, however many: a statement has 32,766 values at most in SQLite, 65,535 in
    PostgreSQL, and a list is one. So the statement is the same for any number of texts, too, and compiled once."""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.Column[str], texts: Iterable[str]) -> None:
        listed = [str(text) for text in texts]
        super().__init__(column, sa.bindparam(None, listed, type_=_Texts(), unique=True))

    def self_group(self, against: object = None) -> Self:
        """The same: as any other boolean, SQLite would be asked whether it equals 1, and then uses no index."""
        return self


@compiles(Among)
def _as_json(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(Among, "postgresql")
def _as_an_array(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY ({texts})"


def insert_new(db: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
    """Add the rows whose keys are not there yet; known ones stay as they are."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    db.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


metadata = sa.MetaData()

face_table = sa.Table(
    "face",
    metadata,
    sa.Column("face_id", sa.String(32), primary_key=True),
    sa.Column("side", sa.String(1), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_name", sa.Text, nullable=False),
    sa.Column("face_index", sa.Integer, nullable=False),
    sa.Column("frame_number", sa.Integer),
    sa.Column("x", sa.Integer, nullable=False),
    sa.Column("y", sa.Integer, nullable=False),
    sa.Column("w", sa.Integer, nullable=False),
    sa.Column("h", sa.Integer, nullable=False),
    # A face that a merge moved to rejected/ stays known, with where it is now.
    sa.Column("rejected_in", sa.Text),
)

vote_table = sa.Table(
    "vote",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("face_id", sa.String(32), sa.ForeignKey("face.face_id"), nullable=False, index=True),
    sa.Column("question", sa.String(16), nullable=False),
    sa.Column("label", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("worker_id", sa.String(64), nullable=False, index=True),
    sa.Column("assignment_id", sa.String(64), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("submitted_at", sa.String(40), nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("look", sa.String(24), nullable=False, server_default=""),
    # Collecting the same assignment twice must not make a second vote.
    sa.UniqueConstraint("face_id", "question", "assignment_id", name="vote_once"),
)

run_table = sa.Table(
    "decision_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("method", sa.String(32), nullable=False),
    sa.Column("votes", sa.Integer, nullable=False),
)

decision_table = sa.Table(
    "decision",
    metadata,
    sa.Column("run_id", sa.Integer, sa.ForeignKey("decision_run.id"), primary_key=True),
    sa.Column("face_id", sa.String(32), sa.ForeignKey("face.face_id"), primary_key=True),
    # "" is the decision on the face as a whole: NULL cannot be part of a primary key everywhere.
    sa.Column("question", sa.String(16), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("label", sa.String(32)),
    sa.Column("reason", sa.String(32)),
    sa.Column("posterior", sa.Float),
    sa.Column("votes", sa.Integer, nullable=False),
    sa.Column("decided_by", sa.String(16), nullable=False),
    sa.Column("method", sa.String(32), nullable=False),
)

shown_table = sa.Table(
    "shown_face",
    metadata,
    # What faces are found and sorted by, one row a face: derived from faces, newest decisions and looks (`shown`), so
    # that no page joins or sorts them all. Nothing is null: what is unknown has the value that says least.
    sa.Column("face_id", sa.String(32), sa.ForeignKey("face.face_id"), primary_key=True),
    sa.Column("side", sa.String(1), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("frame", sa.Integer, nullable=False),  # 0: a photograph
    sa.Column("size", sa.Integer, nullable=False),  # the smaller side in the frame, in pixels
    sa.Column("gone", sa.Boolean, nullable=False),  # a merge moved it away
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("decided_by", sa.String(16), nullable=False),
    sa.Column("doubt", sa.Float, nullable=False),  # the chance that what stands is wrong, by who decided; 1: nothing
    sa.Column("risk", sa.Float, nullable=False),  # the same, by all that is known
    sa.Column("sharpness", sa.Float, nullable=False),  # share of the side's faces that are less sharp
    sa.Column("yaw", sa.Float, nullable=False),  # degrees, 0 from the front
    sa.Column("person", sa.Integer, nullable=False),  # as numbered by the last look; 0: not clear
    sa.Column("x", sa.Float, nullable=False),  # the place on the side's map, 0 to 1
    sa.Column("y", sa.Float, nullable=False),
    sa.Index("shown_person", "side", "person"),
    sa.Index("shown_film", "side", "source", "frame", "face_id"),
    # The index of an order: a page of a side and status lies in one piece, whoever decided and whatever is gone.
    *(
        sa.Index(f"shown_{value}", "side", "status", value, "face_id", "gone", "decided_by")
        for value in ("risk", "doubt", "sharpness", "yaw", "size")
    ),
)


vote_columns = tuple(vote_table.c[name] for name in FIELDS)
"""What is read of a vote, in the order of its fields."""


def row_of_face(face: Face) -> dict[str, Any]:
    x, y, w, h = face.box
    return {
        "face_id": face.face_id,
        "side": face.side.value,
        "name": face.name,
        "source": face.source,
        "source_name": face.source_name,
        "face_index": face.face_index,
        "frame_number": face.frame_number,
        "x": x,
        "y": y,
        "w": w,
        "h": h,
    }


def face_of_row(row: sa.RowMapping) -> Face:
    """A row of the face table as a value."""
    return Face(
        face_id=FaceId(row["face_id"]),
        side=word_of(Side, row["side"]),
        name=row["name"],
        source=intern(row["source"]),  # one text a film, not one a face
        source_name=row["source_name"],
        face_index=row["face_index"],
        frame_number=row["frame_number"],
        box=(row["x"], row["y"], row["w"], row["h"]),
    )


def row_of_vote(vote: Vote) -> dict[str, Any]:
    return {
        "face_id": vote.face_id,
        "question": vote.question.value,
        "label": vote.label,
        "reason": vote.reason,
        "worker_id": vote.worker_id,
        "assignment_id": vote.assignment_id,
        "round": vote.round,
        "submitted_at": vote.submitted_at.astimezone(UTC).isoformat(),
        "seconds": vote.seconds,
        "kind": vote.kind.value,
        "simulated": vote.simulated,
        "note": vote.note,
        "look": vote.look,
    }


def votes_of_rows(rows: sa.Result[Any]) -> Votes:
    """Rows of `vote_columns` as votes, read in parts."""
    columns = Columns()
    with rows:
        for part in rows.partitions(_AT_ONCE):
            columns.add(zip(*part, strict=True))
    return columns.votes(
        {
            "question": partial(word_of, Question),
            "kind": partial(word_of, VoterKind),
            "submitted_at": datetime.fromisoformat,
            "simulated": bool,
        }
    )


class _Read(dict[Any, Any]):
    """Each value as read once."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: Any) -> Any:
        found = self[value] = self._read(value)
        return found


class _Same(dict[Any, Any]):
    """The first object that is equal, for each."""

    def __missing__(self, value: Any) -> Any:
        self[value] = value
        return value


def row_of_decision(run_id: int, item: Decision) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "face_id": item.face_id,
        "question": item.question.value if item.question else "",
        "status": item.status.value,
        "label": item.label,
        "reason": item.reason,
        "posterior": item.posterior,
        "votes": item.votes,
        "decided_by": item.decided_by.value,
        "method": item.method,
    }


def decisions_of_rows(rows: Iterable[sa.Row[Any]]) -> list[Decision]:
    """Rows of the decision table as values; equal texts are one object, as in `votes_of_rows`."""
    text: dict[Any, Any] = _Same()
    questions = _Read(lambda value: word_of(Question, value) if value else None)
    statuses, deciders = _Read(partial(word_of, Status)), _Read(partial(word_of, DecidedBy))
    return [
        Decision(
            face_id=text[row.face_id],
            question=questions[row.question],
            status=statuses[row.status],
            label=text[row.label],
            reason=text[row.reason],
            posterior=row.posterior,
            votes=row.votes,
            decided_by=deciders[row.decided_by],
            method=text[row.method],
        )
        for row in rows
    ]
