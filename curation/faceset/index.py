"""What is known of a faceset's files, so that nothing unchanged is read twice.

`merges/.index.json` remembers, per PNG, its frame, place, face id and content hash together with the size and
modification time at which that was read; and per alignments file its frames. It is a cache: deleting it costs time,
nothing else.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..errors import FacesetError, FormatError, UnsafeFile
from ..files import TEMPORARY, check_name, is_temporary, read_bounded, write_atomic
from ..types import Face, FaceId, Progress, Side, no_progress
from .fsa.rewrite import Unpacked, frame_counts
from .png.source import read_places, source_of

__all__ = [
    "AlignmentsFile",
    "FaceIndex",
    "FacesetPaths",
    "KnownFace",
    "alignments_beside",
    "claimed_twice",
    "content_hash",
    "digest",
    "known_twice",
    "places_of",
    "scan_faces",
]

_INDEX = ".index.json"
_VERSION = 2
_FILE_LIMIT = 256 << 20
_NUMBER = re.compile(r"_(\d{6,})$")


@dataclass(frozen=True, slots=True)
class FacesetPaths:
    """Where a side's faceset is.

    `faces_dir` is one flat folder of PNGs of several sources; `alignments_dir` holds one `<source stem>_alignments.fsa`
    per source (`alignments.fsa` where faceswap extracted a folder of pictures), or, where `alignments_file` is given,
    only that file counts. Rejected faces go to `rejected_dir/<merge id>/`, manifests to `merges_dir/<merge id>.json`.
    `faces_dir` and `rejected_dir` must be on one disk, because faces are moved by renaming.
    """

    side: Side
    faces_dir: Path
    alignments_dir: Path
    merges_dir: Path
    rejected_dir: Path
    alignments_file: Path | None = None

    @classmethod
    def of_folder(cls, faces: Path, alignments: Path | None = None, side: Side = Side.A) -> FacesetPaths:
        """The faceset of a folder of PNGs; manifests and rejected faces go to `<faces>_galloway/` beside it.

        `alignments` is a file or a folder of them; None takes what lies in the folder, beside it or in `alignments/`
        beside it. Raises FacesetError where that is nothing or ambiguous.
        """
        faces = faces.resolve()
        base = alignments_beside(faces) if alignments is None else alignments
        folder, file = (base, None) if base.is_dir() else (base.parent, base.resolve())
        own = faces.parent / f"{faces.name}_galloway"
        return cls(side, faces, folder.resolve(), own / "merges", own / "rejected", file)

    def relative(self, folder: Path) -> str:
        """`folder` as manifests note it: relative to them, so that a faceset can be moved."""
        return Path(os.path.relpath(folder.resolve(), self.merges_dir.resolve())).as_posix()

    def alignments_files(self) -> list[Path]:
        """The alignments files, by name. JSON beside a .fsa of its name is what that was made of: it does not count."""
        if self.alignments_file is not None:
            return [self.alignments_file]
        if not self.alignments_dir.is_dir():
            return []
        found = {
            path
            for path in self.alignments_dir.iterdir()
            if path.name.endswith(("alignments.fsa", "alignments.json")) and not is_temporary(path.name)
        }
        return sorted(path for path in found if path.suffix == ".fsa" or path.with_suffix(".fsa") not in found)


def alignments_beside(faces: Path) -> Path:
    """The alignments that belong to a folder of faces: in it, beside it, or in `alignments/` beside it."""
    found = [
        path
        for folder in (faces, faces.parent, faces.parent / "alignments")
        if folder.is_dir()
        for path in sorted(folder.glob("*alignments.fsa"))
    ]
    if len(found) == 1:
        return found[0]
    folders = {path.parent for path in found}
    if len(folders) == 1:
        return folders.pop()
    what = "are several alignments files" if found else "is no alignments file"
    raise FacesetError(f"There {what} beside {faces}. Name one: --alignments FILE")


@dataclass(slots=True)
class KnownFace:
    """One PNG: `frame` and `index` are what its header says; `face_id` and `content` are None until asked for.

    Never changed; only not frozen, because a frozen one takes three times as long to make, a hundred thousand times.
    """

    name: str
    size: int
    mtime_ns: int
    frame: str
    index: int
    face_id: FaceId | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class AlignmentsFile:
    """One alignments file: `frames` maps a frame's key to its number of faces; it is empty where only `content` was
    asked for, and `counted` is False then."""

    path: Path
    size: int
    mtime_ns: int
    frames: dict[str, int]
    content: str | None = None
    counted: bool = True


def content_hash(data: bytes) -> str:
    """BLAKE2b-128 of a file's bytes."""
    return blake2b(data, digest_size=16).hexdigest()


