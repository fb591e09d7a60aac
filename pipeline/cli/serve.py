"""`galloway serve`: the requester's web app behind its door; and the pictures alone, for workers elsewhere."""

from __future__ import annotations

from typing import Any

import click

from .console import emit, open_app, say

__all__ = ["serve", "studio"]

PAGES_PORT, PICTURES_PORT = 8500, 8501
_LARGEST = 65 << 20
"""Bytes of a request: a table with its pictures. Nearly every page takes far less, and says so."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for a team.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: 8500, pictures 8501. 0 takes a free one.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A further host name under which pages are shown.")
@click.option("--market", "with_market", is_flag=True, help="Run the embedded marketplace as well, for workers.")
@click.option(
    "--pictures",
    is_flag=True,
    help="Serve nothing but the pictures of HITs, for another market's workers: what hosting.public_url leads to.",
)
@click.option(
    "--actions/--no-actions",
    default=True,
    show_default=True,
    help="Whether pages may publish, collect, pay, merge and invite at all.",
)
@click.option("--start", default="", hidden=True, help="The page that the printed link leads to.")
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int | None,
    names: tuple[str, ...],
    with_market: bool,
    pictures: bool,
    actions: bool,
    start: str,
) -> None:
    """Show where the work stands in a browser, and go on from there: publish, collect, settle disputes, merge, invite.

    Open the link that is printed: without its token, or a name and password of the team (galloway team add), no page
    is shown, by whatever way a request comes.

    \b
    Example:  galloway serve --port 8500
              galloway team add Ann --role decide && galloway serve --host 0.0.0.0
              galloway serve --pictures --port 8501     # behind hosting.public_url
    """
    app = open_app(ctx)
    if pictures:
        from ..market.pictures import pictures_app

        _listen(pictures_app(app.workspace), host, PICTURES_PORT if port is None else port)
        return
    from contextlib import ExitStack, suppress

    from ...mturk.marketplace.pages.guards import LOOPBACK
    from ..errors import WorkspaceBusy
    from ..market.local import serve_market
    from ..privacy.clock import mind
    from ..web import Door, create_web_app
    from ..web.health import with_health
    from ..web.opened import jobs

    with suppress(WorkspaceBusy), app.workspace.lock("minding what goes", wait=0):
        for line in mind(app):
            say(line)
    hosts = {*LOOPBACK, host.lower(), *(name.lower() for name in names)}
    door = Door(app.workspace.root)
    with ExitStack() as stack:
        if with_market:
            running = stack.enter_context(serve_market(app.workspace))
            say(f"Workers: {running.addresses.worker}")
        everywhere = host in ("0.0.0.0", "::")
        site = create_web_app(app.workspace, hosts=None if everywhere else hosts, actions=actions, door=door)
        stack.callback(jobs(site).close)
        if host not in LOOPBACK:
            _say_who(app.workspace.root)
        page = f"{start}{'&' if '?' in start else '?'}token={door.token}"
        _listen(with_health(site, app.workspace), host, PAGES_PORT if port is None else port, page)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False), required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PAGES_PORT, show_default=True, help="0 takes a free one."
)
def studio(folder: str | None, port: int) -> None:
    """Begin in a browser: all projects below FOLDER (default: Galloway in your home folder), new ones, and everything
    of each, from footage to the film. What runs goes on when the studio ends.

    \b
    Example:  galloway studio
    """
    from pathlib import Path

    from ..web.studio import Studio

    shelf = Studio(Path(folder).resolve() if folder else Path.home() / "Galloway")
    try:
        _listen(shelf, "127.0.0.1", port, f"?token={shelf.token}")
    finally:
        shelf.close()


def _say_who(root: Any) -> None:
    """Before others can knock: who may come in, and that nothing is encrypted on the way."""
    from ..workspace.team import members

    team = members(root)
    if team:
        say("May sign in: " + ", ".join(f"{item.name} ({item.role.word})" for item in team))
    else:
        say("Nobody has a name and password yet: galloway team add NAME --role look")
    say("Passwords and faces travel as they are; outside a network you trust, put https in front of it.")


def _listen(site: Any, host: str, port: int, page: str = "") -> None:
    from waitress.server import create_server

    from ...mturk.marketplace.answering import answer, asked_to_stop, spare

    sockets: dict[int, Any] = {}
    server = create_server(
        site, map=sockets, host=host, port=port, threads=8, ident=None, max_request_body_size=_LARGEST
    )
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with asked_to_stop() as stopping:
        emit(f"http://{shown if ':' not in shown else f'[{shown}]'}:{_port(server)}/{page}")
        say("Stop with Ctrl-C.")
        spare()
        answer(sockets, stopping)


def _port(server: Any) -> int:
    """A host name may stand for several addresses; their servers share a port but for port 0."""
    found = getattr(server, "effective_port", None) or server.effective_listen[0][1]
    return int(found)
