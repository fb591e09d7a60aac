"""`galloway paint …`: people paint over what covers faces of side A, and training learns from it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from .console import next_step, open_app, result, say
from .moments import collect_options, collect_round, collected, json_option, publish_options, publish_round, show_round

if TYPE_CHECKING:
    from ..judging.covers import Covered

__all__ = ["paint"]

_footage = click.argument("footage", required=False, default="")


@click.group()
def paint() -> None:
    """People paint over what covers faces of side A, before anything is trained; the embedded engine learns from it.

    Votes say which faces are covered; a few of those, unlike each other, are painted. FOOTAGE is the name of a video of
    side A; without it that with most faces to paint. Of a film that is converted: galloway review-swap

    \b
    Example:  galloway paint alone --by Ann
    """


@paint.command()
@_footage
@publish_options
@click.pass_context
def publish(ctx: click.Context, footage: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Publish HITs on which three workers each paint over what covers FOOTAGE's faces.

    Says the price first. Killed half way, run it again: nothing is sent twice. Exit code 3: nothing to paint.

    \b
    Example:  galloway paint publish --dry-run
    """
    from ..judging.covers import footage_to_paint, plan_painting

    app = open_app(ctx)
    film = footage_to_paint(app, footage)
    if dry_run:
        show_round(app, lambda terms: plan_painting(app, terms, film), "paint", as_json)
    else:
        publish_round(app, lambda terms: plan_painting(app, terms, film), "paint", yes, as_json)


@paint.command()
@_footage
@collect_options
@click.pass_context
def collect(ctx: click.Context, footage: str, no_pay: bool, yes: bool, as_json: bool) -> None:
    """Fetch what was painted, keep it, pay the workers.

    \b
    Example:  galloway paint collect
    """
    from ..judging.covers import covered_of, footage_asked

    app = open_app(ctx)
    done = []
    for film in footage_asked(app, app.terms().market.state_key, footage):
        got = collect_round(app, film, no_pay, yes)
        done.append((got, covered_of(app, film)))
    result(
        [{**collected(got), **_told(found)} for got, found in done],
        as_json,
        lambda: [f"{got.assignments} assignments, {got.new_votes} new votes. {_said(found)}" for got, found in done],
    )
    if any(got.waiting for got, _ in done):
        next_step("galloway paint collect")
    else:
        next_step("galloway paint publish" if any(found.lacking for _, found in done) else "galloway train")


@paint.command()
@_footage
@click.option("--by", default="", metavar="NAME", help="Your name, under which it is kept; asked for if not given.")
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.pass_context
def alone(ctx: click.Context, footage: str, by: str, port: int) -> None:
    """Paint yourself: the same pages as with workers, without market, invite or pay.

    \b
    Example:  galloway paint alone --by Ann
    """
    from ..judging.covers import footage_to_paint
    from .serve import serve

    film = footage_to_paint(open_app(ctx), footage)
    say("One person paints; nothing is published and nothing is paid.")
    ctx.invoke(serve, port=port, start=f"judge/{quote(film.key)}/next" + (f"?by={quote(by)}" if by else ""))


@paint.command()
@json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """How many faces of each video are called covered, and how many are painted.

    \b
    Example:  galloway paint show
    """
    from ..judging.covers import covered_footage

    found = covered_footage(open_app(ctx))
    result([_told(item) for item in found], as_json, lambda: [_said(item) for item in found] or "None is called so.")
    if any(item.lacking for item in found):
        next_step("galloway paint alone")


def _told(found: Covered) -> dict[str, str | int]:
    return {
        "footage": found.film.source.name,
        "covered": len(found.faces),
        "painted": found.painted,
        "lacking": found.lacking,
    }


def _said(found: Covered) -> str:
    more = f"; {found.lacking} more are worth painting" if found.lacking else ""
    return f"{found.film.source.name}: {len(found.faces)} faces called covered, {found.painted} painted{more}."
