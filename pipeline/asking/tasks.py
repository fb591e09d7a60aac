"""What keep/reject and identity mean: a task of faces → a HIT page, and the posted answers → labels per face.

**Nothing is answered silently.** A face that the worker did not mark carries no vote. Pages where most faces are good
would be slow that way, so the page asks one more question, `rest`: shall the unmarked faces count as the good label,
or stay without an answer? Neither is preselected, and the page does not send unmarked faces before one is chosen.
"Keep by default" saves the same clicks but cannot be told from not having looked; an explicit confirmation can.
A worker may also skip single faces (`skip`: no vote, no question asked): faces are people, and some pictures are
hard to look at.

Field names are fixed here and nowhere else: `face.<key>` (label, or `reject:<reason>`, or `skip`), `rest`, `comment`,
`elapsed` (milliseconds in which the page was visible, told by the page, so a hint and not a measurement).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from ...curation.types import LABELS, REASONS, Question, Side
from ...mturk.requester.errors import BadAnswer
from ...mturk.requester.money import written

__all__ = [
    "SKIP",
    "Choice",
    "Example",
    "GridTask",
    "TaskText",
    "TileAnswer",
    "choices_for",
    "describe",
    "elapsed_seconds",
    "parse_answers",
    "reasons_for",
    "render_hit",
]

SKIP = "skip"
"""Value of a face that the worker does not want to answer; it becomes no vote."""

_SIDE_A_REASONS = ("not_a_face", "another_person", "bad_crop")
_MAX_ELAPSED_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Example:
    """A picture in the instructions: `value` is the answer that is right for it, e.g. `reject:blurred`."""

    url: str
    value: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class GridTask:
    """One page of faces.

    `tiles` are (key, image URL): the key is opaque, made by the requester, and never a face id or a file name.
    `seconds` is the expected working time of the whole page. Empty `title` and `instructions` take the words of
    `describe(question, side)`; `instructions` are paragraphs separated by line breaks.
    """

    question: Question
    side: Side
    tiles: Sequence[tuple[str, str]]
    reward: Decimal
    seconds: int
    references: Sequence[str] = ()
    examples: Sequence[Example] = ()
    title: str = ""
    instructions: str = ""
    currency: str = "$"


class TaskText(NamedTuple):
    """The words of a HIT as the market shows them, and its instructions."""

    title: str
    description: str
    keywords: str
    instructions: str


class Choice(NamedTuple):
    """One answer that a worker can give: `mark` is how the page draws it, `digit` the key that gives it."""

    value: str
    name: str
    meaning: str
    mark: str
    digit: int


class TileAnswer(NamedTuple):
    """One face's answer; `reason` is set for `reject` only. `confirmed_rest`: given through the `rest` question."""

    key: str
    label: str
    reason: str | None
    confirmed_rest: bool = False


_TEXTS: dict[tuple[Question, Side], TaskText] = {
    (Question.USABLE, Side.A): TaskText(
        "Which faces belong to the right person? Keep them, also the blurred ones",
        "Look at small pictures cut from a video. Keep every face of the person shown; "
        "mark what is no face, somebody else, or cut wrongly.",
        "image, picture, face, keep, reject, quick",
        "The pictures were cut from a video by a program that makes mistakes. Keep every picture that shows the face "
        "of the right person.\n"
        "Blurred, dark, small, turned or partly covered faces of that person are fine here: keep them too.\n"
        "Reject only what is named below. When in doubt, keep.",
    ),
    (Question.USABLE, Side.B): TaskText(
        "Which pictures show the face well? Keep only the good examples",
        "Look at small pictures of faces. Keep those that are sharp, free and well cut; say what is wrong "
        "with the others.",
        "image, picture, face, quality, keep, reject, quick",
        "A program will learn this face from the pictures that you keep, so only good examples help.\n"
        "Keep a picture if you can see eyes, nose and mouth clearly and nothing covers them. Turned heads and any "
        "expression are fine.\n"
        "Reject what is blurred, covered or cut wrongly. When in doubt, reject.",
    ),
    (Question.IDENTITY, Side.A): TaskText(
        "Is it the same person? Compare small faces from a video with photographs",
        "Compare faces cut from a video with photographs of one person: same, different, or cannot tell.",
        "image, picture, face, same person, compare, quick",
        "For every picture say whether it shows the person in the photographs.\n"
        "The pictures come from a video: many are blurred or dark. Answer if the face, the hair or the clothes make "
        "you fairly sure; otherwise say that you cannot tell. That is a useful answer.",
    ),
    (Question.IDENTITY, Side.B): TaskText(
        "Is it the same person? Compare faces with photographs",
        "Compare pictures of faces with photographs of one person: same, different, or cannot tell.",
        "image, picture, face, same person, compare, quick",
        "For every picture say whether it shows the person in the photographs.\n"
        'A program will learn this face from your answers: say "same" only where the face itself makes you sure. '
        "If it does not, say that you cannot tell. That is a useful answer.",
    ),
}

