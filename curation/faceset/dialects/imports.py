"""Facesets of other programs and other times as faceswap 2.4 faces and alignments."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import FacesetError, FormatError, UnsafeFile
from ...files import PICTURE_SUFFIXES, check_name, write_atomic
from ...types import Progress, no_progress
from ..fsa.alignments import Dialect, write_alignments
from ..merging.plan import canonical_name
from ..png.headers import decode_pixels, parse_png, write_png
from ..png.types import Alignments, FaceAlignment, FaceHeader, FaceSource, FrameFaces
from .dfl import DflFace, dfl_face
from .left_out import XsegLeft, note_left_out
from .old_hashes import Match, Matcher
from .pictures import pictures_in

__all__ = ["Imported", "alignments_from_headers", "import_pictures", "thumbnail"]

_TRAILING = re.compile(r"_(\d{1,3})$")
"""How DeepFaceLab says at the end of a picture's name which face of its frame it is."""

DFL_WARNING = (
    "DeepFaceLab's crops are cut otherwise than faceswap's. To train on them with faceswap, cut them anew from the "
    "frames: the alignments that were written say where (faceswap extract -D file -A file)"
)


@dataclass(slots=True)
class Imported:
    """What came in: PNG names by kind of origin, pictures that nobody knows, and warnings."""

    faces: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unknown: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    alignments: Path | None = None

    @property
    def count(self) -> int:
        """How many faces came in."""
        return sum(map(len, self.faces.values()))


def thumbnail(image: Image.Image) -> bytes:
    """A thumbnail as alignments hold them: JPEG, 96 pixels, quality 60."""
    stream = io.BytesIO()
    image.convert("RGB").resize((96, 96), Image.Resampling.BOX).save(stream, "JPEG", quality=60)
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class _Found:
    """One picture that is a face: how that is known, and the header it had or should have had."""

    name: str
    kind: str
    header: FaceHeader
    dfl: DflFace | None = None


def import_pictures(
    source: Path,
    output: Path,
    *,
    known: Alignments | None = None,
    dialect: Dialect = "v2.3",
    progress: Progress = no_progress,
) -> Imported:
    """Read a folder, .zip or .pak of faces; write `output/faces/*.png` and `output/alignments/*_alignments.fsa`.

    A picture is a face by its faceswap header, by DeepFaceLab metadata, or by `known` alignments: by the pixel hash of
    faceswap 1.0, by likeness to a stored thumbnail, or by its name `<frame>_<place>`. Others are listed as unknown,
    and pictures that cannot be trusted, and copies, as refused; all stay where they are. `output` must be new or empty.
    Raises FacesetError where headers put different faces in one place of one frame, as of two videos called alike.
    """
    if output.exists() and any(output.iterdir()):
        raise FacesetError(f"{output} is not empty. Name a new folder: --output DIR")
    result = Imported()
    matcher = Matcher(known) if known is not None else None
    found: list[_Found] = []
    for done, (name, data) in enumerate(pictures_in(source)):
        progress("recognising", done, None)
        face = _recognise(name, data, result, matcher)
        if face is not None:
            found.append(face)
    found, shared = _one_each(found, result)
    placed = _places(found)
    (output / "faces").mkdir(parents=True)
    (output / "alignments").mkdir()
    frames: dict[str, dict[int, FaceAlignment]] = defaultdict(dict)
    for done, (name, data) in enumerate(pictures_in(source)):
        if name in placed:
            progress("importing", done, None)
            face, header = placed[name]
            alignment = _write(data, face, header, output / "faces", dialect)
            frames[header.source.source_filename][header.source.face_index] = alignment
            result.faces[face.kind].append(header.source.original_filename)
    if matcher is not None:
        result.warnings += matcher.warnings
    if result.faces.get("DeepFaceLab"):
        left = _left_out(source, found)
        note_left_out(output / "faces", left)
        keep = f"Keep {source}, and make faceswap's own masks: faceswap mask"
        said = [f"{item.counted} are left out: faceswap has no place for them. {keep}" for item in left]
        result.warnings += [DFL_WARNING, *said]
    result.warnings += [*shared, *_came_up(found)]
    result.alignments = output / "alignments" / f"{_set_name(source)}_alignments.fsa"
    write_alignments(result.alignments, _alignments(frames, known), dialect)
    return result


def _recognise(name: str, data: bytes, result: Imported, matcher: Matcher | None) -> _Found | None:
    try:
        pixels = decode_pixels(data, Path(name))
        header = parse_png(data, Path(name))
        if header is not None:
            return _Found(name, "faceswap", header)
        dfl = dfl_face(data, name)
        if dfl is not None:
            return _Found(name, "DeepFaceLab", _from_dfl(name, dfl), dfl)
        match = matcher.match(name, pixels) if matcher is not None else None
        if match is not None and matcher is not None:
            return _Found(name, match.how, _from_match(name, match, matcher.alignments))
    except (FormatError, UnsafeFile) as error:
        result.refused[name] = str(error)
        return None
    result.unknown.append(name)
    return None


def _came_up(found: list[_Found]) -> list[str]:
    """What to say where faces lay in folders below the one that was named."""
    below = [face.name.rpartition("/")[0] for face in found if "/" in face.name]
    folders = ", ".join(sorted(set(below)))
    return [f"{len(below):,} of the faces came out of sub-folders ({folders}), to stand with the others."] * bool(below)


