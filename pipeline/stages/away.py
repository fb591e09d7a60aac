"""Faces that were approved after a merge had moved them to rejected/: a new merge takes none back, so it is said."""

from __future__ import annotations

from pathlib import PurePosixPath

from ...curation.listing import Wanted, count_faces, page_of_faces
from ...curation.types import FaceId, Side, Status
from ..app import App
from ..privacy.gone import erased_faces
from ..wording import counted
from ..workspace.approved import facesets

__all__ = ["approved_away", "away_sentence"]


def approved_away(app: App, side: Side) -> dict[FaceId, int]:
    """The side's faces that are approved and lie in rejected/ → how many merges are to be taken back to have them.

    Those whose pictures went, and those that no merge moved, are none of them.
    """
    wanted = Wanted(side=side, status=Status.APPROVED, gone=True)
    if not count_faces(app.workspace.db, wanted):
        return {}
    standing = [item.merge_id for item in facesets(app.workspace, side) if item.undone_at is None]
    depth = {merge_id: number for number, merge_id in enumerate(standing, 1)}
    faces = [shown.face.face_id for shown in page_of_faces(app.workspace.db, wanted)]
    lost = erased_faces(app, faces)
    places = {face: PurePosixPath(path).parent.name for face, path in app.store.rejected_in(faces).items()}
    return {face: depth[merge_id] for face, merge_id in places.items() if merge_id in depth and face not in lost}


def away_sentence(app: App, side: Side) -> str:
    """How many such faces there are and what brings them back; empty where there are none."""
    away = approved_away(app, side)
    if not away:
        return ""
    faces, merges = counted(len(away), "face"), counted(max(away.values()), "merge")
    return (
        f"Side {side.value}: approved since a merge moved them to rejected/, and still there: {faces}. Take {merges} "
        f"back and merge again: galloway merge undo --side {side.value}, then galloway merge --side {side.value}"
    )
