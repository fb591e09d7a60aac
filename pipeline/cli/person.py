"""`galloway person …`: the people in the footage, what they agreed to, what was made of them; revoking and erasing."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import emit, next_step, open_app, result, say

if TYPE_CHECKING:
    from ..app import App
    from ..consent.record import ConsentRecord

__all__ = ["person"]


@click.group()
def person() -> None:
    """The people whose faces are here: what they agreed to, what was made of them, revoking, erasing.

    \b
    Example:  galloway person show "Ann Lee"
              galloway person consent "Ann Lee" --evidence release.pdf --expires 2027-12-31
              galloway person revoke "Ann Lee"
    """


@person.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Who was named when footage came in, and where.

    \b
    Example:  galloway person list --json
    """
    from ..stages.erase import persons

    found = persons(open_app(ctx))
    lines = [f"{name or 'nobody named'}: {'; '.join(places)}" for name, places in found.items()]
    result(found, as_json, lambda: lines or "No footage came in yet.")


@person.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON: the record and what was made.")
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show what the person NAME agreed to, and every faceset, model and film with their face.

    \b
    Example:  galloway person show "Ann Lee"
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from ..consent.lineage import lineage
    from ..consent.record import SCOPES, to_jsonld

    app = open_app(ctx)
    record = _record(app, name)
    made = lineage(app, record)
    today = datetime.now(UTC).date()
    stands = [f"{scope}: {record.why_not(scope, today) or f'yes: {words}'}" for scope, words in SCOPES.items()]
    until = f", until {record.expires:%d %B %Y}" if record.expires else ""
    head = f"{record.person}: {record.basis}, recorded {record.recorded_at:%d %B %Y}{until}. {record.note}".rstrip()
    proof = [f"evidence: {item.name} (SHA-256 {item.sha256[:16]}…)" for item in record.evidence]
    origins = [
        f"side {item.side}, {item.name}: " + ", ".join(row.values())
        for item in record.material
        for row in item.pictures
    ]
    data = {"record": to_jsonld(record), "made": asdict(made)}
    result(data, as_json, lambda: [head, *stands, *proof, *origins, *made.lines()])


@person.command()
@click.argument("name")
@click.option("--basis", type=click.Choice(["own", "consent", "licence", "public-domain"]), help="As at ingest.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["clean", "train", "convert"]),
    help="What was agreed to: clean (crops are shown to workers), train, convert; repeat it. Default: as it was.",
)  # fmt: skip
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it holds.")
@click.option(
    "--evidence",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that shows it, such as a signed release: its hash is kept, not the file. Repeat it for more.",
)
@click.option("--note", help="Where the agreement is kept, or anything else that backs it.")
@click.pass_context
def consent(
    ctx: click.Context,
    name: str,
    basis: str | None,
    scopes: tuple[str, ...],
    expires: datetime | None,
    evidence: tuple[Path, ...],
    note: str | None,
) -> None:
    """Record what the person NAME agreed to: for what, until when, and what shows it. A withdrawal ends with it.

    The record was begun when their footage came in. Earlier states of it stay known by their hash.

    \b
    Example:  galloway person consent "Ann Lee" --evidence release.pdf --expires 2027-12-31 --scope clean --scope train
    """
    from datetime import UTC
    from datetime import datetime as clock

    from ..consent.kept import evidence_of, keep
    from ..workspace.acts import note_act

    app = open_app(ctx)
    with app.workspace.lock("recording a consent"):
        record = _record(app, name)
        changes: dict[str, Any] = {"recorded_at": record.recorded_at, "withdrawn_at": None, "withdrawn_note": ""}
        changes |= {"basis": basis} if basis else {}
        changes |= {"scopes": tuple(dict.fromkeys(scopes))} if scopes else {}
        changes |= {"expires": expires.date()} if expires else {}
        changes |= {"evidence": (*record.evidence, *evidence_of(evidence))} if evidence else {}
        changes |= {"note": note} if note is not None else {}
        if record.withdrawn_at is not None:
            # What held their face before does so still: the next withdrawal bars it, too.
            changes |= {"recorded_at": clock.now(UTC), "since": record.since or record.recorded_at}
        keep(app.workspace.root, record.changed(**changes))
        note_act(app.workspace, "consent", "what a person agreed to")
    say("Recorded.")
    next_step(f"galloway person receipt {shlex.quote(record.person)} --out receipt.json")


