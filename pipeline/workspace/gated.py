"""What is known of pictures before workers see them: how likely they are sexual, and what the requester said of them.

A picture is known by what it holds: a face by its id, a medium by its hosting key, a reference photograph by its bytes
(`market.pictures.picture_id`). Each function is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ...curation.tables import reading
from .folder import Workspace
from .schema import picture_table
from .settings import GateSettings

__all__ = [
    "Gated",
    "Known",
    "Ruling",
    "Word",
    "drop_gated",
    "gated",
    "keep_scores",
    "looked_at",
    "one_gated",
    "say_word",
]

Kind = Literal["face", "picture"]


class Word(StrEnum):
    """What a requester says of a picture."""

    SHOW = "show"
    WARN = "warn"
    KEEP_OUT = "keep-out"


class Ruling(StrEnum):
    """What becomes of a picture: shown, shown blurred to who opted in, kept out, or held until somebody says."""

    SHOW = "show"
    WARN = "warn"
    KEEP_OUT = "keep-out"
    HELD = "held"

    @property
    def stays(self) -> bool:
        """Whether no worker sees it."""
        return self in (Ruling.KEEP_OUT, Ruling.HELD)


class Known(NamedTuple):
    """What a picture is called by people, and whether it is a close crop of a face."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Gated:
    """A picture that was looked at or spoken of. `score` is None where no model looked, or none could."""

    id: str
    kind: Kind
    score: float | None
    word: Word | None
    name: str
    said_at: datetime | None = None

    def ruling(self, settings: GateSettings) -> Ruling:
        """A person's word before the model's."""
        if self.word is not None:
            return Ruling(self.word.value)
        return Ruling.HELD if self.score is not None and self.score >= settings.bar(self.kind) else Ruling.SHOW


def gated(workspace: Workspace) -> dict[str, Gated]:
    """The pictures of which something was said, and those that the model holds, by id: the others are shown."""
    table, settings = picture_table, workspace.settings.gate
    bars = [sa.and_(table.c.kind == kind, table.c.score >= settings.bar(kind)) for kind in ("face", "picture")]
    query = sa.select(table).where(sa.or_(table.c.word != "", *bars)).order_by(table.c.id)
    with reading(workspace.db) as db:
        return {row.id: _gated(row) for row in db.execute(query)}


def looked_at(workspace: Workspace) -> set[str]:
    """The ids of all pictures that were looked at, or spoken of."""
    with reading(workspace.db) as db:
        return set(db.execute(sa.select(picture_table.c.id)).scalars())


def one_gated(workspace: Workspace, picture: str) -> Gated | None:
    """What is known of one picture."""
    with reading(workspace.db) as db:
        row = db.execute(sa.select(picture_table).where(picture_table.c.id == picture)).first()
    return None if row is None else _gated(row)


def _gated(row: Any) -> Gated:
    said = None if row.said_at is None else datetime.fromisoformat(row.said_at)
    return Gated(row.id, row.kind, row.score, Word(row.word) if row.word else None, row.name, said)


def keep_scores(workspace: Workspace, scores: Mapping[str, float | None], known: Mapping[str, Known]) -> None:
    """Keep what a model saw, once a picture; words that were said stay."""
    _put(workspace, [{"id": key, "score": score} | known[key]._asdict() for key, score in scores.items()], "score")


def say_word(workspace: Workspace, pictures: Mapping[str, Known], word: Word) -> None:
    """Say this of pictures, whether anything looked at them or not."""
    said = {"word": word.value, "said_at": datetime.now(UTC).isoformat()}
    _put(workspace, [{"id": key} | known._asdict() | said for key, known in pictures.items()], "word", "said_at")


def _put(workspace: Workspace, rows: list[dict[str, Any]], *changed: str) -> None:
    if not rows:
        return
    with workspace.db.begin() as db:
        new = (postgresql if db.dialect.name == "postgresql" else sqlite).insert(picture_table)
        put = new.on_conflict_do_update(index_elements=["id"], set_={name: new.excluded[name] for name in changed})
        db.execute(put, [{"score": None, "word": "", "said_at": None} | row for row in rows])


def drop_gated(workspace: Workspace, pictures: Iterable[str]) -> None:
    """Forget these, when the pictures go."""
    rows = [{"gone": key} for key in pictures]
    if rows:
        with workspace.db.begin() as db:
            db.execute(picture_table.delete().where(picture_table.c.id == sa.bindparam("gone")), rows)
