"""One line a worker: pay, look at, or stop asking, and the evidence in a sentence.

Work that was handed in is paid whatever the line says: it is about what to ask next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .signals import ENOUGH_GOLD, Flag, Told

__all__ = ["Advice", "Next", "advice_on"]

_PROOF = frozenset({"fails gold"})
_OF_PEOPLE = frozenset({"tiring"})
_OF_BLIND = frozenset({"one answer", "straight line", "too fast", "copy-like"})


class Next(StrEnum):
    """What to do about a worker."""

    PAY = "pay"
    LOOK = "look at"
    STOP = "stop asking"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, and the evidence for it."""

    next: Next
    why: str


class Share(Protocol):
    """Hits of a total: see `workers.Rate`."""

    @property
    def hits(self) -> int: ...

    @property
    def total(self) -> int: ...


def advice_on(flags: Sequence[Flag], told: Told, agreement: Share, gold: Share, things: str) -> Advice:
    """Stop asking where known answers, or two signs together, show blind answers; else look at flags; else pay.

    Who tires answers for themselves: the line says so, and pays.
    """
    kinds = {flag.kind for flag in flags}
    blind = told is Told.BLIND and (kinds & _OF_BLIND or gold.total >= ENOUGH_GOLD)
    if kinds & _PROOF or blind:
        strongest = [flag for flag in flags if flag.kind in _PROOF] or [
            flag for flag in flags if flag.kind == "guessing"
        ]
        return Advice(Next.STOP, (strongest or list(flags))[0].evidence)
    signs = [flag for flag in flags if flag.kind not in _OF_PEOPLE]
    if signs:
        return Advice(Next.LOOK, signs[0].evidence)
    why = " ".join([_in_favour(told, agreement, gold, things), *(flag.evidence for flag in flags)])
    return Advice(Next.PAY, why)


def _in_favour(told: Told, agreement: Share, gold: Share, things: str) -> str:
    known = f"right on {gold.hits} of {gold.total} known {things}" if gold.total else ""
    others = f"agrees with the others on {agreement.hits} of {agreement.total} {things}" if agreement.total else ""
    seen = "; ".join(part for part in (known, others) if part) or "nobody else has voted on the same"
    if told is Told.TOO_FEW:
        return f"{seen[0].upper()}{seen[1:]}; too few to tell."
    return f"{seen[0].upper()}{seen[1:]}."
