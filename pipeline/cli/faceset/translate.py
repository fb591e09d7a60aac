"""`translate`: an old faceswap command line in today's words, under `galloway faceswap` and `galloway faceset`."""

from __future__ import annotations

import json

import click

from ..console import emit, emit_page

__all__ = ["translate"]


@click.command()
@click.argument("command_line")
@click.option("--line", type=click.Choice(["v2.3.0", "master", "both"]), default="both", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print command and changes as JSON.")
def translate(command_line: str, line: str, as_json: bool) -> None:
    """Say an old faceswap COMMAND_LINE in today's words, for both living lines. Nothing is run.

    Abbreviated switches (--iter) and values without a space (-b16) are written out; what stands behind it for the shell
    is left out. Exit code 1: today's programs have no such command, or would refuse it, and what they would refuse is
    named.

    \b
    galloway faceswap translate "python tools.py alignments -j remove-faces -a clip.json -fc faces"
    """
    from ...engines.faceswap import translate as translated

    results = [translated(command_line, name) for name in (("v2.3.0", "master") if line == "both" else (line,))]
    if as_json:
        values = [
            {
                "line": result.line,
                "command": list(result.command),
                "refused": result.refused,
                "changes": [{"old": change.old, "new": change.new, "why": change.why} for change in result.changes],
            }
            for result in results
        ]
        emit_page(json.dumps(values, indent=2))
    else:
        for result in results:
            emit(f"{result.line}: {result.refused or result}")
            for change in result.changes:
                emit(f"    {change.old} → {change.new or 'left out'}: {change.why}")
    if any(result.refused for result in results):
        click.get_current_context().exit(1)
