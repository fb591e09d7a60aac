"""Ingest: footage and reference photographs come into the workspace, with who is in them and on what basis."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...curation.files import PICTURE_SUFFIXES, beside, fsync_folder, replacing, write_atomic
from ...curation.pictures import open_picture
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..engines.videos import playlist
from ..errors import StageError
from ..workspace.records import Source, add_source, drop_source, sources
from ..workspace.state import json_object
from .references import ORIGINALS, cut_to_face, original_of

__all__ = [
    "BASES",
    "Ingested",
    "add_references",
    "check_basis",
    "clean_name",
    "footage_in",
    "given_sha256",
    "ingest",
    "write_record",
]

BASES = {
    "own": "my own likeness",
    "consent": "the person's consent",
    "licence": "a licence that covers this use",
    "public-domain": "public domain",
}
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts"})
REFERENCE_PIXELS = 768


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did. `added` is False where the same content was here already; `notes` are for the person."""

    source: Source
    added: bool
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()


def ingest(
    app: App,
    path: Path,
    side: Side,
    *,
    person: str,
    basis: str,
    note: str = "",
    mended_from: str | None = None,
    progress: Progress = no_progress,
) -> Ingested:
    """Copy a video or a folder of photographs into the workspace and record the person and the basis.

    Killed half way, nothing is registered and the next run starts over; the same content twice is recognised. A mended
    video (`mended_from` is the SHA-256 of the one it was made of) takes the place of that one, if its faces were not
    extracted yet. Raises StageError where the path is neither, or where a different source of that name is there.
    """
    check_basis(basis)
    if not path.exists():
        raise StageError(f"{path} does not exist. Give a video file or a folder of photographs.")
    photos = path.is_dir()
    name = clean_name(path.stem if not photos else path.name)
    skipped: tuple[str, ...] = ()
    if photos:
        files, skipped = _photos_of(path)
        digest = _digest_files(files)
    else:
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise StageError(
                f"{path.name} is no video that is known here ({', '.join(sorted(VIDEO_SUFFIXES))}) and no folder of "
                "photographs. For single photographs, give the folder that holds them."
            )
        if kind := playlist(path):
            raise StageError(f"{path.name} is {kind}, whatever its name says, and no video. Give the video itself.")
        files = [path]
        digest = _sha256(path, progress)
    known = next((item for item in sources(app.workspace, side) if item.sha256 == digest), None)
    if known is not None:
        return Ingested(known, added=False, skipped=skipped)
    namesake = next((item for item in sources(app.workspace, side) if item.name == name), None)
    if namesake is not None and given_sha256(app, namesake) == digest:
        return Ingested(namesake, added=False, skipped=skipped, notes=("It was mended when it came in.",))
    if namesake is not None:
        _make_room(app, namesake, path, mended_from)
    target = _copy(app, files, side, name, photos, progress)
    write_record(app, side, name, person=person, basis=basis, note=note, digest=digest, mended_from=mended_from)
    added = add_source(
        app.workspace,
        side,
        name,
        kind="photos" if photos else "video",
        path=target,
        sha256=digest,
        person=person,
        basis=basis,
        note=note,
    )
    return Ingested(added, added=True, skipped=skipped)


def add_references(app: App, side: Side, photographs: Sequence[Path]) -> list[Path]:
    """Bring in photographs of side's person: cut to the face, upright, at most 768 pixels wide or high, without
    metadata. What was given is kept as it is in `originals/`."""
    folder = app.workspace.references_dir(side)
    (folder / ORIGINALS).mkdir(parents=True, exist_ok=True)
    written = []
    for photograph in photographs:
        picture = open_picture(photograph, upright=True, remedy="Give another photograph.")
        with replacing(original_of(folder, photograph, clean_name(photograph.stem))) as partial:
            shutil.copyfile(photograph, partial)
        picture = cut_to_face(picture)
        picture.thumbnail((REFERENCE_PIXELS, REFERENCE_PIXELS))
        target = folder / f"{clean_name(photograph.stem)}.jpg"
        with replacing(target) as partial:
            picture.save(partial, "JPEG", quality=90)
        written.append(target)
    return written


