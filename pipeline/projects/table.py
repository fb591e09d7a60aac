"""A spreadsheet's rows for a project: read in any encoding and separator, checked against the page's variables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ...curation.spreadsheet import restored
from ...curation.truth.formats.detect import sheet_of
from ..errors import StageError
from ..wording import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows as text; `notes` say in sentences what a person may not expect."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The same for the same cells, however the file was encoded or separated."""
        return hashlib.sha256(json.dumps([self.columns, self.rows]).encode()).hexdigest()

    def part(self, start: int, count: int) -> Table:
        """So many rows from one on."""
        return Table(self.columns, self.rows[start : start + count])

    def frame(self) -> pd.DataFrame:
        """The cells as a table of text."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns), dtype=str)

    def dicts(self) -> Iterator[dict[str, str]]:
        """Each row by column name."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


def read_table(path: Path, wanted: Sequence[str], *, called: str = "") -> Table:
    """The rows of a file (CSV, Excel, Parquet, JSON lines) that has a column for each wanted variable; messages name
    it as `called`.

    Raises StageError for a variable without a column, a column that is there twice, a row with more cells than the
    header, and a file without rows; VotesError where the file cannot be read.
    """
    sheet = sheet_of(path, tuple(wanted))
    sheet = replace(sheet, name=called or sheet.name)
    _check_columns(sheet.name, sheet.header, wanted)
    lines, rows = [], []
    for line, row in sheet.rows():
        if not row:
            raise StageError(
                f"{sheet.name}, {sheet.unit} {line}: more cells than the {len(sheet.header)} columns of the header. "
                "Put quotation marks around cells that hold the separator."
            )
        if any(row):
            lines.append(line)
            rows.append(tuple(restored(cell) for cell in row))  # what we wrote for a spreadsheet comes back as it was
    if not rows:
        raise StageError(f"{sheet.name} has a header and no rows; every row becomes a HIT.")
    unused = [name for name in sheet.header if name not in wanted]
    notes = list(sheet.notes)
    if unused:
        notes.append(f"Not on the page, but in the results: {', '.join(unused)}.")
    for name in wanted:
        place = sheet.header.index(name)
        empty = [line for line, row in zip(lines, rows, strict=True) if not row[place]]
        if empty:
            notes.append(f"{counted(len(empty), 'cell')} of {name} empty, first in {sheet.unit} {empty[0]}.")
    return Table(tuple(sheet.header), tuple(rows), tuple(notes))


def _check_columns(name: str, header: Sequence[str], wanted: Sequence[str]) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise StageError(f"{name} has the column {twice[0] or '(no name)'} twice; give each its own name.")
    missing = [column for column in wanted if column not in header]
    if not missing:
        return
    like = get_close_matches(missing[0], header, 1)
    hint = f" Is {like[0]} meant?" if like else ""
    raise StageError(
        f"{name} has no column {', '.join(missing)}, which the template uses as ${{{missing[0]}}}; "
        f"it has {', '.join(column or '(no name)' for column in header)}.{hint} Nothing was sent."
    )
