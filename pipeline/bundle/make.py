"""A training packed into a folder of the user's: the run is entered in the workspace, its end is fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...curation.types import Progress
from ..app import App
from ..consent.gate import check_consent
from ..stages.train import TrainOptions, approved_facesets, model_folder, new_run
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.runs import Run
from .hosted import write_hosted
from .manifest import MANIFEST, BundleError, Manifest, read_manifest
from .pack import Where, make_bundle

__all__ = ["begun", "make_for"]


def make_for(
    app: App,
    options: TrainOptions,
    folder: Path,
    host: str,
    where: Where,
    *,
    engine: str | None,
    progress: Progress,
    tell: Callable[[str], None],
) -> Manifest:
    """Pack a training for `host` into `folder`, which is empty, or holds a bundle that was cut off; `tell` is as in
    `make_bundle`.

    Raises NotApproved where facesets are not approved or consent does not cover it, BundleError where other things lie
    in the folder.
    """
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MANIFEST).is_file():
            raise BundleError(f"{folder} is not empty. Name a new folder for the bundle.")
        raise BundleError(f"{folder} holds {read_manifest(folder).run} already. Name a new folder, or delete this one.")
    partial = folder.with_name(f".{folder.name}.partial")
    run = begun(app, options, engine, host)
    fixed = replace(options, until=run.record["options"]["until"])
    manifest = make_bundle(app, run, fixed, partial, where, progress, tell)
    write_hosted(partial, manifest, host)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir():
        folder.rmdir()
    partial.rename(folder)
    return manifest


def begun(app: App, options: TrainOptions, engine: str | None, on: str, **more: object) -> Run:
    """A run for another machine, `on`: its record says at which of the model's iterations it ends, killed or not."""
    check_consent(app, "train")
    worker = app.engine(engine)
    approved = approved_facesets(app)
    until = options.until
    if until is None:
        until = options.iterations + worker.trained(model_folder(app, worker.name, options.model), options.model)
    run = new_run(app, approved, replace(options, until=until), worker, on=on, **more)
    note_act(
        app.workspace,
        "send",
        f"a training for {on}",
        counted(sum(item.faces for item in approved.values()), "face"),
    )
    return run
