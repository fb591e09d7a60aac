"""`galloway faceswap`: what concerns the real faceswap program alone."""

from __future__ import annotations

import json

import click

from .console import emit, emit_page
from .faceset.translate import translate

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
def check(as_json: bool) -> None:
    """Name line, version, backend, GPU, weights and conflicts of the faceswap that settings or environment name.

    Exit code 1: it cannot be used as it is.
    """
    from dataclasses import asdict

    from ..engines.faceswap import FaceswapEngine
    from ..workspace.settings import load_settings

    engine = load_settings(None).engine
    report = FaceswapEngine.from_settings(engine.faceswap_home, engine.faceswap_python).check()
    if as_json:
        emit_page(json.dumps(asdict(report), indent=2))
    else:
        for item in report.checks:
            emit(f"{'ok  ' if item.ok else 'look'} {item.name}: {item.detail}")
            if item.remedy and not item.ok:
                emit(f"     {item.remedy}")
    if not report.usable:
        click.get_current_context().exit(1)


faceswap.add_command(translate)
