"""`galloway train|convert`: from approved facesets to the swapped video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from functools import partial
from pathlib import Path

import click

from ..engines.base import FrameRange
from .console import next_step, open_app, pairs, result, say, stage_progress
from .pace import Pace
from .spreading import spread_options, spread_over

__all__ = ["convert", "teller", "train"]


@click.command()
@click.option("--engine", type=click.Choice(["embedded", "faceswap"]), help="Default: the workspace's setting.")
@click.option(
    "--model",
    default="original",
    show_default=True,
    help="original, lightweight, villain, realface, dfl-sae, phaze-a, …",
)
@click.option(
    "-i",
    "--iterations",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Iterations of this run; a model that is there is gone on with.",
)
@click.option(
    "--until",
    type=click.IntRange(min=1),
    metavar="TOTAL",
    help="Instead: stop where the model has TOTAL iterations; killed and run again, it goes on to the same end.",
)
@click.option("-b", "--batch-size", type=click.IntRange(min=1), default=16, show_default=True)
@click.option("-s", "--save-every", type=click.IntRange(min=1), default=250, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after so many minutes, with a save.")
@click.option(
    "--best",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train on the best N faces of side B only: those that cover the clip (`faceset pick`).",
)
@click.option("--warp-to-landmarks", is_flag=True, help="Warp training faces to similar ones of the other side.")
@click.option("--no-timelapse", is_flag=True)
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the engine's own.")
@click.option(
    "--on",
    metavar="ssh://USER@HOST",
    help="Train on that machine (:PORT and /FOLDER if wanted): packed, sent, followed, fetched, its faces taken off "
    "it again. The same command goes on.",
)
@click.option("--drop", is_flag=True, help="Take what is open on the machine of --on off it.")
@click.option("--box-python", default="", metavar="PROGRAM", help="With --on: a Python there that has what is needed.")
@click.option("--box-faceswap", default="", metavar="FOLDER", help="With --on and faceswap: its folder there.")
@click.option("--ssh-config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Not ~/.ssh/config.")
@click.option("--watch", is_flag=True, help="Print every loss; default: one line every ten seconds.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def train(
    ctx: click.Context,
    engine: str | None,
    model: str,
    iterations: int,
    until: int | None,
    batch_size: int,
    save_every: int,
    seed: int,
    minutes: float | None,
    best: int | None,
    warp_to_landmarks: bool,
    no_timelapse: bool,
    options: tuple[str, ...],
    on: str | None,
    drop: bool,
    box_python: str,
    box_faceswap: str,
    ssh_config: Path | None,
    watch: bool,
    as_json: bool,
) -> None:
    """Train on the approved facesets of both sides. Refuses facesets that are not approved or have changed. Ctrl-C
    stops after a save; the same command goes on.

    \b
    Example:  galloway train --minutes 30
    Example:  galloway train --minutes 30 --best 500
              galloway train -i 50000 --on ssh://ann@gpu.example
    """
    from ..judging.painted import painted_faces
    from ..stages.train import TrainOptions
    from ..stages.train import train as run_training

    app = open_app(ctx)
    if drop:
        _drop(app, on, ssh_config)
        return
    chosen = TrainOptions(
        model=model,
        iterations=iterations,
        batch_size=batch_size,
        save_every=save_every,
        seed=seed,
        warp_to_landmarks=warp_to_landmarks,
        timelapse=not no_timelapse,
        minutes=minutes,
        best=best,
        until=until,
        options=tuple(pairs(options).items()),
    )
    tell = teller(watch, None if minutes or until else iterations, minutes)
    if on:
        run, outcome = _away(app, chosen, on, ssh_config, engine, box_python, box_faceswap, tell)
    else:
        with app.workspace.reading_faces("training"):
            run, outcome = run_training(app, chosen, engine=engine, painted=painted_faces(app, say), on_event=tell)
    say(f"Training stands at iteration {outcome.iterations} ({outcome.stopped}).")
    data = {"run": run.id, **run.record}
    result(data, as_json, lambda: [run.record["model_dir"], f"{app.workspace.relative(run.folder)}/losses.svg"])
    next_step("galloway convert")


def _away(  # type: ignore[no-untyped-def]
    app, chosen, on: str, ssh_config: Path | None, engine: str | None, python: str, faceswap: str, tell
):
    from ..bundle.away import train_away
    from ..bundle.box import read_address
    from ..bundle.pack import Where

    box = read_address(on, ssh_config)
    where = Where(faceswap, python if faceswap else "")
    python = "" if faceswap else python
    packing = partial(stage_progress, "pack")
    return train_away(app, chosen, box, where, engine=engine, python=python, on_event=tell, packing=packing)


def _drop(app, on: str | None, ssh_config: Path | None) -> None:  # type: ignore[no-untyped-def]
    from ..bundle.away import drop_away
    from ..bundle.box import read_address

    if not on:
        raise click.UsageError("Which machine? galloway train --on ssh://USER@HOST --drop")
    gone = drop_away(app, read_address(on, ssh_config))
    say(f"Taken off {on}: {', '.join(run.id for run in gone)}." if gone else f"Nothing is open on {on}.")


def teller(watch: bool, iterations: int | None, minutes: float | None = None):  # type: ignore[no-untyped-def]
    import time

    from ..jobs.progress import told

    last, pace, first = 0.0, Pace(time.monotonic, minutes and 60 * minutes), 0

    def tell(event) -> None:  # type: ignore[no-untyped-def]
        nonlocal last, first
        if event.kind == "loss":
            if not first and event.left is not None:
                pace.seconds = event.left
            first = first or event.iteration
            total = None if iterations is None else first - 1 + iterations
            pace.told("iteration", event.iteration, total)
            told("iteration", event.iteration, total, pace.text())
            if watch or time.monotonic() - last > 10:
                last = time.monotonic()
                say(f"train: #{event.iteration} loss A {event.loss_a:.4f}, B {event.loss_b:.4f}")
        elif event.kind == "saved":
            say(f"train: saved at #{event.iteration}")
        elif event.kind == "preview":
            if watch:
                say(f"train: preview {event.path}")
        elif event.text and event.kind != "command":
            say(f"train: {event.text}")

    return tell


@click.command()
@click.option("--source", help="Which video of side A; needed when there are several.")
@click.option(
    "--model",
    metavar="NAME",
    help="Not the newest model: a run's id, or a folder's name in models/, such as embedded-original.",
)
@click.option(
    "--engine",
    type=click.Choice(["embedded", "faceswap"]),
    help="Default: the one that trained the model. Given alone: the newest model of that engine.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A video (.mp4, .mov, .mkv), or a folder of PNGs. Default: results/<source>-swapped, ending by the codec.",
)
@click.option(
    "--codec", type=click.Choice(["h264", "h265", "prores", "ffv1", "png"]), help="Default: h264; pictures: png."
)
@click.option(
    "--crf", type=click.IntRange(0, 51), help="h264, h265: 0 is bit-exact; default: above 50 dB where nothing changed."
)
@click.option("--preset", help="h264, h265: ultrafast … veryslow. Default: veryfast.")
@click.option("--rate", help="Of a folder of frames: frames a second, such as 24 or 24000/1001. Default: 25.")
@click.option("--frames", "frames", multiple=True, metavar="FIRST-LAST", help="Swap only these frames; repeatable.")
@click.option("--skip", multiple=True, metavar="FIRST-LAST", help="Leave these frames as they are; repeatable.")
@click.option(
    "--where",
    type=click.Choice(["approved"]),
    help="approved: what people said does not hold keeps its own pixels (`review-swap`). All else is as that film was "
    "made, but for choices that are given.",
)
@click.option(
    "--fade",
    type=click.IntRange(0, 250),
    help="Frames over which the swap comes and goes beside what is left. Default: 4 with --where, else 0.",
)
@click.option(
    "--again",
    multiple=True,
    metavar="FIRST-LAST",
    help="Make only these frames of a film anew, with the film's own choices and the newest model (or the one named "
    "for it); all others stay as they are in it; repeatable.",
)
@click.option("--film", metavar="NAME", help="With --again or --where: which film of results/. Default: the newest.")
@click.option("--leave", is_flag=True, help="With --again: these frames become as the source has them.")
@click.option(
    "--mask",
    default="extended",
    show_default=True,
    help="extended, components, none. faceswap also: predicted, by a model that was trained with learn_mask; and those "
    "stored with every face, such as vgg-obstructed or custom_face.",
)
@click.option("--color", default="avg-color", show_default=True, help="avg-color, match-hist, seamless-clone, none")
@click.option(
    "--no-label",
    metavar="REASON",
    default="",
    help="Leave out the label “AI MODIFIED” (top right, whenever a swapped face is first seen); the reason is recorded "
    "and signed with the film.",
)
@click.option(
    "--no-mark",
    metavar="REASON",
    default="",
    help="Leave out the mark in the pixels of swapped frames, by which `galloway verify` knows a film that was encoded "
    "anew; the reason is recorded and signed with the film.",
)
@spread_options("Processes of this machine that draw. Default: this one, with a thread a core.")
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the engine's own.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def convert(
    ctx: click.Context,
    source: str | None,
    model: str | None,
    engine: str | None,
    output: Path | None,
    codec: str | None,
    crf: int | None,
    preset: str | None,
    rate: str | None,
    frames: tuple[str, ...],
    skip: tuple[str, ...],
    where: str | None,
    fade: int | None,
    again: tuple[str, ...],
    film: str | None,
    leave: bool,
    mask: str,
    color: str,
    no_label: str,
    no_mark: str,
    jobs: int | None,
    dask: str | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Swap the faces of the approved alignments in side A's footage. All else is as it was: colours, pixel shape, rate,
    times, all sound tracks, subtitles, chapters; what the result's format cannot hold is named.

    \b
    Example:  galloway convert --skip 120-180
    Example:  galloway convert --model embedded-original
    Example:  galloway convert --where approved
    Example:  galloway convert --again 120-180
    Example:  galloway convert --codec prores
    Example:  galloway convert --crf 0 --output archive.mkv
    """
    from ...curation.types import Side
    from ..stages.convert import convert as run_conversion
    from ..stages.convert_options import ConvertOptions, parse_ranges
    from ..stages.reconvert import convert_approved, reconvert
    from ..workspace.records import sources

    given = _chosen(ctx, again, where)
    app = open_app(ctx)
    footage = [item.path for item in sources(app.workspace, Side.A)]
    with (
        app.workspace.reading_faces("converting"),
        spread_over(app, jobs, dask, footage) as spread,
        stage_progress("convert") as progress,
    ):
        if again:
            done = reconvert(app, film, parse_ranges(again), leave=leave, spread=spread, progress=progress)
        else:
            chosen = ConvertOptions(
                source=source,
                model=model,
                engine=engine,
                output=output,
                ranges=parse_ranges(frames),
                skip=parse_ranges(skip),
                fade=fade,
                approved=where == "approved",
                mask=mask,
                color=color,
                no_label=" ".join(no_label.split()),
                no_mark=" ".join(no_mark.split()),
                codec=codec,
                crf=crf,
                preset=preset,
                rate=_rate(rate),
                options=pairs(options),
            )
            if where and not given & _OTHER_FILM:
                named = {_CALLED.get(name, name) for name in given} & {item.name for item in fields(chosen)}
                own = {name: getattr(chosen, name) for name in named}
                done = convert_approved(app, film, own, spread=spread, progress=progress)
            else:
                done = run_conversion(app, chosen, spread=spread, progress=progress)
    made = done.result
    say(
        f"{made.swapped} of {made.frames} frames swapped ({made.faces} faces), "
        f"{'with' if made.has_sound else 'without'} sound. Model: {done.model}, as {done.run} left it."
    )
    for note in made.notes:
        say(f"Not in the result: {note}.")
    if made.hidden:
        say(
            f"Hardly anything of a face is swapped in frames {_listed(made.hidden)}: something looks to lie before it, "
            "or its landmarks do not fit. Look at them; to keep the source's own: "
            "galloway convert --again FIRST-LAST --leave"
        )
    if done.left is not None:
        told = ", ".join(f"{item.first}-{item.last}" for item in done.left) or "nothing"
        say(f"Left as it was, as people said: {told}. Soft cuts of {done.fade} frames.")
        say("A film is one stream and drawn frames are not kept, so it was converted whole; what is left cost nothing.")
    alike = [f"{item.what} {item.after}" for item in done.compared if item.same]
    say(f"As in the source: {'; '.join(alike)}.")
    for item in done.compared:
        if not item.same:
            say(f"Other than in the source: {item.what} {item.before} → {item.after}.")
    data = {
        "output": str(made.output),
        "run": done.run,
        "model": done.model,
        "side_by_side": str(done.side_by_side),
        "preview": str(done.contact_sheet),
        "frames": made.frames,
        "swapped": made.swapped,
        "faces": made.faces,
        "has_sound": made.has_sound,
        "left_out": list(made.notes),
        "hidden_frames": [[item.first, item.last] for item in made.hidden],
        "differs": {item.what: [item.before, item.after] for item in done.compared if not item.same},
    }
    result(data, as_json, lambda: [str(data[key]) for key in ("output", "side_by_side", "preview")])
    next_step("galloway serve")


