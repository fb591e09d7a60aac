"""Plans without decisions, as transactions that can be undone: faceswap's own `remove-faces` and `rename`, and what its
`from-faces` does to headers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import UTC, datetime

from ...errors import FacesetError, FormatError
from ...types import Progress, no_progress
from ..fsa.rewrite import Unpacked, frame_counts
from ..index import FaceIndex, FacesetPaths, claimed_twice, known_twice, places_of, refuse_links
from ..jobs import called_png, frame_counts_of, numbered_otherwise
from ..png.source import read_places
from ..subfolders import faces_below, move_up, refuse_sorted
from .plan import MergePlan, moves_after, new_merge_id, rewrites_after

__all__ = ["plan_closing", "plan_removal", "plan_rename"]


def _plan(
    faceset: FacesetPaths, index: FaceIndex, cuts: Mapping[str, set[int]], rename: bool, digest: bool
) -> MergePlan:
    now = datetime.now(UTC)
    return MergePlan(
        merge_id=new_merge_id((), now),
        side=faceset.side,
        created_at=now.isoformat(),
        paths=faceset,
        removals=(),
        moves=moves_after(index, set(), cuts, rename=rename),
        rewrites=rewrites_after(index, cuts),
        open=(),
        spared=(),
        kept=len(index.faces),
        gone=0,
        digest_before=index.digest() if digest else None,
        known=index,
        notes=tuple(f"{name} was passed over: {reason}" for name, reason in index.unusable.items()),
    )


def plan_rename(faceset: FacesetPaths, *, digest: bool = False, progress: Progress = no_progress) -> MergePlan:
    """The plan of faceswap's `rename`: every PNG gets the name `<frame>_<place>.png` that its header says. Of copies
    that claim one place one does, which the plan's notes say."""
    refuse_links(faceset)
    index = FaceIndex.load(faceset).refresh(ids=False, content=digest, frames=digest, progress=progress)
    index.save()
    planned = _plan(faceset, index, {}, True, digest)
    copies = claimed_twice(index)
    if not copies:
        return planned
    note = (
        f"PNGs that claim one place of one frame cannot all have its name: {', '.join(copies[0])}"
        f"{f' and {len(copies) - 1} more places' if len(copies) > 1 else ''}. Move all but one of each away; galloway "
        "faceset verify names them"
    )
    return replace(planned, notes=(*planned.notes, note))


def plan_removal(
    faceset: FacesetPaths, *, rename: bool = True, digest: bool = False, progress: Progress = no_progress
) -> MergePlan:
    """The plan of faceswap's own `remove-faces`: what has no PNG in the folder leaves the alignments.

    Reads frame and place of every PNG, and of an unchanged one not even that; `digest` has the manifest name digests,
    for which every byte is read once. Raises FacesetError where no PNG of the folder belongs to these alignments,
    which would empty them, where PNGs and alignments number the faces of a frame otherwise, so that the wrong ones
    would go, where faces lie in sub-folders, where there are no alignments, and where a face without a PNG stands in
    two alignments files.
    """
    refuse_links(faceset)
    index = FaceIndex.load(faceset)
    index.unpacked = Unpacked()
    index.refresh(ids=False, content=digest, progress=progress)
    if index.faces and not index.files:
        raise FacesetError(
            f"There are no alignments in {faceset.alignments_dir}. Name the file: --alignments FILE; or make one "
            "out of the pictures' headers: galloway faceset from-faces"
        )
    refuse_sorted(index)
    odd = numbered_otherwise(index)
    if odd:
        raise FacesetError(
            f"The pictures of {len(odd)} frames, the first is {odd[0]}, are numbered otherwise than the alignments "
            "number their faces: the wrong ones would go. Nothing was changed. Number them anew by what is in the "
            "folder: galloway faceset from-faces; or set aside what the alignments do not know: "
            "galloway faceset leftover-faces"
        )
    present = {(face.frame, face.index) for face in index.faces.values()}
    _refuse_twice(index, present)
    if old := called_png({face.frame for face in index.faces.values()}, frame_counts_of(index)):
        frame, today = min(old.items())
        raise FacesetError(
            f"The pictures' headers call {len(old)} frames .png, as faceswap before 2.4 did: {frame} is {today} in the "
            "alignments. Their faces would all go. Nothing was changed. Make alignments that say the same as the "
            "headers: galloway faceset from-faces -o NEW"
        )
    cuts: dict[str, set[int]] = {}
    matched = 0
    for frame, count in places_of(index).items():
        missing = {place for place in range(count) if (frame, place) not in present}
        matched += count - len(missing)
        if missing:
            cuts[frame] = missing
    if cuts and not matched:
        raise FacesetError(
            f"No face in {faceset.faces_dir} belongs to these alignments; removing the rest would empty them. "
            "Name the folder that was extracted with them: galloway faceset verify"
        )
    return _plan(faceset, index, cuts, rename, digest)


