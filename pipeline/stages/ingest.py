"""Ingest: footage and reference photographs come into the workspace, with who is in them and on what basis."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ...curation.files import PICTURE_SUFFIXES, beside, fsync_folder, replacing, write_atomic
from ...curation.pictures import open_picture
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..consent.kept import note_source
from ..errors import StageError
from ..video.opening import playlist
from ..workspace.acts import note_act
from ..workspace.records import Source, add_source, drop_source, sources
from .here_already import (
    BASES,
    bring_back,
    check_room,
    given_sha256,
    mended_again,
    pieces_of,
    record_again,
    said_again,
    sha256_of,
    write_record,
)
from .names import clean_name, folded, unique_name
from .photos import Photographs, gather, is_provenance, pictures_below
from .references import ORIGINALS, cut_to_face, original_of
from .shared_frames import refuse_frames_of_imports

__all__ = [
    "Footage",
    "Ingested",
    "add_references",
    "check_basis",
    "clean_name",
    "footage_in",
    "ingest",
    "sources",
]

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".asf"}
    | {".flv", ".f4v", ".3gp", ".3g2", ".mxf", ".vob", ".ogv", ".divx", ".gif"}
)
REFERENCE_PIXELS = 768
_OF_SEVERAL_FOLDERS = "photographs"


@dataclass(frozen=True, slots=True)
class Footage:
    """One thing to ingest: a video, a folder of photographs, or loose `pictures` in the folder `path` or below it, with
    the `table` that tells where each came from."""

    path: Path
    pictures: tuple[Path, ...] = ()
    table: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What was given, one by one."""
        return (*(self.pictures or (self.path,)), *((self.table,) if self.table else ()))


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did. `added` is False where the same content was here already, `brought_back` says that its files
    were missing; `skipped` names files that are no footage, `broken` says of each picture that was left out why;
    `notes` are for the person."""

    source: Source
    added: bool
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    brought_back: bool = False


def ingest(
    app: App,
    path: Path | Footage,
    side: Side,
    *,
    person: str,
    basis: str,
    note: str = "",
    mended_from: str | None = None,
    progress: Progress = no_progress,
) -> Ingested:
    """Copy a video or photographs into the workspace and record the person and the basis.

    Killed half way, nothing is registered and the next run starts over; the same content twice is recognised, what was
    not said of it is added (`said_again`), and its files are put back where they are missing. Pictures that cannot be
    read are left out and named. A mended video (`mended_from` is the SHA-256 of the one it was made of) takes the place
    of that one, if its faces were not extracted yet. Raises StageError where the path is neither, or where a different
    source of that name is there.
    """
    check_basis(basis)
    footage = path if isinstance(path, Footage) else Footage(path)
    path = footage.path
    if not path.exists():
        raise StageError(f"{path} does not exist. Give a video file or a folder of photographs.")
    name = _source_name(app, footage, side)
    found = Photographs(())
    if path.is_dir():
        found = gather(path, name, progress, chosen=footage.pictures, table=footage.table)
        digest = found.digest()
    else:
        _check_video_name(path)
        if kind := playlist(path):
            raise StageError(f"{path.name} is {kind}, whatever its name says, and no video. Give the video itself.")
        digest = sha256_of(path, progress)
    known = next((item for item in sources(app.workspace, side) if item.sha256 == digest), None)
    if known is not None:
        pieces = pieces_of(app, known, path, found, name)
        record_again(app, known, found, pieces, mended_from)
        known = said_again(app, known, person=person, basis=basis, note=note)
        back = bring_back(app, known, pieces, progress)
        return Ingested(known, False, found.others, broken=found.broken, brought_back=back)
    namesake = next((item for item in sources(app.workspace, side) if folded(item.name) == folded(name)), None)
    if namesake is not None and (given := given_sha256(app, namesake)) in (digest, mended_from) and given is not None:
        namesake = said_again(app, namesake, person=person, basis=basis, note=note)
        back = not namesake.path.exists()
        if back:
            namesake = mended_again(app, namesake, path, digest, mended_from, progress)
        return Ingested(namesake, False, found.others, ("It was mended when it came in.",), brought_back=back)
    if namesake is not None:
        _make_room(app, namesake, path, mended_from)
    refuse_frames_of_imports(app, side, name, path, {item.kept for item in found.files})
    target = _copy_photos(app, found, side, name, progress) if path.is_dir() else _copy_video(app, path, side, name)
    pictures = [item.record() for item in found.files]
    write_record(
        app, side, name, person=person, basis=basis, note=note, digest=digest, mended_from=mended_from,
        pictures=pictures,
    )  # fmt: skip
    kind = "photos" if path.is_dir() else "video"
    added = add_source(
        app.workspace, side, name, kind=kind, path=target, sha256=digest, person=person, basis=basis, note=note
    )
    note_source(app, added)
    note_act(app.workspace, "ingest", f"side {side.value}: {kind}, basis {basis}")
    return Ingested(added, True, found.others, found.notes, found.broken)


def _source_name(app: App, footage: Footage, side: Side) -> str:
    """A video's or a folder's own name; loose pictures have none, so they get one that is free."""
    path = footage.path
    if not footage.pictures:
        return clean_name(path.name if path.is_dir() else path.stem)
    known = {folded(item.name) for item in sources(app.workspace, side)}
    if len(footage.pictures) == 1:
        return unique_name(footage.pictures[0].stem, known)
    of_one_folder = all(picture.parent == path for picture in footage.pictures)
    return unique_name(path.resolve().name if of_one_folder else _OF_SEVERAL_FOLDERS, known)


def _check_video_name(path: Path) -> None:
    if is_provenance(path):
        raise StageError(
            f"{path.name} says where photographs came from, and none was given with it. Give both, or their folder."
        )
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise StageError(
            f"{path.name} is no video that is known here ({', '.join(sorted(VIDEO_SUFFIXES))}) and no photograph."
        )


def add_references(app: App, side: Side, photographs: Sequence[Path]) -> list[Path]:
    """Bring in photographs of side's person: cut to the face, upright, at most 768 pixels wide or high, without
    metadata. What was given is kept as it is in `originals/`."""
    folder = app.workspace.references_dir(side)
    (folder / ORIGINALS).mkdir(parents=True, exist_ok=True)
    written = []
    for photograph in photographs:
        picture = cut_to_face(open_picture(photograph, upright=True, remedy="Give another photograph."))
        picture.thumbnail((REFERENCE_PIXELS, REFERENCE_PIXELS))
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=90)
        kept = _keep_reference(folder, photograph, stream.getvalue())
        # Two photographs may have one name; what was given is called as its cut is, so that both go together.
        with replacing(original_of(kept, photograph.suffix)) as partial:
            shutil.copyfile(photograph, partial)
        written.append(kept)
    note_act(app.workspace, "photograph", f"side {side.value}", f"{len(written)} photographs")
    return written


def _keep_reference(folder: Path, photograph: Path, data: bytes) -> Path:
    """Write a reference under a name of its own; the same picture again is the same file."""
    name = clean_name(photograph.stem)
    taken = {folded(other.name) for other in folder.iterdir()}
    for number in count(1):
        target = folder / (f"{name}.jpg" if number == 1 else f"{name}-{number}.jpg")
        if target.is_file() and target.read_bytes() == data:
            return target
        if folded(target.name) not in taken:
            write_atomic(target, data)
            return target
    raise AssertionError("there is always another number")


def _copy_video(app: App, file: Path, side: Side, name: str) -> Path:
    folder = app.workspace.sources_dir(side)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(folder, [file])
    target = folder / f"{name}{file.suffix.lower()}"
    with replacing(target) as partial:
        shutil.copyfile(file, partial)
    return target


def _copy_photos(app: App, found: Photographs, side: Side, name: str, progress: Progress) -> Path:
    folder = app.workspace.sources_dir(side)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(folder, [item.path for item in found.files])
    target = folder / name
    part = beside(target)
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)  # unregistered: left by a run that was killed
    part.mkdir()
    for done, item in enumerate(found.files, 1):
        with replacing(part / item.kept) as partial:
            shutil.copyfile(item.path, partial)
        progress("copying", done, len(found.files))
    part.rename(target)
    fsync_folder(folder)
    return target


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


def footage_in(paths: Sequence[Path], *, together: bool = False) -> list[Footage]:
    """What to ingest of what was given, in order: videos, folders of photographs, the videos of folders that hold
    videos and no photographs (also in folders below), and loose pictures with the `urls.csv` that was given with them:
    those of one folder together, or with `together` those of all folders, by their names.

    Raises StageError where two tables tell of the same pictures.
    """
    found: list[Footage] = []
    loose: dict[Path | None, list[Path]] = {}
    tables: dict[Path | None, Path] = {}
    for path in paths:
        group = None if together else path.parent
        if path.is_dir():
            pictures, others = pictures_below(path)
            videos = [item for item in others if item.suffix.lower() in VIDEO_SUFFIXES]
            found += [Footage(path)] if pictures or not videos else [Footage(item) for item in videos]
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            loose.setdefault(group, []).append(path)
            if len(loose[group]) == 1:
                found.append(Footage(path))
        elif is_provenance(path):
            if tables.setdefault(group, path) != path:
                raise StageError(f"There are two tables {path.name}. Give the one that tells of these photographs.")
        else:
            found.append(Footage(path))
    groups = {pictures[0]: _loose(pictures, tables.pop(group, None)) for group, pictures in loose.items()}
    return [groups.get(item.path, item) for item in found] + [Footage(table) for table in tables.values()]


def _loose(pictures: Sequence[Path], table: Path | None) -> Footage:
    """Pictures that were named one by one, as one source: where they lie in several folders, in the order of their
    names, which stays the same however they were named."""
    folders = {picture.parent for picture in pictures}
    if len(folders) == 1:
        return Footage(pictures[0].parent, tuple(pictures), table)
    above = Path(os.path.commonpath([folder.resolve() for folder in folders]))
    return Footage(above, tuple(sorted(pictures, key=lambda picture: (picture.name, picture))), table)
