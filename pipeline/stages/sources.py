"""Footage after it came in: taking a source out of the workspace, with everything that was made of it."""

from __future__ import annotations

import hashlib
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from ...curation.faceset.dialects.left_out import forget_left_out
from ...curation.types import FaceId, Side
from ...mturk.overwrite import overwrite_deleted
from ..app import App
from ..asking.progress import open_hits, waiting_pairs
from ..errors import NothingToDo, SafetyStop, StageError
from ..judging.film import footage_film
from ..market.media import drop_media
from ..market.pictures import picture_id, reference_files, reference_key
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.database.copying import rewrite_tables
from ..workspace.figures import drop_figures
from ..workspace.gated import drop_gated
from ..workspace.judged import drop_reviews, swap_batches
from ..workspace.masked import regions_path
from ..workspace.records import (
    Source,
    drop_source,
    drop_tiles,
    frozen_batches,
    sources,
)
from ..workspace.state import json_object
from .here_already import given_sha256
from .references import ORIGINALS

__all__ = [
    "Left",
    "Removal",
    "delete",
    "derived_of",
    "forget_faces",
    "overwrite_databases",
    "plan_removal",
    "reference_digest",
    "remove_faces",
    "remove_reference",
    "remove_references",
    "remove_source",
    "take_out",
]


@dataclass(frozen=True, slots=True)
class Left:
    """Something that stays: `path` below the workspace, and `why` with what to do."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes with a source, or with one `picture` of it: its faces, and how many votes people gave on them."""

    source: Source
    faces: tuple[tuple[FaceId, str], ...]
    votes: int
    picture: str = ""


def plan_removal(app: App, side: Side, name: str, *, picture: str = "", merged_too: bool = False) -> Removal:
    """What would go with a source, or with one `picture` of it, by its name here; `merged_too` says that the side goes
    whole, with its merge. Raises StageError where there is no such source, or where it cannot be taken out now."""
    source = next((item for item in sources(app.workspace, side) if item.name == name), None)
    if source is None:
        there = ", ".join(item.name for item in sources(app.workspace, side)) or "none"
        raise StageError(f"Side {side.value} has no source named {name!r}. There are: {there}")
    if not merged_too and app.standing_merge(side) is not None:
        raise StageError(
            f"Side {side.value} is merged. Take the merge back first: galloway merge undo --side {side.value}"
        )
    faces = tuple(
        (face.face_id, face.name)
        for face in app.store.faces(side, rejected=True)
        if face.source == source.name and picture in ("", face.source_name)
    )
    markets = {batch.market for batch in frozen_batches(app.workspace)}
    shown = {face_id for market in markets for face_id, _ in waiting_pairs(app, market)}
    if asked := sum(face_id in shown for face_id, _ in faces):
        raise StageError(
            f"{asked} faces of {picture or name} stand on open pages. Collect their answers or take the batches back "
            "first: galloway collect, galloway batch cancel BATCH"
        )
    return Removal(source, faces, app.store.votes_on_source(side, name, picture), picture)


def take_out(app: App, removal: Removal, *, with_votes: bool = False, references: bool = False) -> list[Left]:
    """Take a source out as a person asked for it: delete it, note who did, overwrite the databases. What is left, and
    why. Raises as `remove_source`; killed half way, the same call finishes."""
    left = derived_of(app, removal)[1]
    remove_source(app, removal, with_votes=with_votes)
    figure = f"{counted(len(removal.faces), 'face')}, {counted(removal.votes, 'vote')}"
    note_act(app.workspace, "remove", f"side {removal.source.side.value}", figure)
    if references:
        remove_references(app, removal.source.side)
    return [*(item for item in left if (app.workspace.root / item.path).exists()), *overwrite_databases(app)]


