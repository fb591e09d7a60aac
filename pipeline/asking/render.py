"""A task of faces → the HTML document of its page. It stands alone: no file of ours is loaded by it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from ...mturk.marketplace.rules.money import ABSURD_HOURLY
from ...mturk.requester.money import written
from .tasks import GridTask, PageKind, choices_for, rest_for
from .tongues import with_words
from .words import HEADINGS, WARNING, describe

__all__ = ["hit_environment", "hourly", "render_hit", "spoken_time", "squeezed"]

_ODD = {PageKind.CLUSTER: "reject:another_person", PageKind.MERGE: "different"}
"""What a tap marks at first, on pages of groups: the face that does not belong to it."""


def render_hit(task: GridTask) -> str:
    """The HTML document of a task; it must still be wrapped and size-checked by `mturk.requester.questions`.

    Raises ValueError for a task that cannot be asked (`GridTask.check`).
    """
    task.check()
    choices = choices_for(task.page, task.side)
    text = describe(task.page, task.side)
    values = [choice.value for choice in choices]
    return with_words(
        hit_environment()
        .get_template("page.html")
        .render(
            task=task,
            page=task.page,
            title=task.title or text.title,
            instructions=task.instructions or text.instructions,
            heading=HEADINGS[task.page, task.side],
            groups=task.grouped(),
            choices=choices,
            names={choice.value: choice.name for choice in choices},
            brush=values.index(_ODD.get(task.page, values[0])),
            rest=rest_for(task.page),
            marked=task.marked or {},
            warning=WARNING if _veiled(task) else "",
            minutes=spoken_time(task.seconds),
            pay=written(task.reward, task.currency) if task.reward > 0 else "",
            hourly=hourly(task.reward, task.seconds, task.currency),
            style=squeezed("page.css"),
            script=squeezed("page.js"),
        )
    )


def _veiled(task: GridTask) -> bool:
    return any(tile.clear for tile in task.tiles) or any(picture.clear for picture in task.references)


@cache
def hit_environment() -> Environment:
    """The templates of the pages that workers answer."""
    return Environment(
        loader=PackageLoader("galloway.templates", "hit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def squeezed(name: str) -> str:
    """A file of the template without indentation, empty lines and whole-line comments: a page has 65,535 bytes. A line
    `//= NAME` stands for that file."""
    text = files("galloway.templates.hit").joinpath(name).read_text("utf-8")
    lines = (squeezed(line[4:]) if line.startswith("//= ") else line for line in map(str.strip, text.splitlines()))
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))


def spoken_time(seconds: int) -> str:
    """A page's time as workers read it."""
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{(seconds + 30) // 60} minutes"


def hourly(reward: Decimal, seconds: int, currency: str) -> str:
    """What the pay amounts to in an hour; "" where there is none, or no time, or the figure is absurd."""
    if seconds <= 0 or reward <= 0 or reward * 3600 / seconds > ABSURD_HOURLY:
        return ""
    return written(reward * 3600 / seconds, currency)
