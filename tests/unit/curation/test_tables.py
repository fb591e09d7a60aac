"""How rows are asked for."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from galloway.curation.tables import Among, decision_table, vote_table

from tests.support.databases import tables_in


@pytest.mark.parametrize("table, key", [(vote_table, "ix_vote_face_id"), (decision_table, "sqlite_autoindex_decision")])
def test_what_is_asked_of_few_faces_is_looked_up(table: sa.Table, key: str) -> None:
    engine = tables_in("")
    asked = sa.select(table).where(table.c.face_id.is_not(None), Among(table.c.face_id, ["one", "two"]))
    if "run_id" in table.c:
        asked = asked.where(table.c.run_id == 1)
    text = str(asked.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as db:
        plan = " ".join(row.detail for row in db.execute(sa.text(f"EXPLAIN QUERY PLAN {text}")))
    assert "face_id=?" in plan and key in plan, plan
