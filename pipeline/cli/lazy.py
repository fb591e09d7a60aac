"""Command groups whose commands are imported when they are asked for, so that `--help` stays fast."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["CommandTable", "LazyGroup"]

CommandTable = Mapping[str, tuple[str, str]]
"""Name → ("module:attribute" relative to `pipeline.cli`, one line of help)."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and help, and imports one when it is called."""

    def __init__(self, *args: Any, table: CommandTable, heading: str = "Commands", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.heading = heading

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, attribute = self.table[cmd_name][0].split(":")
        command = getattr(import_module(f".{module}", __package__), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(self.heading):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])
