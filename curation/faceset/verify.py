"""Every disagreement between folder, headers, alignments and footage, each with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FacesetError
from ..files import picture_files, temporary_files
from ..plain import typed
from ..types import Progress, no_progress
from . import jobs
from .crop_sizes import crop_sizes, set_aside
from .dialects.left_out import read_left_out, xseg_in
from .fsa.alignments import read_alignments
from .index import FaceIndex, FacesetPaths, claimed_twice, known_twice, unsafe_links
from .merging.plan import moves_after
from .merging.transaction import Transaction, manifests, pending
from .png.headers import read_header
from .png.source import read_places
from .png.types import Alignments
from .subfolders import move_up, sorted_away

__all__ = ["Problem", "options_for", "verify"]

_SAME_PIXELS = 1.0
"""Landmarks of header and alignments may differ by rounding, in pixels."""
_STATES = {
    "": "it was being prepared, the faceset is untouched",
    "out": "faces were leaving the folder",
    "in": "all faces have left, new headers and alignments were coming in",
    "back": "faces were going back under their old names",
    "undo-out": "an undo was taking changed files out",
    "undo-in": "an undo was bringing the old files back",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of disagreement. `names` are all that are concerned; `remedy` is the command, with OPTIONS where the
    caller's own --side or --faces and --alignments belong; `stops` says whether training on this would be wrong."""

    kind: str
    message: str
    names: tuple[str, ...]
    remedy: str
    stops: bool = True


def verify(
    paths: FacesetPaths,
    *,
    frames: Sequence[str] | None = None,
    deep: bool = True,
    one_size: bool = True,
    progress: Progress = no_progress,
) -> list[Problem]:
    """What does not agree; empty where everything does. Merges and undos that were stopped come first, and alone.

    `frames` are the frames of all footage that is at hand. `deep` reads every header and all alignments and compares
    boxes and landmarks. Without `one_size` (the embedded engine made the faces, and takes any) several sizes are a
    note. Changes nothing. Raises FacesetError where there is no folder of faces.
    """
    problems = list(_unfinished(paths))
    stopped = [problem for problem in problems if problem.kind == "unfinished"]
    if stopped:
        return stopped  # what is half done disagrees everywhere, and one command mends it
    links = unsafe_links(paths.faces_dir) if paths.faces_dir.is_dir() else []
    if links:
        problems.append(Problem("links", "symbolic links among the faces", tuple(links), "put real files there"))
    index = FaceIndex.load(paths)
    try:
        index.refresh(ids=False, content=False, progress=progress)
    except FacesetError as error:
        remedy = "restore it, or: galloway faceset from-faces OPTIONS"
        return [*problems, Problem("unreadable", str(error), (), remedy)]
    for check in (
        _unusable,
        _left_out,
        _no_alignments,
        _numbering,
        _old_names,
        _leftover,
        _missing,
        _claims,
        _names,
        _twice,
        _manifests,
    ):
        problems += check(index)
    if frames is not None:
        problems += _footage(index, frames)
    if deep:
        problems += [*_sizes(index, one_size), *_deep(index, progress)]
    return problems


def _unfinished(paths: FacesetPaths) -> Iterator[Problem]:
    from .merging.disk import Disk

    for merge_id in pending(paths):
        state = Transaction(paths, merge_id, Disk()).state()
        what = _STATES.get(state, f"it is in a state that this version does not know ({state[:20]!r})")
        yield Problem(
            "unfinished", f"merge {merge_id} was stopped: {what}", (merge_id,), "galloway faceset recover OPTIONS"
        )
    swept = [
        name
        for folder in sorted({paths.faces_dir, paths.alignments_dir, paths.merges_dir})
        for name in temporary_files(folder)
    ]
    if swept:
        yield Problem(
            "half-written", "files that were being written", tuple(swept), "galloway faceset recover OPTIONS", False
        )


def _left_out(index: FaceIndex) -> Iterator[Problem]:
    for item in read_left_out(index.paths.faces_dir):
        yield Problem("xseg", item.sentence, (), "keep those pictures; make faceswap's own masks: faceswap mask", False)