def remove_source(app: App, removal: Removal, *, with_votes: bool = False) -> None:
    """Delete footage, faces and alignments of a source, and the rows about them; for good.

    Raises SafetyStop where people voted on its faces, unless `with_votes` says that their votes go, too. Killed half
    way, the same call finishes.
    """
    source, side = removal.source, removal.source.side
    workspace = app.workspace
    remove_faces(app, removal, with_votes=with_votes)
    (workspace.alignments_dir(side) / f"{source.name}_alignments.fsa").unlink(missing_ok=True)
    delete(workspace.root / "runs" / f"extract-{side.value}-{source.name}")
    delete(source.path)
    if (given := given_sha256(app, source)) is not None:
        _remove_mended(workspace.root / "sources" / "mended", given)
    forget_left_out(workspace.faces_dir(side), source.name)
    workspace.source_record(side, source.name).unlink(missing_ok=True)
    regions_path(workspace, side, source.name).unlink(missing_ok=True)
    forget_faces(app, removal)
    drop_source(workspace, source)


def remove_faces(app: App, removal: Removal, *, with_votes: bool = False) -> None:
    """Delete the face pictures of what goes, and what was made of them. Raises as `remove_source`."""
    source, workspace = removal.source, app.workspace
    if removal.votes and not with_votes:
        raise SafetyStop(
            f"People gave {counted(removal.votes, 'vote')} on faces of {removal.picture or source.name}; what they "
            "were paid for would be gone. Reject the faces instead, or say that the votes go, too: --with-votes"
        )
    if source.side is Side.A:  # what was shown of its films goes before the films do, which say what they were
        drop_media(workspace, drop_reviews(workspace, _films_of(app, source)))
    for path in derived_of(app, removal)[0]:
        delete(path)
    for _, name in removal.faces:
        workspace.face_path(source.side, name).unlink(missing_ok=True)


def forget_faces(app: App, removal: Removal) -> None:
    """Remove the rows about the faces of what goes. In this order, because the faces say which tiles go and the source
    says which faces: killed between, it goes on."""
    gone = [face_id for face_id, _ in removal.faces]
    drop_tiles(app.workspace, gone)
    drop_gated(app.workspace, gone)
    app.store.forget_source(removal.source.side, removal.source.name, removal.picture)
    drop_figures(app.workspace)


def _films_of(app: App, source: Source) -> set[str]:
    """The ids of every film that was converted from a source, those that a later one replaced among them, and of the
    source itself."""
    found = {footage_film(source).id}
    for path in sorted((app.workspace.root / "results").glob("*.json")):
        record = json_object(path.read_bytes()) or {}
        if record.get("source") == source.name and "run" in record:
            found |= {str(record.get("sha256", "")), *map(str, record.get("earlier") or ())}
    return found


def derived_of(app: App, removal: Removal) -> tuple[list[Path], list[Left]]:
    """What was made of a source's faces: paths that go with it, because a command makes them anew, and what stays."""
    root, source = app.workspace.root, removal.source
    if not removal.faces:
        return [], []
    reports = [path for path in _below(root / "reports") if not path.name.startswith("left-out-")]  # said by a person
    gone = [*reports, *_below(app.workspace.merges_dir(source.side))]
    gone += [path for path in _below(root / "results") if path.name.startswith(f"{source.name}-swapped")]
    gone += _below(root / "jobs")  # what they said names footage; nothing that holds faces is at work now
    gone += [root / "runs" / f"convert-{source.name}"] if source.side is Side.A else []
    erase = f"galloway person erase {shlex.quote(source.person)}" if source.person else "delete it by hand"
    left = []
    for path in (*_below(root / "models"), *_below(root / "runs"), *_below(root / "results")):
        if path not in gone and not path.name.startswith("extract-"):
            left.append(Left(path.relative_to(root).as_posix(), f"may have been made of its faces: {erase}"))
    for path in _below(app.workspace.references_dir(source.side)):
        left.append(Left(path.relative_to(root).as_posix(), "of the side's person: --references removes it"))
    for path in _below(root / "backups"):
        left.append(Left(path.relative_to(root).as_posix(), "a copy of the database from before; delete it by hand"))
    return [path for path in gone if path.exists()], left


