"""CSV that people open in a spreadsheet: text that would be run as a formula gets an apostrophe before it.

A label, a worker's name or a comment comes from outside; `=HYPERLINK(…)` in a cell would be computed when the file is
opened (OWASP, “CSV injection”). Reading takes the apostrophe away again, so that our own files come back as they were.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_text", "neutral", "restored"]

# Also behind a space or a line end, which some trim, and in the full width of East Asian keyboards.
_START = r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"'*{_START}")
_QUOTED = re.compile(rf"'+{_START}")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?%?")


def neutral(text: str) -> str:
    """`text` as a cell that no spreadsheet computes; plain numbers stay as they are."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restored(cell: str) -> str:
    """What `neutral` was given."""
    return cell[1:] if _QUOTED.match(cell) else cell


def csv_text(frame: pd.DataFrame) -> str:
    """The frame as CSV for a spreadsheet, without its index."""
    safe = frame.copy()
    for column in safe.columns:
        if safe[column].dtype == object or str(safe[column].dtype) in ("string", "str"):
            safe[column] = [neutral(cell) if isinstance(cell, str) else cell for cell in safe[column]]
    safe.columns = [neutral(str(column)) for column in safe.columns]
    text = str(safe.to_csv(index=False))
    # Python's csv does not quote a lone carriage return, which ends a row for others: what follows would begin one.
    return str(safe.to_csv(index=False, quoting=csv.QUOTE_ALL)) if "\r" in text else text
