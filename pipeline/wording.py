"""Numbers with their nouns, and texts that others wrote, for people."""

from __future__ import annotations

from ..curation.plain import lines, one_line, printable, typed

__all__ = ["counted", "lines", "noun", "one_line", "printable", "typed"]


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 face", "2 faces", "1,200 batches": `many` where it is not `one` with an s."""
    return f"{number:,} {noun(number, one, many)}"


def noun(number: int, one: str, many: str = "") -> str:
    """The word that stands beside the number, a noun or a verb: `many` where it is not `one` with an s."""
    return one if number == 1 else many or f"{one}s"
