"""Alignments of faceswap 1.0 and older, which know a face by the SHA-1 of its decoded pixels.

One changed pixel (an edit, an upscale, a JPEG saved again) breaks the hash, and faceswap's own job then took the face
for a stranger's and removed it. Here a face whose hash is gone is matched by likeness: the perceptual hash of the
picture against that of the stored thumbnail, where one thumbnail alone is near; or by the name `<frame>_<place>`, with
or without what another program put behind it, where the thumbnail does not show another face. Both with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import FacesetError
from ...files import PICTURE_SUFFIXES, is_temporary, read_bounded
from ...likeness import perceptual_hash
from ..fsa.alignments import read_alignments
from ..index import FacesetPaths
from ..png.headers import decode_pixels
from ..png.identity import pixel_hash_v1
from ..png.types import Alignments

__all__ = ["Match", "Matcher", "has_hashes", "leftover_by_hash", "match_by_hash"]

_NEAR = 10
"""Bits of a 64-bit perceptual hash that may differ; imagehash's and imagededup's usual bound."""
_OTHER = 18
"""From so many on, a picture is not the face that its name says: two that have nothing in common differ in 32."""
_PLACE = re.compile(r"_(\d{1,4})(?!\d)")
"""A face's place in its frame, within its name: programs that enhance pictures write `clip_000001_0_out.png`."""
_LIMIT = 256 << 20


class Match:
    """One picture's face: frame, place, and how it was found: "hash", "likeness" or "name"."""

    __slots__ = ("frame", "how", "place")

    def __init__(self, frame: str, place: int, how: str) -> None:
        self.frame, self.place, self.how = frame, place, how

    def __repr__(self) -> str:
        return f"Match({self.frame!r}, {self.place}, {self.how!r})"


def has_hashes(paths: FacesetPaths) -> bool:
    """Whether the named alignments are of faceswap 1.0 or older."""
    file = paths.alignments_file
    if file is None:
        return False
    return any(face.pixel_hash for frame in read_alignments(file).frames.values() for face in frame.faces)


def _pictures(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise FacesetError(f"{folder} is no folder of faces. Name it: --faces DIR")
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURE_SUFFIXES and not is_temporary(path.name) and not path.is_symlink():
            yield path


class _Likeness:
    """Faces of old alignments by the perceptual hash of their thumbnails."""

    def __init__(self, alignments: Alignments) -> None:
        self.places: dict[tuple[str, int], int] = {}
        hashes: list[NDArray[np.bool_]] = []
        for frame, faces in alignments.frames.items():
            for place, face in enumerate(faces.faces):
                if face.thumb:
                    pixels = decode_pixels(face.thumb, Path(f"thumbnail of {frame}"))
                    self.places[frame, place] = len(hashes)
                    hashes.append(perceptual_hash(Image.fromarray(pixels)).ravel())
        self.hashes: NDArray[np.bool_] = np.array(hashes, np.bool_).reshape(len(hashes), -1)

    def distance(self, image: Image.Image, frame: str, place: int) -> int | None:
        """Bits that differ between `image` and the thumbnail of one face; None where it has none."""
        row = self.places.get((frame, place))
        return None if row is None else int(np.count_nonzero(self.hashes[row] != perceptual_hash(image).ravel()))

    def nearest(self, image: Image.Image) -> tuple[str, int] | None:
        """The one face that looks like `image`; None where none does, or several: a film's neighbours often have the
        same hash, and which of them is a bit nearer says nothing."""
        if not self.places:
            return None
        apart = np.count_nonzero(self.hashes != perceptual_hash(image).ravel(), axis=1)
        near = [where for where, row in self.places.items() if apart[row] <= _NEAR]
        return near[0] if len(near) == 1 else None


class Matcher:
    """Finds the face of `alignments` that a picture without a header is. No face is given twice; faces that were found
    by anything weaker than their hash are in `warnings`."""

    def __init__(self, alignments: Alignments) -> None:
        self.alignments = alignments
        self.warnings: list[str] = []
        self.by_hash = {
            face.pixel_hash: (frame, place)
            for frame, faces in alignments.frames.items()
            for place, face in enumerate(faces.faces)
            if face.pixel_hash
        }
        self.stems = {Path(frame).stem: frame for frame in alignments.frames}
        self.taken: set[tuple[str, int]] = set()
        self.likeness: _Likeness | None = None

    def match(self, name: str, pixels: NDArray[np.uint8]) -> Match | None:
        """The face that the picture `name` is, or None."""
        place = self.by_hash.get(pixel_hash_v1(pixels))
        if place is not None and place not in self.taken:
            self.taken.add(place)
            return Match(*place, "hash")
        match = self._named(name, pixels) or self._alike(pixels)
        if match is None or (match.frame, match.place) in self.taken:
            return None
        self.taken.add((match.frame, match.place))
        was = "its pixels changed, so its hash is gone" if self.by_hash else "it has no header"
        self.warnings.append(f"{name}: {was}; by {match.how} it is face {match.place} of {match.frame}")
        return match

    def _alike(self, pixels: NDArray[np.uint8]) -> Match | None:
        if self.likeness is None:
            self.likeness = _Likeness(self.alignments)
        near = self.likeness.nearest(Image.fromarray(pixels))
        return Match(*near, "likeness") if near is not None else None

    def _named(self, name: str, pixels: NDArray[np.uint8]) -> Match | None:
        """By the name `<frame>_<place>…`, unless the face's thumbnail shows another: a film's neighbours look so alike
        that likeness alone takes one for the other, and enhanced faces no longer look like themselves."""
        place = self._place_in(Path(name).stem)
        if place is None:
            return None
        self.likeness = self.likeness or _Likeness(self.alignments)
        unlike = self.likeness.distance(Image.fromarray(pixels), *place)
        return Match(*place, "name") if unlike is None or unlike <= _OTHER else None

    def _place_in(self, stem: str) -> tuple[str, int] | None:
        """The frame and place that a name begins with, the longest where it begins with several."""
        for found in reversed(list(_PLACE.finditer(stem))):
            frame = self.stems.get(stem[: found.start()])
            if frame is not None and int(found[1]) < len(self.alignments.frames[frame].faces):
                return frame, int(found[1])
        return None


def match_by_hash(folder: Path, alignments: Alignments) -> tuple[dict[str, Match], list[str]]:
    """Picture name → the face that it is, for every picture of `folder` that is one; and warnings for those that were
    matched by likeness or by name only. Those with their hash come first, so that a copy cannot take their place."""
    matcher = Matcher(alignments)
    found: dict[str, Match] = {}
    changed: list[Path] = []
    for path in _pictures(folder):
        pixels = decode_pixels(read_bounded(path, _LIMIT), path)
        if pixel_hash_v1(pixels) not in matcher.by_hash:
            changed.append(path)
        elif (match := matcher.match(path.name, pixels)) is not None:
            found[path.name] = match
    for path in changed:
        match = matcher.match(path.name, decode_pixels(read_bounded(path, _LIMIT), path))
        if match is not None:
            found[path.name] = match
    return found, matcher.warnings


def leftover_by_hash(paths: FacesetPaths) -> tuple[list[str], list[str]]:
    """Pictures that old alignments do not know, and warnings about those matched by likeness only."""
    assert paths.alignments_file is not None
    found, warnings = match_by_hash(paths.faces_dir, read_alignments(paths.alignments_file))
    return [path.name for path in _pictures(paths.faces_dir) if path.name not in found], warnings
