"""SQLite on a disk that may only be read: nothing is written beside it, and no row in a log is passed over."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.pipeline.workspace.database.engine import make_engine

pytestmark = pytest.mark.in_a_file("SQLite alone")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "galloway.db"
    engine = make_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        db.exec_driver_sql("CREATE TABLE row (number INTEGER)")
        db.exec_driver_sql("INSERT INTO row VALUES (1)")
    engine.dispose()
    monkeypatch.setattr("galloway.pipeline.workspace.database.engine.read_only", lambda _: True)
    return path


def test_it_is_read_and_nothing_is_made_beside_it(file: Path) -> None:
    engine = make_engine(f"sqlite:///{file}")
    with engine.connect() as db:
        assert db.exec_driver_sql("SELECT number FROM row").scalars().all() == [1]
        assert [path.name for path in file.parent.iterdir()] == ["galloway.db"]
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            db.exec_driver_sql("INSERT INTO row VALUES (2)")
    engine.dispose()


def test_rows_in_a_log_are_read_with_it(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("INSERT INTO row VALUES (2)")
        writer.commit()
        copy = Path(shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copy")))
    engine = make_engine(f"sqlite:///{copy / file.name}")
    with engine.connect() as db:
        assert db.exec_driver_sql("SELECT number FROM row").scalars().all() == [1, 2]
    engine.dispose()
