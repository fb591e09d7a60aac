"""A page about moments of a film: rendered to HTML, and its answers read back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...mturk.requester.errors import BadAnswer
from ...mturk.requester.money import written
from ..asking.render import hit_environment, hourly, spoken_time, squeezed
from ..asking.tasks import Picture
from ..asking.tongues import with_words
from ..asking.words import TaskText
from .verdicts import CANNOT_TELL, MARKED, VERDICTS, Page

__all__ = ["CELLS", "GRID", "TEXTS", "MomentTask", "MomentTile", "Said", "mask_of", "parse_moments", "render_moments"]

GRID = 48
"""Cells of a stored mask, across and down."""
CELLS = 12
"""Check boxes across and down, where there is no JavaScript; each is four cells of a mask wide."""
_WORDS = "video, film, face, compare, before and after, quick"
TEXTS: Mapping[Page, TaskText] = {
    Page.COMPARE: TaskText(
        "Is the face in the second picture all right?",
        "Look at pairs of pictures from a film. In the second one a program changed the face; say whether it shows.",
        _WORDS,
        "On the left is the original, on the right the same picture after a program has put another person's face in.\n"
        "Say what you notice first. That it is another person than on the left is meant to be so.",
    ),
    Page.CLIP: TaskText(
        "Is the face in the right half of the loop all right?",
        "Look at loops of at most two seconds. In the right half a program changed the face; say whether it shows.",
        _WORDS,
        "Each loop shows the original on the left and, on the right, the same moment after a program has put another "
        "person's face in.\nWatch it two or three times, then say what you notice first. That it is another person "
        "than on the left is meant to be so.",
    ),
    Page.SCRIBBLE: TaskText(
        "Mark what covers the face",
        "Look at pictures of faces and paint over what is before the face, such as a hand or a cup.",
        "image, picture, face, mark, paint, quick",
        "Paint over everything that lies before the face: hands, cups, microphones, hair over the eyes, glasses' "
        "frames.\nFollow its edges: a program learns from the mark. Where nothing covers the face, say so.",
    ),
}
_HEX = re.compile(rf"[0-9a-f]{{{GRID * GRID // 4}}}")


class MomentTile(NamedTuple):
    """One moment of a page: an opaque key, and its pictures' addresses: before and after, one loop, or one picture.
    With `clear`, `urls` are blurred stills, and `clear` what a tap brings."""

    key: str
    urls: tuple[str, ...]
    clear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MomentTask:
    """A page with everything that its HTML needs. `references` show the person whose face was put in."""

    page: Page
    tiles: Sequence[MomentTile]
    reward: Decimal = Decimal(0)
    seconds: int = 0
    references: Sequence[Picture] = ()
    currency: str = "$"


class Said(NamedTuple):
    """What one tile was answered with: a verdict, or MARKED with a mask, "" where the worker could not tell."""

    key: str
    label: str
    mask: str = ""


def render_moments(task: MomentTask) -> str:
    """The HTML document; it must still be wrapped and size-checked by `mturk.requester.questions`."""
    return with_words(
        hit_environment()
        .get_template(f"{task.page}.html")
        .render(
            task=task,
            text=TEXTS[task.page],
            verdicts=VERDICTS,
            cells=range(CELLS),
            grid=GRID,
            minutes=spoken_time(task.seconds),
            pay=written(task.reward, task.currency) if task.reward > 0 else "",
            hourly=hourly(task.reward, task.seconds, task.currency),
            style=squeezed("moments.css"),
            script=squeezed("moments.js"),
        )
    )


def parse_moments(page: Page, keys: Sequence[str], answers: Mapping[str, str]) -> list[Said]:
    """What a worker said of each tile, in their order; tiles without an answer have no entry.

    Raises BadAnswer for a tile that the page does not have, a verdict that was not offered or a mask that is none.
    """
    foreign = {name.split(".")[1] for name in answers if name.startswith(("moment.", "mask.", "cell."))} - set(keys)
    if foreign:
        raise BadAnswer(f"The answers name moments that are not in this HIT: {', '.join(sorted(foreign))[:200]}")
    said = [_marked(key, answers) if page is Page.SCRIBBLE else _verdict(key, answers) for key in keys]
    return [item for item in said if item is not None]


def _verdict(key: str, answers: Mapping[str, str]) -> Said | None:
    value = answers.get(f"moment.{key}", "")
    if value and value not in VERDICTS:
        raise BadAnswer(f"moment.{key} was answered {value[:40]!r}; offered were {', '.join(VERDICTS)}")
    return Said(key, value) if value else None


def _marked(key: str, answers: Mapping[str, str]) -> Said | None:
    """A painted mask, else the boxes that were checked, else that nothing covers the face or that nobody can tell."""
    painted, word = answers.get(f"mask.{key}", ""), answers.get(f"moment.{key}", "")
    if painted and not _HEX.fullmatch(painted):
        raise BadAnswer(f"mask.{key} is no mask of {GRID} by {GRID} cells")
    if word not in ("", "marked", "nothing", CANNOT_TELL):
        raise BadAnswer(f"moment.{key} was answered {word[:40]!r}; offered were marked, nothing, {CANNOT_TELL}")
    mask = mask_of(painted) if painted else np.zeros((GRID, GRID), bool)
    for name in answers:
        if name.startswith(f"cell.{key}."):
            row, column = _cell(name)
            wide = GRID // CELLS
            mask[row * wide : (row + 1) * wide, column * wide : (column + 1) * wide] = True
    if mask.any() and word in ("", "marked"):
        return Said(key, MARKED, np.packbits(mask).tobytes().hex())
    if word == "nothing":
        return Said(key, MARKED, np.packbits(np.zeros((GRID, GRID), bool)).tobytes().hex())
    return Said(key, MARKED) if word == CANNOT_TELL else None


def _cell(name: str) -> tuple[int, int]:
    parts = name.split(".")[2:]
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 4 else CELLS for part in parts]
    if len(numbers) != 2 or max(numbers) >= CELLS:
        raise BadAnswer(f"{name[:60]} is no box of this page.")
    return numbers[0], numbers[1]


def mask_of(text: str) -> NDArray[np.bool_]:
    """bool (GRID, GRID), rows from the top, of a mask's hexadecimal bits."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)).reshape(GRID, GRID).astype(bool)
