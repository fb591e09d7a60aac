"""The trained models of a workspace: which there are, and the one that somebody names to make a film with."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

from ..app import App
from ..errors import StageError
from ..workspace.runs import Run, runs
from .train import holds_a_model, last_model, saved_any

__all__ = ["model_name", "named_model", "trained_models"]


def model_name(run: Run) -> str:
    """The name of the model's folder in models/, as `--model` takes it."""
    return PurePosixPath(run.record["model_dir"]).name


def trained_models(app: App) -> list[Run]:
    """Of each model that is there the run that saved it last, the newest first."""
    of: dict[str, list[Run]] = defaultdict(list)
    for run in reversed(runs(app.workspace)):
        of[run.record["model_dir"]].append(run)
    there = [found for folder, found in of.items() if holds_a_model(app.workspace.inside(folder))]
    return [run for found in there for run in [next(filter(saved_any, found), None)] if run is not None]


def named_model(app: App, name: str | None, engine: str | None = None) -> Run:
    """The run that saved the model last that `name` says: by the id of a run, or its folder's name in models/. Without
    a name the newest, of `engine` where one is given.

    Raises StageError where there is no such model, with those that there are; where the run of that id is not the last
    that saved its model, which is another since; and where another engine trained it.
    """
    there = trained_models(app)
    if name is None:
        if engine is None:
            return last_model(app)
        found = next((run for run in there if run.record["engine"] == engine), None)
        if found is None:
            raise StageError(f"There is no model that the engine {engine} trained. {_listed(there)}")
        return found
    wanted = name.removeprefix("models/").rstrip("/")
    named = next((run for run in runs(app.workspace) if run.id == wanted), None)
    folder = model_name(named) if named is not None else wanted
    found = next((run for run in there if model_name(run) == folder), None)
    if found is None:
        raise StageError(f"There is no model {name!r}. {_listed(there)}")
    if named is not None and named.id != found.id and found.id > named.id:
        raise StageError(
            f"The model of {named.id} is no more as that run left it: {found.id} went on training it. "
            f"With what it is now: galloway convert --model {folder}"
        )
    if engine not in (None, found.record["engine"]):
        raise StageError(
            f"{folder} was trained by the engine {found.record['engine']}; {engine} cannot use it. Leave --engine out."
        )
    return found


def _listed(there: list[Run]) -> str:
    if not there:
        return "There is none yet. Train one: galloway train"
    return f"There are: {', '.join(f'{model_name(run)} ({run.id})' for run in there)}."
