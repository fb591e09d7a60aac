"""What a page of faces asks and what its answers mean: a page → the values on offer, the posted answers → votes.

One look answers both questions where a picture of the person exists (`both`): keep, or what is wrong. In the votes they
stay two: who keeps a face says that it is usable and the person's; "another person" rejects and is another identity;
what is no face, blurred, covered or cut wrongly says nothing about who it is; who "cannot tell" finds no fault with the
picture itself, and the person is asked for apart.
Identity alone (`identity`, `pair`, `merge`) is asked where use is settled and who it is is not.

**Nothing is answered silently.** A face that the worker did not mark carries no vote. Pages where most faces are good
would be slow that way, so the page asks one more question, `rest`: shall the unmarked faces count as that, or stay
without an answer? Neither is preselected, and the page does not send unmarked faces before one is chosen.
"Keep by default" saves the same clicks but cannot be told from not having looked; an explicit confirmation can.
A worker may also skip single faces (`skip`: no vote, no question asked): faces are people, and some pictures are
hard to look at.

On pages of groups (`cluster`, `merge`) one answer stands for all faces of a group but for those marked otherwise. Such
an answer, like `rest`, is one look at several faces, not as many opinions: `TileAnswer.by` and `Vote.look` tell it.

Field names are fixed here and nowhere else: `face.<key>` (label, `reject:<reason>`, `keep:covered` or `skip`),
`group.<number>`, `rest`, `comment`, `elapsed` (milliseconds in which the page was visible, told by the page, so a hint
and not a measurement).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from ...curation.types import LABELS, REASONS, PageKind, Question, Side
from ...mturk.requester.errors import BadAnswer
from .words import CHOICES, KEEP, REST

__all__ = [
    "SKIP",
    "Choice",
    "Example",
    "GridTask",
    "Meaning",
    "PageKind",
    "Picture",
    "Tile",
    "TileAnswer",
    "choices_for",
    "elapsed_seconds",
    "look_of",
    "meanings",
    "parse_answers",
    "reasons_for",
    "rest_for",
]

SKIP = "skip"
"""Value of a face that the worker does not want to answer; it becomes no vote."""

KEEP_COVERED = "keep:covered"
"""Of side A: the right face, with something before it. It is kept, and training learns what not to swap over."""
_SIDE_A_REASONS = ("not_a_face", "another_person", "bad_crop")
_MAX_ELAPSED_MS = 24 * 3600 * 1000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Picture(NamedTuple):
    """A picture's address; `large` is that of the same one with more pixels, "" where there is none. With `clear`,
    `url` is a blurred one, and `clear` what a tap brings."""

    url: str
    large: str = ""
    clear: str = ""


class Tile(NamedTuple):
    """One face of a page: an opaque key, made by the requester and never a face id or a file name, and its picture.
    `group` counts from 1; 0 stands alone. `clear` as in Picture."""

    key: str
    url: str
    large: str = ""
    group: int = 0
    clear: str = ""


class Example(NamedTuple):
    """A picture in the instructions: `value` is the answer that is right for it, e.g. `reject:blurred`."""

    url: str
    value: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class GridTask:
    """One page of faces.

    `seconds` is the expected working time of the whole page; without a `reward` nothing is said of pay. Empty `title`
    and `instructions` take the words of the kind and side; `instructions` are paragraphs separated by line breaks.
    `marked` are fields that are filled in already (a page that is opened again). Raises ValueError for a page without
    faces, with a key twice or of other characters than letters, digits, - and _, or without the pictures that it needs.
    """

    page: PageKind
    side: Side
    tiles: Sequence[Tile]
    reward: Decimal = Decimal(0)
    seconds: int = 0
    references: Sequence[Picture] = ()
    examples: Sequence[Example] = ()
    title: str = ""
    instructions: str = ""
    currency: str = "$"
    marked: Mapping[str, str] | None = None

    def check(self) -> None:
        """Raise ValueError where the page cannot be asked."""
        keys = [tile.key for tile in self.tiles]
        if not keys:
            raise ValueError("a HIT needs at least one face")
        if len(set(keys)) != len(keys):
            raise ValueError("two faces of a HIT have the same key")
        if not all(_KEY.fullmatch(key) for key in keys):
            raise ValueError("a face's key is made of letters, digits, - and _")
        if self.page.shows_person and not self.references:
            raise ValueError(f"a page of kind {self.page} needs at least one reference photograph: choose some")

    def grouped(self) -> dict[int, list[Tile]]:
        """The tiles by group, in order."""
        found: dict[int, list[Tile]] = {}
        for tile in self.tiles:
            found.setdefault(tile.group if self.page.grouped else 0, []).append(tile)
        return found


class Choice(NamedTuple):
    """One answer that a worker can give: `mark` is how the page draws it, `digit` the key that gives it."""

    value: str
    name: str
    meaning: str
    mark: str
    digit: int


class TileAnswer(NamedTuple):
    """One face's answer. `by` says how it was given: `face` for itself, `rest` with all unmarked ones, or the number of
    the group that was answered at once."""

    key: str
    value: str
    by: str = "face"


class Meaning(NamedTuple):
    """What an answer says on one question."""

    question: Question
    label: str
    reason: str | None = None


def reasons_for(side: Side) -> tuple[str, ...]:
    """The reasons for which a face of this side may be rejected: on A, blur and cover are no reasons."""
    return tuple(reason for reason in REASONS if side is Side.B or reason in _SIDE_A_REASONS)


@cache
def choices_for(page: PageKind, side: Side) -> tuple[Choice, ...]:
    """The answers that are offered, the good one first, `skip` last."""
    values = []
    if Question.USABLE in page.questions:
        reasons = [item for item in reasons_for(side) if page.shows_person or item != "another_person"]
        values += ["keep", *(f"reject:{reason}" for reason in reasons), *([KEEP_COVERED] if side is Side.A else [])]
        values += ["cannot_tell"] if Question.IDENTITY in page.questions else []
    else:
        values += LABELS[Question.IDENTITY]
    words = CHOICES | {"keep": KEEP[side, page.shows_person]}
    return tuple(Choice(value, *words[value], digit) for digit, value in enumerate([*values, SKIP], start=1))


def rest_for(page: PageKind) -> tuple[str, str]:
    """What faces may be confirmed to be that were left unmarked, and the words for it."""
    bad = {PageKind.MERGE: "different", PageKind.FIND: "reject"}
    return bad.get(page) or choices_for(page, Side.A)[0].value, REST[page]


def meanings(page: PageKind, value: str) -> tuple[Meaning, ...]:
    """The votes that an answer amounts to."""
    label, _, reason = value.partition(":")
    if label in ("", SKIP):
        return ()
    if page.questions == (Question.IDENTITY,):
        return (Meaning(Question.IDENTITY, label),)
    if label == "cannot_tell":
        # What is wrong with the picture was on offer and not chosen.
        return (Meaning(Question.USABLE, "keep"), Meaning(Question.IDENTITY, label))
    use = Meaning(Question.USABLE, label, reason or None)
    who = "same" if label == "keep" else {"another_person": "different"}.get(reason)
    if Question.IDENTITY not in page.questions or who is None:
        return (use,)
    return (use, Meaning(Question.IDENTITY, who))


def look_of(page: PageKind, by: str) -> str:
    """How a vote is marked that was given on such a page: votes of one assignment with the same mark are one look,
    unless they were given face by face."""
    return f"{page}:{by}"


def parse_answers(task: GridTask, answers: Mapping[str, str]) -> list[TileAnswer]:
    """What a worker said of each face, in the order of the task's tiles.

    A face that is missing or skipped has no entry; unmarked ones carry their group's answer, else what `rest` confirms.
    Raises BadAnswer for a face or a group that is not in the task or a value that was not offered.
    """
    offered = {choice.value for choice in choices_for(task.page, task.side)}
    groups = {str(tile.group) for tile in task.tiles if tile.group} if task.page.grouped else set()
    known = {f"face.{tile.key}" for tile in task.tiles} | {f"group.{group}" for group in groups}
    given = {name: value for name, value in answers.items() if name.startswith(("face.", "group.")) and value}
    foreign = given.keys() - known
    if foreign:
        raise BadAnswer(f"The answers name faces that are not in this HIT: {', '.join(sorted(foreign))[:200]}")
    for name, value in given.items():
        if value not in offered:
            raise BadAnswer(f"{name} was answered {value[:40]!r}; offered were {', '.join(sorted(offered))}")
    good, _ = rest_for(task.page)
    rest = answers.get("rest", "")
    if rest not in ("", SKIP, good):
        raise BadAnswer(f"`rest` is {rest[:40]!r}; this HIT offers {good!r} or {SKIP!r}")
    said = [_answer(tile, given, rest) for tile in task.tiles]
    return [item for item in said if item.value not in ("", SKIP)]


def _answer(tile: Tile, given: Mapping[str, str], rest: str) -> TileAnswer:
    own, group = given.get(f"face.{tile.key}"), given.get(f"group.{tile.group}")
    if own:
        return TileAnswer(tile.key, own)
    return TileAnswer(tile.key, group, str(tile.group)) if group else TileAnswer(tile.key, rest, "rest")


def elapsed_seconds(answers: Mapping[str, str]) -> float | None:
    """The working time that the page reports, in seconds; None where it is missing or cannot be true."""
    text = answers.get("elapsed", "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    milliseconds = int(text)
    return milliseconds / 1000 if 0 < milliseconds <= _MAX_ELAPSED_MS else None
