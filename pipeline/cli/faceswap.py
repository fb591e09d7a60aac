"""`galloway faceswap`: what concerns the real faceswap program alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import emit, emit_page
from .faceset.translate import translate

if TYPE_CHECKING:
    from ..app import App

__all__ = ["faceswap"]


@click.group()
def faceswap() -> None:
    """Look at the faceswap that is installed, and translate its old commands.

    \b
    galloway faceswap check
    galloway faceswap translate "faceswap.py train -A a -B b -m model -t realface -wl"
    """


@faceswap.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Name line, version, backend, GPU, weights and conflicts of the faceswap that settings or environment name.

    Exit code 1: it cannot be used as it is.
    """
    from dataclasses import asdict

    report = _app(ctx).engine("faceswap").check()
    if as_json:
        emit_page(json.dumps(asdict(report), indent=2))
    else:
        for item in report.checks:
            emit(f"{'ok  ' if item.ok else 'wish' if item.wish else 'look'} {item.name}: {item.detail}")
            if item.remedy and not item.ok:
                emit(f"     {item.remedy}")
    if not report.usable:
        ctx.exit(1)


def _app(ctx: click.Context) -> App:
    """Of the workspace that the command runs in, whose [engine] counts; without one, what the user's own say."""
    from ..app import App
    from ..workspace.folder import CONFIG_NAME, Workspace
    from ..workspace.settings import load_settings

    start, here = ctx.ensure_object(dict).get("workspace"), Path.cwd()
    if start or any((folder / CONFIG_NAME).is_file() for folder in (here, *here.parents)):
        return App(Workspace.find(start))
    return App(Workspace(here, load_settings(None)))


faceswap.add_command(translate)