def _photos_of(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    entries = sorted(item for item in folder.iterdir() if item.is_file() and not item.name.startswith("."))
    files = [item for item in entries if item.suffix.lower() in PICTURE_SUFFIXES]
    if not files:
        known = ", ".join(sorted(VIDEO_SUFFIXES.union(PICTURE_SUFFIXES)))
        raise StageError(f"{folder} holds neither photographs nor videos ({known}).")
    return files, tuple(item.name for item in entries if item not in files)


def _copy(app: App, files: Sequence[Path], side: Side, name: str, photos: bool, progress: Progress) -> Path:
    folder = app.workspace.sources_dir(side)
    folder.mkdir(parents=True, exist_ok=True)
    _check_room(folder, files)
    if not photos:
        target = folder / f"{name}{files[0].suffix.lower()}"
        with replacing(target) as partial:
            shutil.copyfile(files[0], partial)
        return target
    target = folder / name
    part = beside(target)
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)  # unregistered: left by a run that was killed
    part.mkdir()
    for done, file in enumerate(files, 1):
        # The source's name goes in front: faces of several folders meet in one.
        with replacing(part / f"{name}_{clean_name(file.stem)}{file.suffix.lower()}") as partial:
            shutil.copyfile(file, partial)
        progress("copying", done, len(files))
    part.rename(target)
    fsync_folder(folder)
    return target


def _check_room(folder: Path, files: Sequence[Path]) -> None:
    """Say so before a copy, not in the middle of it, where the disk cannot hold it."""
    needed, free = sum(file.stat().st_size for file in files), shutil.disk_usage(folder).free
    if needed > free:
        raise StageError(
            f"{files[0].name} takes {needed / 1e9:.1f} GB and the disk of the workspace has {free / 1e9:.1f} GB left; "
            "nothing was copied. Make room, or put the workspace on another disk (it can be moved)."
        )


def check_basis(basis: str) -> None:
    """Raise StageError unless `basis` is one of BASES."""
    if basis not in BASES:
        raise StageError(f"{basis!r} is no basis for using a face. Choose one of: {', '.join(BASES)}.")


def _make_room(app: App, namesake: Source, path: Path, mended_from: str | None) -> None:
    """Take a source away whose mended copy comes in under its name; any other one stands in the way."""
    if namesake.sha256 != mended_from:
        raise StageError(
            f"Side {namesake.side.value} already has a source named {namesake.name!r}. Rename {path.name} and "
            "ingest it again."
        )
    if namesake.faces is not None:
        raise StageError(
            f"The faces of {namesake.name} were extracted before it was mended. Take it out, then ingest it with "
            f"--fix: galloway source remove --side {namesake.side.value} {namesake.name}"
        )
    drop_source(app.workspace, namesake)
    namesake.path.unlink(missing_ok=True)


def given_sha256(app: App, source: Source) -> str | None:
    """The SHA-256 of the file that a source was mended from; None where it is as it was given."""
    try:
        found = (json_object(app.workspace.source_record(source.side, source.name).read_bytes()) or {}).get(
            "mended_from"
        )
    except OSError:
        return None
    return found if isinstance(found, str) else None


def footage_in(path: Path) -> list[Path]:
    """What to ingest of a path: the videos of a folder that holds videos and no photographs, else the path itself."""
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith("."))
    if any(item.suffix.lower() in PICTURE_SUFFIXES for item in found):
        return [path]
    return [item for item in found if item.suffix.lower() in VIDEO_SUFFIXES] or [path]


def write_record(
    app: App, side: Side, name: str, *, person: str, basis: str, note: str, digest: str, mended_from: str | None = None
) -> None:
    """Write `sources/<side>/<name>.source.json`: who is in it, and on what basis the face may be used."""
    record = {
        "person": person,
        "basis": basis,
        "basis_means": BASES[basis],
        "note": note,
        "sha256": digest,
        **({"mended_from": mended_from} if mended_from else {}),
        "recorded_at": datetime.now(UTC).isoformat(),
    }
    path = app.workspace.source_record(side, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(record, indent=2) + "\n")


def clean_name(text: str) -> str:
    """A name that is safe in paths, alignments keys and on every file system."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.") or "source"


def _sha256(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            done += len(block)
            progress("reading", done, total)
    return digest.hexdigest()


def _digest_files(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
