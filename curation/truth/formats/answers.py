"""Answers to one question or several → one label a vote: which question is meant, and what a task is.

A page of twelve faces hands in twelve answers, all from the same few labels: each is a task of its own. A form that
asks two different things hands in two questions, and somebody has to say which is meant.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from .types import Answer, Reading, Wish, refuse

__all__ = ["joined", "resolve"]

_DIGITS = re.compile(r"\d+")
_FREE_TEXT = 30
"""A question with more different answers than this, half of them given once, was typed: no vote."""


def joined(label: str | Sequence[str]) -> str:
    """Several labels as one cell, in their own order."""
    return label if isinstance(label, str) else "|".join(part for part in label if part)


def resolve(
    form: str,
    name: str,
    answers: Sequence[Answer],
    wish: Wish,
    *,
    notes: Iterable[str] = (),
    gold: Mapping[str, str] | None = None,
    unit: str = "line",
) -> Reading:
    """The votes in `answers` on the one question there is, the one wished for, or on every cell of a page.

    `gold` is by task. Raises VotesError where several questions are left and none is named.
    """
    said = list(notes)
    values = _values(answers)
    chosen, left = _chosen(name, values, wish)
    if left:
        said.append(f"not read as votes: {', '.join(left)} (typed text, or the same for all).")
    if len(chosen) > 1:
        said.append(f"{len(chosen)} answers a page with the same labels: each ({', '.join(chosen[:4])} …) is a task.")
    rows = [
        (one, f"{one.task}#{question}" if len(chosen) > 1 else one.task, joined(one.given[question]))
        for one in answers
        for question in chosen
        if question in one.given
    ]
    return Reading(
        form,
        [one.worker for one, _, _ in rows],
        [task for _, task, _ in rows],
        [label for _, _, label in rows],
        [one.line for one, _, _ in rows],
        [one.seconds for one, _, _ in rows],
        [one.submitted for one, _, _ in rows],
        (f"read as {form}.", *said),
        dict(gold or {}) if len(chosen) == 1 else {},
        unit,
    )


def _values(answers: Sequence[Answer]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in answers:
        for question, label in one.given.items():
            found[question][joined(label)] += 1
    return found


def _chosen(name: str, values: Mapping[str, Counter[str]], wish: Wish) -> tuple[list[str], list[str]]:
    """The questions to read, and those that were left aside without being asked for."""
    if not values:
        raise refuse(name, "holds no answer.")
    if wish.label is not None:
        wanted = [one for one in values if one in (wish.label, wish.label.removeprefix("Answer."))]
        if not wanted:
            raise refuse(name, f"has no answer {wish.label}; it has {', '.join(values)}.")
        return wanted, []
    votes = [one for one, counts in values.items() if not _typed(counts) and any(counts)]
    left = [one for one in values if one not in votes]
    if len(votes) == 1 or (votes and (_numbered(votes) or _same_labels([values[one] for one in votes]))):
        return votes, left
    shown = "; ".join(f"{one} ({', '.join(map(str, list(values[one])[:4]))})" for one in list(values)[:8])
    raise refuse(name, f"asks several questions: {shown}. Name one of them with --label-column.")


def _typed(counts: Counter[str]) -> bool:
    return len(counts) > _FREE_TEXT and 2 * sum(count == 1 for count in counts.values()) > len(counts)


def _numbered(questions: Sequence[str]) -> bool:
    """face1, face2, face3: one question, asked again and again."""
    return len({_DIGITS.sub("0", one) for one in questions}) == 1


def _same_labels(questions: Sequence[Counter[str]]) -> bool:
    """Whether all answers come from one set of labels: each question shares a label with the most varied one."""
    widest = max((set(counts) for counts in questions), key=len)
    return all(set(counts) - {""} <= widest | {""} for counts in questions)
