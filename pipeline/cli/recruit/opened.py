"""What the recruiting commands share: the office that is opened, and options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import open_app

if TYPE_CHECKING:
    from ...recruiting.counter import Counter

__all__ = ["FILE", "amount_of", "counter_of", "json_option", "money", "yes_option"]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
yes_option = click.option("--yes", is_flag=True, help="The price is fine.")


def amount_of(currency: str, value: Decimal) -> str:
    """An amount as people write it in this currency."""
    from ....mturk.requester.money import written

    return written(value, currency)


def money(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Decimal | None:
    """An option's amount of money; None where it is not given. Raises BadParameter for anything else."""
    from ....mturk.requester.errors import MTurkError
    from ....mturk.requester.money import amount

    try:
        return None if value is None else amount(value)
    except MTurkError as error:
        raise click.BadParameter(str(error)) from error


@contextmanager
def counter_of(ctx: click.Context, doing: str = "") -> Iterator[Counter]:
    """The office; with `doing` under the workspace's lock, so that two commands never pay at once."""
    from contextlib import nullcontext

    from ...recruiting.counter import open_counter

    app = open_app(ctx)
    with app.workspace.lock(doing) if doing else nullcontext(), open_counter(app) as counter:
        yield counter
