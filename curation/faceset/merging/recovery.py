"""Take a merge back, and bring a killed merge or undo to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...errors import FacesetError, MergeConflict
from ...files import read_bounded, temporary_files
from ...types import Progress, no_progress
from ..index import FaceIndex, FacesetPaths, content_hash
from .disk import Disk
from .steps import MergeResult, finish, take, take_back
from .transaction import Manifest, Transaction, manifests, pending, read_checked

__all__ = ["Recovery", "check_undo", "end_erased", "finish_undo", "mend"]

_FILE_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Recovery:
    """What `recover` mended: merge ids finished, rolled back, undone; and half-written files swept away."""

    finished: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    swept: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to mend."""
        return not (self.finished or self.rolled_back or self.undone or self.swept)


def mend(paths: FacesetPaths, disk: Disk, progress: Progress = no_progress) -> Recovery:
    """End what was begun: roll back what was only staged, finish the rest. The caller holds the lock.

    Raises FacesetError where the disk says no again; run again, it goes on where it stopped.
    """
    try:
        return _mend(paths, disk, progress)
    except OSError as error:
        raise FacesetError(
            f"{error.filename or 'The disk'}: {error.strerror or error}. What was left half done still is, and no face "
            "is lost; free the disk or mend the folder's rights, then run: galloway faceset recover"
        ) from error


def _mend(paths: FacesetPaths, disk: Disk, progress: Progress) -> Recovery:
    finished: list[str] = []
    rolled_back: list[str] = []
    undone: list[str] = []
    for merge_id in pending(paths):
        transaction = Transaction(paths, merge_id, disk)
        state = transaction.state()
        if state.startswith("undo"):
            manifest = read_checked(transaction.manifest_file)
            transaction.check_place((row["file"], row["folder"]) for row in manifest["rewrites"])
            finish_undo(transaction, manifest, progress)
            undone.append(merge_id)
        elif not transaction.journal.exists():
            transaction.close()
            finished.append(merge_id)
        elif state in ("out", "in"):
            plan = transaction.read_journal()
            transaction.check_place((row.file, row.folder) for row in plan.rewrites)
            finish(plan, transaction, {}, progress)
            finished.append(merge_id)
        elif state == "back":
            take_back(transaction.read_journal(), transaction)
            rolled_back.append(merge_id)
        else:
            transaction.roll_back()
            rolled_back.append(merge_id)
    return Recovery(tuple(finished), tuple(rolled_back), tuple(undone), _sweep(paths, disk))


def _sweep(paths: FacesetPaths, disk: Disk) -> int:
    """Remove files of ours that were being written when a run was killed."""
    swept = 0
    for folder in {paths.faces_dir, paths.alignments_dir, paths.merges_dir}:
        for name in temporary_files(folder):
            disk.remove(folder / name)
            swept += 1
    return swept


def _outgoing(transaction: Transaction, manifest: Manifest) -> Iterator[tuple[Path, Path]]:
    """Faces that the merge renamed or rewrote: where they are, and where an undo puts them first."""
    for row in manifest["moves"]:
        yield transaction.paths.faces_dir / row["new_name"], transaction.place("undone", row["new_name"])


def _incoming(transaction: Transaction, manifest: Manifest) -> Iterator[tuple[Path, Path]]:
    """Where the files as they were are held, and where they belong."""
    folder = transaction.paths.faces_dir
    for row in manifest["removals"]:
        yield transaction.hold / row["name"], folder / row["name"]
    for row in manifest["moves"]:
        same = row["index"] == row["new_index"]
        held = transaction.place("undone", row["new_name"]) if same else transaction.place("old", row["name"])
        yield held, folder / row["name"]
    for row in manifest["rewrites"]:
        yield transaction.place("alignments", row["file"]), transaction.alignments_path(row["file"])


def _later(paths: FacesetPaths, manifest: Manifest) -> list[str]:
    """Merges applied after this one and still standing, newest first."""
    found = [
        (str(other["created_at"]), str(other["merge_id"]))
        for other in manifests(paths)
        if other["state"] == "applied" and other["created_at"] > manifest["created_at"]
    ]
    return [merge_id for _, merge_id in sorted(found, reverse=True)]


def _check_newest(paths: FacesetPaths, manifest: Manifest) -> None:
    later = _later(paths, manifest)
    if later:
        raise MergeConflict(
            f"Merge {later[0]} came after {manifest['merge_id']} and stands on it. Take that back first: "
            f"galloway merge undo {later[0]}"
        )


def _hash_or_none(path: Path) -> str | None:
    try:
        return content_hash(read_bounded(path, _FILE_LIMIT))
    except FacesetError:
        return None


