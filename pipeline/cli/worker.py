"""`galloway worker`: a line for each who works for you; no more pages for some, and their answers to that."""

from __future__ import annotations

import click

from .console import open_app, result, say

__all__ = ["worker"]

_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


@click.group()
def worker() -> None:
    """Who works for you: pay, look at, or stop asking; and what became of it.

    Work that was handed in is paid whatever stands here.
    """


@worker.command("list")
@_json
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """A line for each worker, with the evidence: how they agree with others and with known faces, how pages were done.

    \b
    Example:  galloway worker list
    """
    from ..checking.crew import crew

    found = crew(open_app(ctx))
    text = [
        f"{line.name}  {line.advice.next:12}  {line.votes:5} votes  {_known(line.known):9}  {line.advice.why}"
        for line in found
    ]
    rows = [
        {
            "worker": line.name,
            "next": str(line.advice.next),
            "why": line.advice.why,
            "votes": line.votes,
            "known_right": line.known[0],
            "known": line.known[1],
            "signs": [sign.kind for sign in line.signs],
            "flags": list(line.kinds),
            "earned": line.earned,
            "simulated": line.simulated,
        }
        for line in found
    ]
    result(rows, as_json, lambda: text or "Nobody has answered yet.")


def _known(known: tuple[int, int]) -> str:
    return f"{known[0]}/{known[1]} known" if known[1] else ""


@worker.command("stop")
@click.argument("name", metavar="WORKER")
@click.option("--reason", default="", help="Why, for the worker to read; default: what was noticed, in words.")
@click.pass_context
def stop_(ctx: click.Context, name: str, reason: str) -> None:
    """WORKER (a pseudonym, as `list` shows it) gets no more of your pages, and reads why.

    All that was handed in is paid, and nothing is rejected. The worker can answer; see `appeals`.

    \b
    Example:  galloway worker stop W-7PH3QK2A
    """
    from ..checking.standing import stop

    app = open_app(ctx)
    with app.workspace.lock("stopping a worker"), app.market() as session:
        why = stop(app, session, name, reason)
    say(f"{name} gets no more pages from you, and reads: {why}")


@worker.command("again")
@click.argument("name", metavar="WORKER")
@click.option("--answer", default="", help="What the worker reads.")
@click.pass_context
def again(ctx: click.Context, name: str, answer: str) -> None:
    """Let WORKER in again, who got no more pages.

    \b
    Example:  galloway worker again W-7PH3QK2A
    """
    from ..checking.standing import let_in

    app = open_app(ctx)
    with app.workspace.lock("letting a worker in"), app.market() as session:
        let_in(app, session, name, answer)
    say(f"{name} gets your pages again.")


@worker.command("stopped")
@_json
@click.pass_context
def stopped_(ctx: click.Context, as_json: bool) -> None:
    """Who gets no more of your pages.

    \b
    Example:  galloway worker stopped
    """
    from ..checking.standing import stopped

    app = open_app(ctx)
    with app.market() as session:
        found = stopped(app, session)
    result(found, as_json, lambda: found or "Everybody gets your pages.")


@worker.command("appeals")
@_json
@click.pass_context
def appeals_(ctx: click.Context, as_json: bool) -> None:
    """What workers wrote who get no more pages, and nobody has answered.

    \b
    Example:  galloway worker appeals
    """
    from dataclasses import asdict

    from ..checking.standing import appeals

    app = open_app(ctx)
    with app.market() as session:
        found = appeals(app, session)
    text = [f"{item.worker}  {item.sent_at:%Y-%m-%d %H:%M}  {item.text}" for item in found]
    result([asdict(item) for item in found], as_json, lambda: text or "Nobody waits for an answer.")


@worker.command("answer")
@click.argument("name", metavar="WORKER")
@click.option("--again/--not-again", "let_in", required=True, help="Whether they get your pages again.")
@click.option("--answer", required=True, help="What the worker reads.")
@click.pass_context
def answer_(ctx: click.Context, name: str, let_in: bool, answer: str) -> None:
    """Answer what WORKER wrote.

    \b
    Example:  galloway worker answer W-7PH3QK2A --again --answer "You are right, the pictures were too dark."
    """
    from ..checking.standing import answer_appeal

    app = open_app(ctx)
    with app.workspace.lock("answering a worker"), app.market() as session:
        answer_appeal(app, session, name, again=let_in, words=answer)
    say(f"{name} {'gets your pages again' if let_in else 'was answered'}.")