def _unusable(index: FaceIndex) -> Iterator[Problem]:
    """Pictures that are no faces of faceswap's; those of DeepFaceLab, and enhanced ones, are taken in by a command."""
    folder = index.paths.faces_dir
    no_pngs = [path.name for path in picture_files(folder) if path.suffix.lower() != ".png"]
    theirs, left = xseg_in(folder, [*index.unusable, *no_pngs])
    if theirs:
        xseg = f" with {left.counted}, for which faceswap has no place" if left.masks + left.polygons else ""
        remedy = f"galloway faceset import {typed(folder)} -o NEW"
        yield Problem("deepfacelab", f"pictures of DeepFaceLab{xseg}", tuple(theirs), remedy)
    others = sorted({*index.unusable, *no_pngs}.difference(theirs))
    if others:
        known = "".join(f" --alignments {typed(file.path)}" for file in list(index.files.values())[:1])
        yield Problem(
            "unusable", "pictures without a usable header, such as other programs leave", tuple(others),
            f"galloway faceset import {typed(folder)}{known} -o NEW",
        )  # fmt: skip


def _no_alignments(index: FaceIndex) -> Iterator[Problem]:
    if index.faces and not index.files:
        yield Problem(
            "no-alignments", "there is no alignments file", (str(index.paths.alignments_dir),),
            "galloway faceset from-faces OPTIONS",
        )  # fmt: skip


def _numbering(index: FaceIndex) -> Iterator[Problem]:
    frames = jobs.numbered_otherwise(index)
    if frames:
        yield Problem(
            "numbering", "frames whose pictures are numbered otherwise than the alignments number their faces",
            tuple(frames), "galloway faceset from-faces OPTIONS -o NEW (headers and names follow)",
        )  # fmt: skip


def _called_png(index: FaceIndex) -> dict[str, str]:
    return jobs.called_png({face.frame for face in index.faces.values()}, jobs.frame_counts_of(index))


def _old_names(index: FaceIndex) -> Iterator[Problem]:
    names = _called_png(index)
    if names:
        yield Problem(
            "old-names", "frames that headers call .png, as faceswap before 2.4 did, and alignments like their video",
            tuple(sorted(names)), "galloway faceset from-faces OPTIONS -o NEW (faceswap renames its frames itself)",
        )  # fmt: skip


def _leftover(index: FaceIndex) -> Iterator[Problem]:
    odd = {*jobs.numbered_otherwise(index), *_called_png(index)}  # of these no picture and no face is to go
    names = [name for name in jobs.leftover_faces(index) if index.faces[name].frame not in odd] if index.files else []
    if names:
        yield Problem(
            "leftover", "PNGs that the alignments do not know", tuple(names),
            "galloway faceset leftover-faces OPTIONS --output move",
        )  # fmt: skip


def _missing(index: FaceIndex) -> Iterator[Problem]:
    away = sorted_away(index)
    if away:
        yield Problem(
            "sub-folders", "faces that lie in folders below theirs, where nothing looks for them", away,
            move_up(index.paths.faces_dir),
        )  # fmt: skip
    elsewhere = {
        f"{place[0]} #{place[1]}"
        for place in read_places(index.paths.faces_dir, away)
        if not isinstance(place, FacesetError)
    }
    odd = {*jobs.numbered_otherwise(index), *_called_png(index).values()}
    names = [
        name for name in jobs.without_pictures(index) if name not in elsewhere and name.rpartition(" #")[0] not in odd
    ]
    if names:
        yield Problem(
            "no-picture", "faces of the alignments without a PNG: they would still be swapped", tuple(names),
            "galloway faceset remove-faces OPTIONS",
        )  # fmt: skip


def _claims(index: FaceIndex) -> Iterator[Problem]:
    double = [", ".join(names) for names in claimed_twice(index)]
    if double:
        yield Problem(
            "copies", "PNGs that claim one place of one frame", tuple(double), "move all but one of each away", False
        )


def _names(index: FaceIndex) -> Iterator[Problem]:
    wrong = [move.name for move in moves_after(index, set(), {}, rename=True)]
    if wrong:
        yield Problem(
            "names", "PNGs whose name is not what their header says", tuple(wrong),
            "galloway faceset rename OPTIONS", False,
        )  # fmt: skip


def _twice(index: FaceIndex) -> Iterator[Problem]:
    twice = [f"{frame} (in {one} and {two})" for frame, (one, two) in sorted(known_twice(index).items())]
    if twice:
        yield Problem(
            "ambiguous", "frames that two alignments files know: their faces cannot be told apart", tuple(twice),
            "if both files are of one source, move the older away; else rename one source's pictures and extract it "
            "again: galloway extract",
        )  # fmt: skip


