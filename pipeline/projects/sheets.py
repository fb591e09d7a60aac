"""Tables that were given to a project in the browser, with the files that their cells name: `sheets/ID/`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import check_name, write_atomic
from ...curation.spreadsheet import csv_text
from ..errors import StageError
from .project import Project
from .table import Table

__all__ = ["Sheet", "add_files", "find_sheet", "keep_sheet", "keep_table", "sheets"]

_ODD = re.compile(r"[^\w.() -]+")
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it was given. `name` is its file's name, `media` the folder with what its cells name, if any."""

    id: str
    name: str
    path: Path

    @property
    def media(self) -> Path | None:
        folder = self.path.parent / "media"
        return folder if folder.is_dir() else None

    @property
    def files(self) -> list[str]:
        """The names of the files that came along."""
        return sorted(path.name for path in self.media.iterdir()) if self.media else []


def keep_sheet(project: Project, name: str, data: bytes) -> Sheet:
    """Keep a table's bytes; the same bytes are the same sheet. Raises StageError for an empty one."""
    if not data:
        raise StageError("The table is empty, or none was chosen. Choose a CSV or Excel file.")
    key = hashlib.sha256(data).hexdigest()[:12]
    folder = project.folder / "sheets" / key
    folder.mkdir(parents=True, exist_ok=True)
    there = _table(folder)
    path = there or folder / _plain(name)
    if there is None:
        write_atomic(path, data)
    return Sheet(key, path.name, path)


def keep_table(project: Project, name: str, table: Table) -> Sheet:
    """Keep rows that were never a file."""
    return keep_sheet(project, name, csv_text(table.frame()).encode())


def add_files(sheet: Sheet, files: Iterable[tuple[str, bytes]]) -> int:
    """Keep the files that cells name, by their names without folders; how many. Raises UnsafeFile for a name that is
    none."""
    count = 0
    for name, data in files:
        plain = check_name(name.replace("\\", "/").rpartition("/")[2], where="The upload")
        folder = sheet.path.parent / "media"
        folder.mkdir(exist_ok=True)
        write_atomic(folder / plain, data, durable=False)
        count += 1
    return count


def find_sheet(project: Project, key: str) -> Sheet:
    """The sheet of this id. Raises StageError where there is none."""
    path = _table(project.folder / "sheets" / key) if _ID.fullmatch(key) else None
    if path is None:
        raise StageError(f"{project.name} has no table {key[:40]!r}. Give it again.")
    return Sheet(key, path.name, path)


def sheets(project: Project) -> list[Sheet]:
    """Every table that was given, newest first."""
    folders = [path for path in (project.folder / "sheets").glob("*") if _ID.fullmatch(path.name)]
    found = [Sheet(folder.name, path.name, path) for folder in folders if (path := _table(folder)) is not None]
    return sorted(found, key=lambda sheet: (-sheet.path.stat().st_mtime, sheet.id))


def _table(folder: Path) -> Path | None:
    there = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    return there[0] if there else None


def _plain(name: str) -> str:
    """A name for the file: what was given, without folders and odd letters; its ending says what it is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _ODD.sub("_", last).lstrip(". ")[-80:] or "table.csv"
