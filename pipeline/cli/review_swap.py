"""`galloway review-swap …`: people say where a converted film holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from ..wording import typed
from .console import next_step, open_app, result, say, stage_progress
from .moments import collect_options, collect_round, collected, json_option, publish_options, publish_round, show_round

if TYPE_CHECKING:
    from ..judging.outcome import FilmJudged
    from ..judging.rounds import SwapRound
    from ..market.session import MarketTerms

__all__ = ["review_swap"]

_film = click.argument("film", type=click.Path(path_type=Path), required=False)


@click.group("review-swap")
def review_swap() -> None:
    """People say where a converted film holds: fine, wrong person, edge, covered, mouth, flicker.

    FILM is one that `convert` wrote; without it the newest. The measures screen: suspicious moments are asked, and a
    sample of the rest. What does not hold keeps its own pixels: galloway convert --where approved

    \b
    Example:  galloway review-swap publish --dry-run
    """


@review_swap.command()
@_film
@publish_options
@click.pass_context
def publish(ctx: click.Context, film: Path | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Publish HITs about FILM's moments: suspicious ones, a sample of calm ones, and again what votes do not settle.

    Says the price first. Killed half way, run it again: nothing is sent twice. Exit code 3: nothing to publish.

    \b
    Example:  galloway review-swap publish results/clip-swapped.mp4 --yes
    """
    from ..judging.film import find_film
    from ..judging.rounds import plan_swap_round

    app = open_app(ctx)
    one = find_film(app, film)

    def plan(terms: MarketTerms) -> SwapRound:
        with stage_progress("measure") as progress:
            return plan_swap_round(app, terms, one, progress)

    if dry_run:
        show_round(app, plan, "review-swap", as_json)
    else:
        publish_round(app, plan, "review-swap", yes, as_json)


@review_swap.command()
@_film
@collect_options
@click.pass_context
def collect(ctx: click.Context, film: Path | None, no_pay: bool, yes: bool, as_json: bool) -> None:
    """Fetch answers about FILM, keep them as votes, pay the workers; say what the film is worth now.

    \b
    Example:  galloway review-swap collect
    """
    from ..errors import NothingToDo
    from ..judging.film import find_film
    from ..judging.outcome import film_judged

    app = open_app(ctx)
    one = find_film(app, film)
    got = collect_round(app, one, no_pay, yes)
    try:
        frames = film_judged(app, one).frames
    except NothingToDo:  # all that was answered is about films whose place this one took
        frames = {}
    data = {**collected(got), "frames": frames}
    result(data, as_json, lambda: f"{got.assignments} assignments, {got.new_votes} new votes. {_frames(frames)}")
    of_it = "" if film is None else f" {typed(str(film))}"
    next_step(f"galloway review-swap {'collect' if got.waiting else 'publish'}{of_it}")


def _frames(frames: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {status}" for status, count in sorted(frames.items()))
    return f"Frames: {told or 'none'}."


@review_swap.command()
@_film
@click.option(
    "--by", default="", metavar="NAME", help="Your name, under which your votes are kept; asked for if not given."
)
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.pass_context
def alone(ctx: click.Context, film: Path | None, by: str, port: int) -> None:
    """Review FILM yourself: the same pages as with workers, without market, invite or pay. Your word is believed.

    \b
    Example:  galloway review-swap alone --by Ann
    """
    from ..judging.film import find_film
    from .serve import serve

    one = find_film(open_app(ctx), film)
    say("One person reviews; nothing is published and nothing is paid.")
    ctx.invoke(serve, port=port, start=f"judge/{quote(one.name)}/next" + (f"?by={quote(by)}" if by else ""))


@review_swap.command()
@_film
@json_option
@click.pass_context
def show(ctx: click.Context, film: Path | None, as_json: bool) -> None:
    """What the votes make of FILM: each moment with its measure, its judgement and its votes.

    \b
    Example:  galloway review-swap show --json
    """
    from ..judging.film import find_film
    from ..judging.outcome import film_judged, told_of
    from ..stages.measure import command_approved

    app = open_app(ctx)
    one = find_film(app, film)
    found = film_judged(app, one)
    result(told_of(found), as_json, lambda: _shown(found))
    left = told_of(found)["left_out"]
    if left:
        say(f"Would keep their own pixels: {', '.join(f'{first}-{last}' for first, last in left)}")
    next_step(command_approved(app, one.path))


def _shown(found: FilmJudged) -> list[str]:
    lines = [f"{'frames':>13}  {'measure':17}{'judgement':22}{'broken':>7}  votes"]
    for item in found.judged:
        chance = "–" if item.chance != item.chance else f"{item.chance:.2f}"
        word = f"{item.status}: {item.fault}" if item.fault else item.status
        span = f"{item.moment.first}-{item.moment.last}"
        who = " by a person" if item.by_person else ""
        lines.append(f"{span:>13}  {item.moment.why or 'calm':17}{word:22}{chance:>7}  {item.votes}{who}")
    lines.append(f"{_frames(found.frames)} {found.votes} votes by {found.voters} people.")
    if found.simulated:
        lines.append(f"{found.simulated} of the votes are simulated.")
    if found.audited:
        lines.append(
            f"Audit: {found.missed} of {found.audited} calm moments, drawn at random, do not hold"
            f"{f' and {found.unsettled} are in dispute' if found.unsettled else ''}; at 95 % at most "
            f"{found.unseen:.0%} of all do not."
        )
    return lines


@review_swap.command()
@_film
@click.option("--out", type=click.Path(path_type=Path), help="The HTML file; default: reports/review-FILM.html.")
@click.pass_context
def report(ctx: click.Context, film: Path | None, out: Path | None) -> None:
    """Write the agreement report of FILM's reviewers (one-file HTML) and print its summary.

    \b
    Example:  galloway review-swap report
    """
    from ...curation.files import write_atomic
    from ..judging.film import find_film
    from ..judging.outcome import film_report
    from .console import emit_page

    app = open_app(ctx)
    one = find_film(app, film)
    built = film_report(app, one)
    target = out or app.workspace.root / "reports" / f"review-{one.path.stem}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, built.to_html().encode(), durable=False)
    emit_page(built.to_text())
    say(f"With tables: {target}")


@review_swap.command()
@_film
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder for one PNG a moment.")
@json_option
@click.pass_context
def masks(ctx: click.Context, film: Path | None, out: Path, as_json: bool) -> None:
    """Write what people painted over as covering the face: a PNG a moment, white where most of them painted.

    \b
    Example:  galloway review-swap masks --out masks
    """
    from ..judging.film import find_film
    from ..judging.masks import write_masks

    app = open_app(ctx)
    written = write_masks(app, find_film(app, film), out)
    result([str(path) for path in written], as_json, lambda: [str(path) for path in written])
