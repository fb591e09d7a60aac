"""The steps of a merge: stage everything beside the faceset, then swap it in by renaming. See `transaction`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import FacesetError, FormatError, MergeConflict
from ...files import read_bounded
from ...types import Progress
from ..fsa.rewrite import frame_counts, without_faces
from ..index import AlignmentsFile, FaceIndex, KnownFace, content_hash
from ..png.moved import moved_png
from .disk import Disk
from .plan import MergePlan, Move, Removal, Rewrite
from .transaction import Manifest, Transaction

__all__ = ["MergeResult", "check_unchanged", "finish", "stage", "take", "take_back"]

_FILE_LIMIT = 256 << 20


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge or its undo did. `renamed` maps a PNG's old name to its new one, for faces that stayed."""

    merge_id: str
    removed: int
    moved: int
    renamed: dict[str, str]
    kept: int
    manifest: Path
    digest: str | None
    notes: tuple[str, ...] = ()


def _is(path: Path, size: int, mtime_ns: int) -> bool:
    try:
        stat = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns)


def check_unchanged(plan: MergePlan, transaction: Transaction) -> None:
    """Raises MergeConflict where a file that the plan touches is gone, new or changed."""
    folder = plan.paths.faces_dir
    touched: list[Removal | Move] = [*plan.removals, *plan.moves]
    leaving = {row.name for row in touched}
    changed = [row.name for row in touched if not _is(folder / row.name, row.size, row.mtime_ns)]
    changed += [m.new_name for m in plan.moves if m.new_name not in leaving and (folder / m.new_name).exists()]
    changed += [r.file for r in plan.rewrites if not _is(transaction.alignments_path(r.file), r.size, r.mtime_ns)]
    if changed:
        raise MergeConflict(
            f"{len(changed)} files changed since the merge was planned, the first is {changed[0]}. Nothing was done; "
            "run the same merge again, it plans anew."
        )
    if transaction.manifest_file.exists():
        raise MergeConflict(f"Merge {plan.merge_id} was applied already. Run the merge again, it plans anew.")


def stage(plan: MergePlan, transaction: Transaction, progress: Progress) -> dict[str, str]:
    """Make everything that will come in, beside the faceset; returns the content hash of each by name.

    The faceset itself is not touched. Originals of files that will be replaced get a second name in `old/` and
    `alignments/`.
    """
    disk, contents = transaction.disk, {}
    transaction.write_journal(plan)
    for kind in ("new", "old", "alignments"):
        disk.folder(transaction.place(kind))
    if transaction.hold.stat().st_dev != plan.paths.faces_dir.stat().st_dev:
        raise FacesetError(f"{transaction.hold} is on another disk than the faces. Put both on one.")
    for done, rewrite in enumerate(plan.rewrites):
        progress("rewriting alignments", done, len(plan.rewrites))
        source = transaction.alignments_path(rewrite.file)
        removed = {frame: set(places) for frame, places in rewrite.removed.items()}
        disk.link(source, transaction.place("alignments", rewrite.file))
        target = transaction.place("new", f"alignments-{rewrite.file}")
        contents[target.name] = disk.write(
            target, without_faces(source, removed, plan.known.unpacked if plan.known else None)
        )
        _read_back(target, rewrite, plan.known.files.get(rewrite.file) if plan.known else None, source)
    for done, move in enumerate(plan.moves):
        if move.index == move.new_index:
            continue
        path = plan.paths.faces_dir / move.name
        data = moved_png(read_bounded(path, _FILE_LIMIT), path, name=move.new_name, face_index=move.new_index)
        contents[move.new_name] = disk.write(transaction.place("new", move.new_name), (data,), durable=False)
        if done % 200 == 0:
            progress("rewriting headers", done, len(plan.moves))
    transaction.reserve(transaction.journal)
    return contents


def _read_back(written: Path, rewrite: Rewrite, known: AlignmentsFile | None, source: Path) -> None:
    """Raises FacesetError unless `written` holds the frames of `source`, and of faces all but those of `rewrite`."""
    wanted = dict(known.frames if known is not None and known.counted else frame_counts(source))
    for frame, places in rewrite.removed.items():
        wanted[frame] -= len(places)
    try:
        found = frame_counts(written)
    except FormatError as error:
        raise _unreadable(rewrite.file, str(error)) from error
    if found != wanted:
        odd = next(frame for frame in (*wanted, *found) if found.get(frame) != wanted.get(frame))
        raise _unreadable(rewrite.file, f"{odd} has {found.get(odd, 0)} faces instead of {wanted.get(odd, 0)}")


def _unreadable(file: str, reason: str) -> FacesetError:
    return FacesetError(
        f"What was to replace {file} cannot be read back: {reason}. Nothing was changed. The fault is Galloway's or "
        "the disk's: run the same merge again; if it stays, report it with that file."
    )


def take(disk: Disk, source: Path, target: Path) -> None:
    """Rename `source` to `target` unless that was done before. A file that vanished is noted at the end."""
    with suppress(FileNotFoundError):
        disk.rename(source, target)


