"""In which batch each face was first asked about by itself, where it might have stood in a group."""

from __future__ import annotations

import sqlalchemy as sa

from ...curation.tables import reading, word_of
from ...curation.types import FaceId, PageKind, Question
from .folder import Workspace
from .schema import batch_table, tile_table

__all__ = ["first_alone"]

_APART = (PageKind.BOTH, PageKind.IDENTITY)
"""The pages on which faces come singly that come in groups on the others (`pipeline/asking/layout.py`)."""


def first_alone(workspace: Workspace) -> dict[tuple[FaceId, Question], str]:
    """(face, question) → the batch in which it was asked first and singly; audits and known faces left out."""
    query = sa.select(tile_table.c.face_id, tile_table.c.batch_key, batch_table.c.page).where(
        tile_table.c.batch_key == batch_table.c.batch_key,
        tile_table.c.gold.is_(False),
        batch_table.c.audit.is_(False),
        batch_table.c.round == 1,
        batch_table.c.page.in_([page.value for page in _APART]),
    )
    with reading(workspace.db) as db:
        return {
            (FaceId(row.face_id), question): row.batch_key
            for row in db.execute(query)
            for question in word_of(PageKind, row.page).questions
        }
