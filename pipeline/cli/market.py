"""`galloway market`: run a marketplace, its requesters and its workers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from ..wording import one_line, typed
from .console import emit, emit_page, next_step, open_app, result, say

if TYPE_CHECKING:
    from ...mturk.marketplace.config import Addresses, MarketConfig
    from ...mturk.marketplace.store import Store
    from ..workspace.folder import Workspace

__all__ = ["market"]


@click.group()
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GALLOWAY_MARKET_STATE",
    help="The marketplace's folder; default: `market/` in the workspace.",
)
@click.option(
    "--database",
    default="",
    envvar="GALLOWAY_MARKET_DATABASE",
    help="With --state: postgresql://…; default: SQLite there. In a workspace it is the setting market.database.",
)
@click.pass_context
def market(ctx: click.Context, state: Path | None, database: str) -> None:
    """Run the embedded marketplace, its requesters and workers.

    \b
    Example:  galloway market serve
              galloway market requester add "Vision lab"
              galloway market worker invite --uses 5
    """
    ctx.obj["state"], ctx.obj["database"] = state, database


def _workspace(ctx: click.Context) -> Workspace | None:
    """The workspace, or None where `--state` names a marketplace of its own."""
    from ..workspace.folder import Workspace

    about = ctx.find_root().obj
    return None if about["state"] is not None else Workspace.find(about.get("workspace"))


def _config(ctx: click.Context) -> MarketConfig:
    """The config of the marketplace that is meant, without ports."""
    from ...mturk.marketplace.config import MarketConfig

    about = ctx.find_root().obj
    workspace = _workspace(ctx)
    if workspace is None:
        return MarketConfig(state_dir=about["state"].resolve(), database_url=about["database"])
    from ..market.local import local_config

    config = local_config(workspace)
    if about["database"] not in ("", config.database_url):
        raise click.UsageError(
            "In a workspace the database is a setting, so that every command reads the same one: write "
            'database = "postgresql://…" under [market] of its galloway.toml, or export GALLOWAY_MARKET__DATABASE.'
        )
    return config


@contextmanager
def _store(ctx: click.Context) -> Iterator[Store]:
    from ...mturk.marketplace.app import open_store

    store = open_store(_config(ctx))
    try:
        yield store
    finally:
        store.close()


def _state_option(ctx: click.Context) -> str:
    state = ctx.find_root().obj["state"]
    return "" if state is None else f" --state {typed(state)}"


@market.command()
@click.option("--host", help="Address to listen on; other machines need one of this machine's, behind TLS.")
@click.option("--api-port", type=int, default=0, help="0 takes a free one.")
@click.option("--worker-port", type=int, default=0, help="0 takes a free one.")
@click.option("--frame-port", type=int, default=0, help="0 takes a free one.")
@click.option("--worker-url", default="", help="The worker site's public origin behind a proxy.")
@click.option("--frame-url", default="", help="The frame origin's public origin behind a proxy; a different host.")
@click.option("--api-url", default="", help="The API's public origin behind a proxy.")
@click.option("--fee-percent", type=Decimal, help="Fee on rewards and bonuses; MTurk's was 20.")
@click.option("--ledger", is_flag=True, help="Keep accounts: requesters spend what `requester fund` gave them.")
@click.option("--aws-endpoint-url", default="", help="SQS and SNS to deliver notifications to, instead of AWS's.")
@click.option("--webhook-host", multiple=True, help="A host in this network that webhooks may reach; repeat for more.")
@click.option(
    "--throttle-tps", type=float, default=0.0, help="Answer ThrottlingException above so many calls a second."
)
@click.pass_context
def serve(ctx: click.Context, /, host: str | None, fee_percent: Decimal | None, ledger: bool, **options: Any) -> None:
    """Serve the API, the worker site and the frame origin until Ctrl-C.

    \b
    Example:  galloway market serve --api-port 8765
              galloway market --state /srv/market serve --fee-percent 20 --ledger
    """
    from ...mturk.marketplace.app import open_store
    from ...mturk.marketplace.office.operator import Operator

    config = replace(
        _config(ctx),
        sandbox=not ledger,
        webhook_hosts=tuple(options.pop("webhook_host")),
        **{name: value for name, value in options.items() if value},
    )
    if host is not None:
        config = replace(config, host=host)
    if fee_percent is not None:
        config = replace(config, fee_percent=fee_percent)
    store = open_store(config)
    token = Operator(store).token
    store.close()
    workspace = _workspace(ctx)
    if workspace is None:
        _serve_alone(config, token, _state_option(ctx))
    else:
        _serve_workspace(workspace, config, token)


def _serve_alone(config: MarketConfig, token: str, state: str) -> None:
    """A marketplace of its own; `running.json` tells `worker invite` where it answers."""
    from ...curation.files import write_atomic
    from ...mturk.marketplace.serve import serve as run
    from ..workspace.state import forget_own

    record = config.state_dir / "running.json"

    def ready(addresses: Addresses) -> None:
        write_atomic(record, json.dumps({**asdict(addresses), "pid": os.getpid()}), durable=False)
        _announce(addresses, token, state)

    try:
        run(config, ready)
    finally:
        forget_own(record)


def _serve_workspace(workspace: Workspace, config: MarketConfig, token: str) -> None:
    """The workspace's marketplace, whose frame origin also serves the workspace's pictures."""
    from ...mturk.marketplace.answering import asked_to_stop, spare
    from ..errors import NothingToDo
    from ..market.local import running_market, serve_market

    found = running_market(workspace)
    if found is not None:
        raise NothingToDo(f"The marketplace of this workspace answers already: {found.worker}")
    with serve_market(workspace, config) as running, asked_to_stop() as stopping:
        _announce(running.addresses, token, "")
        spare()
        stopping.wait()


def _announce(addresses: Addresses, token: str, state: str) -> None:
    say(f"API           {addresses.api}")
    say(f"Worker site   {addresses.worker}")
    say(f"Operator      {addresses.worker}/operator/enter?token={token}")
    say("")
    say("Any MTurk program works with it, unchanged:")
    say(f"  export AWS_ENDPOINT_URL_MTURK={quote(addresses.api)} AWS_DEFAULT_REGION=us-east-1")
    say(f"  export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…   (galloway market{state} requester add NAME)")
    say("  aws mturk get-account-balance")
    next_step(f"galloway market{state} worker invite")


@market.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def back_up(ctx: click.Context, target: Path) -> None:
    """Write a marketplace of its own (`--state`) into the file or folder TARGET while people work.

    The file holds the marketplace's key: keep it as private as its folder. It comes back with `galloway restore`.

    \b
    Example:  galloway market --state /srv/market backup /srv/backups
    """
    from ..workspace.backup import back_up as write
    from .backup import say_backup

    if _workspace(ctx) is not None:
        raise click.UsageError("A workspace's marketplace is backed up with it: galloway backup TARGET")
    config = _config(ctx)
    say_backup(write(config.state_dir, target, postgresql=config.database_url))


@market.command("servers")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_servers(ctx: click.Context, as_json: bool) -> None:
    """The servers that answer for this marketplace just now; several may share one PostgreSQL database.

    \b
    Example:  galloway market servers
    """
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        found = [{**asdict(row), **asdict(row.addresses)} for row in Operator(store).servers()]
    for row in found:
        del row["addresses"]
    columns = ("machine", "pid", "api", "worker", "frames")
    result(found, as_json, lambda: _table(found, columns) if found else "No server answers just now.")


# -- requesters ---------------------------------------------------------------------------------------------------


@market.group()
def requester() -> None:
    """Who may publish HITs."""


@requester.command("add")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def add_requester(ctx: click.Context, name: str, as_json: bool) -> None:
    """Make a requester NAME and print the keys; the secret is shown only now.

    \b
    Example:  galloway market requester add "Vision lab"
    """
    from ...mturk.marketplace.app import add_requester as add

    with _store(ctx) as store:
        access, secret = add(store, name)
    found = {"name": name, "access_key": access, "secret_key": secret}
    result(found, as_json, lambda: f"export AWS_ACCESS_KEY_ID={access} AWS_SECRET_ACCESS_KEY={secret}")


@requester.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_requesters(ctx: click.Context, as_json: bool) -> None:
    """Requesters, their open HITs, undecided work and balance."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        found = [asdict(row) for row in Operator(store).requesters()]
    result(
        found,
        as_json,
        lambda: _table(found, ("requester_id", "name", "keys", "open_hits", "undecided", "balance")),
    )


