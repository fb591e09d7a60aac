"""Figures that take long to compute, kept with the moment and the state of which they are: pages show them at once and
say how old they are. Everything here can be computed anew from the tables of record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ...curation.tables import reading
from .folder import Workspace
from .schema import figure_table

__all__ = ["KeptFigure", "drop_figures", "keep_figure", "kept_figure"]


@dataclass(frozen=True, slots=True)
class KeptFigure:
    """What was computed: `state` is that of what it was computed from, `body` a JSON value."""

    state: str
    made_at: datetime
    body: Any


def keep_figure(workspace: Workspace, name: str, state: str, body: Any) -> None:
    """Keep a figure in the place of the one that has its name."""
    row = {"name": name, "state": state, "made_at": datetime.now(UTC).isoformat(), "body": json.dumps(body)}
    with workspace.db.begin() as db:
        db.execute(figure_table.delete().where(figure_table.c.name == name))
        db.execute(figure_table.insert().values(**row))


def kept_figure(workspace: Workspace, name: str) -> KeptFigure | None:
    """The figure of that name, None where nobody computed it."""
    with reading(workspace.db) as db:
        row = db.execute(sa.select(figure_table).where(figure_table.c.name == name)).first()
    return None if row is None else KeptFigure(row.state, datetime.fromisoformat(row.made_at), json.loads(row.body))


def drop_figures(workspace: Workspace) -> None:
    """Forget all of them: what they were computed from is gone for good."""
    with workspace.db.begin() as db:
        db.execute(figure_table.delete())