@dataclass(slots=True)
class FaceIndex:
    """Faces by PNG name, alignments files by name, and PNGs that cannot be used with the reason."""

    paths: FacesetPaths
    faces: dict[str, KnownFace] = field(default_factory=dict)
    files: dict[str, AlignmentsFile] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    changed: bool = False
    unpacked: Unpacked | None = None

    @classmethod
    def load(cls, paths: FacesetPaths) -> FaceIndex:
        """What was remembered, unchecked; empty where there is nothing or it cannot be used."""
        index = cls(paths)
        try:
            values = json.loads((paths.merges_dir / _INDEX).read_bytes())
            if values["version"] != _VERSION or values["side"] != paths.side.value:
                return index
            for name in (*values["faces"], *values["files"]):
                check_name(name, where=str(paths.merges_dir / _INDEX))
            for name, row in values["faces"].items():
                index.faces[name] = KnownFace(name, *row)
            folder = paths.alignments_dir
            for name, (size, mtime_ns, frames, content, counted) in values["files"].items():
                index.files[name] = AlignmentsFile(folder / name, size, mtime_ns, frames, content, counted)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, UnsafeFile):
            return cls(paths)
        return index

    def save(self) -> None:
        """Remember; does nothing where nothing changed. Where the disk says no, the next run reads again: a cache
        must not fail a merge that is done."""
        if not self.changed:
            return
        faces = {
            face.name: (face.size, face.mtime_ns, face.frame, face.index, face.face_id, face.content)
            for face in self.faces.values()
        }
        files = {
            name: [file.size, file.mtime_ns, file.frames, file.content, file.counted]
            for name, file in self.files.items()
        }
        values = {"version": _VERSION, "side": self.paths.side.value, "faces": faces, "files": files}
        data = json.dumps(values, separators=(",", ":")).encode()
        try:
            self.paths.merges_dir.mkdir(parents=True, exist_ok=True)
            write_atomic(self.paths.merges_dir / _INDEX, data, durable=False)
            self.changed = False
        except (OSError, FacesetError) as error:
            import logging

            logging.getLogger(__name__).info("what is known of the faces was not kept: %s", error)

    def refresh(self, *, ids: bool, content: bool, frames: bool = True, progress: Progress = no_progress) -> FaceIndex:
        """Bring the index up to date; only files whose size or time changed are read.

        `ids` asks for face ids (pixels are decoded), `content` for hashes of the bytes, `frames` for the alignments'
        frames. Raises FacesetError where the folder cannot be read; a bad PNG is noted in `unusable`.
        """
        self._refresh_faces(ids, content, progress)
        if frames or content:
            self._refresh_files(content, frames)
        return self

    def refresh_alignments(self) -> FaceIndex:
        """Bring only the alignments' frames up to date, where there is no folder of faces."""
        self._refresh_files(content=False, frames=True)
        return self

    def _refresh_faces(self, ids: bool, content: bool, progress: Progress) -> None:
        self.unusable = {}
        entries = _pngs(self.paths.faces_dir)
        before, self.faces = self.faces, {}
        stale: list[tuple[str, int, int]] = []
        for entry in entries:
            name, size, mtime_ns = entry
            known = before.get(name)
            if (
                known is not None
                and known.size == size
                and known.mtime_ns == mtime_ns
                and (known.face_id is not None or not ids)
                and (known.content is not None or not content)
            ):
                self.faces[name] = known
            else:
                stale.append(entry)
        reader = self._read_whole(stale, ids) if ids or content else self._read_places(stale)
        for done, face in enumerate(reader, start=len(self.faces)):
            self.faces[face.name] = face
            if done % 500 == 0:
                progress("reading faces", done, len(entries))
        if stale and len(stale) < len(entries):
            self.faces = {name: self.faces[name] for name, _, _ in entries if name in self.faces}
        self.changed |= bool(stale) or len(self.faces) != len(before)

    def _read_places(self, entries: Sequence[tuple[str, int, int]]) -> Iterator[KnownFace]:
        """Frame and place of these PNGs; what cannot be used goes to `unusable`."""
        found = read_places(self.paths.faces_dir, [name for name, _, _ in entries])
        for (name, size, mtime_ns), place in zip(entries, found, strict=True):
            if isinstance(place, FacesetError):
                self.unusable[name] = str(place)
            else:
                yield KnownFace(name, size, mtime_ns, *place)

    def _read_whole(self, entries: Sequence[tuple[str, int, int]], ids: bool) -> Iterator[KnownFace]:
        """The same with the hash of the bytes, and with `ids` the face's id, for which pixels are decoded."""
        for name, size, mtime_ns in entries:
            try:
                yield _read_face(self.paths, name, size, mtime_ns, ids=ids)
            except FacesetError as error:
                self.unusable[name] = str(error)

    def _refresh_files(self, content: bool, frames: bool) -> None:
        found: dict[str, AlignmentsFile] = {}
        for path in self.paths.alignments_files():
            try:
                stat = path.stat()
            except OSError as error:
                raise FacesetError(f"{path} cannot be read: {error.strerror}. Name an alignments file.") from error
            known = self.files.get(path.name)
            if known is None or (known.size, known.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
                known = AlignmentsFile(path, stat.st_size, stat.st_mtime_ns, {}, counted=False)
                self.changed = True
            if frames and not known.counted:
                known = replace(known, frames=frame_counts(path, self.unpacked), counted=True)
                self.changed = True
            if content and known.content is None:
                hashed = content_hash(read_bounded(path, 1 << 30))
                known = replace(known, content=hashed)
                self.changed = True
            found[path.name] = known
        self.files = found

    def digest(self) -> str:
        """See `digest`; every `content` must be known."""
        total = blake2b(digest_size=16, person=b"galloway-digest1")
        for kind, items in (("face", self.faces), ("alignments", self.files)):
            for name in sorted(items):
                total.update(f"{kind}\0{name}\0{items[name].content}\n".encode())
        return total.hexdigest()


def _pngs(folder: Path) -> list[tuple[str, int, int]]:
    """(name, size, modification time) of every PNG in `folder`, by name."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith((".png", ".PNG")) and not name.startswith(TEMPORARY):
                    stat = entry.stat(follow_symlinks=False)
                    found.append((name, stat.st_size, stat.st_mtime_ns))
    except OSError as error:
        raise FacesetError(f"{folder} cannot be read: {error.strerror}. Extract first: galloway extract") from error
    found.sort()
    return found


def _read_face(paths: FacesetPaths, name: str, size: int, mtime_ns: int, *, ids: bool) -> KnownFace:
    path = paths.faces_dir / name
    data = read_bounded(path, _FILE_LIMIT)
    source = source_of(data, path)
    own = None
    if ids:
        from .png.headers import decode_pixels
        from .png.identity import face_id

        own = face_id(paths.side, source, decode_pixels(data, path))
    return KnownFace(name, size, mtime_ns, source.source_filename, source.face_index, own, content_hash(data))


def digest(paths: FacesetPaths, *, progress: Progress = no_progress) -> str:
    """A digest of exactly these faces and alignments: names and bytes of every PNG and every alignments file.

    Stable across machines and copies; cheap, because files whose size and time are known are not read again.
    """
    index = FaceIndex.load(paths).refresh(ids=False, content=True, frames=False, progress=progress)
    if index.unusable:
        name, reason = next(iter(index.unusable.items()))
        raise FormatError(f"{len(index.unusable)} faces cannot be used, the first is {name}: {reason}")
    index.save()
    return index.digest()


def scan_faces(paths: FacesetPaths, *, progress: Progress = no_progress) -> list[Face]:
    """Every face of the folder as a `Face`, by PNG name; also fills the index, so that later merges are quick.

    `source` is the stem of the alignments file that holds the face's frame, or of the frame's own name.
    Raises FacesetError naming the first PNG that cannot be used.
    """
    index = FaceIndex.load(paths).refresh(ids=True, content=True, progress=progress)
    for name, reason in index.unusable.items():
        raise FormatError(f"{name} cannot be used: {reason}")
    index.save()
    return list(_faces(index))


def _faces(index: FaceIndex) -> Iterator[Face]:
    from .png.headers import read_header

    sources = source_stems(index)
    for known in index.faces.values():
        header = read_header(index.paths.faces_dir / known.name)
        number = _NUMBER.search(Path(known.frame).stem) if header.source.source_is_video else None
        assert known.face_id is not None
        yield Face(
            face_id=known.face_id,
            side=index.paths.side,
            name=known.name,
            source=sources.get(known.frame, _NUMBER.sub("", Path(known.frame).stem)),
            source_name=known.frame,
            face_index=known.index,
            frame_number=int(number[1]) if number else None,
            box=header.alignment.box,
            landmarks=header.alignment.landmarks,
        )


def places_of(index: FaceIndex) -> dict[str, int]:
    """Frame key → faces; a key that two files have (photographs of the same name) is left out, as nobody can tell
    whose it is."""
    twice = known_twice(index)
    return {frame: count for file in index.files.values() for frame, count in file.frames.items() if frame not in twice}


def claimed_twice(index: FaceIndex) -> list[list[str]]:
    """PNGs that claim one place of one frame, as a copy of a face does, place by place."""
    claims: dict[tuple[str, int], list[str]] = {}
    for face in index.faces.values():
        claims.setdefault((face.frame, face.index), []).append(face.name)
    return [names for names in claims.values() if len(names) > 1]


def known_twice(index: FaceIndex) -> dict[str, tuple[str, str]]:
    """Frames that two alignments files have, each with the names of both."""
    seen: dict[str, str] = {}
    twice: dict[str, tuple[str, str]] = {}
    for name, file in index.files.items():
        twice.update({frame: (seen[frame], name) for frame in seen.keys() & file.frames.keys()})
        seen.update(dict.fromkeys(file.frames, name))
    return twice


def source_stems(index: FaceIndex) -> dict[str, str]:
    """Frame key → stem of the source, from the names of the alignments files."""
    stems: dict[str, Any] = {}
    for name, file in index.files.items():
        stem = name.removesuffix(".fsa").removesuffix(".json").removesuffix("alignments").rstrip("_")
        for frame in file.frames:
            stems.setdefault(frame, stem or Path(frame).stem)
    return stems


def unsafe_links(folder: Path) -> list[str]:
    """Names in `folder` that are symbolic links; a faceset has none, and moving one would move something else."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_symlink())


def refuse_links(paths: FacesetPaths) -> None:
    """Raises UnsafeFile where the faces folder holds symbolic links."""
    links = unsafe_links(paths.faces_dir)
    if links:
        raise UnsafeFile(
            f"{paths.faces_dir} holds {len(links)} symbolic links, the first is {links[0]}. Nothing was moved; put "
            "real files in their place."
        )