@requester.command("revoke")
@click.argument("name")
@click.pass_context
def revoke_requester(ctx: click.Context, name: str) -> None:
    """Close the keys of the requester NAME and take their HITs off the worker site."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        Operator(store).revoke_requester(name)
    say(f"{name} can no longer sign requests.")


@requester.command("fund")
@click.argument("name")
@click.argument("amount")
@click.pass_context
def fund_requester(ctx: click.Context, name: str, amount: str) -> None:
    """Add AMOUNT to the account of the requester NAME (with `serve --ledger`).

    \b
    Example:  galloway market requester fund "Vision lab" 250.00
    """
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        balance = Operator(store).fund(name, amount)
    emit(f"{balance}")


@requester.command("layout")
@click.argument("name")
@click.argument("title")
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def add_layout(ctx: click.Context, name: str, title: str, page: Path) -> None:
    """Store the HTML file PAGE as a HITLayout of the requester NAME and print its HITLayoutId.

    A page without a form gets one, with a Submit button, as on MTurk's website; what it lacks besides is said.
    """
    from ...mturk.marketplace.office.operator import Operator
    from ...mturk.marketplace.rules.pages import check_page
    from ...mturk.marketplace.rules.questions import with_form

    html = page.read_text(encoding="utf-8")
    with _store(ctx) as store:
        emit(Operator(store).add_layout(name, title, html))
    for words in check_page(with_form(html), template=True).doubtful:
        say(words)


# -- workers ------------------------------------------------------------------------------------------------------


@market.group()
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
    from ...mturk.marketplace.desk.work import Work
    from ...mturk.marketplace.office.operator import Operator
    from ..workspace.acts import note_act

    with _store(ctx) as store:
        made = Work(store).invite(note=note, uses=uses, valid=timedelta(days=days))
        state_dir = store.config.state_dir
        answering = Operator(store).servers()
    if ctx.find_root().obj["state"] is None:  # a marketplace of its own belongs to no workspace
        note_act(open_app(ctx).workspace, "invite", "a link to join", f"{uses} people")
    site = answering[0].addresses.worker if answering else _site(ctx, state_dir)
    emit(f"{site}/join/{made.token}")


def _site(ctx: click.Context, state_dir: Path) -> str:
    """Where the worker site answers, or answered last and will again where the port is free; "" before it ever did."""
    start = f"galloway market{_state_option(ctx)} serve"
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads((state_dir / "running.json").read_bytes())["worker"])
    with suppress(OSError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        port = int(json.loads((state_dir / "ports.json").read_bytes())[1])
        say(f"The worker site is not running. Start it, and the link works: {start}")
        return f"http://{_config(ctx).host}:{port}"
    say(f"The worker site is not running. Start it, and put its address in front of this: {start}")
    return ""


@worker.command("list")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_workers(ctx: click.Context, as_json: bool) -> None:
    """Workers and what they have done."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        found = [asdict(row) for row in Operator(store).workers()]
    columns = ("worker_id", "name", "source", "held", "submitted", "approved", "rejected", "active")
    result(found, as_json, lambda: _table(found, columns))


