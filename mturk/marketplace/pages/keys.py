"""The keys of the pages that workers answer: the usual ones, a set for the left-handed, or somebody's own.

A choice is written as ten keys in the order of `DOES`; the page takes each for the usual key in the same place. Digits,
arrows, Space, Enter, Delete and Ctrl+Z are everybody's, whatever was chosen. `templates/hit/words.js` reads the choice.
"""

from __future__ import annotations

from collections.abc import Mapping

from .words import said

__all__ = ["DOES", "SETS", "own_keys", "taken_keys", "written_keys"]

DOES = {
    "first": "the first answer",
    "second": "the second answer",
    "third": "the third answer",
    "fourth": "the fourth answer",
    "fifth": "the fifth answer",
    "sixth": "the sixth answer",
    "large": "one face large",
    "rest": "an answer for all that is left",
    "how": "how to do it",
    "show": "show a covered picture",
}
"""What a key does on a page, in the order of `_USUAL` → how people say it."""
_USUAL = "123456zrhv"
SETS: Mapping[str, str] = {"": _USUAL, "left": "jkluiopnhm"}
"""The sets by their codes; "" is the usual one, `left` lies under the right hand."""


def taken_keys(chosen: str) -> str:
    """Ten keys of a choice: the code of a set, or the keys themselves. "" for the usual ones and for what is none."""
    if chosen in SETS:
        return SETS[chosen] if chosen else ""
    return "" if _trouble(chosen) else chosen


def own_keys(given: Mapping[str, str]) -> tuple[str, str]:
    """Somebody's own keys as they are kept, and what is wrong with them ("" where nothing is)."""
    chosen = "".join(given.get(f"key-{name}", "").strip().lower()[:1] or " " for name in DOES)
    return chosen, _trouble(chosen)


def written_keys(keys: str) -> str:
    """The keys and what each does, for people."""
    return ", ".join(f"{key.upper()} {said(what)}" for key, what in zip(keys, DOES.values(), strict=True))


def _trouble(keys: str) -> str:
    """Why ten keys do not do; "" where they do."""
    if len(keys) != len(DOES):
        return "Choose a key for each of the ten."
    for place, key in enumerate(keys):
        if key.isspace() or not key.isprintable() or key != key.lower() or len(key.encode()) > 4:
            return "Each needs a key: one letter or sign."
        if key.isdigit() and key != _USUAL[place]:
            return "The digits stay the answers' own: choose letters or signs."
        if key in keys[:place]:
            return f"The key {key.upper()} is there twice: choose another one."
    return ""
