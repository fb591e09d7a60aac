"""Files that cells of a spreadsheet name: which they are, and what a page shows instead of their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import is_temporary
from ...mturk.requester.hosting import media_type
from ..errors import StageError
from ..wording import counted
from .table import Table

__all__ = ["Files", "files_of", "shown_row"]

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|data:|#", re.IGNORECASE)
_MEDIA = re.compile(
    r"[^<>\n]{1,300}\.(jpe?g|png|gif|webp|bmp|tiff?|avif|hei[cf]|mp3|wav|ogg|oga|flac|m4a|mp4|webm)", re.I
)
_HEAD = 16
_ASIDE = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Files:
    """Cell → the file that it names; `notes` say what names none."""

    by_cell: Mapping[str, Path]
    notes: tuple[str, ...] = ()


def files_of(table: Table, wanted: Sequence[str], folder: Path | None) -> Files:
    """The files of `folder` (and of folders in it) that cells of the wanted columns name, by path or by name.

    Raises StageError where a column names some that are there and some that are not, or where one is no picture, sound
    or film: a worker would be paid to look at nothing. Nothing is written.
    """
    columns = {name: [row[table.columns.index(name)] for row in table.rows] for name in wanted}
    if folder is None:
        return Files({}, tuple(filter(None, (_unlinked(name, cells) for name, cells in columns.items()))))
    there = _listed(folder)
    found: dict[str, Path] = {}
    for name, cells in columns.items():
        named = {cell: there[_plain(cell)] for cell in cells if cell and _plain(cell) in there}
        missing = [cell for cell in cells if cell and cell not in named and not _ADDRESS.match(cell)]
        if named and missing:
            names = "names" if len(missing) == 1 else "name"
            raise StageError(
                f"{counted(len(missing), 'cell')} of {name} {names} no file that was given, first {missing[0][:80]!r}. "
                "Give it along, or correct the cell. Nothing was sent."
            )
        found |= named
    for path in found.values():
        _check_kind(path)
    notes = () if found else ("No cell names a file that was given.",)
    return Files(found, notes)


def shown_row(row: Mapping[str, str], wanted: Iterable[str], links: Mapping[str, str]) -> dict[str, str]:
    """The row as its page shows it: links instead of the names of files, in the columns that the page uses."""
    return dict(row) | {name: links[row[name]] for name in wanted if row[name] in links}


def _listed(folder: Path) -> dict[str, Path]:
    """The folder's files by path and, where that is one file only, by name; lower case, as Windows compares."""
    found: dict[str, Path] = {}
    names: dict[str, set[Path]] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        aside = any(part.startswith(".") for part in parts) or path.name.lower() in _ASIDE or is_temporary(path.name)
        if aside or not path.is_file():
            continue
        found["/".join(parts).lower()] = path
        names.setdefault(path.name.lower(), set()).add(path)
    return {**{name: paths.pop() for name, paths in names.items() if len(paths) == 1}, **found}


def _plain(cell: str) -> str:
    """A cell as a path of the folder: also where a whole Windows path, or one from the folder's own name on, was
    typed."""
    text = cell.strip().replace("\\", "/").lower().removeprefix("./")
    return text.rpartition("/")[2] if ":" in text or text.startswith("/") else text


def _check_kind(path: Path) -> None:
    with path.open("rb") as file:
        kind = media_type(file.read(_HEAD))
    if kind is None:
        raise StageError(
            f"{path.name} is no picture, sound or film that browsers show, whatever its name says. Convert it, or take "
            "its row out. Nothing was sent."
        )


def _unlinked(name: str, cells: Sequence[str]) -> str:
    """What to say of cells that name files on somebody's disk: workers would see nothing."""
    files = [cell for cell in cells if _MEDIA.fullmatch(cell.strip()) and not _ADDRESS.match(cell)]
    if not files:
        return ""
    named = "names a file" if len(files) == 1 else "name files"
    return (
        f"{counted(len(files), 'cell')} of {name} {named}, not addresses, first {files[0][:80]!r}: workers would see "
        "nothing. Give the files along with the table (--media FOLDER)."
    )
