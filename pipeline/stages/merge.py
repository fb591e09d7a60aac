"""Merge: decisions → folder, headers and alignments, as one transaction that can be undone; the result is approved.

The files are the truth: what `curation.faceset` did or undid, its manifests say. The tables follow them (`_follow`), so
that a run killed between the files and the tables is caught up with by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from ...curation.decide import KEPT_ON_A
from ...curation.faceset.crop_sizes import crop_sizes
from ...curation.faceset.index import FaceIndex
from ...curation.faceset.jobs import without_pictures
from ...curation.faceset.merging.erasure import is_erased
from ...curation.faceset.merging.merge import (
    MergePlan,
    apply_merge,
    begun,
    manifests,
    pending,
    plan_merge,
    recover,
    undo_merge,
)
from ...curation.listing import Wanted, count_faces, count_outcomes
from ...curation.types import Decision, FaceId, Progress, Side, Status, no_progress
from ..app import App
from ..asking.decide import Inference, infer, record
from ..asking.heeded import heeded_state, heeded_votes
from ..asking.taught import in_words, unproved
from ..errors import NothingToDo, SafetyStop, StageError
from ..wording import counted, noun
from ..workspace.acts import note_act
from ..workspace.approved import ApprovedFaceset, facesets, note_merge
from ..workspace.figures import kept_figure
from .away import away_sentence

__all__ = [
    "Foreseen",
    "Merged",
    "ModelsWord",
    "OpenChoice",
    "follow_folder",
    "foresee",
    "kept_word",
    "merge",
    "models_word",
    "plan",
    "refuse_approved",
    "undo",
    "undo_sentence",
]

OpenChoice = Literal["keep", "reject"]


@dataclass(frozen=True, slots=True)
class Merged:
    """One side after a merge: the faceset that is approved now, and why faces went."""

    side: Side
    faceset: ApprovedFaceset
    reasons: dict[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelsWord:
    """What a merge of the side takes on the model's word, in `lines`; `missing` is the sentence that stops it. `as_of`
    is set where votes came since."""

    lines: tuple[str, ...]
    missing: str | None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a merge of the side does to the faces that stand, by the counts of decisions that are kept: how many stay
    and go, and why; how many are not decided. `done`: a merge stands, and nothing decided since would go. `begun`: a
    merge, or taking one back, is at work or was stopped half way; the same step goes on with it."""

    kept: int
    goes: int
    open: int
    spared: int
    reasons: dict[str, int]
    done: bool
    begun: Literal["", "merge", "undo"]


def foresee(app: App, side: Side) -> Foreseen:
    """What a merge of the side would do, counted in the same time at any number of faces: no vote is weighed again and
    no file looked at, both of which the merge does itself.

    Raises StageError where there are no faces.
    """
    rows = [row[1:] for row in count_outcomes(app.workspace.db) if row[0] is side]
    if not rows and not count_faces(app.workspace.db, Wanted(side=side)):
        raise _without_faces(side)
    stand, open_, spared = sum(row[-1] for row in rows), 0, 0
    reasons: Counter[str] = Counter()
    for status, reason, _, count in rows:
        if status in (Status.UNDECIDED, Status.DISPUTED):
            open_ += count
        elif status is Status.REJECTED and side is Side.A and reason in KEPT_ON_A:
            spared += count
        elif status is Status.REJECTED:
            reasons[reason or "no reason given"] += count
    goes = reasons.total()
    half = begun(app.faceset_paths(side))
    done = app.standing_merge(side) is not None and not goes and not half
    return Foreseen(stand - goes, goes, open_, spared, dict(sorted(reasons.items())), done, half)


def _refuse_half(app: App, side: Side) -> None:
    if pending(app.faceset_paths(side)):
        raise StageError(
            f"A merge of side {side.value} is at work, or was stopped half way. Let it finish, or finish it: "
            f"galloway merge --side {side.value}"
        )


def _without_faces(side: Side) -> StageError:
    return StageError(f"Side {side.value} has no faces. Find them first: galloway extract")


def models_word(app: App, side: Side, known: Inference | None = None) -> ModelsWord:
    """What a merge would take on the model's word, before anything is done. `known`: what was inferred, if at hand."""
    known = known or infer(app)
    lines = in_words(known.lessons, known.decisions, side)
    return ModelsWord(tuple(lines), unproved(known.lessons, known.decisions, side, app.settings.ask.promise))


def kept_word(app: App, side: Side) -> ModelsWord:
    """The same as it was when decisions were computed last; nothing where they never were."""
    kept = kept_figure(app.workspace, f"word {side.value}")
    if kept is None:
        return ModelsWord((), None)
    of_now = kept.state == heeded_state(app)
    return ModelsWord(tuple(kept.body["lines"]), kept.body["missing"], None if of_now else kept.made_at)


