"""`galloway serve`: the requester's web app, on loopback."""

from __future__ import annotations

import click

from .console import open_app, say

__all__ = ["serve"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8500, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A further host name under which pages are shown.")
@click.option("--market", "with_market", is_flag=True, help="Run the embedded marketplace as well, for workers.")
@click.option(
    "--actions/--no-actions",
    default=None,
    help="Whether pages may publish, collect, pay, merge and invite; default: only where this machine alone sees them.",
)
@click.pass_context
def serve(
    ctx: click.Context, host: str, port: int, names: tuple[str, ...], with_market: bool, actions: bool | None
) -> None:
    """Show where the work stands in a browser, and go on from there: publish, collect, settle disputes, merge, invite.

    Only this machine sees it unless --host says otherwise; there is no password, so keep it that way.

    \b
    Example:  galloway serve --port 8500
    """
    from contextlib import ExitStack

    from waitress.server import create_server

    from ...mturk.marketplace.pages.guards import LOOPBACK
    from ..market.local import serve_market
    from ..web import create_web_app
    from ..web.opened import jobs

    app = open_app(ctx)
    hosts = {*LOOPBACK, *(name.lower() for name in names)}
    if host not in ("0.0.0.0", "::"):
        hosts.add(host.lower())
    with ExitStack() as stack:
        if with_market:
            running = stack.enter_context(serve_market(app.workspace))
            say(f"Workers: {running.addresses.worker}")
        acting = (host in LOOPBACK and not names) if actions is None else actions
        site = create_web_app(app.workspace, hosts=hosts, actions=acting)
        stack.callback(jobs(site).close)
        server = create_server(site, host=host, port=port, threads=8, ident=None)
        if host not in LOOPBACK:
            say("Careful: everybody who reaches this address sees the faces and can decide on them.")
            if acting:
                say("With --actions they can also publish, pay and merge.")
        click.echo(f"http://{host if ':' not in host else f'[{host}]'}:{server.effective_port}/")
        say("Stop with Ctrl-C.")
        try:
            server.run()
        finally:
            server.close()
