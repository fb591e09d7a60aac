"""`galloway demo`: the whole job, with simulated workers or with people."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..wording import lines as as_text
from ..wording import typed
from .console import emit_page, next_step, say

if TYPE_CHECKING:
    from ...curation.types import Progress
    from ..demo.run import DemoResult

__all__ = ["demo"]


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo",
    show_default=True,
    help="The demo's workspace; one that was begun is gone on with.",
)
@click.option("--people", is_flag=True, help="Wait for people to answer the HITs, instead of simulated workers.")
@click.option("--small", is_flag=True, help="Shorter clips and less training.")
@click.option("--seed", default=1, show_default=True, help="Draws the footage and the simulated workers.")
def demo(folder: Path, people: bool, small: bool, seed: int) -> None:
    """Run the whole job on footage made from public-domain photographs: extract, HITs, votes, merge, train, convert.

    \b
    Example:  galloway demo            (simulated workers)
              galloway demo --people   (you and your friends)
    """
    from ...extras import require

    require("skimage", "matplotlib")
    from ..demo.run import Demo, run_demo

    done = run_demo(Demo(folder, small, people, seed, say, _quiet_progress()))
    emit_page(_summary(done, folder))
    next_step(f"galloway -w {typed(folder)} serve")


def _quiet_progress() -> Callable[[str], Progress]:
    """A line every ten seconds while a stage lasts: the demo's own lines say what each stage brought."""
    last = time.monotonic()

    def stage(name: str) -> Progress:
        def report(what: str, done: int, total: int | None) -> None:
            nonlocal last
            if time.monotonic() - last >= 10:
                last = time.monotonic()
                say(f"{name}: {what} {done}" + (f"/{total}" if total is not None else ""))

        return report

    return stage


def _summary(done: DemoResult, folder: Path) -> str:
    from ...mturk.requester.money import written

    paid = written(done.paid, done.currency)
    who = "simulated workers" if done.simulated else "people"
    lines = [
        "",
        f"Done in {done.seconds:.0f} s: {done.votes:,} votes by {who} on {done.hits} HITs, {paid} paid.",
        "",
        f"  agreement report   {done.report}",
    ]
    for side, quality in done.quality.items():
        lines.append(
            f"  faceset {side.value}          {done.facesets[side]}   {quality.approved} of {quality.found} faces; "
            f"precision {quality.precision:.3f}, recall {quality.recall:.3f} against the truth"
        )
    lines += [
        f"  trained model      {done.model}",
        f"  swapped video      {done.video}",
        f"  side by side       {done.side_by_side}",
        f"  preview            {done.preview}",
        "",
        f"Look at everything in a browser: galloway -w {typed(folder)} serve   (or: make serve)",
    ]
    return as_text(lines)