def plan(
    app: App,
    side: Side,
    *,
    open_faces: OpenChoice | None = None,
    known: Inference | None = None,
    progress: Progress = no_progress,
) -> MergePlan:
    """What a merge of the side would do now, file by file; nothing is written but the index of known files. `known`:
    what was inferred, if at hand.

    Raises StageError where there are no faces, and where a merge is under way or was stopped.
    """
    _refuse_half(app, side)
    return _plan(app, side, (known or infer(app)).decisions, open_faces, progress)


def _plan(
    app: App, side: Side, decisions: Sequence[Decision], open_faces: OpenChoice | None, progress: Progress
) -> MergePlan:
    if not app.store.faces(side, rejected=True):
        raise _without_faces(side)
    votes = heeded_votes(app, side=side)
    return plan_merge(app.faceset_paths(side), decisions, votes, side=side, allow_open=open_faces, progress=progress)


def merge(
    app: App,
    side: Side,
    *,
    open_faces: OpenChoice | None = None,
    accept_unproved: bool = False,
    progress: Progress = no_progress,
) -> Merged:
    """Apply the decisions to the side's folder, headers and alignments, and approve what stands. A merge that was
    stopped half way is ended first; where nothing was decided since, that is all.

    Raises NothingToDo where that is done already, SafetyStop where faces are open and `open_faces` does not say what
    becomes of them, or where less is proved than `[ask] promise` says and `accept_unproved` is not set, and
    `curation` errors where the files are not as they should be.
    """
    before = app.standing_merge(side)
    _follow(app, side, progress)
    known = infer(app)
    record(app, known)
    planned = _plan(app, side, known.decisions, open_faces, progress)
    standing = app.standing_merge(side)
    word = models_word(app, side, known)
    settled = planned.is_empty and standing is not None and standing.digest == planned.digest_before
    if settled and standing is not None and _newer(standing, before):
        return _merged(app, standing, _reasons(app, standing), word, ())
    if planned.open and open_faces is None:
        raise SafetyStop(
            f"Side {side.value}: {len(planned.open)} of {planned.kept} faces are not decided. Ask again: "
            "galloway publish; or decide them: galloway serve; or say what becomes of them: galloway merge --open "
            "keep (or reject)"
        )
    if settled and standing is not None:
        if away := away_sentence(app, side):
            raise NothingToDo(away)
        raise NothingToDo(f"Side {side.value} is merged: {standing.id}, {standing.faces} faces. Next: galloway train")
    if word.missing and not accept_unproved:
        raise SafetyStop(f"{word.missing}. Or take them unproved: galloway merge --accept-unproved")
    done = apply_merge(replace(planned, proved=word.lines), progress)
    _follow(app, side, progress)
    faceset = app.standing_merge(side)
    assert faceset is not None
    return _merged(app, faceset, planned.reasons(), word, done.notes)


def _newer(standing: ApprovedFaceset, before: ApprovedFaceset | None) -> bool:
    """Whether a merge came to stand that was not known to: one that was stopped half way, and is ended now."""
    return before is None or standing.approved_at > before.approved_at


def _merged(
    app: App, faceset: ApprovedFaceset, reasons: dict[str, int], word: ModelsWord, notes: tuple[str, ...]
) -> Merged:
    side, gone = faceset.side, f"{faceset.faces} faces approved, {faceset.rejected} rejected"
    note_act(app.workspace, "merge", f"side {side.value}" + (", unproved" if word.missing else ""), gone)
    away = (sentence,) if (sentence := away_sentence(app, side)) else ()
    return Merged(side, faceset, reasons, (*notes, *word.lines, *_sizes(app, side), *_deleted(app, side), *away))


def _reasons(app: App, faceset: ApprovedFaceset) -> dict[str, int]:
    """Why faces went, as the merge's manifest says."""
    found = (item for item in manifests(app.faceset_paths(faceset.side)) if item["merge_id"] == faceset.merge_id)
    return {str(reason): int(count) for item in found for reason, count in item["counts"]["reasons"].items()}


def _sizes(app: App, side: Side) -> tuple[str, ...]:
    """What faceswap would say to the pictures that stand now."""
    folder = app.workspace.faces_dir(side)
    return crop_sizes(folder, sorted(path.name for path in folder.glob("*.png")), f"--side {side.value}").sentences()


def _deleted(app: App, side: Side) -> tuple[str, ...]:
    """What to say of side A's faces whose pictures are gone: who deletes one by hand wants it not swapped."""
    if side is not Side.A:
        return ()
    lost = without_pictures(FaceIndex.load(app.faceset_paths(side)).refresh(ids=False, content=False))
    if not lost:
        return ()
    told = (
        f"{counted(len(lost), 'face')} of the alignments {noun(len(lost), 'has', 'have')} no picture, the first is "
        f"{lost[0]}, and would still be swapped. If that was deleted on purpose: "
        "galloway faceset remove-faces --side a, then merge again."
    )
    return (told,)


