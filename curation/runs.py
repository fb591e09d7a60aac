"""The rows of a run of decisions: written and compared in parts, so that no run is in memory as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter, eq
from typing import Any

import sqlalchemy as sa

from .tables import decision_table, decisions_of_rows, row_of_decision, run_table, streaming
from .types import Decision

__all__ = ["add_decisions", "copy_run", "of_run", "says"]

_AT_ONCE = 10_000


def says(engine: sa.Engine, run_id: int, decisions: Sequence[Decision]) -> bool:
    """Whether a run says the same as these; posteriors are compared to nine digits."""
    query, count = of_run(run_id), sa.select(sa.func.count()).where(decision_table.c.run_id == run_id)
    with streaming(engine) as db:
        if db.execute(count).scalar_one() != len(decisions):
            return False
        # Sorted twice, by texts that are there anyway: a pair for each would take more than the decisions.
        by_question = sorted(decisions, key=lambda item: item.question or "")
        now = map(_said, sorted(by_question, key=attrgetter("face_id")))
        with db.execute(query) as rows:
            then = (_said(item) for part in rows.partitions(_AT_ONCE) for item in decisions_of_rows(part))
            return all(map(eq, then, now))


def of_run(run: int | sa.ScalarSelect[Any]) -> sa.Select[Any]:
    """The decisions of a run in the order of their key, which an index holds."""
    c = decision_table.c
    return sa.select(decision_table).where(c.run_id == run).order_by(c.face_id, c.question)


def copy_run(db: sa.Connection, run: sa.Row[Any], now: datetime) -> int:
    """A new run with the same decisions; its id."""
    made = db.execute(
        run_table.insert().values(made_at=now.astimezone(UTC).isoformat(), method=run.method, votes=run.votes)
    )
    run_id = int(made.inserted_primary_key[0])  # type: ignore[index]
    names = [column.name for column in decision_table.c if column.name != "run_id"]
    same = sa.select(sa.literal(run_id), *(decision_table.c[name] for name in names))
    db.execute(decision_table.insert().from_select(["run_id", *names], same.where(decision_table.c.run_id == run.id)))
    return run_id


_ALL_BUT_POSTERIOR = attrgetter(*(field.name for field in fields(Decision) if field.name != "posterior"))


def _said(item: Decision) -> tuple[Any, ...]:
    return (*_ALL_BUT_POSTERIOR(item), None if item.posterior is None else round(item.posterior, 9))


def add_decisions(db: sa.Connection, run_id: int, decisions: Sequence[Decision]) -> None:
    """The rows of decisions, so many at once that their rows take no memory to speak of."""
    for start in range(0, len(decisions), _AT_ONCE):
        part = decisions[start : start + _AT_ONCE]
        db.execute(decision_table.insert(), [row_of_decision(run_id, item) for item in part])
