"""Names of what comes in: the letters of the world are kept, and no two things ever get one name.

A name is no identity. Reducing one to what every file system takes may make two equal, so nothing is reduced here
without looking at what is taken already.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["MOST_BYTES", "NUMBERED", "clean_name", "folded", "in_order", "unique_name", "unique_names"]

MOST_BYTES = 72
"""UTF-8 bytes of a clean name. A face's PNG is `<source>_<picture>_<index>.png` with a prefix while it is written, and
a file's name may have 255."""
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
NUMBERED = re.compile(r"(?P<name>.*?)(?P<number>\d+)")
"""A name that ends in a number, as those of a film's frames do."""
_MARK_BYTES = 9
"""A hyphen and eight digits, at the end of a name that was too long."""


def clean_name(text: str, empty: str = "source") -> str:
    """A name that is safe in paths, alignments keys and on every file system; `empty` where nothing is left.

    Letters, marks and digits of every script stay, in their composed form (NFC); everything else but a full stop
    becomes a hyphen. Longer names end in a digest of the whole. Different texts may give one name: see `unique_name`.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(char if char == "." or unicodedata.category(char)[0] in "LMN" else " " for char in composed)
    name = "-".join(kept.split()).strip("-.") or empty
    if _RESERVED.fullmatch(name):
        name = f"{empty}-{name}"
    return _shortened(name, composed)


def _shortened(name: str, whole: str) -> str:
    data = name.encode("utf-8", "replace")
    if len(data) <= MOST_BYTES:
        return name
    digest = hashlib.blake2b(whole.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    head = data[: MOST_BYTES - _MARK_BYTES].decode("utf-8", "ignore").rstrip("-.")
    return f"{head}-{digest}"


def in_order(names: Sequence[str]) -> list[str]:
    """Names that differ in the number at their end alone, with as many digits each, so that 2 comes before 10; others
    as they are."""
    ends = [found for found in map(NUMBERED.fullmatch, names) if found is not None]
    if len(ends) < len(names) or len({end["name"] for end in ends}) != 1:
        return list(names)
    width = max(len(end["number"]) for end in ends)
    return [f"{end['name']}{end['number'].zfill(width)}" for end in ends]


def folded(name: str) -> str:
    """What a file system may hold for the same name: without case, in its compatible composed form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def unique_name(text: str, taken: set[str], empty: str = "source") -> str:
    """`clean_name(text)`, numbered from 2 where it is in `taken` (folded names); its own is put there."""
    name = clean_name(text, empty)
    candidate, number = name, 1
    while folded(candidate) in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(folded(candidate))
    return candidate


def unique_names(texts: Iterable[str], empty: str = "source") -> list[str]:
    """A clean name for each text, in order, all different on every file system."""
    taken: set[str] = set()
    return [unique_name(text, taken, empty) for text in texts]
