"""The consent records of a workspace: one file a person under `consent/`, found by what it says and not by its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.files import write_atomic
from ..errors import StageError, WorkspaceError
from ..workspace.records import Source, ingested_at, sources
from ..workspace.state import read_state
from ..workspace.traces import same_name
from .record import TOLD, ConsentRecord, Evidence, Material, fingerprint, from_jsonld, receipt, to_jsonld

if TYPE_CHECKING:
    from ..app import App

__all__ = [
    "check_receipt",
    "evidence_of",
    "keep",
    "note_change",
    "note_source",
    "of_sources",
    "record_of",
    "record_path",
    "records",
    "told_pictures",
    "write_receipt",
]

FOLDER = "consent"


def records(root: Path) -> list[ConsentRecord]:
    """All records, in the order in which they were made. Raises WorkspaceError for one that cannot be read."""
    found = []
    for path in sorted((root / FOLDER).glob("*.json")):
        remedy = "Bring it back from a copy: without it nobody knows what the person agreed to."
        try:
            found.append(from_jsonld(read_state(path, remedy)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WorkspaceError(f"{path} is no consent record ({error}). {remedy}") from None
    return sorted(found, key=lambda item: item.recorded_at)


def record_of(root: Path, person: str) -> ConsentRecord | None:
    """The record of a person, however the name is spelled; None where there is none."""
    return next((item for item in records(root) if same_name(item.person, person)), None)


def record_path(root: Path, record: ConsentRecord) -> Path:
    """Where a record is kept."""
    return root / FOLDER / f"{record.id}.json"


def keep(root: Path, record: ConsentRecord) -> None:
    """Write a record to the disk, readable for the owner only."""
    path = record_path(root, record)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps(to_jsonld(record), indent=2, ensure_ascii=False) + "\n", private=True)


def note_source(app: App, source: Source) -> None:
    """Note in the person's record that they are in `source`; a first source makes the record. Nobody named: nothing."""
    if not source.person.strip():
        return
    root = app.workspace.root
    known = record_of(root, source.person)
    path = app.workspace.source_record(source.side, source.name)
    told = told_pictures(read_state(path, "Restore it.")) if path.is_file() else ()
    item = Material(source.side.value, source.name, source.sha256, told)
    if known is None:
        made = ConsentRecord.new(
            " ".join(source.person.split()), app.settings.name, source.basis, datetime.now(UTC), source.note
        )
        keep(root, replace(made, material=(item,), since=ingested_at(app.workspace).get(source.id)))
    elif item not in known.material:
        others = [
            one for one in known.material if (one.side, one.name, one.sha256) != (item.side, item.name, item.sha256)
        ]
        keep(root, known.changed(material=(*others, item)))


def told_pictures(record: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    """Where each photograph of a source came from, as the source's own record says: `file`, and any of `source`,
    `licence`, `person`, `date`. Pictures of which nothing is told are left out, and so is what they are called here."""
    rows = record.get("pictures")
    if not isinstance(rows, list):
        return ()
    kept = [{key: str(value) for key, value in row.items() if key in TOLD} for row in rows if isinstance(row, dict)]
    return tuple(row for row in kept if len(row) > 1)


def note_change(app: App, before: Source, after: Source, told: tuple[dict[str, str], ...]) -> None:
    """Note in the person's record that what a source holds is another now, with what is `told` of its pictures; what it
    was stays in the history."""
    known = record_of(app.workspace.root, after.person) if after.person.strip() else None
    if known is None or before.sha256 == after.sha256:
        return
    both = [(item.side.value, item.name, item.sha256) for item in (before, after)]
    if any((item.side, item.name, item.sha256) == both[0] for item in known.material):
        rest = tuple(item for item in known.material if (item.side, item.name, item.sha256) not in both)
        keep(app.workspace.root, known.changed(material=(*rest, Material(*both[1], told))))


def of_sources(app: App) -> list[tuple[Source, ConsentRecord | None]]:
    """Every source with its person's record; None where nobody is named, or it came in before records were kept."""
    known = records(app.workspace.root)
    return [
        (item, next((one for one in known if same_name(one.person, item.person)), None))
        for item in sources(app.workspace)
    ]


def evidence_of(files: Sequence[Path]) -> tuple[Evidence, ...]:
    """Files that show an agreement, by name and hash. Raises StageError for one that cannot be read."""
    try:
        return tuple(Evidence(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files)
    except OSError as error:
        raise StageError(f"{error.filename} cannot be read: {error.strerror}. Nothing was recorded.") from error


def write_receipt(record: ConsentRecord, path: Path) -> None:
    """Write the receipt for the person. Raises StageError where `path` is there and no receipt."""
    if path.exists() and _receipt_in(path) is None:
        raise StageError(f"{path} is there already and no consent receipt; name another file with --out.")
    write_atomic(path, json.dumps(receipt(record, datetime.now(UTC)), indent=2, ensure_ascii=False) + "\n")


def check_receipt(root: Path, path: Path) -> tuple[ConsentRecord, bool]:
    """The record that a receipt was copied from, as it stands today, and whether it still says the same.

    Raises StageError where the file is no receipt, was changed since it was written, or is of no record here.
    """
    found = _receipt_in(path)
    if found is None:
        raise StageError(f"{path} is no consent receipt. Write one: galloway person receipt NAME --out FILE")
    try:
        copied = from_jsonld({**found["dpv:hasRecordOfActivity"], "galloway:history": []})
        claimed = str(found["galloway:fingerprint"])
    except (KeyError, TypeError, ValueError, AttributeError):
        copied, claimed = None, ""
    if copied is None or fingerprint(copied) != claimed:
        raise StageError(f"{path} was changed after it was written: what it says is not what it was copied from.")
    known = next((item for item in records(root) if item.id == copied.id), None)
    if known is None or claimed not in (fingerprint(known), *known.history):
        raise StageError(f"{path} is a receipt of no record in {root}, or of one that was replaced by hand.")
    return known, claimed == fingerprint(known)


def _receipt_in(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and values.get("@type") == "dpv:ConsentReceipt" else None