@worker.command("mark")
@click.argument("worker_id")
@click.option("--masters/--no-masters", default=None, help="The Masters qualification.")
@click.option("--adult/--no-adult", default=None, help="Consent to adult content.")
@click.pass_context
def mark_worker(ctx: click.Context, worker_id: str, masters: bool | None, adult: bool | None) -> None:
    """Grant or take back system qualifications that only the operator decides about."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        Operator(store).mark_worker(worker_id, masters=masters, adult=adult)


@worker.command()
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def appeals(ctx: click.Context, as_json: bool) -> None:
    """Rejections that workers object to and that nobody has decided yet."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        found = [asdict(row) for row in Operator(store).appeals()]
    columns = ("assignment_id", "worker_id", "requester_name", "feedback", "text")
    result(found, as_json, lambda: _table(found, columns) if found else "No appeal is open.")


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
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        Operator(store).decide_appeal(assignment_id, pay=pay, answer=answer, by=by)
    say(f"{assignment_id}: {'paid' if pay else 'the rejection stands'}; the worker is told.")


@worker.command("export")
@click.argument("worker_id")
@click.pass_context
def export_worker(ctx: click.Context, worker_id: str) -> None:
    """Everything that is stored about a worker, as JSON."""
    from ...mturk.marketplace.office.operator import Operator

    with _store(ctx) as store:
        emit_page(json.dumps(Operator(store).export_worker(worker_id), indent=2, ensure_ascii=False))


@worker.command("erase")
@click.argument("worker_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase_worker(ctx: click.Context, worker_id: str, yes: bool) -> None:
    """Erase a worker's personal data; submitted answers stay under the opaque id."""
    from ...mturk.marketplace.office.operator import Operator

    if not yes:
        click.confirm(f"Erase the account of {one_line(worker_id)}? This cannot be undone.", abort=True, err=True)
    with _store(ctx) as store:
        left = Operator(store).erase_worker(worker_id)
    say(f"{worker_id} is erased.")
    if left:
        emit(f"left: the market's database still holds deleted pages: {left}")


def _table(found: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    """Rows as text with aligned columns."""
    cells = [
        columns,
        *(tuple("" if row[name] is None else one_line(str(row[name])) for name in columns) for row in found),
    ]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