def _leaving(plan: MergePlan, transaction: Transaction) -> Iterator[tuple[Path, Path]]:
    """Where each face that leaves the folder is, and where it goes: rejected ones, ones whose header was rewritten
    (they are kept in `old/`), and ones that only change their name (they wait in `new/`)."""
    folder = plan.paths.faces_dir
    for removal in plan.removals:
        yield folder / removal.name, transaction.hold / removal.name
    for move in plan.moves:
        same = move.index == move.new_index
        target = transaction.place("new", move.new_name) if same else transaction.place("old", move.name)
        yield folder / move.name, target


def take_back(plan: MergePlan, transaction: Transaction) -> None:
    """Undo state `out`, as far as it came: every face goes back under its old name. Can be repeated."""
    transaction.release()
    transaction.enter("back")
    for source, target in _leaving(plan, transaction):
        take(transaction.disk, target, source)
    transaction.disk.remove(transaction.state_file)
    transaction.roll_back()


def finish(plan: MergePlan, transaction: Transaction, contents: dict[str, str], progress: Progress) -> MergeResult:
    """From state `out` on; every step can be repeated. `contents` may lack what an earlier run staged."""
    disk, folder = transaction.disk, plan.paths.faces_dir
    if transaction.state() == "out":
        for done, (source, target) in enumerate(_leaving(plan, transaction)):
            take(disk, source, target)
            if done % 200 == 0:
                progress("moving faces", done, len(plan.removals) + len(plan.moves))
        transaction.release()
        transaction.enter("in")
    for move in plan.moves:
        take(disk, transaction.place("new", move.new_name), folder / move.new_name)
    for rewrite in plan.rewrites:
        staged = transaction.place("new", f"alignments-{rewrite.file}")
        take(disk, staged, transaction.alignments_path(rewrite.file))
    index = _index_after(plan, contents, progress)
    after = index.digest() if plan.digest_before is not None else None
    manifest = _manifest(plan, transaction, index, after)
    transaction.write_manifest(manifest)
    transaction.close()
    index.save()
    return MergeResult(
        plan.merge_id,
        len(plan.removals),
        sum(move.index != move.new_index for move in plan.moves),
        {move.name: move.new_name for move in plan.moves if move.name != move.new_name},
        plan.kept,
        transaction.manifest_file,
        after,
        tuple(manifest["notes"]),
    )


def _index_after(plan: MergePlan, contents: dict[str, str], progress: Progress) -> FaceIndex:
    """The index after the merge. The folder is looked through again only where this run does not know, from the plan
    and from what it wrote itself, what every file is."""
    index = plan.known or FaceIndex.load(plan.paths)
    known = index.faces
    for removal in plan.removals:
        known.pop(removal.name, None)
    movers = {move.name: known.pop(move.name, None) for move in plan.moves}
    for move in plan.moves:
        before = movers[move.name]
        if before is None:
            continue
        content = before.content if move.index == move.new_index else contents.get(move.new_name)
        if content is None and plan.digest_before is not None:
            continue
        try:
            stat = (plan.paths.faces_dir / move.new_name).stat()
        except OSError:
            continue
        known[move.new_name] = KnownFace(
            move.new_name, stat.st_size, stat.st_mtime_ns, move.frame, move.new_index, before.face_id, content
        )
    index.changed = True
    for rewrite in plan.rewrites:
        _file_after(index, rewrite, contents.get(f"alignments-{rewrite.file}"))
    wanted = plan.digest_before is not None
    complete = plan.known is not None and len(known) == plan.kept and len(index.files) >= len(plan.rewrites)
    contents_known = all(face.content for face in known.values()) and all(f.content for f in index.files.values())
    if complete and (contents_known or not wanted):
        return index
    return index.refresh(ids=False, content=wanted, frames=wanted, progress=progress)


def _file_after(index: FaceIndex, rewrite: Rewrite, content: str | None) -> None:
    known = index.files.pop(rewrite.file, None)
    if known is None or content is None or not known.counted:
        return
    frames = dict(known.frames)
    for frame, places in rewrite.removed.items():
        frames[frame] -= len(places)
    path = index.paths.alignments_file or index.paths.alignments_dir / rewrite.file
    stat = path.stat()
    index.files[rewrite.file] = type(known)(path, stat.st_size, stat.st_mtime_ns, frames, content)


def _manifest(plan: MergePlan, transaction: Transaction, index: FaceIndex, after: str | None) -> Manifest:
    """The record of a merge: what went, why, on whose votes; and what is needed to take it back."""
    values = plan.to_json()
    for row in values["removals"]:
        row["vanished"] = not (transaction.hold / row["name"]).exists()
    gone = [row["name"] for row in values["removals"] if row["vanished"]]
    for row in values["moves"]:
        row["content"] = _content(plan.paths.faces_dir / row["new_name"], index.faces.get(row["new_name"]))
    for row in values["rewrites"]:
        file = index.files.get(row["file"])
        path = transaction.alignments_path(row["file"])
        row["content"] = file.content if file and file.content else content_hash(read_bounded(path, 1 << 30))
    return {
        "version": 1,
        **values,
        "notes": [*plan.notes, *(f"{name} vanished while the merge was under way" for name in gone)],
        "state": "applied",
        "digest_after": after,
        "counts": {"removed": len(plan.removals), "kept": plan.kept, "reasons": plan.reasons()},
    }


def _content(path: Path, known: KnownFace | None) -> str | None:
    if known is not None and known.content is not None:
        return known.content
    try:
        return content_hash(read_bounded(path, _FILE_LIMIT))
    except FacesetError:
        return None