def _places(found: list[_Found]) -> dict[str, tuple[_Found, FaceHeader]]:
    """Picture name → the face and its new header: a frame's faces keep their order and close their gaps."""
    frames: dict[str, list[_Found]] = defaultdict(list)
    for face in found:
        frames[face.header.source.source_filename].append(face)
    placed: dict[str, tuple[_Found, FaceHeader]] = {}
    targets: dict[str, str] = {}
    for frame, faces in frames.items():
        faces.sort(key=lambda face: (face.header.source.face_index, face.name))
        for index, face in enumerate(faces):
            name = canonical_name(frame, index)
            if name in targets:
                raise FacesetError(
                    f"{face.name} and {targets[name]} would both become {name}. Import them apart, from two folders."
                )
            targets[name] = face.name
            source = replace(face.header.source, face_index=index, original_filename=name)
            placed[face.name] = face, FaceHeader(face.header.alignment, source)
    return placed


def _one_each(found: list[_Found], result: Imported) -> tuple[list[_Found], list[str]]:
    """The faces without copies, which are refused by name, and what to say. Raises FacesetError where headers claim one
    place of a frame for different faces: frames of two videos are called alike."""
    claims: dict[tuple[str, int], list[_Found]] = defaultdict(list)
    for face in sorted(found, key=lambda face: face.name):
        number = _TRAILING.search(Path(face.name).stem)
        place = int(number[1]) if face.dfl is not None and number else face.header.source.face_index
        claims[face.header.source.source_filename, place].append(face)
    warnings: list[str] = []
    several = [faces for faces in claims.values() if any(not _same_face(face, faces[0]) for face in faces)]
    if several:
        names = ", ".join(face.name for face in several[0])
        frame = several[0][0].header.source.source_filename
        said = f"{len(several)} times different faces claim one place of one frame; the first are {names} in {frame}."
        apart = "Two videos whose frames are called alike are imported apart, from two folders."
        if any(face.dfl is None for faces in several for face in faces):
            raise FacesetError(f"{said} Nothing was written. {apart}")
        # DeepFaceLab numbers pictures anew when it sorts them: these may well be two faces of one frame.
        warnings.append(f"{said} They now stand side by side in that frame. {apart}")
    for faces in claims.values():
        for copy in faces[1:]:
            if _same_face(copy, faces[0]):
                result.refused[copy.name] = f"{copy.name} is a copy of {faces[0].name}; it was left out."
    return [face for face in found if face.name not in result.refused], warnings


def _same_face(one: _Found, two: _Found) -> bool:
    """Whether two pictures show one face: their landmarks in the frame are the same but for rounding."""
    left, right = one.header.alignment.landmarks, two.header.alignment.landmarks
    return left.shape == right.shape and bool(np.abs(left - right).max() < 1)


def _left_out(source: Path, found: list[_Found]) -> list[XsegLeft]:
    """What XSeg left in DeepFaceLab's pictures and faceswap has no place for."""
    masks = sum(face.dfl is not None and face.dfl.mask for face in found)
    polygons = sum(face.dfl is not None and face.dfl.polygons for face in found)
    return [XsegLeft(_set_name(source), masks, polygons, source.name)] if masks + polygons else []


def _set_name(source: Path) -> str:
    stem = source.stem if source.stem != "faces" else source.resolve().parent.name or "faces"
    return check_name(stem, where=str(source))


def _from_dfl(name: str, face: DflFace) -> FaceHeader:
    left, top, right, bottom = face.source_rect
    alignment = FaceAlignment(left, top, right - left, bottom - top, face.source_landmarks)
    return FaceHeader(alignment, FaceSource(name, 0, face.source_filename, False, (0, 0)))


def _from_match(name: str, match: Match, known: Alignments) -> FaceHeader:
    face = known.frames[match.frame].faces[match.place]
    video = not match.frame.lower().endswith(PICTURE_SUFFIXES)
    return FaceHeader(face, FaceSource(name, match.place, match.frame, video, (0, 0)))


def _write(data: bytes, face: _Found, header: FaceHeader, folder: Path, dialect: str) -> FaceAlignment:
    """Write one face; a PNG whose header is right already keeps its bytes. Returns it as alignments hold it."""
    path = folder / header.source.original_filename
    image = Image.fromarray(decode_pixels(data, path))
    if face.kind == "faceswap" and face.header.source == header.source:
        write_atomic(path, data, durable=False)
    else:
        plain = replace(header.alignment, thumb=None, pixel_hash=None)
        write_png(path, image, FaceHeader(plain, header.source), dialect=dialect)
    return replace(header.alignment, thumb=header.alignment.thumb or thumbnail(image), pixel_hash=None)


def _alignments(frames: dict[str, dict[int, FaceAlignment]], known: Alignments | None) -> Alignments:
    result = Alignments({name: FrameFaces() for name in known.frames} if known is not None else {})
    for name in sorted(frames):
        result.frames[name] = FrameFaces([frames[name][place] for place in sorted(frames[name])])
    return result


def alignments_from_headers(
    faces: Iterator[tuple[FaceHeader, Image.Image]],
) -> tuple[Alignments, list[str]]:
    """Alignments out of PNG headers, with thumbnails made anew, as faceswap's `from-faces`; and what was odd.

    A frame's faces take the places that their headers say; where a place is missing, later ones move up: then the
    headers must follow (`plan_closing`).
    """
    found: dict[str, dict[int, FaceAlignment]] = defaultdict(dict)
    warnings: list[str] = []
    for header, image in faces:
        source = header.source
        if source.face_index in found[source.source_filename]:
            warnings.append(f"{source.source_filename} has two pictures of face {source.face_index}; the first counts")
            continue
        found[source.source_filename][source.face_index] = replace(header.alignment, thumb=thumbnail(image))
    result = Alignments()
    for frame in sorted(found):
        places = found[frame]
        if max(places) + 1 != len(places):
            warnings.append(f"{frame} lacks a face between others; later ones move up")
        result.frames[frame] = FrameFaces([places[place] for place in sorted(places)])
    return result, warnings
