"""What every command shares: opening the workspace, talking on stderr, results on stdout, progress."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..jobs.progress import told as told_to_job
from ..wording import one_line, printable
from .pace import Pace

if TYPE_CHECKING:
    from ...curation.types import Progress
    from ..app import App

__all__ = [
    "agrees_to_pay",
    "confirm_price",
    "emit",
    "emit_page",
    "log_in_lines",
    "next_step",
    "open_app",
    "pairs",
    "result",
    "say",
    "say_misfits",
    "side_option",
    "stage_progress",
    "together",
]


def open_app(ctx: click.Context) -> App:
    """The workspace of `-w`, else the one that holds the current folder."""
    from ..app import App
    from ..workspace.folder import Workspace

    about = ctx.find_root().obj
    return App(replace(Workspace.find(about.get("workspace")), patience=about.get("wait", 0.0)))


def emit(text: str = "", *, err: bool = False) -> None:
    """One line. All that is printed goes through here or `emit_page`: what a file name, a comment or another market
    wrote moves no cursor, recolours nothing, hides nothing and forges no line on the terminal."""
    click.echo(one_line(text), err=err)


def emit_page(text: str, *, err: bool = False) -> None:
    """A whole text that we laid out, with its line ends: JSON, CSV, and what `lines` joined."""
    click.echo(printable(text), err=err, nl=not text.endswith("\n"))


class _Lines(logging.Formatter):
    """A record's message in one line; a traceback below it keeps its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return one_line(super().formatMessage(record))


_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Objects(logging.Formatter):
    """A record as one JSON object: when, how bad, from where, what, and the fields that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        told["message"] = record.getMessage()
        told |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def log_in_lines(how: str = "") -> None:
    """What libraries and our own rooms warn of reaches the terminal as everything else does; with `how` "json" as one
    JSON object a line, for programs that read logs."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Objects() if how == "json" else _Lines())


def say(text: str = "") -> None:
    """Talk, a line: to stderr, so that stdout carries only results."""
    emit(text, err=True)


def result(data: Any, as_json: bool, text: Callable[[], str | Sequence[str]]) -> None:
    """The result: JSON, or for people a line or several, where there are any."""
    if as_json:
        emit_page(json.dumps(data, indent=2, default=str))
        return
    told = text()
    for line in [told] if isinstance(told, str) else told:
        if line or not isinstance(told, str):
            emit(line)


def next_step(command: str) -> None:
    """The command that comes next."""
    click.echo(f"Next: {click.style(one_line(command), bold=True)}", err=True)


def pairs(values: tuple[str, ...]) -> dict[str, str]:
    """What `-o KEY=VALUE` says; whether the engine has the key, the engine checks. Raises UsageError without `=`."""
    found = {}
    for value in values:
        key, sep, text = value.partition("=")
        if not sep or not key:
            raise click.UsageError(f"{value!r} is no option of the engine; write KEY=VALUE.")
        found[key] = text
    return found


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One decorator for several of click's, which a command shows in this order."""

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def side_option(required: bool = True) -> Callable[[Any], Any]:
    """The `--side a|b` option."""
    return click.option(
        "--side",
        type=click.Choice(["a", "b"]),
        required=required,
        help="a: the face in the video that is replaced; b: the face that is swapped in.",
    )


def say_misfits(app: App) -> None:
    """Say where a photograph of the person fits nobody, as soon as the faces were looked at."""
    from ...curation.types import Side
    from ..asking.persons import crowd_of

    for side in Side:
        crowd = crowd_of(app, side)
        if crowd is not None and crowd.fits_nobody:
            say(crowd.misfit)


@contextmanager
def stage_progress(stage: str) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere one line when the stage ends, and one every ten seconds while it lasts. Both say
    how fast it goes and how long it will take, without what an earlier run had done."""
    if sys.stderr.isatty():
        with _bar(stage) as progress:
            yield progress
        return
    started = last = time.monotonic()
    seen: tuple[str, int, int | None] = ("", 0, None)
    told, pace = "", Pace(time.monotonic)

    def report(what: str, done: int, total: int | None) -> None:
        nonlocal last, seen, told
        seen = (what, done, total)
        pace.told(what, done, total)
        told_to_job(what, done, total, pace.text())
        if time.monotonic() - last > 10 and _told(stage, seen) != told:
            last, told = time.monotonic(), _told(stage, seen)
            say(", ".join(part for part in (told, pace.text()) if part))

    yield report
    what, _, total = seen
    seen = (what, total, total) if total is not None else seen  # it ended, whatever was told last
    say(f"{_told(stage, seen)} in {time.monotonic() - started:.1f} s")


def _told(stage: str, seen: tuple[str, int, int | None]) -> str:
    counted = _counted(seen)
    return counted if counted.startswith(stage) else f"{stage}: {counted}"


def _counted(seen: tuple[str, int, int | None]) -> str:
    what, done, total = seen
    if not what or (not done and total == 0):
        return "done"
    return f"{what} {done}" + (f"/{total}" if total is not None else "")


@contextmanager
def _bar(stage: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(stage, total=None, pace="")
        pace = Pace(time.monotonic)

        def report(what: str, done: int, total: int | None) -> None:
            pace.told(what, done, total)
            bars.update(task, description=one_line(f"{stage}: {what}"), completed=done, total=total, pace=pace.text())

        yield report


def agrees_to_pay(app: App, yes: bool, batch_keys: Collection[str] | None = None) -> bool:
    """Say what fetching answers to these batches (None: those about faces) can pay at most; whether it is paid. At a
    terminal it asks, else it was agreed to when they were published."""
    from ..asking.due import due_at_most

    due = due_at_most(app, app.terms(), batch_keys)
    if not due.answers:
        return True
    say(f"Pays at most {due.text(app.settings.market.currency)}, as it was said when they were published.")
    return yes or not sys.stdin.isatty() or click.confirm("Pay for them?", default=True, err=True)


def confirm_price(told: str | Sequence[str], yes: bool) -> None:
    """Say the price and go on only with `--yes` or an answer at a terminal. Raises SafetyStop otherwise."""
    from ..errors import SafetyStop

    for line in [told] if isinstance(told, str) else told:
        say(line)
    if yes:
        return
    if not sys.stdin.isatty():
        raise SafetyStop("Nothing was published: confirm the price with --yes, or look first with --dry-run.")
    if not click.confirm("Publish?", err=True):
        raise SafetyStop("Nothing was published.")
