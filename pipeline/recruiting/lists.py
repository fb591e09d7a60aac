"""People and completion codes from the lists that panels and teachers have: spreadsheets in any encoding, or lines."""

from __future__ import annotations

from pathlib import Path

from ...curation.truth.formats.detect import sheet_of
from ..errors import StageError

__all__ = ["codes_in_file", "people_in_file", "people_in_lines"]


def people_in_file(path: Path, *, called: str = "") -> list[tuple[str, str]]:
    """(participant, session) of every row that names somebody; without a column session it is the participant.

    Raises StageError for a file without a column participant, VotesError for one that cannot be read.
    """
    return [(who, session or who) for who, session in _cells(path, called, "participant", "session")]


def people_in_lines(text: str) -> list[tuple[str, str]]:
    """(participant, session) of every line: one participant, who is the session, too."""
    return [(who, who) for line in text.splitlines() if (who := line.strip())]


def codes_in_file(path: Path, *, called: str = "") -> list[str]:
    """The completion codes in the column `code`. Raises as people_in_file does."""
    return [code for code, _ in _cells(path, called, "code", "")]


def _cells(path: Path, called: str, first: str, second: str) -> list[tuple[str, str]]:
    """The cells of two columns, where the first has something; the second column may be missing."""
    sheet = sheet_of(path, (first,))
    names = [name.strip().lower() for name in sheet.header]
    if first not in names:
        there = ", ".join(name or "(no name)" for name in sheet.header)
        raise StageError(f"{called or sheet.name} has no column {first}; it has {there}.")
    one, other = names.index(first), names.index(second) if second in names else None
    found = []
    for _, row in sheet.rows():
        cell = row[one].strip() if row else ""
        if cell:
            found.append((cell, "" if other is None else row[other].strip()))
    return found