def _listed(ranges: Sequence[FrameRange], most: int = 8) -> str:
    """Ranges as people write them, the first of many."""
    told = [str(item.first) if item.first == item.last else f"{item.first}-{item.last}" for item in ranges]
    more = f" and {len(told) - most} more places" if len(told) > most else ""
    return ", ".join(told[:most]) + more


_OF_AGAIN = {"again", "film", "leave", "jobs", "dask", "as_json"}
_OTHER_FILM = {"source", "output", "codec"}
"""Choices that say which film is made, and so which one people judged."""
_CALLED = {"frames": "ranges"}
"""Options whose names differ from those of `ConvertOptions`."""


def _chosen(ctx: click.Context, again: tuple[str, ...], where: str | None) -> set[str]:
    """The options that were chosen. Raises UsageError where choices of one way of converting are mixed with those of
    another."""
    given = {
        name for name in ctx.params if ctx.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT)
    }
    if not again and ("leave" in given or ("film" in given and not where)):
        raise click.UsageError("--film and --leave go with --again, --film also with --where.")
    if where and "film" in given and given & _OTHER_FILM:
        raise click.UsageError(f"--film says which film it is; leave --{min(given & _OTHER_FILM)} out.")
    if again and given - _OF_AGAIN:
        strange = min(given - _OF_AGAIN).replace("_", "-")
        raise click.UsageError(f"--again keeps the choices that the film was made with; leave --{strange} out.")
    return given


def _rate(text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise click.UsageError(f"{text!r} is no rate. Write frames a second, such as 24 or 24000/1001.")
    return rate
