"""What the retention clock took: faces without pictures, sides without embeddings. What was decided of them stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...curation.faceset.merging.transaction import read_checked
from ...curation.files import write_atomic
from ...curation.types import FaceId, Side
from ..workspace.state import read_state

if TYPE_CHECKING:
    from ..app import App

__all__ = ["clock_path", "clock_state", "embeddings_gone", "erased_faces", "erased_on", "forget_gone", "keep_state"]


def clock_path(app: App) -> Path:
    """Where it stands what was told to go, and what went."""
    return app.workspace.root / "privacy.json"


def clock_state(app: App) -> dict[str, dict[str, str]]:
    """`told`: what goes → when it goes, as it was said; `gone`: what went → when. Raises WorkspaceError where the file
    is damaged."""
    path = clock_path(app)
    if not path.is_file():
        return {"told": {}, "gone": {}}
    found = read_state(path, "Delete it: what goes is told anew.", needs=("told", "gone"))
    return {"told": dict(found["told"]), "gone": dict(found["gone"])}


def keep_state(app: App, state: Mapping[str, Mapping[str, str]]) -> None:
    """Write it down."""
    write_atomic(clock_path(app), json.dumps(state, indent=1))


def forget_gone(app: App) -> None:
    """Note that faces were looked at anew: there are embeddings again."""
    state = clock_state(app)
    if state["gone"].pop("embeddings", None) is not None:
        keep_state(app, state)


def erased_on(app: App, side: Side) -> dict[FaceId, str]:
    """The side's rejected faces whose pictures the clock took → the day on which it did."""
    found: dict[FaceId, str] = {}
    for path in sorted(app.workspace.merges_dir(side).glob("*.json")):
        if not path.name.startswith("."):
            found |= _erased_of(path, path.stat().st_mtime_ns)
    return found


@lru_cache(maxsize=64)
def _erased_of(path: Path, _mtime: int) -> dict[FaceId, str]:
    manifest = read_checked(path)
    if "erased_at" not in manifest:
        return {}
    return {FaceId(row["face_id"]): manifest["erased_at"][:10] for row in manifest["removals"] if row["face_id"]}


def erased_faces(app: App, among: Sequence[FaceId] | None = None) -> dict[FaceId, str]:
    """The same of both sides, without those that stand again (extracted anew); with `among` of these faces alone."""
    found = {face: day for side in Side for face, day in erased_on(app, side).items()}
    if among is not None:
        found = {face: found[face] for face in among if face in found}
    if not found or found.keys() <= app.store.rejected_in(among).keys():
        return found
    standing = app.store.face_ids(among=among)
    return {face: day for face, day in found.items() if face not in standing}


def embeddings_gone(app: App) -> bool:
    """Whether the clock took the embeddings, and nobody looked at faces since."""
    return "embeddings" in clock_state(app)["gone"]
