"""`--jobs` and `--dask`: where the frames and faces of a command are worked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import say

if TYPE_CHECKING:
    from ...curation.spread import Spread
    from ..app import App

__all__ = ["spread_options", "spread_over"]

_COMMAND = click.core.ParameterSource.COMMANDLINE


def spread_options(jobs: str) -> Callable[[Any], Any]:
    """The options; `jobs` is the help of --jobs."""

    def decorated(command: Any) -> Any:
        dask = click.option(
            "--dask",
            metavar="ADDRESS",
            envvar="GALLOWAY_DASK",
            help="A Dask cluster does it: the address of its scheduler, such as tcp://10.0.0.5:8786. All machines see "
            "the workspace and the footage under the same path.",
        )
        own = click.option("--jobs", type=click.IntRange(1, 64), envvar="GALLOWAY_JOBS", help=jobs)
        return own(dask(command))

    return decorated


@contextmanager
def spread_over(app: App, jobs: int | None, dask: str | None, files: Sequence[Path] = ()) -> Iterator[Spread | None]:
    """Where the work goes: a cluster that sees the workspace and `files`, processes of this machine, or None for this
    process. Raises UsageError where both are asked for on the command line."""
    context = click.get_current_context()
    if jobs and dask:
        asked = {name for name in ("jobs", "dask") if context.get_parameter_source(name) is _COMMAND}
        if len(asked) != 1:
            raise click.UsageError("--jobs is for this machine and --dask for a cluster: choose one.")
        jobs, dask = (jobs, None) if "jobs" in asked else (None, dask)
    if dask:
        from ..jobs.progress import told_dashboard
        from ..spread.cluster import on_cluster

        def said(dashboard: str) -> None:
            say(f"The cluster's dashboard: {dashboard}")
            told_dashboard(dashboard)

        with on_cluster(dask, app.workspace.root, files, said) as spread:
            yield spread
    elif jobs:
        from ...curation.spread import on_this_machine

        with on_this_machine(jobs) as spread:
            yield spread
    else:
        yield None
