"""`galloway glimpse`: a second of the film while the model is still learning."""

from __future__ import annotations

import os

import click

from .console import next_step, open_app, result, say, stage_progress

__all__ = ["glimpse"]

_NICE = 10
"""Training goes first wherever both want a core."""


@click.command()
@click.option("--at", type=click.FloatRange(min=0), required=True, metavar="SECONDS", help="From this second on.")
@click.option("--seconds", type=click.FloatRange(0.04, 10), default=1.0, show_default=True)
@click.option("--source", help="Which video of side A; needed when there are several.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def glimpse(ctx: click.Context, at: float, seconds: float, source: str | None, as_json: bool) -> None:
    """Swap a second of side A's video with the newest model as it was saved last, beside the original. Training may go
    on meanwhile; it is not disturbed, but for the processor time that it leaves over.

    \b
    Example:  galloway glimpse --at 12.5
    """
    from ..stages.glimpse import glimpse as look
    from ..stages.train import last_model

    app = open_app(ctx)
    os.nice(_NICE)
    if last_model(app).record["engine"] == "embedded":
        # TensorFlow in a second process would find the graphics memory taken by the one that trains.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with stage_progress("glimpse") as progress:
        made = look(app, at, seconds=seconds, source=source, progress=progress)
    say(f"Frames {made.first} to {made.last} of {made.source}, by the model at iteration {made.iteration}.")
    data = {
        "video": str(made.video),
        "source": made.source,
        "first": made.first,
        "last": made.last,
        "iteration": made.iteration,
    }
    result(data, as_json, lambda: [str(made.video)])
    next_step("galloway serve   (Training: losses, previews and glimpses)")
