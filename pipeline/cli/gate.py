"""`galloway gate …`: pictures that are held back from workers, and what the requester says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .console import next_step, open_app, result, say

if TYPE_CHECKING:
    from ..gate.words import Spoken

__all__ = ["gate"]


@click.group()
def gate() -> None:
    """Pictures that are held back from workers until you say what becomes of them.

    Likely sexual ones are found by a model (the extra gate); violence is not: mark such pictures yourself.

    \b
    Example:  galloway gate list
              galloway gate say warn 3f2a90c1
              galloway gate say warn pictures/accidents
    """


@gate.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Pictures that are held back, and those of which something was said.

    \b
    Example:  galloway gate list --json
    """
    from ..gate.look import not_looking
    from ..gate.words import listed

    app = open_app(ctx)
    found = listed(app)
    if reason := not_looking(app):
        say(reason)
    data = [
        {"id": item.about.id, "called": item.called, "ruling": item.ruling.value, "score": item.about.score}
        for item in found
    ]
    result(data, as_json, lambda: [_line(item) for item in found] or "No picture is held back, and nothing was said.")
    if any(item.ruling.value == "held" for item in found):
        next_step("galloway serve (look: Pictures), then: galloway gate say show|warn|keep-out PICTURE")


def _line(item: Spoken) -> str:
    seen = "not looked at" if item.about.score is None else f"{item.about.score:.2f} sexual"
    return f"{item.about.id[:12]}  {item.ruling.value:8}  {seen:13}  {item.called}"


@gate.command("say")
@click.argument("word", type=click.Choice(["show", "warn", "keep-out"]))
@click.argument("pictures", nargs=-1, metavar="PICTURE...")
@click.option("--held", "all_held", is_flag=True, help="All that are held back now.")
@click.pass_context
def say_(ctx: click.Context, word: str, pictures: tuple[str, ...], all_held: bool) -> None:
    """Say what becomes of each PICTURE: the id of a face or of the list, a file, or a folder of files.

    show: as any other. warn: blurred until tapped, to workers who asked for such pictures. keep-out: never.

    \b
    Example:  galloway gate say show --held
              galloway gate say warn pictures/accident-17.jpg
    """
    from ..gate.words import say_of
    from ..wording import counted
    from ..workspace.gated import Word

    if not pictures and not all_held:
        raise click.UsageError("Say which pictures, or --held.")
    app = open_app(ctx)
    with app.workspace.lock("deciding on pictures"):
        count = say_of(app, pictures, Word(word), all_held=all_held)
    say(f"{counted(count, 'picture')}: {word}.")
    next_step("galloway publish --dry-run")
