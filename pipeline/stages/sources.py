"""Footage after it came in: taking a source out of the workspace, with everything that was made of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ...curation.types import FaceId, Side
from ..app import App
from ..asking.progress import waiting_pairs
from ..errors import SafetyStop, StageError
from ..workspace.records import Source, drop_source, drop_tiles, frozen_batches, sources
from .ingest import given_sha256

__all__ = ["Removal", "plan_removal", "remove_source"]


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes with a source: its faces, and how many votes people gave on them."""

    source: Source
    faces: tuple[tuple[FaceId, str], ...]
    votes: int


def plan_removal(app: App, side: Side, name: str) -> Removal:
    """What would go. Raises StageError where there is no such source, or where it cannot be taken out now."""
    source = next((item for item in sources(app.workspace, side) if item.name == name), None)
    if source is None:
        there = ", ".join(item.name for item in sources(app.workspace, side)) or "none"
        raise StageError(f"Side {side.value} has no source named {name!r}. There are: {there}")
    if app.standing_merge(side) is not None:
        raise StageError(
            f"Side {side.value} is merged. Take the merge back first: galloway merge undo --side {side.value}"
        )
    faces = tuple(
        (face.face_id, face.name) for face in app.store.faces(side, rejected=True) if face.source == source.name
    )
    markets = {batch.market for batch in frozen_batches(app.workspace)}
    shown = {face_id for market in markets for face_id, _ in waiting_pairs(app, market)}
    if asked := sum(face_id in shown for face_id, _ in faces):
        raise StageError(
            f"{asked} faces of {name} stand on open pages. Collect their answers or take the batches back first: "
            "galloway collect, galloway batch cancel BATCH"
        )
    return Removal(source, faces, app.store.votes_on_source(side, name))


def remove_source(app: App, removal: Removal, *, with_votes: bool = False) -> None:
    """Delete footage, faces and alignments of a source, and the rows about them; for good.

    Raises SafetyStop where people voted on its faces, unless `with_votes` says that their votes go, too. Killed half
    way, the same call finishes.
    """
    source, side = removal.source, removal.source.side
    if removal.votes and not with_votes:
        raise SafetyStop(
            f"People gave {removal.votes} votes on faces of {source.name}; what they were paid for would be gone. "
            "Reject the faces instead, or say that the votes go, too: --with-votes"
        )
    workspace = app.workspace
    for _, name in removal.faces:
        (workspace.faces_dir(side) / name).unlink(missing_ok=True)
    (workspace.alignments_dir(side) / f"{source.name}_alignments.fsa").unlink(missing_ok=True)
    shutil.rmtree(workspace.root / "runs" / f"extract-{side.value}-{source.name}", ignore_errors=True)
    if source.path.is_dir():
        shutil.rmtree(source.path)
    else:
        source.path.unlink(missing_ok=True)
    if (given := given_sha256(app, source)) is not None:
        _remove_mended(workspace.root / "sources" / "mended", given)
    (workspace.sources_dir(side) / f"{source.name}.source.json").unlink(missing_ok=True)
    # In this order, because the faces say which tiles go and the source says which faces: killed between, it goes on.
    drop_tiles(workspace, [face_id for face_id, _ in removal.faces])
    app.store.forget_source(side, source.name)
    drop_source(workspace, source)


def _remove_mended(folder: Path, given: str) -> None:
    """Delete the mended copy of the video with this SHA-256, and the record of its mending."""
    for record in folder.glob("*.fix.json"):
        if json.loads(record.read_text(encoding="utf-8"))["before"]["sha256"] == given:
            record.with_name(record.name.removesuffix(".fix.json")).unlink(missing_ok=True)
            record.unlink()
