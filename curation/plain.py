"""Texts that others wrote (names of files and people, comments, cells of tables) as they may be shown on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["lines", "one_line", "printable"]

# Controls but line end and tab, separators that end a line, and marks that turn the direction of writing (Unicode,
# UAX #9): a terminal would obey them. A file name that is not UTF-8 comes as lone surrogates, which nothing can write.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text with what a terminal would obey written out, as `\\u001b`; line ends and tabs stay."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def one_line(text: str) -> str:
    """A text that others wrote (a comment, a name, a file's name) in one line: it cannot pass for a line of ours."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")


def lines(parts: Iterable[str]) -> str:
    """A text of several lines, each of them really one."""
    return "\n".join(map(one_line, parts))
