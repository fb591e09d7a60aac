"""The keys of the grid of faces and of one face large: the usual ones, a set for the left-handed, or a person's own.

Arrows, Space, Escape, Enter and the digits of the answers are everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...mturk.marketplace.pages.keys import SETS as PAGE_SETS
from ...mturk.marketplace.pages.keys import taken_keys
from ...mturk.marketplace.pages.words import said
from ..errors import PipelineError

__all__ = ["DOES", "SETS", "keys_of", "own_keys", "page_keys", "written_keys"]

DOES = {
    "keep": "keep the face",
    "reject": "reject as last",
    "all": "mark all",
    "large": "one face large",
    "like": "all like this one",
    "undo": "take back",
}
"""What a key does → how pages say it."""
SETS: Mapping[str, Mapping[str, str]] = {
    "": {"keep": "k", "reject": "x", "all": "a", "large": "z", "like": "l", "undo": "u"},
    # Under the right hand, where the left one holds the mouse.
    "left": {"keep": "j", "reject": "k", "all": "i", "large": "l", "like": "o", "undo": "u"},
}
"""The sets by their codes; "" is the usual one."""


def keys_of(chosen: str) -> dict[str, str]:
    """What is done → its key. `chosen` is the code of a set, or six keys in the order of `DOES`; anything else counts
    as the usual set."""
    if chosen in SETS:
        return dict(SETS[chosen])
    return dict(zip(DOES, chosen, strict=True)) if not _trouble(chosen) else dict(SETS[""])


def own_keys(given: Mapping[str, str]) -> str:
    """A person's own keys as they are kept. Raises PipelineError, which says what is wrong with them."""
    chosen = {name: given.get(name, "").strip().lower() for name in DOES}
    for name, key in chosen.items():
        if len(key) != 1:
            raise PipelineError(f"“{DOES[name]}” needs a key: one letter or sign.")
    trouble = _trouble("".join(chosen.values()))
    if trouble:
        raise PipelineError(trouble)
    return "".join(chosen.values())


def page_keys(chosen: str) -> str:
    """The same choice on a page as workers answer it, which has letters of its own: the left-handed set, or of a
    person's own keys the one that both have, for one face large. "" for the usual ones."""
    if chosen in SETS:
        return taken_keys(chosen)
    return PAGE_SETS[""].replace("z", keys_of(chosen)["large"])


def written_keys(keys: Mapping[str, str]) -> str:
    """The keys and what each does, for people."""
    return ", ".join(f"{key} {said(DOES[name])}" for name, key in keys.items())


def _trouble(keys: str) -> str:
    """Why six keys do not do; "" where they do."""
    if len(keys) != len(DOES):
        return f"There are {len(DOES)} keys to choose."
    taken: dict[str, str] = {}
    for name, key in zip(DOES, keys, strict=True):
        if not key.isprintable() or key.isspace() or key != key.lower() or len(key.encode()) > 4:
            return f"“{DOES[name]}” needs a key: one letter or sign."
        if key.isdigit():
            return f"The digits are the answers: choose another key than {key} for “{DOES[name]}”."
        if key in taken:
            twice = f"“{DOES[taken[key]]}” and “{DOES[name]}”"
            return f"The key {key} is there twice, for {twice}: choose another one."
        taken[key] = name
    return ""
