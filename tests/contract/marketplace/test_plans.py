"""What every transaction asks first costs the same however many HITs there are, whatever a database knows of them."""

from __future__ import annotations

import sqlalchemy as sa
from galloway.mturk.marketplace.lifecycle import clockwork

from bench.listing import fill
from tests.support.marketplace import Bench


def test_whether_something_is_due_reads_no_table_through(bench: Bench) -> None:
    """Right after many HITs came, before PostgreSQL has counted them anew."""
    store = bench.market.store
    fill(store, 0, 4000, 400)
    plan: list[str] = []

    def explained(connection: sa.Connection, cursor: object, statement: str, values: object, *_: object) -> None:
        if "deadline" in statement and not statement.startswith("EXPLAIN"):
            word = "EXPLAIN QUERY PLAN" if store.engine.dialect.name == "sqlite" else "EXPLAIN"
            plan.extend(str(row) for row in connection.exec_driver_sql(f"{word} {statement}", values))  # type: ignore[arg-type]

    sa.event.listen(store.engine, "before_cursor_execute", explained)
    with store.read() as tx:
        assert not tx.conn.scalar(clockwork.DUE, {"now": tx.now})
    assert plan
    assert not [line for line in plan if "Seq Scan on hit" in line or "SCAN hit" in line], plan
