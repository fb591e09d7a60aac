"""Ingest of faces that were extracted elsewhere: PNGs with faceswap's header, and their alignments."""

from __future__ import annotations

import filecmp
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from ...curation.faceset.crop_sizes import crop_sizes
from ...curation.faceset.dialects.imports import alignments_from_headers
from ...curation.faceset.dialects.left_out import note_left_out, read_left_out
from ...curation.faceset.fsa.alignments import Alignments, read_alignments, write_alignments
from ...curation.faceset.fsa.rewrite import frame_counts
from ...curation.faceset.png.headers import FaceHeader, read_png
from ...curation.faceset.subfolders import faces_below
from ...curation.files import PICTURE_SUFFIXES, TEMPORARY, check_name, is_temporary, write_atomic
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..consent.kept import note_source
from ..errors import StageError
from ..wording import typed
from ..workspace.records import Source, add_source, sources
from .extract import register_faces
from .here_already import said_again, write_record
from .ingest import Ingested, check_basis, clean_name
from .shared_frames import IMPORTED, refuse_frames_of_footage

__all__ = ["ingest_faces"]


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A folder that was looked through: its PNGs, the frames of their faces, and what the alignments will be."""

    name: str
    files: tuple[Path, ...]
    skipped: tuple[str, ...]
    alignments: Alignments
    notes: tuple[str, ...]


def ingest_faces(
    app: App,
    folder: Path,
    side: Side,
    *,
    alignments: Path | None = None,
    person: str,
    basis: str,
    note: str = "",
    progress: Progress = no_progress,
) -> Ingested:
    """Copy a folder of face PNGs and its alignments into the side's faceset, and register every face.

    Without `alignments` they are made from the PNGs' headers. Everything is checked before anything is copied. Killed
    half way, the next run finishes; the same content twice is recognised. Raises StageError where the side is merged,
    a picture has no header or alignments do not fit, or a name or a frame is taken; FacesetError for damaged files.
    """
    check_basis(basis)
    files, skipped = _pictures_of(folder)
    digest = _digest([*files, *([alignments] if alignments else [])], progress)
    known = next((item for item in sources(app.workspace, side) if item.sha256 == digest), None)
    if known is not None:
        known = said_again(app, known, person=person, basis=basis, note=note)
        return Ingested(known, added=False, skipped=skipped)
    if app.standing_merge(side) is not None:
        raise StageError(
            f"Side {side.value} is merged; these faces would stand unasked among approved ones. "
            f"Take the merge back first: galloway merge undo --side {side.value}"
        )
    name = _source_name(folder)
    if any(item.name == name for item in sources(app.workspace, side)):
        raise StageError(
            f"Side {side.value} already has a source named {name!r}. Rename the folder {folder} and ingest it again."
        )
    coming = _examined(side, name, folder, files, skipped, alignments, progress)
    _check_clashes(app, side, coming)
    target = _copy(app, side, coming, alignments, progress)
    left = tuple(replace(item, source=name) for item in read_left_out(folder))
    note_left_out(app.workspace.faces_dir(side), left)
    write_record(app, side, name, person=person, basis=basis, note=note, digest=digest)
    source = Source(0, side, name, "faces", target, digest, person, basis, note, None, len(files), IMPORTED)
    # The row comes last: a source that is listed is whole.
    register_faces(app, source, tuple(path.name for path in files), progress)
    said = tuple(item.sentence for item in left)
    names = [path.relative_to(folder).as_posix() for path in files]
    sizes = crop_sizes(folder, names, f"--side {side.value}").sentences()
    added = add_source(
        app.workspace,
        side,
        name,
        kind=source.kind,
        path=target,
        sha256=digest,
        person=person,
        basis=basis,
        note=note,
        faces=len(files),
        engine=IMPORTED,
    )
    note_source(app, added)
    return Ingested(
        added, added=True, skipped=skipped, notes=(*coming.notes, *_sorted_note(folder, files), *sizes, *said)
    )


def _source_name(folder: Path) -> str:
    """The folder's name; of a folder called `faces`, as import and extract make it, the name of the one around it."""
    whole = folder.resolve()
    return clean_name(whole.parent.name if whole.name == "faces" else whole.name)


def _pictures_of(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    if not folder.is_dir():
        raise StageError(f"{folder} is no folder. Name the folder of face PNGs: --faces FOLDER")
    below = [folder / name for name in faces_below(folder)]
    full = {folder / path.relative_to(folder).parts[0] for path in below}
    there = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not is_temporary(path.name))
    there = [path for path in there if path not in full] + below
    pictures = [path for path in there if path.suffix.lower() in PICTURE_SUFFIXES]
    files = [path for path in pictures if path.suffix == ".png"]
    others = [path for path in pictures if path.suffix != ".png"]
    if others or not files:
        what = f"holds {others[0].name}, which is no face PNG" if others else "holds no face PNGs"
        raise StageError(
            f"{folder} {what} of faceswap. Give it headers first: galloway faceset import {typed(folder)} -o NEW, "
            "then galloway ingest --faces NEW/faces"
        )
    for path in files:
        check_name(path.name, where=str(folder))
        if path.is_symlink():
            raise StageError(f"{path} is a symbolic link. Nothing was copied; put the real file there.")
    _refuse_namesakes(folder, files)
    return tuple(files), tuple(path.name for path in there if path not in set(files))


