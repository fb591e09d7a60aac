"""`galloway privacy …`: what of people goes when, once nothing is left to clean."""

from __future__ import annotations

import sys

import click

from .console import next_step, open_app, result, say

__all__ = ["privacy"]


@click.group()
def privacy() -> None:
    """Pictures of rejected faces, mostly of bystanders, and embeddings: when they go ([privacy] in galloway.toml).

    \b
    Example:  galloway privacy status
              galloway privacy apply
    """


@privacy.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """What there is that goes one day, when, or what it waits for; and what went.

    \b
    Example:  galloway privacy status --json
    """
    from ..privacy.clock import due
    from ..privacy.gone import clock_state, erased_faces
    from ..wording import counted

    app = open_app(ctx)
    items, gone, faces = due(app), clock_state(app)["gone"], len(erased_faces(app))
    days = app.settings.privacy
    data = {
        "rejected_days": days.rejected_days,
        "embeddings_days": days.embeddings_days,
        "goes": [{"what": item.what, "on": item.on, "waits": item.waits} for item in items],
        "gone": gone,
        "faces_without_picture": faces,
    }
    lines = [item.text() for item in items] or ["Nothing is kept that goes one day."]
    if faces:
        lines.append(f"{counted(faces, 'rejected face')} without a picture any more; hashes and verdicts stay.")
    result(data, as_json, lambda: lines)
    if any(item.on is not None for item in items):
        next_step("galloway privacy apply --early (does it now)")


@privacy.command()
@click.option("--early", is_flag=True, help="Also what is not due yet, but for what an unfinished faceset needs.")
@click.option("--dry-run", is_flag=True, help="Show what would go; delete nothing.")
@click.option("--yes", is_flag=True, help="Delete it.")
@click.pass_context
def apply(ctx: click.Context, early: bool, dry_run: bool, yes: bool) -> None:
    """Delete what is due. For good: a hash and the verdict of each face stay; undoing its merge brings none back.

    \b
    Example:  galloway privacy apply --early --dry-run && galloway privacy apply --early --yes
    """
    from ..errors import NothingToDo, SafetyStop
    from ..privacy.clock import goes_now, take_now

    app = open_app(ctx)
    for item in (items := goes_now(app, early=early)):
        say(item.what)
    if not items:
        raise NothingToDo("Nothing goes now. See what goes when: galloway privacy status")
    if dry_run:
        say("Nothing was deleted.")
        return
    if not yes and not (sys.stdin.isatty() and click.confirm("Delete it for good?", err=True)):
        raise SafetyStop("Nothing was deleted: confirm with --yes, or look first with --dry-run.")
    with app.workspace.lock("deleting what is due"):
        done = take_now(app, early=early)
    for line in done:
        say(line)
