"""faceswap's alignments jobs, as questions to a `FaceIndex`: pure functions of what is in folder and alignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

from ..errors import FacesetError
from ..files import PICTURE_SUFFIXES, check_name, write_atomic
from .index import FaceIndex, places_of

__all__ = [
    "called_png",
    "frame_counts_of",
    "leftover_faces",
    "missing_alignments",
    "missing_frames",
    "move_files",
    "multi_faces",
    "no_faces",
    "numbered_otherwise",
    "of_footage",
    "without_pictures",
    "write_list",
]


def frame_counts_of(index: FaceIndex) -> dict[str, int]:
    """Frame key → number of faces, of all alignments files."""
    counts: dict[str, int] = {}
    for file in index.files.values():
        counts.update(file.frames)
    return counts


def missing_alignments(index: FaceIndex, frames: Iterable[str]) -> list[str]:
    """Frames of the footage that no alignments file knows."""
    wanted = list(frames)
    known = frame_counts_of(index)
    old = set(called_png(known, set(wanted)).values())
    return [frame for frame in wanted if frame not in known and frame not in old]


def missing_frames(index: FaceIndex, frames: Iterable[str]) -> list[str]:
    """Frames that the alignments of this footage know and it does not have."""
    there = set(frames)
    there |= called_png(frame_counts_of(index), there).keys()
    known = (frame for name in of_footage(index, there) for frame in index.files[name].frames)
    return sorted(frame for frame in known if frame not in there)


def called_png(frames: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Frames of videos as faceswap before 2.4 called them (`clip_000001.png`) → what `known` calls them
    (`clip_000001.mp4`); only those that `known` does not have as they are."""
    old = [frame for frame in frames if frame.endswith(".png") and frame not in known]
    if not old:
        return {}
    today = {Path(frame).stem: frame for frame in known if not frame.lower().endswith(PICTURE_SUFFIXES)}
    return {frame: today[frame[:-4]] for frame in old if frame[:-4] in today}


def of_footage(index: FaceIndex, frames: Collection[str]) -> list[str]:
    """The alignments files that belong to the footage: those that share a frame with it; all where none does."""
    shared = [name for name, file in index.files.items() if any(frame in frames for frame in file.frames)]
    return shared or list(index.files)


def no_faces(index: FaceIndex) -> list[str]:
    """Frames whose list of faces is empty."""
    return sorted(frame for frame, count in frame_counts_of(index).items() if count == 0)


def multi_faces(index: FaceIndex) -> dict[str, list[str]]:
    """Frames with more than one face in the alignments, and the PNGs of theirs that are in the folder."""
    many = {frame for frame, count in frame_counts_of(index).items() if count > 1}
    pictures: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for face in index.faces.values():
        if face.frame in many:
            pictures[face.frame].append((face.index, face.name))
    return {frame: [name for _, name in sorted(pictures[frame])] for frame in sorted(many)}


def leftover_faces(index: FaceIndex) -> list[str]:
    """PNGs whose frame and place are in no alignments file (faceswap dropped this job in 2021)."""
    counts = frame_counts_of(index)
    return sorted(face.name for face in index.faces.values() if face.index >= counts.get(face.frame, 0))


def without_pictures(index: FaceIndex) -> list[str]:
    """Faces of the alignments that have no PNG in the folder, as `frame #place`."""
    present = {(face.frame, face.index) for face in index.faces.values()}
    return [
        f"{frame} #{place}"
        for frame, count in sorted(places_of(index).items())
        for place in range(count)
        if (frame, place) not in present
    ]


def numbered_otherwise(index: FaceIndex) -> list[str]:
    """Frames of which a PNG has a place beyond the alignments' last while one of their places has no PNG, sorted: as
    after `from-faces` of a release that left the headers as they were."""
    counts = places_of(index)
    places: dict[str, set[int]] = defaultdict(set)
    for face in index.faces.values():
        places[face.frame].add(face.index)
    return sorted(
        frame
        for frame, taken in places.items()
        if counts.get(frame) and max(taken) >= counts[frame] > sum(place < counts[frame] for place in taken)
    )


def _stamp(now: datetime) -> str:
    return f"{now:%Y%m%d_%H%M%S}"


def write_list(folder: Path, job: str, names: Iterable[str], now: datetime) -> Path:
    """Write `names`, one a line, to `<folder>/<job>_<time>.txt`; returns the file."""
    path = folder / f"{job}_{_stamp(now)}.txt"
    write_atomic(path, "".join(f"{name}\n" for name in names))
    return path


def move_files(folder: Path, job: str, names: Iterable[str], now: datetime) -> Path:
    """Move files of `folder` into `<folder>/<job>_<time>/`, as faceswap does; returns that folder.

    Nothing is overwritten or deleted; moving them back by hand undoes it.
    """
    target = folder / f"{job}_{_stamp(now)}"
    try:
        target.mkdir()
        for name in names:
            (folder / check_name(name, where=job)).rename(target / name)
    except OSError as error:
        raise FacesetError(
            f"{target} cannot take the files: {error.strerror}. What was moved is there; mend the folder's rights and "
            "run the same job again."
        ) from error
    return target