def _refuse_namesakes(folder: Path, files: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in files:
        first = seen.setdefault(path.name.casefold(), path)
        if first is not path:
            raise StageError(
                f"{first.relative_to(folder)} and {path.relative_to(folder)} in {folder} have one name. Nothing was "
                "copied; move one of them away."
            )


def _sorted_note(folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """What to say of faces that came out of sub-folders."""
    below = sorted({path.relative_to(folder).parts[0] for path in files if path.parent != folder})
    if not below:
        return ()
    count = sum(path.parent != folder for path in files)
    return (f"{count} of the faces came out of sub-folders ({', '.join(below[:5])}), to stand with the others.",)


def _digest(files: Sequence[Path], progress: Progress) -> str:
    digest = hashlib.sha256()
    for done, path in enumerate(files, 1):
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
        progress("reading", done, len(files))
    return digest.hexdigest()


def _examined(
    side: Side,
    name: str,
    folder: Path,
    files: tuple[Path, ...],
    skipped: tuple[str, ...],
    given: Path | None,
    progress: Progress,
) -> _Incoming:
    """Every picture decoded and its header read; raises where one cannot be used or the alignments do not fit."""
    places: dict[tuple[str, int], str] = {}

    def faces() -> Iterator[tuple[FaceHeader, Image.Image]]:
        for done, path in enumerate(files, 1):
            header, pixels = read_png(path)
            place = (header.source.source_filename, header.source.face_index)
            first = places.setdefault(place, path.name)
            if first != path.name:
                raise StageError(
                    f"{first} and {path.name} in {folder} are both face {place[1]} of {place[0]}. Move one away."
                )
            yield header, Image.fromarray(pixels)
            progress("checking", done, len(files))

    if given is None:
        found, warnings = alignments_from_headers(faces())
        if warnings:
            raise StageError(
                f"{folder}: {warnings[0]}. Name the alignments with --alignments FILE, or close the gaps first: "
                f"galloway faceset import {typed(folder)} -o NEW"
            )
        return _Incoming(name, files, skipped, found, ())
    for _ in faces():
        pass
    found = read_alignments(given)
    return _Incoming(name, files, skipped, found, _fitting(side, given, found, places))


def _fitting(side: Side, given: Path, found: Alignments, places: dict[tuple[str, int], str]) -> tuple[str, ...]:
    """What to say of alignments that know more than the pictures; raises where they know less."""
    known = {(frame, place) for frame, item in found.frames.items() for place in range(len(item.faces))}
    strange = [picture for place, picture in places.items() if place not in known]
    if strange:
        raise StageError(
            f"{given} does not know {len(strange)} of the pictures, such as {strange[0]}. Name the file that belongs "
            "to them, set them aside with galloway faceset leftover-faces, or leave --alignments out: the headers do."
        )
    spare = len(known - places.keys())
    if not spare:
        return ()
    remedy = f"galloway faceset remove-faces --side {side.value}"
    return (f"{given.name} holds {spare} faces that have no picture; take them out: {remedy}",)


def _check_clashes(app: App, side: Side, coming: _Incoming) -> None:
    """Raise where a picture's name or a frame belongs to another source of the side."""
    registered = {face.name: face.source for face in app.store.faces(side, rejected=True)}
    folder = app.workspace.faces_dir(side)
    for path in coming.files:
        owner = registered.get(path.name, coming.name)
        there = folder / path.name
        if owner != coming.name or (there.exists() and not filecmp.cmp(path, there, shallow=False)):
            whose = f"in source {owner!r}" if owner != coming.name else f"in {folder}, with other content"
            raise StageError(
                f"Side {side.value} already has a {path.name}, {whose}. Nothing was copied. Ingest these faces into "
                "another workspace, or extract their footage under another name."
            )
    refuse_frames_of_footage(app, side, coming.alignments.frames)
    own = f"{coming.name}_alignments.fsa"
    for file in app.faceset_paths(side).alignments_files():
        clash = coming.alignments.frames.keys() & frame_counts(file).keys() if file.name != own else None
        if clash:
            raise StageError(
                f"Side {side.value} already has frame {min(clash)}, in {file.name}. Nothing was copied: faces of two "
                "sources cannot share a frame. Extract the footage under another name."
            )


def _copy(app: App, side: Side, coming: _Incoming, given: Path | None, progress: Progress) -> Path:
    """Each picture whole or not at all, then the alignments; what is there already is left."""
    folder = app.workspace.faces_dir(side)
    target = app.workspace.alignments_dir(side) / f"{coming.name}_alignments.fsa"
    try:
        for made in (folder, target.parent):
            made.mkdir(parents=True, exist_ok=True)
        for done, path in enumerate(coming.files, 1):
            if not (folder / path.name).exists():
                part = folder / f"{TEMPORARY}{path.name}"
                shutil.copyfile(path, part)
                part.replace(folder / path.name)
            progress("copying", done, len(coming.files))
    except OSError as error:
        raise StageError(
            f"The faces cannot be copied to {folder}: {error.strerror}. Free the disk and run the same command again."
        ) from error
    if given is not None and coming.alignments.dialect in ("v2.3", "v3"):
        write_atomic(target, given.read_bytes())
    else:
        write_alignments(target, coming.alignments)
    return target
