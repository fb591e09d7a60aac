"""The rows of facesets that merges approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ...curation.tables import reading
from ...curation.types import Side
from .folder import Workspace
from .schema import faceset_table

__all__ = ["ApprovedFaceset", "drop_facesets", "facesets", "note_merge", "standing_merge"]


@dataclass(frozen=True, slots=True)
class ApprovedFaceset:
    """A faceset that a merge approved; `parent` is the one before it, `undone_at` when the merge was taken back."""

    id: str
    side: Side
    merge_id: str
    parent: str | None
    digest: str
    faces: int
    rejected: int
    approved_at: datetime
    undone_at: datetime | None = None


def facesets(workspace: Workspace, side: Side) -> list[ApprovedFaceset]:
    """The merges of a side, newest first."""
    query = sa.select(faceset_table).where(faceset_table.c.side == side.value)
    with reading(workspace.db) as db:
        rows = db.execute(query.order_by(faceset_table.c.approved_at.desc())).all()
    return [
        ApprovedFaceset(
            id=row.id,
            side=side,
            merge_id=row.merge_id,
            parent=row.parent,
            digest=row.digest,
            faces=row.faces,
            rejected=row.rejected,
            approved_at=datetime.fromisoformat(row.approved_at),
            undone_at=datetime.fromisoformat(row.undone_at) if row.undone_at else None,
        )
        for row in rows
    ]


def standing_merge(workspace: Workspace, side: Side) -> ApprovedFaceset | None:
    """The newest approved faceset of the side that was not undone, or None."""
    return next((item for item in facesets(workspace, side) if item.undone_at is None), None)


def drop_facesets(workspace: Workspace, side: Side) -> None:
    """Forget every approved faceset of a side, when its faces are gone."""
    with workspace.db.begin() as db:
        db.execute(faceset_table.delete().where(faceset_table.c.side == side.value))


def note_merge(workspace: Workspace, faceset: ApprovedFaceset) -> None:
    """Bring the faceset's row to what the merge's manifest says: there, and taken back where that was not known."""
    known = faceset_table.c.id == faceset.id
    undone_at = faceset.undone_at.isoformat() if faceset.undone_at else None
    with workspace.db.begin() as db:
        if db.execute(sa.select(faceset_table.c.id).where(known)).first() is None:
            db.execute(
                faceset_table.insert().values(
                    id=faceset.id,
                    side=faceset.side.value,
                    merge_id=faceset.merge_id,
                    parent=faceset.parent,
                    digest=faceset.digest,
                    faces=faceset.faces,
                    rejected=faceset.rejected,
                    approved_at=faceset.approved_at.isoformat(),
                    undone_at=undone_at,
                )
            )
        elif undone_at:
            db.execute(
                faceset_table.update().where(known, faceset_table.c.undone_at.is_(None)).values(undone_at=undone_at)
            )