def undo(app: App, side: Side, *, faceset: str | None = None, progress: Progress = no_progress) -> ApprovedFaceset:
    """Take the newest merge of a side back, byte for byte; the faceset that is no longer approved. Where its rejected
    faces went, as [privacy] says, its approval ends, with those before it, and the folder stays. Where taking one back
    was stopped half way, that is ended, and no other merge goes.

    Raises NothingToDo where no merge stands, and StageError where the newest is not `faceset` (None: whichever it is).
    """
    before = app.standing_merge(side)
    _follow(app, side, progress)
    standing = app.standing_merge(side)
    if before is not None and before.id in {item.id for item in facesets(app.workspace, side) if item.undone_at}:
        standing = before
    elif standing is None:
        raise NothingToDo(f"Side {side.value} has no merge to take back.")
    elif faceset is not None and faceset != standing.id:
        raise StageError(
            f"Nothing was taken back: {faceset} is not the newest merge of side {side.value} that stands, "
            f"{standing.id} is. Look again at what stands."
        )
    else:
        undo_merge(app.faceset_paths(side), standing.merge_id, progress)
        _follow(app, side, progress)
    erased = is_erased(app.faceset_paths(side), standing.merge_id)
    back = "no face is back" if erased else f"{standing.rejected} faces are in the folder again"
    note_act(app.workspace, "undo", f"side {side.value}", back)
    return standing


def undo_sentence(app: App, gone: ApprovedFaceset) -> str:
    """What `undo` did, for people."""
    if is_erased(app.faceset_paths(gone.side), gone.merge_id):
        return (
            f"{gone.id} is approved no more. Its rejected faces went, as [privacy] says, so folder and alignments stay "
            "as they are."
        )
    return f"{gone.id} is taken back: {gone.rejected} faces are in the folder again."


def _follow(app: App, side: Side, progress: Progress) -> None:
    """End what was begun on disk, then bring the tables to what the manifests and the folder say."""
    paths = app.faceset_paths(side)
    recover(paths, progress)
    parent: str | None = None
    for manifest in manifests(paths):
        faceset_id = f"{side.value}-{manifest['merge_id']}"
        undone = manifest["state"] != "applied"
        faceset = ApprovedFaceset(
            id=faceset_id,
            side=side,
            merge_id=manifest["merge_id"],
            parent=parent,
            digest=manifest["digest_after"] or "",
            faces=manifest["counts"]["kept"],
            rejected=manifest["counts"]["removed"],
            approved_at=datetime.fromisoformat(manifest["created_at"]),
            undone_at=datetime.now(UTC) if undone else None,
        )
        note_merge(app.workspace, faceset)
        if not undone:
            parent = faceset_id
    _place_faces(app, side, progress)


def refuse_approved(app: App, side: Side, merge_id: str | None) -> None:
    """Raise StageError where the merge of the side's folder that would be taken back (None: the newest) is an approved
    faceset's: folder and approval are taken back together."""
    applied = [row for row in manifests(app.faceset_paths(side)) if row["state"] == "applied"]
    newest = max(applied, key=lambda row: str(row["created_at"]), default=None)
    wanted = merge_id or (str(newest["merge_id"]) if newest else "")
    if any(item.merge_id == wanted for item in facesets(app.workspace, side) if item.undone_at is None):
        raise StageError(
            f"{wanted} is the merge of an approved faceset, and is taken back with its approval: "
            f"galloway merge undo --side {side.value}"
        )


def follow_folder(app: App, side: Side, progress: Progress = no_progress) -> None:
    """Bring the tables to the folder after one of faceswap's jobs on it: names and places of the faces that stand;
    those whose pictures are gone count as moved away, until they are there again."""
    with app.workspace.lock("faceset"):
        standing = _place_faces(app, side, progress)
        away = app.workspace.relative(app.faceset_paths(side).rejected_dir)
        gone = {face.face_id: f"{away}/{face.name}" for face in app.store.faces(side) if face.face_id not in standing}
        app.store.place_faces(side, {}, gone)


def _place_faces(app: App, side: Side, progress: Progress) -> dict[FaceId, tuple[str, int]]:
    """Write down names and indices of the faces that stand, and where the rejected ones are; gives the former."""
    paths = app.faceset_paths(side)
    index = FaceIndex.load(paths).refresh(ids=True, content=False, progress=progress)
    index.save()
    standing = {face.face_id: (face.name, face.index) for face in index.faces.values() if face.face_id is not None}
    rejected: dict[FaceId, str] = {}
    for manifest in manifests(paths):
        if manifest["state"] != "applied":
            continue
        folder = app.workspace.relative(paths.rejected_dir / manifest["merge_id"])
        for row in manifest["removals"]:
            if row["face_id"] and row["face_id"] not in standing:
                rejected[FaceId(row["face_id"])] = f"{folder}/{row['name']}"
    app.store.place_faces(side, standing, rejected)
    return standing


def reason_lines(reasons: dict[str, int]) -> Sequence[str]:
    """Why faces went, for people."""
    return [f"{count} {reason.replace('_', ' ')}" for reason, count in reasons.items()]