def remove_references(app: App, side: Side) -> int:
    """Delete the reference photographs of a side's person, as cut and as given; how many there were."""
    files = reference_files(app.workspace, side)
    found = len(files)
    drop_gated(app.workspace, [picture_id(app.workspace, reference_key(side, path.name)) for path in files])
    for path in _below(app.workspace.references_dir(side)):
        delete(path)
    return found


def reference_digest(photograph: Path) -> str:
    """What a reference photograph holds: SHA-256 of the cut."""
    return hashlib.sha256(photograph.read_bytes()).hexdigest()


def remove_reference(app: App, side: Side, digest: str) -> int:
    """Delete one reference photograph of side's person for good, as cut and as given, by what it holds; how many are
    left. The caller holds the workspace's lock.

    Raises NothingToDo where it is not there, StageError where it stands beside questions on open pages.
    """
    found = next((path for path in reference_files(app.workspace, side) if reference_digest(path) == digest), None)
    if found is None:
        raise NothingToDo(f"This photograph of side {side.value} is not there any more.")
    if shown := _open_beside(app, side):
        raise StageError(
            f"The photographs of side {side.value} stand beside questions on open pages of {', '.join(shown[:3])}. "
            "Collect the answers or take the batches back first: galloway collect, galloway batch cancel BATCH"
        )
    drop_gated(app.workspace, [picture_id(app.workspace, reference_key(side, found.name))])
    for original in _below(found.parent / ORIGINALS):
        if original.stem == found.stem:
            original.unlink()
    found.unlink()
    left = len(reference_files(app.workspace, side))
    note_act(app.workspace, "remove-photo", f"side {side.value}", f"{left} left")
    return left


def _open_beside(app: App, side: Side) -> list[str]:
    """The batches whose open pages show side's person."""
    asked = {
        batch.key: batch.market
        for batch in frozen_batches(app.workspace)
        if batch.side is side and batch.page.shows_person
    }
    if side is Side.B:
        asked |= {batch.key: batch.market for batch in swap_batches(app.workspace)}
    waiting = {key for market in set(asked.values()) for key, _ in open_hits(app, market)}
    return sorted(asked.keys() & waiting)


def overwrite_databases(app: App) -> list[Left]:
    """Overwrite what was deleted in the workspace's databases; which could not be, and why."""
    root = app.workspace.root
    app.workspace.db.dispose()
    told = [(path, overwrite_deleted(path)) for path in (root / "galloway.db", root / "market" / "market.db")]
    left = [Left(path.relative_to(root).as_posix(), why) for path, why in told if why]
    if place := app.workspace.rows.place:
        rewrite_tables(app.workspace.db)
        left.append(Left(place, "the server's own log and backups hold deleted rows until they are overwritten there"))
    return left


def delete(path: Path) -> None:
    """Delete a file or a whole folder; one that is gone already is no error. Raises StageError naming what stays."""
    try:
        # Not by shutil.rmtree: Python 3.13 names the folder of what cannot be deleted instead.
        if path.is_dir() and not path.is_symlink():
            for here, folders, files in os.walk(path, topdown=False):
                for part in (Path(here) / name for name in (*files, *folders)):
                    if part.is_symlink() or not part.is_dir():
                        part.unlink(missing_ok=True)
                    else:
                        part.rmdir()
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        where = f"{Path(error.filename).name} in {path}" if error.filename and path.is_dir() else str(path)
        raise StageError(
            f"{where} cannot be deleted: {error.strerror}. Mend its rights and run the same command again; it goes on."
        ) from error


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove_mended(folder: Path, given: str) -> None:
    """Delete the mended copy of the video with this SHA-256, and the record of its mending."""
    for record in list(folder.rglob("*.fix.json")):  # a walk stumbles over a folder that goes meanwhile
        before = (json_object(record.read_bytes()) or {}).get("before")
        if isinstance(before, dict) and before.get("sha256") == given:
            record.with_name(record.name.removesuffix(".fix.json")).unlink(missing_ok=True)
            record.unlink()
            if record.parent != folder and not any(record.parent.iterdir()):
                record.parent.rmdir()