def _refuse_twice(index: FaceIndex, present: Set[tuple[str, int]]) -> None:
    """Raise where a picture is gone of a frame that two alignments files know: which is to lose it, nobody can tell."""
    for frame, files in known_twice(index).items():
        if any((frame, place) not in present for name in files for place in range(index.files[name].frames[frame])):
            raise FacesetError(
                f"{frame} lacks a picture and stands in {files[0]} and in {files[1]}, so nobody can tell which of them "
                "is to lose the face. Nothing was changed. Name the one that counts: --alignments FILE; or move the "
                "other away."
            )


def plan_closing(faceset: FacesetPaths, *, digest: bool = False, progress: Progress = no_progress) -> MergePlan:
    """The plan of what faceswap's `from-faces` does to headers: where PNGs of a frame's faces were deleted, the later
    ones move up, in their headers and, as far as no other PNG has it, in their name.

    Raises FacesetError where alignments at hand still hold the deleted faces: their places would then mean others.
    """
    refuse_links(faceset)
    index = FaceIndex.load(faceset).refresh(ids=False, content=digest, frames=False, progress=progress)
    places: dict[str, set[int]] = defaultdict(set)
    for face in index.faces.values():
        places[face.frame].add(face.index)
    gaps = {frame: set(range(max(taken))) - taken for frame, taken in places.items()}
    _refuse_below(faceset, gaps)
    _refuse_known(faceset, {frame: len(places[frame]) for frame, missing in gaps.items() if missing})
    # The index may remember the alignments' frames, and alignments at hand are only looked at.
    planned = replace(_plan(faceset, index, gaps, True, digest), rewrites=())
    moved = tuple(move for move in planned.moves if move.index != move.new_index)
    staying = index.faces.keys() - {move.name for move in moved}
    taken_already = any(move.new_name in staying for move in moved)
    return planned if taken_already else replace(planned, moves=moved)


def _refuse_below(faceset: FacesetPaths, gaps: Mapping[str, set[int]]) -> None:
    """Raise where a face that lacks was sorted into a sub-folder: another would take its place."""
    below = faces_below(faceset.faces_dir) if any(gaps.values()) else ()
    for name, place in zip(below, read_places(faceset.faces_dir, below), strict=True):
        if not isinstance(place, FacesetError) and place[1] in gaps.get(place[0], ()):
            raise FacesetError(
                f"{name} lies in a folder below the other faces and would lose its place to another. Nothing was "
                f"written; {move_up(faceset.faces_dir)}"
            )


def _refuse_known(faceset: FacesetPaths, left: Mapping[str, int]) -> None:
    """Raise where alignments at hand have another number of faces than are `left` of a frame. Those that cannot be read
    do not count."""
    for path in faceset.alignments_files() if left else ():
        try:
            counts = frame_counts(path)
        except FormatError:
            continue
        holding = [frame for frame, count in left.items() if counts.get(frame, count) != count]
        if holding:
            raise FacesetError(
                f"{path} still holds faces of {len(holding)} frames whose pictures were deleted, the first is "
                f"{holding[0]}. Nothing was written. Take them out: galloway faceset remove-faces; or move that file "
                "away, and the alignments are made from the pictures alone."
            )
