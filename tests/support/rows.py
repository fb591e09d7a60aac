"""Workspaces whose rows are brought to a PostgreSQL database, and all that is in them."""

from __future__ import annotations

from dataclasses import replace

from galloway.pipeline.workspace.database.copying import sums
from galloway.pipeline.workspace.database.moving import (
    as_noted,
    move_to_postgresql,
    tables,
)
from galloway.pipeline.workspace.folder import Workspace

__all__ = ["everything", "moved", "reopened"]


def everything(workspace: Workspace) -> dict[str, tuple[int, str]]:
    """Every table's rows and their digest."""
    with workspace.db.connect() as db:
        return {name: tuple(found) for name, found in sums(db, tables()).items()}


def moved(workspace: Workspace, url: str) -> Workspace:
    """The workspace with its rows brought there."""
    with workspace.lock("moving"):
        move_to_postgresql(workspace, url)
    workspace.db.dispose()
    return reopened(workspace, url)


def reopened(workspace: Workspace, url: str) -> Workspace:
    again = Workspace.open(workspace.root)
    return replace(again, settings=as_noted(again, url).settings)
