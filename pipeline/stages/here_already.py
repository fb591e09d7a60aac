"""Footage that is in the workspace already: what is known of it, what was not said of it, its files brought back."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ...curation.files import check_name, replacing, write_atomic
from ...curation.types import Progress, Side
from ..app import App
from ..consent.kept import note_change, note_source
from ..errors import StageError
from ..workspace.acts import note_act
from ..workspace.records import Source, note_content, note_told
from ..workspace.state import json_object
from ..workspace.traces import same_name
from .photos import Photographs

__all__ = [
    "BASES",
    "bring_back",
    "check_room",
    "given_sha256",
    "mended_again",
    "pieces_of",
    "record_again",
    "said_again",
    "sha256_of",
    "write_record",
]

BASES = {
    "own": "my own likeness",
    "consent": "the person's consent",
    "licence": "a licence that covers this use",
    "public-domain": "public domain",
}


def pieces_of(app: App, known: Source, path: Path, found: Photographs, name: str) -> dict[Path, Path]:
    """The files of a source that is here already, each with the one given that holds the same."""
    if not path.is_dir():
        return {known.path: path}
    record = app.workspace.source_record(known.side, known.name)
    rows = (json_object(record.read_bytes()) or {}).get("pictures") if record.is_file() else None
    noted = {str(row["file"]): str(row["as"]) for row in rows or ()}
    # Photographs that come under another name are called after the source that they belong to.
    called = {item: noted.get(item.given, f"{known.name}{item.kept.removeprefix(name)}") for item in found.files}
    return {known.path / check_name(kept, where=str(record)): item.path for item, kept in called.items()}


def record_again(
    app: App, known: Source, found: Photographs, pieces: dict[Path, Path], mended_from: str | None
) -> None:
    """Write the record of a source anew where it went with the footage."""
    if app.workspace.source_record(known.side, known.name).is_file():
        return
    pictures = [{**item.record(), "as": kept.name} for item, kept in zip(found.files, pieces, strict=False)]
    write_record(
        app, known.side, known.name, person=known.person, basis=known.basis, note=known.note, digest=known.sha256,
        mended_from=mended_from, pictures=pictures,
    )  # fmt: skip


def bring_back(app: App, known: Source, pieces: dict[Path, Path], progress: Progress) -> bool:
    """Put back what is missing of a source or was cut short; whether there was any. Killed half way, the next goes
    on."""
    missing = {kept: given for kept, given in pieces.items() if not _as_large(kept, given)}
    if not missing:
        return False
    folder = next(iter(missing)).parent
    folder.mkdir(parents=True, exist_ok=True)
    check_room(folder, list(missing.values()))
    for done, (kept, given) in enumerate(missing.items(), 1):
        with replacing(kept) as partial:
            shutil.copyfile(given, partial)
        progress("copying", done, len(missing))
    note_act(app.workspace, "ingest", f"side {known.side.value}: {known.kind}, brought back")
    return True


def _as_large(kept: Path, given: Path) -> bool:
    return kept.is_file() and kept.stat().st_size == given.stat().st_size


def mended_again(
    app: App, source: Source, path: Path, digest: str, mended_from: str | None, progress: Progress
) -> Source:
    """Put the mended copy of a source back that is missing. Mended anew by other programs it may hold other bytes: the
    same frames, and what the rows say of it follows."""
    if mended_from is None:
        kept = next(iter((app.workspace.root / "sources" / "mended" / digest[:12]).glob("*.mp4")), None)
        if kept is None or sha256_of(kept, progress) != source.sha256:
            raise StageError(
                f"{source.name} was mended when it came in, and its mended copy is missing. Mend it again: the same "
                "command with --fix"
            )
        path, digest = kept, source.sha256
    bring_back(app, source, {source.path: path}, progress)
    if digest == source.sha256:
        return source
    after = note_content(app.workspace, source, sha256=digest, frames=source.frames, faces=source.faces)
    note_change(app, source, after, ())
    write_record(
        app, source.side, source.name, person=source.person, basis=source.basis, note=source.note, digest=digest,
        mended_from=mended_from,
    )  # fmt: skip
    return after


def given_sha256(app: App, source: Source) -> str | None:
    """The SHA-256 of the file that a source was mended from; None where it is as it was given."""
    try:
        found = (json_object(app.workspace.source_record(source.side, source.name).read_bytes()) or {}).get(
            "mended_from"
        )
    except OSError:
        return None
    return found if isinstance(found, str) else None


def said_again(app: App, known: Source, *, person: str, basis: str, note: str) -> Source:
    """The source that is here already, with what was not said of it before: who is in it, on what basis, a note. What
    is left out stays. Raises StageError where something else was said; nothing is changed then."""
    here = {"person": known.person, "basis": known.basis, "note": known.note}
    given = {"person": person, "basis": basis, "note": note}
    for what, new in given.items():
        if new.strip() and here[what].strip() and not same_name(new, here[what]):
            raise StageError(
                f"{known.name} is on side {known.side.value} already, with the {what} {here[what]!r}, not {new!r}. "
                f"Nothing was changed. Leave it as it is, or take it out and ingest it anew: galloway source remove "
                f"--side {known.side.value} {known.name}"
            )
    told = {what: here[what] if here[what].strip() else new for what, new in given.items()}
    if told != here:
        path = app.workspace.source_record(known.side, known.name)
        record = json_object(path.read_bytes()) if path.is_file() else None
        changed = {**(record or {"sha256": known.sha256}), **told, "basis_means": BASES[told["basis"]]}
        changed["recorded_at"] = datetime.now(UTC).isoformat()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(changed, indent=2, ensure_ascii=False) + "\n")
        known = note_told(app.workspace, known, **told)
    note_source(app, known)  # also where an earlier run was killed just before it
    return known


def write_record(
    app: App,
    side: Side,
    name: str,
    *,
    person: str,
    basis: str,
    note: str,
    digest: str,
    mended_from: str | None = None,
    pictures: Sequence[dict[str, str]] = (),
) -> None:
    """Write `sources/<side>/<name>.source.json`: who is in it, on what basis the face may be used, and of photographs
    what each was called and where it came from."""
    record = {
        "person": person,
        "basis": basis,
        "basis_means": BASES[basis],
        "note": note,
        "sha256": digest,
        **({"mended_from": mended_from} if mended_from else {}),
        **({"pictures": list(pictures)} if pictures else {}),
        "recorded_at": datetime.now(UTC).isoformat(),
    }
    path = app.workspace.source_record(side, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def sha256_of(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            done += len(block)
            progress("reading", done, total)
    return digest.hexdigest()


def check_room(folder: Path, files: Sequence[Path]) -> None:
    """Say so before a copy, not in the middle of it, where the disk cannot hold it."""
    needed, free = sum(file.stat().st_size for file in files), shutil.disk_usage(folder).free
    if needed > free:
        raise StageError(
            f"{files[0].name} takes {needed / 1e9:.1f} GB and the disk of the workspace has {free / 1e9:.1f} GB left; "
            "nothing was copied. Make room, or put the workspace on another disk (it can be moved)."
        )
