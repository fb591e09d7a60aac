"""`galloway merge` and `galloway merge undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .console import next_step, open_app, result, say, side_option, stage_progress

if TYPE_CHECKING:
    from ...curation.faceset.merging.merge import MergePlan
    from ...curation.types import Side
    from ..app import App
    from ..asking.decide import Inference

__all__ = ["merge"]


@click.group(invoke_without_command=True)
@side_option(required=False)
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option(
    "--open",
    "open_faces",
    type=click.Choice(["keep", "reject"]),
    help="What becomes of faces that nobody settled; without it they stop the merge.",
)
@click.option("--accept-unproved", is_flag=True, help="Take the model's word although less is proved than promised.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def merge(
    ctx: click.Context, side: str | None, dry_run: bool, open_faces: str | None, accept_unproved: bool, as_json: bool
) -> None:
    """Apply the decisions: rejected faces are moved to rejected/, names, headers and alignments follow, and what
    stands is approved for training. Killed half way, run it again. `galloway merge undo` takes it back.

    \b
    Example:  galloway merge --dry-run && galloway merge
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..asking.decide import infer
    from ..privacy.clock import mind
    from ..stages.merge import merge as run
    from ..stages.merge import plan

    app = open_app(ctx)
    choice: Any = open_faces
    if dry_run:
        known = infer(app)
        plans = [plan(app, each, open_faces=choice, known=known) for each in _sides(side)]
        told = [line for item in plans for line in _plan_text(item)]
        result([_plan_data(item) for item in plans], as_json, lambda: told)
        unproved = _say_what_is_proved(app, plans, known) and not accept_unproved
        _say_what_follows(app, plans, open_faces, unproved)
        return
    with app.workspace.lock("merging", faces=True):
        data = _merge_each(app, _sides(side), choice, accept_unproved, run)
        goes = mind(app)
    for line in goes:
        say(line)
    result(data, as_json, lambda: [_merged_text(item) for item in data])
    next_step("galloway train")


def _say_what_is_proved(app: App, plans: list[MergePlan], known: Inference) -> bool:
    """Tell what is taken on the model's word; whether a promise is not kept yet."""
    from ..stages.merge import models_word

    words = [models_word(app, item.side, known) for item in plans]
    for word in words:
        for line in (*word.lines, *((word.missing,) if word.missing else ())):
            say(line)
    return any(word.missing for word in words)


def _say_what_follows(app: App, plans: list[MergePlan], open_faces: str | None, unproved: bool) -> None:
    from ..stages.status import read_status
    from ..wording import counted, noun

    left = 0 if open_faces else sum(len(item.open) for item in plans)
    if not left and unproved:
        say("That stops the merge, unless it is told to go on: galloway merge --accept-unproved")
        next_step("galloway publish")
        return
    if not left:
        next_step("galloway merge" + (f" --open {open_faces}" if open_faces else ""))
        return
    stop = noun(left, "stops", "stop")
    say(f"{counted(left, 'open face')} {stop} the merge, unless it says what becomes of them: --open keep (or reject)")
    next_step(read_status(app).next_command)


def _sides(side: str | None) -> list[Side]:
    from ...curation.types import Side

    return [Side(side)] if side else list(Side)


def _merge_each(app: App, sides: list[Side], choice: Any, accept: bool, run: Any) -> list[dict[str, Any]]:
    from ..errors import NothingToDo

    data, idle = [], []
    for side in sides:
        try:
            with stage_progress(f"merge {side.value}") as progress:
                done = run(app, side, open_faces=choice, accept_unproved=accept, progress=progress)
        except NothingToDo as nothing:
            idle.append(str(nothing))
            continue
        for note in done.notes:
            say(note)
        data.append(
            {
                "side": side.value,
                "faceset": done.faceset.id,
                "digest": done.faceset.digest,
                "approved": done.faceset.faces,
                "rejected": done.faceset.rejected,
                "reasons": done.reasons,
            }
        )
    for line in idle:
        say(line)
    if not data:
        raise NothingToDo("Nothing to merge.")
    return data


def _merged_text(item: dict[str, Any]) -> str:
    from ..stages.merge import reason_lines

    why = ", ".join(reason_lines(item["reasons"])) or "none"
    return f"side {item['side']}: {item['approved']} faces approved as {item['faceset']}, rejected: {why}"


def _plan_data(planned: MergePlan) -> dict[str, Any]:
    return {
        "side": planned.side.value,
        "kept": planned.kept,
        "removed": len(planned.removals),
        "renumbered": sum(move.index != move.new_index for move in planned.moves),
        "reasons": planned.reasons(),
        "open": [face.face_id for face in planned.open],
        "spared": len(planned.spared),
    }


def _plan_text(planned: MergePlan) -> list[str]:
    from ..wording import counted

    data = _plan_data(planned)
    moved = f"moves {data['removed']} to rejected/, renumbers {counted(data['renumbered'], 'other')}"
    lines = [f"side {data['side']}: keeps {data['kept']}, {moved}, {len(data['open'])} open"]
    lines += [f"  - {item.name}: {item.reason or item.status}" for item in planned.removals]
    return lines


@merge.command()
@side_option()
@click.pass_context
def undo(ctx: click.Context, side: str) -> None:
    """Take the newest merge of a side back: every file is as it was. Where its rejected faces went, as [privacy] says,
    only its approval ends.

    \b
    Example:  galloway merge undo --side b
    """
    from ...curation.types import Side
    from ..stages.merge import undo as run
    from ..stages.merge import undo_sentence

    app = open_app(ctx)
    with app.workspace.lock("undoing", faces=True), stage_progress("undo") as progress:
        gone = run(app, Side(side), progress=progress)
    say(undo_sentence(app, gone))
    next_step("galloway merge")
