"""`galloway market`: run a marketplace, its requesters and its workers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from ..console import next_step, result, say

if TYPE_CHECKING:
    from ....mturk.marketplace.config import Addresses, MarketConfig
    from ...workspace.folder import Workspace

from .opened import config_of, opened_store, state_option, table, workspace_of
from .requesters import requester
from .workers import worker

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
    from ....mturk.marketplace.app import open_store
    from ....mturk.marketplace.office.operator import Operator

    config = replace(
        config_of(ctx),
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
    workspace = workspace_of(ctx)
    if workspace is None:
        _serve_alone(config, token, state_option(ctx))
    else:
        _serve_workspace(workspace, config, token)


def _serve_alone(config: MarketConfig, token: str, state: str) -> None:
    """A marketplace of its own; `running.json` tells `worker invite` where it answers."""
    from ....curation.files import write_atomic
    from ....mturk.marketplace.serve import serve as run
    from ...workspace.state import forget_own

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
    from ....mturk.marketplace.answering import asked_to_stop, spare
    from ...errors import NothingToDo
    from ...market.local import running_market, serve_market

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
    from ...engines.stopping import ended_in_order
    from ...workspace.backup import back_up as write
    from ..backup import say_backup

    if workspace_of(ctx) is not None:
        raise click.UsageError("A workspace's marketplace is backed up with it: galloway backup TARGET")
    config = config_of(ctx)
    with ended_in_order():
        done = write(config.state_dir, target, postgresql=config.database_url)
    say_backup(done)


@market.command("servers")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def list_servers(ctx: click.Context, as_json: bool) -> None:
    """The servers that answer for this marketplace just now; several may share one PostgreSQL database.

    \b
    Example:  galloway market servers
    """
    from ....mturk.marketplace.office.operator import Operator

    with opened_store(ctx) as store:
        found = [{**asdict(row), **asdict(row.addresses)} for row in Operator(store).servers()]
    for row in found:
        del row["addresses"]
    columns = ("machine", "pid", "api", "worker", "frames")
    result(found, as_json, lambda: table(found, columns) if found else "No server answers just now.")


# -- requesters ---------------------------------------------------------------------------------------------------


market.add_command(requester)
market.add_command(worker)
