"""One photograph of footage that came in as photographs: taking it out, with everything that was made of its faces.

It is undone by bringing the photograph in again; then it is a source of its own, and its faces are new ones.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...curation.faceset.fsa.alignments import read_alignments, write_alignments
from ...curation.files import check_name, write_atomic
from ...curation.types import Side
from ..app import App
from ..consent.kept import note_change, told_pictures
from ..errors import StageError
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.records import Source, note_content
from ..workspace.state import read_state
from .masking import find_source
from .sources import Left, Removal, delete, derived_of, forget_faces, overwrite_databases, plan_removal, remove_faces

__all__ = ["Photograph", "photographs_of", "plan_photograph", "take_photograph_out"]


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture of a source: its file here, what it was called when it came in, and how many faces were found."""

    path: Path
    given: str
    faces: int

    @property
    def name(self) -> str:
        return self.path.name


def photographs_of(app: App, side: Side, name: str) -> list[Photograph]:
    """The photographs of a source as its record lists them. Raises StageError where the source is none of
    photographs, or has no list of them."""
    source = find_source(app, side, name)
    found: dict[str, int] = {}
    for face in app.store.faces(side, rejected=True):
        if face.source == name:
            found[face.source_name] = found.get(face.source_name, 0) + 1
    return [
        Photograph(source.path / row["as"], row["file"], found.get(row["as"], 0))
        for row in _record(app, source)["pictures"]
    ]


def plan_photograph(app: App, side: Side, name: str, picture: str) -> Removal:
    """What would go with one photograph of a source, by its name here. Raises StageError where it is not there, is the
    only one, or cannot be taken out now."""
    there = [item.name for item in photographs_of(app, side, name)]
    if picture not in there:
        raise StageError(f"{name} on side {side.value} has no photograph named {picture!r}.")
    if len(there) == 1:
        raise StageError(
            f"{picture} is the only photograph of {name}. Take {name} out: "
            f"galloway source remove --side {side.value} {name}"
        )
    return plan_removal(app, side, name, picture=picture)


def take_photograph_out(app: App, removal: Removal, *, with_votes: bool = False) -> list[Left]:
    """Delete one photograph of a source for good, with its faces, their alignments and what was made of them; digest,
    record and the person's consent record follow. What is left, and why. The caller holds the workspace's locks.

    Raises SafetyStop where people voted on its faces, unless `with_votes` says that their votes go, too. Killed half
    way, the same call finishes.
    """
    source, workspace = removal.source, app.workspace
    left = derived_of(app, removal)[1]
    remove_faces(app, removal, with_votes=with_votes)
    alignments = workspace.alignments_dir(source.side) / f"{source.name}_alignments.fsa"
    if alignments.is_file():
        known = read_alignments(alignments)
        if known.frames.pop(removal.picture, None) is not None:
            write_alignments(alignments, known)
    delete(workspace.root / "runs" / f"extract-{source.side.value}-{source.name}")
    forget_faces(app, removal)
    (source.path / removal.picture).unlink(missing_ok=True)
    _follow(app, removal)
    figure = f"1 photograph, {counted(len(removal.faces), 'face')}, {counted(removal.votes, 'vote')}"
    note_act(workspace, "remove", f"side {source.side.value}", figure)
    return [*(item for item in left if (workspace.root / item.path).exists()), *overwrite_databases(app)]


def _follow(app: App, removal: Removal) -> None:
    """The rows, the person's consent record and, last, the source's record: killed before it, all is done again."""
    source = removal.source
    record = _record(app, source)
    pictures = [row for row in record["pictures"] if row["as"] != removal.picture]
    sha256 = _digest(source, pictures)
    frames = None if source.frames is None else min(source.frames, len(pictures))
    standing = sum(face.source == source.name for face in app.store.faces(source.side, rejected=True))
    faces = None if source.faces is None else standing
    after = note_content(app.workspace, source, sha256=sha256, frames=frames, faces=faces)
    told = {**record, "sha256": sha256, "pictures": pictures}
    note_change(app, source, after, told_pictures(told))
    path = app.workspace.source_record(source.side, source.name)
    write_atomic(path, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _digest(source: Source, pictures: list[dict[str, str]]) -> str:
    """As that of photographs that come in: SHA-256 over names, as they were given, and contents."""
    digest = hashlib.sha256()
    for row in pictures:
        digest.update(os.fsencode(row["file"]))
        digest.update(hashlib.sha256((source.path / row["as"]).read_bytes()).digest())
    return digest.hexdigest()


def _record(app: App, source: Source) -> dict[str, Any]:
    path = app.workspace.source_record(source.side, source.name)
    remedy = f"Take the whole source out: galloway source remove --side {source.side.value} {source.name}"
    if source.kind != "photos":
        raise StageError(f"{source.name} is no folder of photographs; it goes whole. {remedy}")
    record = read_state(path, remedy, needs=("pictures",))
    for row in record["pictures"]:
        check_name(row["as"], where=str(path))
    return record
