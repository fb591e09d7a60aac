"""`galloway review`: one person cleans alone, on the pages that workers would get."""

from __future__ import annotations

from urllib.parse import quote

import click

from .console import say

__all__ = ["review"]


@click.command()
@click.option(
    "--by", default="", metavar="NAME", help="Your name, under which your votes are kept; asked for if not given."
)
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.pass_context
def review(ctx: click.Context, by: str, port: int) -> None:
    """Clean alone: the same pages, questions and stopping as with workers, without market, invite or pay.

    Open the link that is printed. Your votes are kept under your name; the page that was sent last can be taken back.
    What a crowd left disputed comes to you too. `galloway serve` shows the same under "Review alone".

    \b
    Example:  galloway extract && galloway review --by Ann
    """
    from .serve import serve

    say("One person reviews; nothing is published and nothing is paid.")
    ctx.invoke(serve, port=port, start=f"review?by={quote(by)}" if by else "review")
