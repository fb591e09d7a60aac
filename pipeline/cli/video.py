"""`galloway video`: check a video for what breaks face swaps, and mend it."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..video import VideoReport

from ..wording import typed
from .console import emit, emit_page

__all__ = ["video"]

_VIDEO = click.Path(dir_okay=False, path_type=Path)


@click.group()
def video() -> None:
    """Check a video for what breaks face swaps, and mend it.

    \b
    galloway video check clip.mp4
    galloway video fix clip.mp4 -o clip_fixed.mp4
    """


@video.command()
@click.argument("videos", nargs=-1, required=True, type=_VIDEO)
@click.option("--quick", is_flag=True, help="Read packets only, decode no frames.")
@click.option("--json", "as_json", is_flag=True, help="Print facts and findings as JSON.")
def check(videos: tuple[Path, ...], quick: bool, as_json: bool) -> None:
    """Say what about VIDEOS will surprise, and the one command that mends it.

    Exit code 0: nothing harmful; 1: at least one video needs mending.

    \b
    galloway video check *.mp4
    """
    from ..video import check_video

    reports = [check_video(path, decode=not quick) for path in videos]
    if as_json:
        emit_page(json.dumps([report.to_json() for report in reports], indent=2))
    else:
        for report in reports:
            _print(report)
    if not all(report.ok for report in reports):
        click.get_current_context().exit(1)


@video.command()
@click.argument("source", type=_VIDEO)
@click.option(
    "-o",
    "--output",
    type=_VIDEO,
    help="The mended mp4; default: <name>_fixed.mp4 beside it; of a workspace's own footage, in this folder.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Print the ffmpeg command and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print command, counts and hashes as JSON.")
def fix(source: Path, output: Path | None, dry_run: bool, as_json: bool) -> None:
    """Mend SOURCE with one ffmpeg command; the source stays as it is.

    The command, frame counts and SHA-256 before and after are kept in <output>.fix.json.
    Exit code 3: there is nothing to mend.

    \b
    galloway video fix clip.mp4 --dry-run
    """
    from ..errors import NothingToDo
    from ..video import check_video, fix_command, fix_video

    report = check_video(source)
    target = output or _mended(source)
    if report.ok:
        raise NothingToDo(f"{source} needs no mending.")
    if dry_run:
        emit(join(fix_command(report, target)))
        return
    emit(join(fix_command(report, target)), err=True)
    result = fix_video(report, target)
    before, after = result.before, result.after
    if as_json:
        values = {"command": list(result.command), "before": before.to_json(), "after": after.to_json()}
        emit_page(json.dumps(values, indent=2))
        return
    mended = ", ".join(finding.code for finding in before.findings if finding.severity != "note")
    emit(f"{target}: mended {mended}")
    emit(f"  before {before.facts.frames} frames  sha256 {before.sha256}")
    emit(f"  after  {after.facts.frames} frames  sha256 {after.sha256}")
    emit(f"  record {result.record}")


def _print(report: VideoReport) -> None:
    facts = report.facts
    emit(f"{report.path}: {'fine' if report.ok else 'needs mending'}")
    if facts.readable:
        width, height = facts.shown_size
        sound = f"sound {facts.sound.codec}" if facts.sound else "no sound"
        emit(
            f"  {width}x{height}, {facts.frames} frames at {float(facts.rate):.3f}/s, "
            f"{facts.duration:.3f} s, {facts.codec} {facts.pixel_format}, {sound}"
        )
    for finding in report.findings:
        emit(f"  {finding.severity:<7} {finding.code}: {finding.what}")
        emit(f"          {finding.why}")
    if report.fixable:
        emit(f"  Mend it: galloway video fix {typed(report.path)} -o {typed(_mended(report.path))}")


def _mended(source: Path) -> Path:
    """Where the mended film goes: beside its source, but never among the footage that a workspace keeps, which
    knows its own files; then into the current folder."""
    from ..workspace.folder import CONFIG_NAME

    here = source.absolute().parents
    kept = any(folder.name == "sources" and (folder.parent / CONFIG_NAME).is_file() for folder in here)
    name = f"{source.stem}_fixed.mp4"
    return Path(name) if kept else source.with_name(name)
