"""Tables that people have: comma, semicolon, tab or bar, with or without a byte order mark, and rows that do not fit.

The standard library's `csv` does the reading, and every row keeps the number of the line where it begins. (pandas takes
a first column for row names when rows end in one comma too many, and gives up at the first row with too many cells.)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...errors import VotesError
from .source import CP1252, Source
from .types import ROLES, Sheet

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["read_delimited"]

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST = (1 << 31) - 1
"""`csv` refuses cells beyond 128 KiB unless told otherwise; a canvas or a page in a column of no interest is longer."""


def read_delimited(source: Source, wanted: Sequence[str]) -> Sheet:
    """The table in a text file. Of the delimiters the first that finds all `wanted` columns is taken, else the one
    that finds most. Cells that a row lacks are empty; empty lines are nothing."""
    csv.field_size_limit(_LONGEST)
    encoding = source.encoding()
    with source.text(encoding) as file:
        first = file.readline()
    if not first.strip():
        raise VotesError(f"{source.name} has no header in its first line; it needs {','.join(wanted or ROLES)}.")
    found = {sign: _names(first, sign) for sign in _DELIMITERS}
    whole = [sign for sign in _DELIMITERS if wanted and set(wanted) <= set(found[sign])]
    delimiter = whole[0] if whole else max(_DELIMITERS, key=lambda sign: len(found[sign]))
    notes = (f"read as Windows text ({CP1252}), for it is no UTF-8.",) if encoding == CP1252 else ()
    with source.text(encoding) as file:
        header = _stripped(next(_numbered(source.name, csv.reader(file, delimiter=delimiter, strict=True)))[1])

    def rows() -> Iterator[tuple[int, list[str]]]:
        with source.text(encoding) as text:
            numbered = _numbered(source.name, csv.reader(text, delimiter=delimiter, strict=True))
            next(numbered)
            for line, row in numbered:
                yield line, _fitted(row, len(header))

    return Sheet(source.name, tuple(header), rows, notes)


def _fitted(row: list[str], width: int) -> list[str]:
    """As many cells as the header; none where there were more that say something."""
    if len(row) != width:
        if any(cell.strip() for cell in row[width:]):
            return []
        row = row[:width] + [""] * (width - len(row))
    return _stripped(row)


def _names(line: str, delimiter: str) -> list[str]:
    return _stripped(next(csv.reader([line], delimiter=delimiter), []))


def _stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _numbered(name: str, rows: Reader) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not an empty line, with the line where it begins."""
    begins = rows.line_num + 1
    try:
        for row in rows:
            if row:
                yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise VotesError(
            f"{name} cannot be read as CSV: line {begins} ({error}); look at its quotation marks."
        ) from error
