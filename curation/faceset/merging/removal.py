"""Plans without decisions: faceswap's own `remove-faces` and `rename`, as transactions that can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ...errors import FacesetError
from ...types import Progress, no_progress
from ..fsa.rewrite import Unpacked
from ..index import FaceIndex, FacesetPaths, places_of, refuse_links
from ..subfolders import refuse_sorted
from .plan import MergePlan, moves_after, new_merge_id, rewrites_after

__all__ = ["plan_removal", "plan_rename"]


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
    """The plan of faceswap's `rename`: every PNG gets the name `<frame>_<place>.png` that its header says."""
    refuse_links(faceset)
    index = FaceIndex.load(faceset).refresh(ids=False, content=digest, frames=digest, progress=progress)
    index.save()
    return _plan(faceset, index, {}, True, digest)


def plan_removal(
    faceset: FacesetPaths, *, rename: bool = True, digest: bool = False, progress: Progress = no_progress
) -> MergePlan:
    """The plan of faceswap's own `remove-faces`: what has no PNG in the folder leaves the alignments.

    Reads frame and place of every PNG, and of an unchanged one not even that; `digest` has the manifest name digests,
    for which every byte is read once. Raises FacesetError where no PNG of the folder belongs to these alignments,
    which would empty them, and where faces lie in sub-folders.
    """
    refuse_links(faceset)
    index = FaceIndex.load(faceset)
    index.unpacked = Unpacked()
    index.refresh(ids=False, content=digest, progress=progress)
    refuse_sorted(index)
    present = {(face.frame, face.index) for face in index.faces.values()}
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
