"""Texts that others wrote (names of files and people, comments, cells of tables) as they may be shown on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

__all__ = ["lines", "one_line", "printable", "typed"]

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


def typed(path: Path | str) -> str:
    """A path as it is typed after a command: in one line, quoted, and never taken for an option."""
    text = f"./{path}" if str(path).startswith("-") else str(path)
    if not re.search(r"[\n\t]", text) and not _CONTROLS.search(text):
        return quote(text)
    # Bash and zsh know these escapes; a byte that is no UTF-8 comes as a lone surrogate (PEP 383).
    text = re.sub(r"[\\']", lambda found: f"\\{found.group()}", text).replace("\n", "\\n").replace("\t", "\\t")
    return f"$'{_CONTROLS.sub(lambda found: _escaped(found.group()), text)}'"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
