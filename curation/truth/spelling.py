"""Labels that are the same thing, written differently: `Keep` and `keep`, 1 and 1.0, a letter composed or not.

Each group goes by its most frequent spelling. What is folded is said, never silent, and can be switched off.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Spelling", "is_missing", "same_name", "spelling_of"]

_MISSING = frozenset({"nan", "<na>", "#n/a", "null"})
"""What programs write for a cell that is empty."""
_PERHAPS = frozenset({"na", "n/a", "none"})
"""The same where others of it are in the file; alone they may be an answer."""
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
_BOOLEANS = {"true": "1", "false": "0"}
_PARTS = re.compile(r"\s*[|;]\s*")


def same_name(text: str) -> str:
    """A name with its letters composed (Unicode NFC) and nothing around it; case stays."""
    return unicodedata.normalize("NFC", text).strip()


def is_missing(text: str, others: bool) -> bool:
    """Whether a cell says that it is empty; `others`: whether some are surely so."""
    folded = text.casefold()
    return folded in _MISSING or (others and folded in _PERHAPS)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Label as written → label as counted (empty: no label), and what to say about it."""

    label: Mapping[str, str]
    notes: tuple[str, ...]

    def of(self, label: str) -> str:
        """The label as counted, also for one that nobody wrote just so."""
        return self.label.get(label) or self.label.get(same_name(label)) or self._like(label)

    def _like(self, label: str) -> str:
        key = _key(label, booleans=False)
        return next((to for written, to in self.label.items() if to and _key(written, booleans=False) == key), label)


def spelling_of(counts: Mapping[str, int], *, exact: bool = False) -> Spelling:
    """How the labels that came so often are counted. With `exact` only letters are composed and spaces stripped,
    and what says that there is no label is none."""
    whole = {label for label in counts if label}
    missing = {label for label in whole if is_missing(label, any(is_missing(one, False) for one in whole))}
    if exact:
        exactly = {label: "" if label in missing else same_name(label) for label in counts}
        return Spelling(exactly, tuple(_notes([], exactly, missing, counts, parted=(), composed=False)))
    booleans = {_key(label, booleans=True) for label in whole - missing} == {"0", "1"}
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted(whole - missing):
        groups[_key(label, booleans=booleans)].append(label)
    groups, parted = _combinations(groups)
    named = {
        label: same_name(max(group, key=lambda one: (counts[one], -len(one), one)))
        for group in groups.values()
        for label in group
    }
    named |= dict.fromkeys(missing, "")
    folded = [group for group in groups.values() if len({same_name(label) for label in group}) > 1]
    composed = any(len(group) > 1 and len({same_name(label) for label in group}) == 1 for group in groups.values())
    return Spelling(named, tuple(_notes(folded, named, missing, counts, parted=parted, composed=composed)))


def _key(label: str, *, booleans: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", label).casefold().split())
    if _NUMBER.fullmatch(text):
        number = float(text)
        return str(int(number)) if number.is_integer() else repr(number)
    return _BOOLEANS.get(text, text) if booleans else text


def _combinations(groups: Mapping[str, list[str]]) -> tuple[dict[str, list[str]], list[str]]:
    """The same groups with combinations of answers in one order, and those combinations.

    A cell holds several answers where each part is an answer elsewhere, alone or in another combination.
    """
    parts = {key: _PARTS.split(key) for key in groups}
    used = Counter(part for found in parts.values() for part in set(found))
    found: dict[str, list[str]] = defaultdict(list)
    several = []
    for key, labels in groups.items():
        if len(parts[key]) > 1 and any(used[part] > 1 for part in parts[key]):
            key = "|".join(sorted(set(parts[key])))
            several.append(labels[0])
        found[key] += labels
    return dict(found), several


def _notes(
    folded: Sequence[Sequence[str]],
    named: Mapping[str, str],
    missing: Iterable[str],
    counts: Mapping[str, int],
    *,
    parted: Sequence[str],
    composed: bool,
) -> Iterable[str]:
    for group in folded[:5]:
        others = ", ".join(repr(label) for label in group if label != named[label])
        yield f"{others} counted as {named[group[0]]!r}: the same, written differently (--exact-labels keeps them)."
    if len(folded) > 5:
        yield f"{len(folded) - 5} more groups of labels that are the same, written differently, were joined."
    if composed:
        yield "labels that look the same but hold their accents differently (Unicode) were joined."
    empty = sorted(missing)
    if empty:
        rows = sum(counts[label] for label in empty)
        yield f"{rows} row{'' if rows == 1 else 's'} left out: the label says that there is none ({', '.join(empty)})."
    if parted:
        yield (
            f"{len(parted)} label{'' if len(parted) == 1 else 's'} hold several answers ({parted[0]}): each "
            "combination counts as one label, whatever its order. To decide on each answer, ask one question each."
        )
