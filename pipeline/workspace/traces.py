"""Where a name still stands in a workspace: every file of it is read, byte by byte."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from .held import LOCKS

__all__ = ["files_below", "name_pattern", "names_in", "same_name"]

_BLOCK = 8 << 20
_SHORT = 5
"""A name of fewer letters turns up in pictures and models by chance; there it is not looked for."""


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one person's: case and spaces do not count."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def name_pattern(name: str) -> re.Pattern[bytes]:
    """The name as it may stand in a file: any case; words joined by a space, `-`, `_`, `.` or nothing, as file names
    have them; as UTF-8, in JSON's escapes and in an address. Not inside a longer word."""
    words = name.split()
    parts = [b"(?:" + b"|".join(re.escape(item) for item in _spellings(word)) + b")" for word in words]
    joined = rb"(?:[ _.+-]|%20|\\u0020|\s)*".join(parts)
    return re.compile(rb"(?<![A-Za-z0-9])" + joined + rb"(?![A-Za-z0-9])", re.IGNORECASE)


def _spellings(word: str) -> list[bytes]:
    forms = {word, word.casefold(), word.upper(), word.title()}
    found = {form.encode() for form in forms}
    found |= {json.dumps(form)[1:-1].encode() for form in forms}
    found |= {quote(form).encode() for form in forms}
    return sorted(found, key=len, reverse=True)


def files_below(root: Path) -> Iterator[Path]:
    """Every file of the workspace, without following links out of it; but not the locks, which are always empty:
    closing one after reading would let this process's own lock on it go."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink() and name not in LOCKS:
                yield path


def names_in(root: Path, name: str) -> Iterator[Path]:
    """The files below `root` that hold the name, in their own name or in their bytes. Unreadable ones count."""
    pattern = name_pattern(name)
    short = len(name) < _SHORT
    for path in files_below(root):
        if pattern.search(os.fsencode(path.relative_to(root))) or _holds(path, pattern, short):
            yield path


def _holds(path: Path, pattern: re.Pattern[bytes], short: bool) -> bool:
    kept = b""
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                data = kept + block
                if short and b"\0" in data[:4096] and not data.startswith(b"SQLite format 3"):
                    return False
                if pattern.search(data):
                    return True
                kept = data[-1024:]
    except OSError:
        return True
    return False
