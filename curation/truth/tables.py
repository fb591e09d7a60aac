"""Tables that people have: comma, semicolon or tab, with or without a byte order mark, and rows that do not fit.

The standard library's `csv` does the reading, and every row keeps the number of the line where it begins. (pandas takes
a first column for row names when rows end in one comma too many, and gives up at the first row with too many cells.)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import VotesError

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["Table", "read_table"]

_DELIMITERS = (",", ";", "\t")
Remedy = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of stripped cells by name, all as long as `lines`, the line in the file of each row.

    `header` has every column's name, also of those that were not asked for; `notes` counts the rows left out.
    """

    header: tuple[str, ...]
    columns: dict[str, list[str]]
    lines: list[int]
    notes: tuple[str, ...]


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    remedy: Remedy = lambda _header: "",
) -> Table:
    """The `required` and those of the `optional` columns that are there.

    Of the three delimiters the first that finds all required columns is taken. Text is UTF-8, or UTF-16 with its byte
    order mark. Cells that a row lacks are empty; a row with more cells than the header (empty ones at its end aside)
    could be shifted and is left out; empty lines are nothing. Raises VotesError for a file that is not there, cannot be
    read, lacks a required column (`remedy` of its header is added) or has one twice.
    """
    try:
        return _read(path, required, optional, remedy)
    except FileNotFoundError:
        raise VotesError(f"There is no file {path}; name a CSV file with the columns {','.join(required)}.") from None
    except OSError as error:
        raise VotesError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise VotesError(f"{path} cannot be read as CSV ({error}); save it as comma-separated UTF-8.") from error


def _read(path: Path, required: Sequence[str], optional: Sequence[str], remedy: Remedy) -> Table:
    with path.open(newline="", encoding=_encoding(path)) as file:
        first = file.readline()
        if not first.strip():
            raise VotesError(f"{path} has no header in its first line; it needs {','.join(required)}.")
        delimiter = next((sign for sign in _DELIMITERS if set(required) <= set(_names(first, sign))), ",")
        file.seek(0)
        rows = _numbered(path, csv.reader(file, delimiter=delimiter, strict=True))
        header = _stripped(next(rows)[1])
        _require(path, header, required, remedy)
        wanted = [*required, *(name for name in optional if header.count(name) == 1 and name not in required)]
        places = [header.index(name) for name in wanted]
        columns: list[list[str]] = [[] for _ in wanted]
        lines: list[int] = []
        longer: list[int] = []
        same: dict[str, str] = {}  # one string for all cells that say the same: names and labels come again and again
        for line, row in rows:
            if len(row) != len(header):
                if any(cell.strip() for cell in row[len(header) :]):
                    longer.append(line)
                    continue
                row += [""] * (len(header) - len(row))
            lines.append(line)
            for column, place in zip(columns, places, strict=True):
                cell = row[place].strip()
                column.append(same.setdefault(cell, cell))
    count = f"{len(longer)} row{'' if len(longer) == 1 else 's'}"
    notes = (f"{count} left out: more cells than the header (first in line {longer[0]}).",) if longer else ()
    return Table(tuple(header), dict(zip(wanted, columns, strict=True)), lines, notes)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _names(line: str, delimiter: str) -> list[str]:
    return _stripped(next(csv.reader([line], delimiter=delimiter), []))


def _stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _numbered(path: Path, rows: Reader) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not an empty line, with the line where it begins."""
    begins = rows.line_num + 1
    try:
        for row in rows:
            if row:
                yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise VotesError(
            f"{path} cannot be read as CSV: line {begins} ({error}); look at its quotation marks."
        ) from error


def _require(path: Path, header: list[str], required: Sequence[str], remedy: Remedy) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        there = ", ".join(name or "(no name)" for name in header)
        raise VotesError(f"{path} has no column {', '.join(missing)}; it has {there}. {remedy(header)}".rstrip())
    twice = [name for name in required if header.count(name) > 1]
    if twice:
        raise VotesError(f"{path} has two columns called {twice[0]}; rename the one that is not meant.")
