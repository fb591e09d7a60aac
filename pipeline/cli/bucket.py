"""`galloway bucket status|push|pull|release`: the workspace's faces in an S3 bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .console import next_step, open_app, result, say, stage_progress

if TYPE_CHECKING:
    from ..app import App
    from ..workspace.bucket.mirror import Mirror, State

__all__ = ["bucket"]


@click.group()
def bucket() -> None:
    """The workspace's facesets (faces, alignments, manifests) in an S3 bucket beside the folder, or in anything that
    speaks S3: MinIO, R2, Ceph.

    [faces] in galloway.toml names it; `galloway bucket push` begins. From then on every command that changes faces
    brings them there at its end, and every command that needs them fetches what lacks. Each content is sent once. What
    is erased here, or expires, goes there, too.
    """


def _mirror(app: App) -> Mirror:
    from ..errors import StageError
    from ..workspace.bucket.mirror import Mirror

    if not app.settings.faces.s3_bucket:
        raise StageError(
            "No bucket is named. Write s3_bucket (and s3_endpoint, where it is not AWS) under [faces] in "
            "galloway.toml; the keys best as GALLOWAY_FACES__S3_ACCESS_KEY and GALLOWAY_FACES__S3_SECRET_KEY."
        )
    return Mirror(app.workspace.root, app.settings)


@bucket.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say what is there, and whether folder and bucket agree. Nothing is changed."""
    from dataclasses import asdict

    found = _mirror(open_app(ctx)).state()
    result(asdict(found), as_json, lambda: _lines(found))
    if command := _next(found):
        next_step(command)


def _lines(found: State) -> list[str]:
    from ..wording import counted

    lines = [f"{found.place}: {counted(found.files, 'file')}, {found.size / 1e6:,.1f} MB"]
    if not found.begun:
        lines.append("This folder and the bucket never agreed.")
    elif found.released:
        lines.append("The files were released here; the next command that needs them fetches them.")
    elif found.changed_here or found.changed_there:
        there = "another machine changed it" if found.changed_there else "as it was left"
        lines.append(f"Changed here since both agreed: {counted(found.changed_here, 'file')}. There: {there}.")
    else:
        lines.append("Both agree.")
    return lines


def _next(found: State) -> str:
    if not found.begun:
        return "galloway bucket pull" if found.files else "galloway bucket push"
    if found.changed_here:
        return "galloway bucket push"
    return "galloway bucket pull" if found.changed_there else ""


@bucket.command()
@click.option("--ours", is_flag=True, help="Let this folder stand where another machine changed the bucket.")
@click.pass_context
def push(ctx: click.Context, ours: bool) -> None:
    """Bring the folder's facesets there. Stopped half way, the same command goes on.

    \b
    Example:  galloway bucket push
    """
    from ..wording import counted

    app = open_app(ctx)
    mirror = _mirror(app)
    with app.workspace.lock("sending faces", faces=True, agreeing=False), stage_progress("send") as progress:
        sent = mirror.put(progress, ours=ours)
    say(f"Sent {counted(sent, 'file')}; the bucket has what the folder has.")


@bucket.command()
@click.option("--theirs", is_flag=True, help="Let the bucket stand; what changed here moves to backups/.")
@click.pass_context
def pull(ctx: click.Context, theirs: bool) -> None:
    """Fetch the facesets that are there. Stopped half way, the same command goes on.

    \b
    Example:  galloway bucket pull
    """
    from ..wording import counted

    app = open_app(ctx)
    mirror = _mirror(app)
    with app.workspace.lock("fetching faces", faces=True, agreeing=False), stage_progress("fetch") as progress:
        came = mirror.fetch(progress, theirs=theirs)
    say(f"Fetched {counted(came, 'file')}; the folder has what the bucket has.")


@bucket.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def release(ctx: click.Context, yes: bool) -> None:
    """Free the disk: delete the faces here, once the bucket has all of them. Commands that need them fetch them again;
    pages show no faces meanwhile (galloway bucket pull).
    """
    app = open_app(ctx)
    mirror = _mirror(app)
    found = mirror.state()
    if not yes:
        click.confirm(f"Delete the facesets in {app.workspace.root}? {found.place} keeps them.", abort=True, err=True)
    with app.workspace.lock("releasing faces", faces=True, agreeing=False):
        freed = mirror.release()
    say(f"Freed {freed / 1e6:,.1f} MB here; everything is in {found.place}.")
