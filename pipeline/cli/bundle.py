"""`galloway bundle …`: a training packed for a machine of somebody else's, run there, brought home."""

from __future__ import annotations

from pathlib import Path

import click

from .console import emit, next_step, open_app, pairs, say, stage_progress

__all__ = ["bundle"]


@click.group()
def bundle() -> None:
    """A training packed for a notebook or a scheduler, run there, brought home. By ssh: `galloway train --on ssh://…`.

    \b
    Example:  galloway bundle make ~/to-kaggle --for kaggle --minutes 60
              galloway bundle take train-20261126-result.zip
    """


@bundle.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--for",
    "host",
    type=click.Choice(["jupyter", "kaggle", "colab", "skypilot", "dstack"]),
    default="jupyter",
    show_default=True,
    help="Whose file to write beside it.",
)
@click.option("--engine", type=click.Choice(["embedded", "faceswap"]), help="Default: the workspace's setting.")
@click.option("--model", default="original", show_default=True)
@click.option("-i", "--iterations", type=click.IntRange(min=1), default=20_000, show_default=True)
@click.option("-b", "--batch-size", type=click.IntRange(min=1), default=16, show_default=True)
@click.option("-s", "--save-every", type=click.IntRange(min=1), default=250, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after so many minutes, with a save.")
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the engine's own.")
@click.option("--box-python", default="", metavar="PROGRAM", help="faceswap's Python on that machine.")
@click.option("--box-faceswap", default="", metavar="FOLDER", help="faceswap's folder on that machine.")
@click.pass_context
def make(
    ctx: click.Context,
    folder: Path,
    host: str,
    engine: str | None,
    model: str,
    iterations: int,
    batch_size: int,
    save_every: int,
    seed: int,
    minutes: float | None,
    options: tuple[str, ...],
    box_python: str,
    box_faceswap: str,
) -> None:
    """Pack a training on the approved facesets into FOLDER. It holds faces: keep it private, and delete it afterwards.

    \b
    Example:  galloway bundle make ~/to-kaggle --for kaggle --minutes 60
    """
    from ..bundle.hosted import HOSTS
    from ..bundle.make import make_for
    from ..bundle.pack import Where
    from ..stages.train import TrainOptions

    app = open_app(ctx)
    chosen = TrainOptions(
        model=model,
        iterations=iterations,
        batch_size=batch_size,
        save_every=save_every,
        seed=seed,
        minutes=minutes,
        options=tuple(pairs(options).items()),
    )
    with app.workspace.reading_faces("packing a training"), stage_progress("pack") as progress:
        manifest = make_for(
            app, chosen, folder, host, Where(box_faceswap, box_python), engine=engine, progress=progress, tell=say
        )
    emit(str(folder / HOSTS[host][0]))
    size = sum(item.stat().st_size for item in folder.rglob("*") if item.is_file())
    faces = " and ".join(str(manifest.packs[side].faces) for side in "ab")
    say(f"{faces} faces, {size / 1e6:,.0f} MB, without anybody's name.")
    if host == "colab":
        say("Google's terms for Colab's free tier forbid making deepfakes: use a plan that allows what you do.")
    next_step("galloway bundle take RESULT   (when it has been trained there)")


@bundle.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def run(folder: Path) -> None:
    """Train the bundle in FOLDER, on any machine and without a workspace; killed and run again it goes on.

    \b
    Example:  galloway bundle run ~/to-kaggle
    """
    from ..bundle.run import run_bundle
    from .train import teller

    outcome = run_bundle(folder.absolute(), teller(False, None))
    say(f"Training stands at iteration {outcome.iterations} ({outcome.stopped}).")


@bundle.command()
@click.argument("result", type=click.Path(path_type=Path, exists=True))
@click.pass_context
def take(ctx: click.Context, result: Path) -> None:
    """Bring home what was trained elsewhere: RESULT is the bundle's folder, or the zip that its notebook made.

    \b
    Example:  galloway bundle take train-20261126-result.zip
    """
    from ..bundle.take import taken

    app = open_app(ctx)
    with app.workspace.lock("bundle take"):
        run, outcome = taken(app, result)
    say(f"{run.id} stands at iteration {outcome.iterations} ({outcome.stopped}).")
    emit(run.record["model_dir"])
    next_step("galloway convert")