def _manifests(index: FaceIndex) -> Iterator[Problem]:
    paths = index.paths
    try:
        rows = list(manifests(paths))
    except FacesetError as error:
        yield Problem("manifest", str(error), (), "restore the manifest from a backup", False)
        return
    for manifest in rows:
        if manifest["state"] != "applied" or "erased_at" in manifest:
            continue
        hold = paths.rejected_dir / manifest["merge_id"]
        erased = [
            row["name"] for row in manifest["removals"] if not row.get("vanished") and not (hold / row["name"]).exists()
        ]
        if erased:
            message = f"rejected faces of merge {manifest['merge_id']} are erased; it cannot be taken back"
            yield Problem("erased", message, tuple(erased), "nothing to do, if that was meant", False)


def _footage(index: FaceIndex, frames: Sequence[str]) -> Iterator[Problem]:
    old = jobs.called_png(jobs.frame_counts_of(index), set(frames))
    if old:
        yield Problem(
            "old-names", "frames that the alignments call .png, as faceswap before 2.4 did", tuple(sorted(old)),
            "nothing to do: faceswap renames them when it runs on the video", False,
        )  # fmt: skip
    unknown = jobs.missing_alignments(index, frames)
    if unknown:
        yield Problem(
            "missing-alignments", "frames that the alignments do not know", tuple(unknown), "galloway extract", False
        )
    other = sorted(index.files.keys() - set(jobs.of_footage(index, {*frames, *old})))
    if other:
        yield Problem(
            "not-compared", "alignments of other footage, which was not named", tuple(other),
            "name it, too: galloway faceset verify OPTIONS --frames VIDEO --frames VIDEO", False,
        )  # fmt: skip
    gone = jobs.missing_frames(index, frames)
    if gone:
        yield Problem(
            "missing-frames", "frames that only the alignments know: another cut, or a variable frame rate",
            tuple(gone), "galloway video check VIDEO; then galloway extract",
        )  # fmt: skip


def _sizes(index: FaceIndex, stops: bool) -> Iterator[Problem]:
    """Pictures that are not square, or not as large as most: faceswap's training stops at the first of them."""
    found = crop_sizes(index.paths.faces_dir, index.faces)
    if found.oblong:
        yield Problem("not-square", found.oblong_message, found.oblong, set_aside("OPTIONS"), stops)
    if found.other:
        yield Problem("mixed-sizes", found.other_message, found.other, set_aside("OPTIONS"), stops)


def _deep(index: FaceIndex, progress: Progress) -> Iterator[Problem]:
    loaded: dict[str, Alignments] = {}
    for name, file in index.files.items():
        loaded[name] = read_alignments(file.path)
        for warning in loaded[name].warnings:
            yield Problem("old-format", warning, (name,), "galloway faceset export OPTIONS --to fsa", False)
    found = {frame: faces for alignments in loaded.values() for frame, faces in alignments.frames.items()}
    elsewhere: list[str] = []
    for done, known in enumerate(index.faces.values()):
        if done % 500 == 0:
            progress("comparing headers", done, len(index.faces))
        frame = found.get(known.frame)
        if frame is None or known.index >= len(frame.faces):
            continue
        header, face = read_header(index.paths.faces_dir / known.name).alignment, frame.faces[known.index]
        if not _agree(header.landmarks, face.landmarks):
            elsewhere.append(known.name)
    if elsewhere:
        yield Problem(
            "elsewhere", "PNGs whose header puts the face elsewhere than the alignments do", tuple(elsewhere),
            "galloway faceset from-faces OPTIONS (the headers are right), or galloway extract (the alignments are)",
        )  # fmt: skip


def _agree(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max(initial=0) <= _SAME_PIXELS)


def options_for(paths: FacesetPaths, side: str | None) -> str:
    """What stands for OPTIONS in a remedy."""
    if side is not None and paths.alignments_file is None and not paths.merges_dir.parent.name.endswith("_galloway"):
        return f"--side {side}"
    alignments: Path = paths.alignments_file or paths.alignments_dir
    return f"--faces {typed(paths.faces_dir)} --alignments {typed(alignments)}"
