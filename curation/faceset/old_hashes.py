"""Alignments of faceswap 1.0 and older, which know a face by the SHA-1 of its decoded pixels.

One changed pixel (an edit, an upscale, a JPEG saved again) breaks the hash, and faceswap's own job then took the face
for a stranger's and removed it. Here a face whose hash is gone is matched by likeness: the perceptual hash of the
picture against that of the stored thumbnail, where there is one; and by the name `<frame>_<place>`, with a warning.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import imagehash
from PIL import Image

from curation.errors import FacesetError
from curation.faceset.alignments import read_alignments
from curation.faceset.files import is_temporary, read_bounded
from curation.faceset.headers import decode_pixels
from curation.faceset.identity import pixel_hash_v1
from curation.faceset.index import FacesetPaths
from curation.faceset.types import Alignments

__all__ = ["Match", "has_hashes", "leftover_by_hash", "match_by_hash"]

_PICTURES = (".png", ".jpg", ".jpeg")
_NEAR = 10
"""Bits of a 64-bit perceptual hash that may differ; imagehash's and imagededup's usual bound."""
_PLACE = re.compile(r"^(?P<frame>.+)_(?P<place>\d{1,4})$")
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
        if path.suffix.lower() in _PICTURES and not is_temporary(path.name) and not path.is_symlink():
            yield path


class _Likeness:
    """Faces of old alignments by the perceptual hash of their thumbnails."""

    def __init__(self, alignments: Alignments) -> None:
        self.hashes: list[tuple[imagehash.ImageHash, str, int]] = []
        for frame, faces in alignments.frames.items():
            for place, face in enumerate(faces.faces):
                if face.thumb:
                    image = Image.open(io.BytesIO(face.thumb))
                    self.hashes.append((imagehash.phash(image), frame, place))

    def nearest(self, image: Image.Image) -> tuple[str, int] | None:
        """The one face that looks like `image`; None where none or several do."""
        if not self.hashes:
            return None
        wanted = imagehash.phash(image)
        distances = sorted((int(known - wanted), frame, place) for known, frame, place in self.hashes)
        if distances[0][0] > _NEAR or (len(distances) > 1 and distances[1][0] == distances[0][0]):
            return None
        return distances[0][1], distances[0][2]


def match_by_hash(folder: Path, alignments: Alignments) -> tuple[dict[str, Match], list[str]]:
    """Picture name → the face that it is, for every picture of `folder` that is one; and warnings for those that were
    matched by likeness or by name only. No face is given twice."""
    by_hash = {
        face.pixel_hash: (frame, place)
        for frame, faces in alignments.frames.items()
        for place, face in enumerate(faces.faces)
        if face.pixel_hash
    }
    stems = {Path(frame).stem: frame for frame in alignments.frames}
    found: dict[str, Match] = {}
    doubtful: list[tuple[Path, Image.Image]] = []
    taken: set[tuple[str, int]] = set()
    for path in _pictures(folder):
        pixels = decode_pixels(read_bounded(path, _LIMIT), path)
        place = by_hash.get(pixel_hash_v1(pixels))
        if place is None:
            doubtful.append((path, Image.fromarray(pixels)))
        elif place not in taken:
            taken.add(place)
            found[path.name] = Match(*place, "hash")
    warnings: list[str] = []
    likeness = _Likeness(alignments) if doubtful else None
    for path, image in doubtful:
        match = _by_likeness(path, image, likeness, stems, alignments)
        if match is None or (match.frame, match.place) in taken:
            continue
        taken.add((match.frame, match.place))
        found[path.name] = match
        warnings.append(
            f"{path.name}: its pixels changed, so its hash is gone; by {match.how} it is face {match.place} of "
            f"{match.frame}. faceswap itself would remove it."
        )
    return found, warnings


def _by_likeness(
    path: Path, image: Image.Image, likeness: _Likeness | None, stems: dict[str, str], alignments: Alignments
) -> Match | None:
    near = likeness.nearest(image) if likeness else None
    if near is not None:
        return Match(*near, "likeness")
    named = _PLACE.match(path.stem)
    if named is None or named["frame"] not in stems:
        return None
    frame, place = stems[named["frame"]], int(named["place"])
    faces = alignments.frames[frame].faces
    if place < len(faces) and faces[place].thumb is None:
        return Match(frame, place, "name")
    return None


def leftover_by_hash(paths: FacesetPaths) -> tuple[list[str], list[str]]:
    """Pictures that old alignments do not know, and warnings about those matched by likeness only."""
    assert paths.alignments_file is not None
    found, warnings = match_by_hash(paths.faces_dir, read_alignments(paths.alignments_file))
    return [path.name for path in _pictures(paths.faces_dir) if path.name not in found], warnings
