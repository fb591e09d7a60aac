"""A task of faces → the HTML document of its page. It stands alone: no file of ours is loaded by it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from ...mturk.requester.money import written
from .tasks import GridTask, PageKind, choices_for, rest_for
from .words import HEADINGS, describe

__all__ = ["render_hit"]

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
    return (
        _environment()
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
            minutes=_spoken_time(task.seconds),
            pay=written(task.reward, task.currency) if task.reward > 0 else "",
            hourly=_hourly(task),
            style=_squeezed("page.css"),
            script=_squeezed("page.js"),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("galloway.templates", "hit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _squeezed(name: str) -> str:
    """A file of the template without indentation, empty lines and whole-line comments: a page has 65,535 bytes."""
    lines = (line.strip() for line in files("galloway.templates.hit").joinpath(name).read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))


def _spoken_time(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{(seconds + 30) // 60} minutes"


def _hourly(task: GridTask) -> str:
    if task.seconds <= 0 or task.reward <= 0:
        return ""
    return written(task.reward * 3600 / task.seconds, task.currency)