def check_undo(transaction: Transaction, manifest: Manifest) -> None:
    """Raises MergeConflict where taking the merge back would lose something: a later merge stands, files that it wrote
    were changed since, files that it held are gone, or their places are taken."""
    merge_id, paths = transaction.merge_id, transaction.paths
    if manifest["state"] != "applied":
        raise MergeConflict(f"Merge {merge_id} is {manifest['state']} already. See all: galloway faceset merges")
    transaction.check_place((row["file"], row["folder"]) for row in manifest["rewrites"])
    _check_newest(paths, manifest)
    changed = [
        row["new_name"]
        for row in manifest["moves"]
        if row["content"] and _hash_or_none(paths.faces_dir / row["new_name"]) != row["content"]
    ]
    changed += [
        row["file"]
        for row in manifest["rewrites"]
        if _hash_or_none(transaction.alignments_path(row["file"])) != row["content"]
    ]
    if changed:
        raise MergeConflict(
            f"{changed[0]} was changed after merge {merge_id} ({len(changed)} such files); taking the merge back would "
            "lose that. Nothing was done. Keep a copy of the change, put the file back, and run the undo again."
        )
    leaving = {row["new_name"] for row in manifest["moves"]}
    vanished = {row["name"] for row in manifest["removals"] if row.get("vanished")}
    for held, target in _incoming(transaction, manifest):
        if target.name not in vanished and held.parent.name != "undone" and not held.exists():
            raise MergeConflict(
                f"{held.name} is no longer among the rejected faces of merge {merge_id} (erased?), so the merge cannot "
                "be taken back. Extract anew: galloway extract"
            )
        if target.parent == paths.faces_dir and target.name not in leaving and target.exists():
            raise MergeConflict(
                f"{target} is there again; taking merge {merge_id} back would overwrite it. Move it away."
            )


def end_erased(transaction: Transaction, manifest: Manifest) -> MergeResult:
    """Let a merge whose rejected faces went stand no more, and those before it, which cannot be taken back without it.
    Folder and alignments stay as they are. Killed half way, the same call finishes.

    Raises MergeConflict where a later merge stands, or one before it still has rejected faces.
    """
    disk, paths = transaction.disk, transaction.paths
    _check_newest(paths, manifest)
    standing = [item for item in manifests(paths) if item["state"] == "applied"]
    standing.sort(key=lambda item: (item["merge_id"] == transaction.merge_id, str(item["created_at"])))
    holds = {item["merge_id"]: paths.rejected_dir / item["merge_id"] for item in standing if "erased_at" not in item}
    if kept := next((merge_id for merge_id, hold in holds.items() if any(hold.glob("*.png"))), None):
        raise MergeConflict(
            f"Merge {transaction.merge_id} cannot end: {kept} before it still has rejected faces, which would be lost. "
            "Let them go first: galloway privacy apply --early"
        )
    for item in standing:
        one = Transaction(paths, item["merge_id"], disk)
        disk.remove_tree(one.hold)
        undone = {"state": "undone", "undone_at": datetime.now(UTC).isoformat(), "digest_undone": None}
        one.write_manifest({**item, **undone})
    kept_faces = len(FaceIndex.load(paths).refresh(ids=False, content=False).faces)
    return MergeResult(transaction.merge_id, 0, 0, {}, kept_faces, transaction.manifest_file, None)


def finish_undo(transaction: Transaction, manifest: Manifest, progress: Progress = no_progress) -> MergeResult:
    """From state `undo-out` on; every step can be repeated."""
    disk, paths = transaction.disk, transaction.paths
    if transaction.state() == "undo-out":
        disk.folder(transaction.place("undone"))
        for source, target in _outgoing(transaction, manifest):
            take(disk, source, target)
        transaction.release()
        transaction.enter("undo-in")
    total = len(manifest["removals"]) + len(manifest["moves"]) + len(manifest["rewrites"])
    for done, (source, target) in enumerate(_incoming(transaction, manifest)):
        take(disk, source, target)
        if done % 200 == 0:
            progress("bringing faces back", done, total)
    wanted = manifest["digest_before"] is not None
    index = FaceIndex.load(paths).refresh(ids=False, content=wanted, frames=wanted, progress=progress)
    after = index.digest() if wanted else None
    undone = {**manifest, "state": "undone", "undone_at": datetime.now(UTC).isoformat(), "digest_undone": after}
    transaction.write_manifest(undone)
    transaction.release()
    disk.remove_tree(transaction.hold)
    disk.remove(transaction.state_file)
    index.save()
    return MergeResult(
        transaction.merge_id,
        len(manifest["removals"]),
        len(manifest["moves"]),
        {row["new_name"]: row["name"] for row in manifest["moves"] if row["name"] != row["new_name"]},
        len(index.faces),
        transaction.manifest_file,
        after,
    )