_NAMES: dict[str, tuple[str, str, str]] = {
    # value: (name, meaning on both sides, mark)
    "reject:not_a_face": ("Not a face", "the picture shows something else", "bad"),
    "reject:another_person": ("Another person", "a face, but somebody else's", "bad"),
    "reject:blurred": ("Blurred", "the face is out of focus or smeared by movement", "bad"),
    "reject:covered": ("Covered", "a hand, hair, glass or another thing hides eyes, nose or mouth", "bad"),
    "reject:bad_crop": ("Bad crop", "the face is cut off, tilted wrongly or only in a corner", "bad"),
    "same": ("Same person", "the face of the person in the photographs", "good"),
    "different": ("Different", "somebody else", "bad"),
    "cannot_tell": ("Cannot tell", "you looked, and it could be either", "open"),
    SKIP: ("Skip", "you would rather not answer for this picture; nothing is counted", "none"),
}
_KEEP = {
    Side.A: ("Keep", "the right person's face, sharp or not", "good"),
    Side.B: ("Keep", "a clear, free, well cut face of the person", "good"),
}
_REST = {
    Question.USABLE: "Keep them all. I have looked at each of them.",
    Question.IDENTITY: "They all show the same person. I have looked at each of them.",
}


def describe(question: Question, side: Side) -> TaskText:
    """The title, description, keywords and instructions of a question about a side."""
    return _TEXTS[question, side]


def reasons_for(side: Side) -> tuple[str, ...]:
    """The reasons for which a face of this side may be rejected: on A, blur and cover are no reasons."""
    return tuple(reason for reason in REASONS if side is Side.B or reason in _SIDE_A_REASONS)


@cache
def choices_for(question: Question, side: Side) -> tuple[Choice, ...]:
    """The answers that are offered, the good one first, `skip` last."""
    if question is Question.USABLE:
        values = ["keep", *(f"reject:{reason}" for reason in reasons_for(side)), SKIP]
    else:
        values = [*LABELS[Question.IDENTITY], SKIP]
    named = [(value, *(_KEEP[side] if value == "keep" else _NAMES[value])) for value in values]
    return tuple(
        Choice(value, name, meaning, mark, digit) for digit, (value, name, meaning, mark) in enumerate(named, start=1)
    )


def render_hit(task: GridTask) -> str:
    """The HTML document of a task; it must still be wrapped and size-checked by `mturk.requester.questions`.

    Raises ValueError for a task without faces, with a key used twice, or an identity task without references.
    """
    keys = [key for key, _ in task.tiles]
    if not keys:
        raise ValueError("a HIT needs at least one face")
    if len(set(keys)) != len(keys):
        raise ValueError("two faces of a HIT have the same key")
    if task.question is Question.IDENTITY and not task.references:
        raise ValueError("an identity HIT needs at least one reference photograph: choose references for this side")
    choices = choices_for(task.question, task.side)
    text = describe(task.question, task.side)
    template = "keep_reject.html" if task.question is Question.USABLE else "identity.html"
    words = {"title": task.title or text.title, "instructions": task.instructions or text.instructions}
    return (
        _environment()
        .get_template(template)
        .render(
            task=_Words(task, **words),
            choices=choices,
            names={choice.value: choice.name for choice in choices},
            rest=_REST[task.question],
            minutes=_spoken_time(task.seconds),
            pay=written(task.reward, task.currency),
            hourly=_hourly(task),
        )
    )


def parse_answers(task: GridTask, answers: Mapping[str, str]) -> list[TileAnswer]:
    """The labels in a worker's answers, in the order of the task's tiles.

    A face that is missing or skipped has no entry; with `rest` confirmed, missing faces carry the good label.
    Raises BadAnswer for a face that is not in the task or a value that was not offered.
    """
    offered = {choice.value for choice in choices_for(task.question, task.side)}
    keys = [key for key, _ in task.tiles]
    foreign = {name for name in answers if name.startswith("face.")} - {f"face.{key}" for key in keys}
    if foreign:
        raise BadAnswer(f"The answers name faces that are not in this HIT: {', '.join(sorted(foreign))[:200]}")
    good = choices_for(task.question, task.side)[0].value
    rest = answers.get("rest", "")
    if rest not in ("", SKIP, good):
        raise BadAnswer(f"`rest` is {rest[:40]!r}; this HIT offers {good!r} or {SKIP!r}")
    found: list[TileAnswer] = []
    for key in keys:
        value = answers.get(f"face.{key}", "")
        if value and value not in offered:
            raise BadAnswer(f"Face {key} was answered {value[:40]!r}; offered were {', '.join(sorted(offered))}")
        confirmed = not value and rest == good
        label, _, reason = (good if confirmed else value).partition(":")
        if label and label != SKIP:
            found.append(TileAnswer(key, label, reason or None, confirmed))
    return found


def elapsed_seconds(answers: Mapping[str, str]) -> float | None:
    """The working time that the page reports, in seconds; None where it is missing or cannot be true."""
    text = answers.get("elapsed", "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    milliseconds = int(text)
    return milliseconds / 1000 if 0 < milliseconds <= _MAX_ELAPSED_MS else None


class _Words:
    """A task with its words filled in, as the templates see it."""

    def __init__(self, task: GridTask, *, title: str, instructions: str) -> None:
        self.tiles, self.references, self.examples = task.tiles, task.references, task.examples
        self.reward, self.side = task.reward, task.side.value
        self.title, self.instructions = title, instructions


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("galloway.templates", "hit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _spoken_time(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{(seconds + 30) // 60} minutes"


def _hourly(task: GridTask) -> str:
    if task.seconds <= 0 or task.reward <= 0:
        return ""
    return written(task.reward * 3600 / task.seconds, task.currency)
