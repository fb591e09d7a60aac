"""Numbers with their nouns, and texts that others wrote, for people."""

from __future__ import annotations

import re

__all__ = ["counted", "noun", "one_line", "printable"]

# Controls but line end and tab, separators that end a line, and marks that turn the direction of writing (Unicode,
# UAX #9): a terminal would obey them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 face", "2 faces", "1,200 batches": `many` where it is not `one` with an s."""
    return f"{number:,} {noun(number, one, many)}"


def noun(number: int, one: str, many: str = "") -> str:
    """The word that stands beside the number, a noun or a verb: `many` where it is not `one` with an s."""
    return one if number == 1 else many or f"{one}s"


def printable(text: str) -> str:
    """The text with what a terminal would obey written out, as `\\u001b`; line ends and tabs stay."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def one_line(text: str) -> str:
    """A text that others wrote (a comment, a name, a file's name) in one line: it cannot pass for a line of ours."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")
