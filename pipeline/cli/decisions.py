"""`galloway decisions`: what people decided, a step a line, and taking a step back."""

from __future__ import annotations

import click

from .console import next_step, open_app, result, say

__all__ = ["decisions"]


@click.command()
@click.option("--undo", "step_id", metavar="STEP", help="Take this step back: its faces stand as before it.")
@click.option("--by", "name", default="", help="Only steps of this person.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def decisions(ctx: click.Context, step_id: str | None, name: str, as_json: bool) -> None:
    """What people decided themselves, the newest 50 steps, newest first; with --undo, one of them is taken back.

    Steps are taken back in any order, also while a training runs; where somebody decided since, that stands. Exit code
    3: there is no such step, or it was taken back before.

    \b
    Example:  galloway decisions
    Example:  galloway decisions --undo person-8764ce087c764f3eaf674a1760069256
    """
    from ..asking.overrule import undo
    from ..wording import counted
    from ..workspace.steps import steps

    app = open_app(ctx)
    if step_id is not None:
        count = undo(app, step_id, name=name)
        say(f"Taken back: {counted(count, 'face')}.")
    found = steps(app.workspace, name)
    data = [
        {
            "id": step.id, "person": step.person, "decided_at": step.decided_at.isoformat(), "label": step.label,
            "reason": step.reason, "note": step.note, "faces": step.faces,
            "undone_at": step.undone_at.isoformat() if step.undone_at else None,
        }
        for step in found
    ]  # fmt: skip
    lines = [
        f"{step.id}  {step.decided_at.astimezone():%Y-%m-%d %H:%M}  "
        + f"{step.person}: {step.label} {step.reason or ''}".rstrip()
        + f" on {counted(step.faces, 'face')}, {step.note}"
        + (" (taken back)" if step.undone_at else "")
        for step in found
    ]
    result(data, as_json, lambda: lines or "Nobody decided anything yet.")
    if found and step_id is None:
        next_step("galloway decisions --undo STEP   (takes one back)")
