"""What a file is, by its first bytes: a table of text, JSON, XML, an Excel or a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ....extras import require
from ...errors import VotesError
from .delimited import read_delimited
from .nested import read_json
from .source import Source
from .types import Content, Markup, Records, Sheet, text_of

__all__ = ["flat", "open_content"]

_ZIP, _PARQUET, _OLD_EXCEL = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
_SPACE = b" \t\r\n"


def open_content(source: Source, wanted: Sequence[str]) -> Content:
    """The content of `source`; `wanted` are columns that a table should have. Raises VotesError where it is broken."""
    start = source.head.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)[:1]
    if source.head.startswith(_ZIP):
        return _excel(source)
    if source.head.startswith(_PARQUET):
        return _parquet(source)
    if source.head.startswith(_OLD_EXCEL):
        raise VotesError(f"{source.name} is an Excel file of before 2007; save it as .xlsx or CSV.")
    if start == b"<":
        return _markup(source)
    if start in (b"[", b"{"):
        return _json(source)
    return read_delimited(source, wanted)


def flat(records: Records) -> Sheet | None:
    """The records as a table, where each is an object of plain values; else None."""
    header: dict[str, None] = {}
    for item in records.items:
        if not isinstance(item, dict) or any(isinstance(value, dict | list) for value in item.values()):
            return None
        header.update(dict.fromkeys(item))
    names = tuple(header)

    def rows() -> Iterator[tuple[int, list[str]]]:
        for place, item in enumerate(records.items, 1):
            yield place, [text_of(item.get(name)) for name in names]

    return Sheet(records.name, names, rows, records.notes, unit="record")


def _json(source: Source) -> Content:
    with source.text(source.encoding()) as file:
        text = file.read().removeprefix("\ufeff")
    try:
        value = read_json(text)
    except json.JSONDecodeError as error:
        lines = [line for line in enumerate(text.split("\n"), 1) if line[1].strip()]
        if len(lines) < 2 or error.lineno > lines[1][0]:
            raise VotesError(f"{source.name} cannot be read as JSON: line {error.lineno} ({error.msg}).") from error
        return Records(source.name, tuple(_parsed(source.name, number, line) for number, line in lines))
    if isinstance(value, list):
        return Records(source.name, tuple(value))
    return Records(source.name, (value,), whole=True)


def _parsed(name: str, number: int, line: str) -> Any:
    try:
        return read_json(line)
    except json.JSONDecodeError as error:
        raise VotesError(f"{name} cannot be read as JSON lines: line {number} ({error.msg}).") from error


def _markup(source: Source) -> Markup:
    from xml.etree.ElementTree import ParseError

    import defusedxml
    from defusedxml.ElementTree import parse

    try:
        with source.binary() as file:
            root = parse(file).getroot()
    except (ParseError, defusedxml.DefusedXmlException) as error:
        raise VotesError(f"{source.name} cannot be read as XML ({error}).") from error
    if root is None:
        raise VotesError(f"{source.name} is an empty XML file.")
    return Markup(source.name, root)


def _excel(source: Source) -> Sheet:
    require("openpyxl")
    from zipfile import BadZipFile

    import openpyxl

    try:
        with source.binary() as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            table = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
            others = [one.title for one in book.worksheets[1:]]
    except (BadZipFile, KeyError, ValueError, IndexError) as error:
        raise VotesError(f"{source.name} cannot be read as an Excel file ({error}); save it as CSV.") from error
    notes = (f"only the first sheet, {sheet.title!r}, was read; there is also {', '.join(others)}.",) if others else ()
    return _of_lists(source, table, notes)


def _parquet(source: Source) -> Sheet:
    require("pyarrow")
    import pyarrow
    import pyarrow.parquet

    try:
        with source.binary() as file:
            table = pyarrow.parquet.read_table(file)
    except pyarrow.ArrowException as error:
        raise VotesError(f"{source.name} cannot be read as Parquet ({error}).") from error
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return _of_lists(source, [list(table.column_names), *rows], ())


def _cell(value: object) -> str:
    """A typed cell as text: whole numbers without a decimal point, as they were written."""
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    return text_of(value)


def _of_lists(source: Source, table: list[list[str]], notes: tuple[str, ...]) -> Sheet:
    lines = [(line, row) for line, row in enumerate(table, 1) if any(row)]
    if not lines:
        raise VotesError(f"{source.name} has no header in its first line; it needs worker,task,label.")
    header = lines[0][1]
    width = max((place for place, name in enumerate(header, 1) if name), default=0)

    def rows() -> Iterator[tuple[int, list[str]]]:
        for line, row in lines[1:]:
            yield line, [] if any(row[width:]) else (row + [""] * width)[:width]

    return Sheet(source.name, tuple(header[:width]), rows, notes, unit="row")
