"""Plan, apply, undo and recover a merge of decisions into folder, PNG headers and alignments.

`apply_merge` is one transaction: see `transaction` for its files and states. Killed anywhere, the next `recover` (which
apply and undo call themselves) either takes back what was only staged or finishes what was begun. `undo_merge` brings
back every byte.
"""

from __future__ import annotations

from contextlib import suppress

from ...errors import CurationError, FacesetError, MergeConflict, OpenFaces
from ...types import Progress, no_progress
from ..index import FacesetPaths, digest, scan_faces
from .disk import Checkpoint, Disk, locked
from .plan import MergePlan, Move, OpenFace, Removal, Rewrite, plan_merge
from .recovery import Recovery, check_undo, end_erased, finish_undo, mend
from .removal import plan_removal, plan_rename
from .steps import MergeResult, check_unchanged, finish, stage, take_back
from .transaction import Manifest, Transaction, begun, manifests, pending, read_checked

__all__ = [
    "FacesetPaths",
    "MergePlan",
    "MergeResult",
    "Move",
    "OpenFace",
    "Recovery",
    "Removal",
    "Rewrite",
    "apply_merge",
    "begun",
    "digest",
    "manifests",
    "pending",
    "plan_merge",
    "plan_removal",
    "plan_rename",
    "recover",
    "scan_faces",
    "undo_merge",
]


def apply_merge(
    plan: MergePlan, progress: Progress = no_progress, *, checkpoint: Checkpoint | None = None
) -> MergeResult:
    """Do what `plan` says, all of it or nothing.

    Raises OpenFaces where faces are not decided and the plan does not say what becomes of them, MergeConflict where
    files changed since the plan, FacesetError where the disk says no (then everything is as it was, or the message
    says that `galloway faceset recover` ends it). `checkpoint` is called before every step on the disk.
    """
    if plan.open and plan.allow_open is None:
        raise OpenFaces(
            f"{len(plan.open)} faces are not decided ({plan.open[0].name} is {plan.open[0].status}). Ask again: "
            "galloway publish; or say what becomes of them: galloway merge --open keep"
        )
    disk = Disk(checkpoint) if checkpoint else Disk()
    with locked(plan.paths.merges_dir, "merge"):
        mend(plan.paths, disk)
        transaction = Transaction(plan.paths, plan.merge_id, disk)
        check_unchanged(plan, transaction)
        try:
            contents = stage(plan, transaction, progress)
            transaction.enter("out")
            return finish(plan, transaction, contents, progress)
        except (OSError, CurationError) as error:
            raise _stopped(plan, transaction, error) from error


def _stopped(plan: MergePlan, transaction: Transaction, error: Exception) -> FacesetError:
    """Take back what can be taken back, and say how it stands."""
    reason = f"{error.filename or 'The disk'}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
    state = transaction.state()
    try:
        if state in ("", "back"):
            transaction.roll_back()
        elif state == "out":
            take_back(plan, transaction)
        else:
            return FacesetError(f"{reason}. The merge is half done; finish it: galloway faceset recover")
    except OSError:
        return FacesetError(f"{reason}. The merge stopped; mend that and run: galloway faceset recover")
    if isinstance(error, FacesetError):
        return error
    return FacesetError(f"{reason}. Nothing was changed; mend it and run the same merge again.")


def undo_merge(
    paths: FacesetPaths,
    merge_id: str | None = None,
    progress: Progress = no_progress,
    *,
    checkpoint: Checkpoint | None = None,
) -> MergeResult:
    """Bring back folder, headers and alignments, byte for byte, as they were before `merge_id` (None: the newest).
    Where its rejected faces were erased it only stands no more, as `end_erased` says.

    Raises MergeConflict where a later merge stands on it or its files were changed since; nothing is done then.
    """
    disk = Disk(checkpoint) if checkpoint else Disk()
    with locked(paths.merges_dir, "undo"):
        mended = mend(paths, disk)
        if merge_id is None:
            applied = [row for row in manifests(paths) if row["state"] == "applied"]
            if not applied:
                raise MergeConflict(f"No merge of {paths.faces_dir} stands, so none can be taken back.")
            merge_id = str(max(applied, key=lambda row: str(row["created_at"]))["merge_id"])
        transaction = Transaction(paths, merge_id, disk)
        manifest = read_checked(transaction.manifest_file)
        if merge_id in mended.undone:
            raise MergeConflict(f"An undo of {merge_id} had been stopped; it is finished now.")
        if manifest["state"] == "applied" and "erased_at" in manifest:
            return _ended(transaction, manifest)
        check_undo(transaction, manifest)
        try:
            transaction.reserve(transaction.manifest_file)
            transaction.enter("undo-out")
            return finish_undo(transaction, manifest, progress)
        except OSError as error:
            reason = f"{error.filename or 'The disk'}: {error.strerror or error}"
            if not transaction.state():
                with suppress(OSError):
                    transaction.release()
                raise FacesetError(f"{reason}. Nothing was changed; mend it and run the same undo again.") from error
            raise FacesetError(
                f"{reason}. The undo stopped half way; mend that and run: galloway faceset recover"
            ) from error


def _ended(transaction: Transaction, manifest: Manifest) -> MergeResult:
    try:
        return end_erased(transaction, manifest)
    except OSError as error:
        raise FacesetError(
            f"{error.filename or 'The disk'}: {error.strerror or error}. Mend it and run the same undo again."
        ) from error


def recover(paths: FacesetPaths, progress: Progress = no_progress, *, checkpoint: Checkpoint | None = None) -> Recovery:
    """End every merge and undo that was killed: roll back what was only staged, finish the rest. Idempotent."""
    with locked(paths.merges_dir, "recover"):
        return mend(paths, Disk(checkpoint) if checkpoint else Disk(), progress)
