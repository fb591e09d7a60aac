"""The rejected faces of a merge go for good; hashes and verdicts stay in its manifest.

First the manifest says so, then the files go: killed in between, the same call deletes the rest, and no undo begins.
"""

from __future__ import annotations

from datetime import datetime

from ...errors import FacesetError
from ...files import read_bounded
from ..index import FacesetPaths, content_hash
from .disk import Checkpoint, Disk, locked
from .recovery import mend
from .transaction import Manifest, Transaction, read_checked

__all__ = ["erase_rejected", "held_pictures", "is_erased"]

_FILE_LIMIT = 1 << 30


def held_pictures(paths: FacesetPaths, merge_id: str) -> int:
    """How many rejected faces of a merge are still there."""
    hold = paths.rejected_dir / merge_id
    return sum(path.suffix == ".png" for path in hold.iterdir()) if hold.is_dir() else 0


def is_erased(paths: FacesetPaths, merge_id: str) -> bool:
    """Whether the rejected faces of a merge went, or are going: a run that was killed left the rest."""
    manifest = paths.merges_dir / f"{merge_id}.json"
    return manifest.is_file() and "erased_at" in read_checked(manifest)


def erase_rejected(
    paths: FacesetPaths, merge_id: str, now: datetime, *, checkpoint: Checkpoint | None = None
) -> tuple[str, ...]:
    """Delete the rejected faces of an applied merge, and the alignments (with their thumbnails) and headers as they
    were before it, which only an undo needs; the ids of the faces. Twice is once.

    Raises FacesetError where the disk says no, or where there is no such merge.
    """
    disk = Disk(checkpoint) if checkpoint else Disk()
    with locked(paths.merges_dir, "erasing"):
        mend(paths, disk)
        transaction = Transaction(paths, merge_id, disk)
        manifest = read_checked(transaction.manifest_file)
        if manifest["state"] != "applied":
            return ()
        try:
            if "erased_at" not in manifest:
                transaction.write_manifest(_without_pictures(transaction, manifest, now))
            disk.remove_tree(transaction.hold)
        except OSError as error:
            raise FacesetError(
                f"{error.filename or 'The disk'}: {error.strerror or error}. Merge {merge_id} still has rejected "
                "faces; mend that and run: galloway privacy apply"
            ) from error
    return tuple(str(row["face_id"]) for row in manifest["removals"] if row["face_id"])


def _without_pictures(transaction: Transaction, manifest: Manifest, now: datetime) -> Manifest:
    """The manifest with each rejected picture's hash and the time from which there are none."""

    def hashed(name: str) -> str | None:
        try:
            return content_hash(read_bounded(transaction.hold / name, _FILE_LIMIT))
        except FacesetError:
            return None

    removals = [{**row, "content": hashed(row["name"])} for row in manifest["removals"]]
    return {**manifest, "removals": removals, "erased_at": now.isoformat()}
