"""`galloway market worker`: who does the work."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...wording import one_line
from ..console import emit, emit_page, open_app, result, say

if TYPE_CHECKING:
    pass

from .opened import config_of, opened_store, state_option, table

__all__ = ["worker"]


@click.group()
def worker() -> None:
    """Who does the work."""


@worker.command()
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, help="How many people may join with the link.")
@click.option("--days", type=click.IntRange(1, 365), default=14, help="How long it is valid.")
@click.option("--note", default="", help="For your own memory, and shown to who joins.")
@click.pass_context
def invite(ctx: click.Context, uses: int, days: int, note: str) -> None:
    """Print an invite link.

    \b
    Example:  galloway market worker invite --uses 5
    """
    from ....mturk.marketplace.desk.work import Work
    from ....mturk.marketplace.office.operator import Operator
    from ...workspace.acts import note_act

    with opened_store(ctx) as store:
        made = Work(store).invite(note=note, uses=uses, valid=timedelta(days=days))
        state_dir = store.config.state_dir
        answering = Operator(store).servers()
    if ctx.find_root().obj["state"] is None:  # a marketplace of its own belongs to no workspace
        note_act(open_app(ctx).workspace, "invite", "a link to join", f"{uses} people")
    site = answering[0].addresses.worker if answering else _site(ctx, state_dir)
    emit(f"{site}/join/{made.token}")


def _site(ctx: click.Context, state_dir: Path) -> str:
    """Where the worker site answers, or answered last and will again where the port is free; "" before it ever did."""
    start = f"galloway market{state_option(ctx)} serve"
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads((state_dir / "running.json").read_bytes())["worker"])
    with suppress(OSError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        port = int(json.loads((state_dir / "ports.json").read_bytes())[1])
        say(f"The worker site is not running. Start it, and the link works: {start}")
        return f"http://{config_of(ctx).host}:{port}"
    say(f"The worker site is not running. Start it, and put its address in front of this: {start}")
    return ""


@worker.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_workers(ctx: click.Context, as_json: bool) -> None:
    """Workers and what they have done."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        found = [asdict(row) for row in Operator(store).workers()]
    columns = ("worker_id", "name", "source", "held", "submitted", "approved", "rejected", "active")
    result(found, as_json, lambda: table(found, columns))


@worker.command("mark")
@click.argument("worker_id")
@click.option("--masters/--no-masters", default=None, help="The Masters qualification.")
@click.option("--adult/--no-adult", default=None, help="Consent to adult content.")
@click.pass_context
def mark_worker(ctx: click.Context, worker_id: str, masters: bool | None, adult: bool | None) -> None:
    """Grant or take back system qualifications that only the operator decides about."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        Operator(store).mark_worker(worker_id, masters=masters, adult=adult)


@worker.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def appeals(ctx: click.Context, as_json: bool) -> None:
    """Rejections that workers object to and that nobody has decided yet."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        found = [asdict(row) for row in Operator(store).appeals()]
    columns = ("assignment_id", "worker_id", "requester_name", "feedback", "text")
    result(found, as_json, lambda: table(found, columns) if found else "No appeal is open.")


@worker.command()
@click.argument("assignment_id")
@click.option("--pay/--stands", required=True, help="The worker is right and is paid, or the rejection stands.")
@click.option("--answer", default="", help="What the worker reads; against the worker at least 100 characters.")
@click.option("--by", required=True, help="Who decides: not who rejected.")
@click.pass_context
def decide(ctx: click.Context, assignment_id: str, pay: bool, answer: str, by: str) -> None:
    """Decide an appeal, once; the worker is told.

    \b
    Example:  galloway market worker decide 3A4TN5196KH… --pay --by "Ann" --answer "The faces were marked, I looked."
    """
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        Operator(store).decide_appeal(assignment_id, pay=pay, answer=answer, by=by)
    say(f"{assignment_id}: {'paid' if pay else 'the rejection stands'}; the worker is told.")


@worker.command("export")
@click.argument("worker_id")
@click.pass_context
def export_worker(ctx: click.Context, worker_id: str) -> None:
    """Everything that is stored about a worker, as JSON."""
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        emit_page(json.dumps(Operator(store).export_worker(worker_id), indent=2, ensure_ascii=False))


@worker.command("erase")
@click.argument("worker_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase_worker(ctx: click.Context, worker_id: str, yes: bool) -> None:
    """Erase a worker's personal data; submitted answers stay under the opaque id."""
    from ....mturk.marketplace.office.operator import Operator

    if not yes:
        click.confirm(f"Erase the account of {one_line(worker_id)}? This cannot be undone.", abort=True, err=True)
    with opened_store(ctx) as store:
        left = Operator(store).erase_worker(worker_id)
    say(f"{worker_id} is erased.")
    if left:
        emit(f"left: the market's database still holds deleted pages: {left}")
