"""`galloway screen`: rank faces before anybody is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..wording import counted
from ..wording import lines as as_text
from .console import emit_page, next_step, open_app, result, say, side_option, stage_progress
from .spreading import spread_options, spread_over

if TYPE_CHECKING:
    from ..app import App
    from ..asking.screening import Screened

__all__ = ["screen"]

_PERSONS = 8
"""As many as the --persons picture shows."""


@click.command()
@side_option(required=False)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A photograph of the right person; repeat it. Default: the side's reference photographs.",
)
@click.option("--person", type=click.IntRange(min=1), help="Instead of references: a number on the --persons picture.")
@click.option("--persons", is_flag=True, help="Draw the persons found, numbered.")
@click.option(
    "--this-is",
    "chosen",
    type=click.IntRange(min=1),
    help="This person is the right one: faces become photographs, and stop.",
)
@click.option("--leave-out", "out", type=click.IntRange(min=1), help="Do not ask about this person's faces, and stop.")
@click.option(
    "--only-like-reference",
    "alike",
    is_flag=True,
    help="Do not ask about anybody who looks like somebody else than the photographs, say who that is, and stop.",
)
@click.option(
    "--leave-out-below",
    "below",
    type=click.IntRange(min=0),
    metavar="PIXELS",
    help="Do not ask about smaller faces, and stop; 0 asks about them again.",
)
@click.option("--take-back", "back", type=click.IntRange(min=1), help="Ask about this person's faces again, and stop.")
@click.option("--no-identity", is_flag=True, help="Look at pixels and pose only; needs no model.")
@spread_options("Processes for embeddings. Default: one a core.")
@click.option(
    "--propose",
    "confidence",
    type=click.FloatRange(0.9, 1.0),
    metavar="CONFIDENCE",
    help="List rejections at least this sure (0.9 to 1), to be decided without asking. Removes nothing.",
)
@click.option(
    "--audit", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of them asked anyway."
)
@click.option("--no-sheet", is_flag=True, help="Draw no contact sheet.")
@click.option("--forget", is_flag=True, help="Delete the cached embeddings, which are biometric data, and stop.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def screen(
    ctx: click.Context,
    side: str | None,
    references: tuple[Path, ...],
    person: int | None,
    persons: bool,
    chosen: int | None,
    out: int | None,
    back: int | None,
    below: int | None,
    alike: bool,
    no_identity: bool,
    jobs: int | None,
    dask: str | None,
    confidence: float | None,
    audit: float,
    no_sheet: bool,
    forget: bool,
    as_json: bool,
) -> None:
    """Rank the faces: sharpness, duplicates, pose, light, and whether it is the right person.

    The ranks are priors: they order the grids and say which faces hardly need a question.
    No face is removed. Stopped with Ctrl-C it goes on where it was.

    \b
    Example:  galloway screen --side b --reference ann.jpg
    """
    from ...curation.types import Side
    from ..asking.decide import decide
    from ..asking.screening import draw_persons, draw_sheet, forget_embeddings, screen_side
    from ..errors import NothingToDo

    app = open_app(ctx)
    if forget:
        say("The embeddings are deleted." if forget_embeddings(app) else "There are no embeddings.")
        return
    if chosen is not None:
        _take(app, side, chosen)
        return
    if (out, back, below) != (None, None, None) or alike:
        _choose(app, side, out, back, below, alike)
        return
    if references and side is None:
        raise click.UsageError("Say whose photograph it is: --side a or --side b.")
    sides = [Side(side)] if side else [item for item in Side if app.store.faces(item)]
    if not sides:
        raise NothingToDo("There are no faces yet. Find them: galloway extract")
    data = {}
    for item in sides:
        with (
            app.workspace.lock("screening"),
            spread_over(app, None if no_identity else jobs, None if no_identity else dask) as spread,
            stage_progress(f"screen {item.value}") as progress,
        ):
            done = screen_side(
                app,
                item,
                references=references or None,
                person=person,
                identity=not no_identity,
                jobs=os.cpu_count() or 1,
                spread=spread,
                confidence=confidence,
                audit=audit,
                progress=progress,
            )
            decide(app)  # what screening proposes may settle some
        pictures = [] if no_sheet else [draw_sheet(app, done)]
        if persons and (drawn := draw_persons(app, done)) is not None:
            pictures.append(drawn)
        data[item.value] = done.as_dict() | {"pictures": [app.workspace.relative(path) for path in pictures]}
        for warning in done.screening.warnings:
            say(f"Side {item.value}: {warning}")
        for path in pictures:
            say(f"Look: {path}")
        if not as_json:
            emit_page(as_text(_text(item.value, done)))
    if as_json:
        result(data, True, str)
    next_step("galloway publish")


def _take(app: App, side: str | None, number: int) -> None:
    """Take a person for the right one, and compare everybody with them."""
    from ...curation.types import Side
    from ..asking.sight import look_at
    from ..stages.chosen import this_is

    if side is None:
        raise click.UsageError("Say whose footage the person is in: --side a or --side b.")
    with app.workspace.lock("screening"), stage_progress("look") as progress:
        added = this_is(app, Side(side), number)
        look_at(app, Side(side), progress)
    names = ", ".join(path.name for path in added)
    say(f"Person {number} is who is wanted on side {side}: {names} in references/{side}.")
    say(f"Does the same person stand there under another number, too? galloway screen --side {side} --this-is NUMBER")
    next_step("galloway publish --dry-run")


def _choose(app: App, side: str | None, out: int | None, back: int | None, below: int | None, alike: bool) -> None:
    """Leave a person or small faces out, take them back; say who is left out then."""
    from ...curation.types import Side
    from ..asking.decide import decide
    from ..asking.left_out import (
        below_in_words,
        leave_out,
        leave_out_below,
        leave_out_others,
        left_out,
        left_out_below,
        person_in_words,
        take_back,
    )

    if side is None:
        raise click.UsageError("Say whose footage the person is in: --side a or --side b.")
    chosen = Side(side)
    with app.workspace.lock("screening"):
        if out is not None:
            say(f"{person_in_words(out, leave_out(app, chosen, out))} None is removed before a merge.")
        if alike:
            for person in leave_out_others(app, chosen):
                say(f"{person}: not asked. None of these faces is removed before a merge.")
        if back is not None:
            say(person_in_words(back, take_back(app, chosen, back), again=True))
        if below is not None:
            say(below_in_words(leave_out_below(app, chosen, below), below))
        decide(app)
    said = [
        f"person {number} ({counted(len(faces), 'face')})" for number, faces in sorted(left_out(app, chosen).items())
    ]
    said += [f"faces smaller than {small} pixels"] if (small := left_out_below(app, chosen)) else []
    say(f"Left out on side {side}: {', '.join(said) or 'nobody'}.")
    next_step("galloway publish --dry-run")


def _text(side: str, done: Screened) -> list[str]:
    counts = done.counts()
    found = done.screening
    by = {"references": "by references", "main group": "by the main group", "ambiguous": "left open"}
    lines = [
        f"Side {side}: {counts['faces']} faces, identity {by.get(found.identity, 'not looked at')}",
        f"  {counts['keep']:>6} are almost surely kept, {counts['reject']} almost surely rejected",
        f"  {counts['ask']:>6} are worth a question",
        f"  {counts['twins']:>6} are near-copies of a sharper face beside them",
    ]
    if len(done.persons) > 1:
        lines.append("  persons among them, whom every round asks about (see them: galloway screen --persons):")
        lines += [f"         {person}" for person in done.persons[:_PERSONS]]
        if len(done.persons) > _PERSONS:
            lines.append(f"         … and {len(done.persons) - _PERSONS} more (all with --json)")
    if done.calibrated_with:
        lines.append(f"  fitted to {done.calibrated_with} faces that people settled")
    flags = {flag: sum(flag in prior.flags for prior in found.priors) for prior in found.priors for flag in prior.flags}
    if flags:
        shown = sorted(flags.items(), key=lambda item: (-item[1], item[0]))
        names = {"twin": "near-copy"}
        lines.append("  flags: " + ", ".join(f"{names.get(name, name.replace('_', ' '))} {n}" for name, n in shown))
    if done.proposal is not None:
        lines.append(
            f"  {len(done.proposal.decisions)} rejections proposed at {done.proposal.confidence:g}, "
            f"{len(done.proposal.audit)} more go to people as an audit"
        )
    return lines
