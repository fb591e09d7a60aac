"""The marketplace that a command means, and how its rows are printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ...wording import one_line, typed

if TYPE_CHECKING:
    from ....mturk.marketplace.config import MarketConfig
    from ....mturk.marketplace.store import Store
    from ...workspace.folder import Workspace

__all__ = ["config_of", "opened_store", "state_option", "table", "workspace_of"]


def workspace_of(ctx: click.Context) -> Workspace | None:
    """The workspace, or None where `--state` names a marketplace of its own."""
    from ...workspace.folder import Workspace

    about = ctx.find_root().obj
    return None if about["state"] is not None else Workspace.find(about.get("workspace"))


def config_of(ctx: click.Context) -> MarketConfig:
    """The config of the marketplace that is meant, without ports."""
    from ....mturk.marketplace.config import MarketConfig

    about = ctx.find_root().obj
    workspace = workspace_of(ctx)
    if workspace is None:
        return MarketConfig(state_dir=about["state"].resolve(), database_url=about["database"])
    from ...market.local import local_config

    config = local_config(workspace)
    if about["database"] not in ("", config.database_url):
        raise click.UsageError(
            "In a workspace the database is a setting, so that every command reads the same one: write "
            'database = "postgresql://…" under [market] of its galloway.toml, or export GALLOWAY_MARKET__DATABASE.'
        )
    return config


@contextmanager
def opened_store(ctx: click.Context) -> Iterator[Store]:
    from ....mturk.marketplace.app import open_store

    store = open_store(config_of(ctx))
    try:
        yield store
    finally:
        store.close()


def state_option(ctx: click.Context) -> str:
    state = ctx.find_root().obj["state"]
    return "" if state is None else f" --state {typed(state)}"


def table(found: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    """Rows as text with aligned columns."""
    cells = [
        columns,
        *(tuple("" if row[name] is None else one_line(str(row[name])) for name in columns) for row in found),
    ]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