@person.command()
@click.argument("name", required=False)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the receipt.")
@click.option(
    "--check",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead: look whether a receipt holds.",
)
@click.pass_context
def receipt(ctx: click.Context, name: str | None, out: Path | None, check: Path | None) -> None:
    """Write the consent receipt of the person NAME, for them to keep; or check one that somebody brings.

    It is a copy of the record (ISO/IEC TS 27560, JSON-LD). Exit code 1 where a receipt was changed or is of no
    record here.

    \b
    Example:  galloway person receipt "Ann Lee" --out ann-receipt.json
              galloway person receipt --check ann-receipt.json
    """
    from ..consent.kept import check_receipt, write_receipt

    app = open_app(ctx)
    if check is not None:
        record, current = check_receipt(app.workspace.root, check)
        now = "and the record still says the same" if current else "but the record changed since: write a new one"
        say(f"The receipt is genuine: a copy of {record.person}'s record, {now}.")
        if record.withdrawn_at is not None:
            say(f"{record.person} withdrew on {record.withdrawn_at:%d %B %Y}.")
        return
    if name is None or out is None:
        raise click.UsageError("Give NAME and --out FILE, or --check FILE.")
    write_receipt(_record(app, name), out)
    say(f"{out} is for {name}: what they agreed to, and how to see later that it was not changed.")


@person.command()
@click.argument("name")
@click.option("--note", default="", help="What the person said, or why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def revoke(ctx: click.Context, name: str, note: str, yes: bool) -> None:
    """Note that the person NAME withdrew: every faceset, model and film with their face is listed and barred.

    Nothing is deleted and nothing else changes: no page is published, no model trained on and no film made with their
    face any more. To delete it all: galloway person erase NAME

    \b
    Example:  galloway person revoke "Ann Lee" --note "by mail"
    """
    from datetime import UTC
    from datetime import datetime as clock

    from ..consent.kept import keep
    from ..consent.lineage import lineage
    from ..errors import NothingToDo, SafetyStop
    from ..workspace.acts import note_act

    app = open_app(ctx)
    with app.workspace.lock("revoking"):
        record = _record(app, name)
        if record.withdrawn_at is not None:
            raise NothingToDo(f"{record.person} withdrew on {record.withdrawn_at:%d %B %Y} already.")
        made = lineage(app, record)
        for line in made.lines():
            emit(line)
        if not yes and not (sys.stdin.isatty() and click.confirm(f"Bar all this for {record.person}?", err=True)):
            raise SafetyStop("Nothing was noted: confirm with --yes.")
        barred = tuple(dict.fromkeys((*record.barred, *(item.id for item in made.facesets))))
        keep(app.workspace.root, record.changed(withdrawn_at=clock.now(UTC), withdrawn_note=note, barred=barred))
        note_act(app.workspace, "revoke", "a person withdrew", f"{len(barred)} facesets barred")
    say(f"{record.person} withdrew. Publishing, training and converting with their face are refused from now on.")
    next_step(f"galloway person erase {shlex.quote(record.person)} --dry-run   (if it shall all be deleted)")


def _record(app: App, name: str) -> ConsentRecord:
    """The person's record; begun here for footage from before records were kept."""
    from ..consent.kept import note_source, record_of
    from ..errors import StageError
    from ..workspace.records import sources
    from ..workspace.traces import same_name

    root = app.workspace.root
    record = record_of(root, name)
    if record is None:
        for item in sources(app.workspace):
            if same_name(item.person, name):
                note_source(app, item)
        record = record_of(root, name)
    if record is None:
        raise StageError(f"Nobody is called {name!r} here. See who is: galloway person list")
    return record


@person.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would go; erase nothing.")
@click.option("--backups", is_flag=True, help="Delete the copies of the database from before upgrades, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase(ctx: click.Context, name: str, dry_run: bool, backups: bool, yes: bool) -> None:
    """Erase the person NAME: footage, faces, votes on them, references, and all that was made of them, for good.

    Models, previews, results, reports and embeddings go whole: they were made of several faces at once. Databases are
    overwritten. What still holds the name is listed with what to do; what you wrote elsewhere with --output, and your
    own files, are not known here.

    \b
    Example:  galloway person erase "Ann Lee" --dry-run
    """
    from ..errors import SafetyStop
    from ..stages.erase import erase_person, plan_erasure
    from ..stages.status import read_status

    app = open_app(ctx)
    root = app.workspace.root
    with app.workspace.lock("erasing", faces=True):
        planned = plan_erasure(app, name)
        for removal in planned.removals:
            source = removal.source
            counts = f"{len(removal.faces)} faces, {removal.votes} votes, the footage"
            say(f"side {source.side.value}, {source.name}: {counts}")
        for side in planned.sides:
            say(f"side {side.value}: its reference photographs")
        for path in planned.paths:
            say(path.relative_to(root).as_posix())
        if not planned.sides:
            say(f"No footage and no side is {name}'s; the workspace is searched for the name all the same.")
        if dry_run:
            return
        if planned.sides and not yes and not (sys.stdin.isatty() and click.confirm("Erase for good?", err=True)):
            raise SafetyStop("Nothing was erased: confirm with --yes.")
        left = erase_person(app, planned, backups=backups)
    say(f"{planned.faces} faces and {planned.votes} votes are gone." if planned.removals else "Searched.")
    for item in left:
        emit(f"left: {item.path}: {item.why}")
    if not left:
        say(f"Nothing in {root} holds the name any more.")
    next_step(read_status(app).next_command)
