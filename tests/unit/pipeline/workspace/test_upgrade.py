"""Databases of earlier releases are upgraded, those of later ones refused; a copy is made before."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from galloway.curation.types import Side, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace, make_engine
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import SCHEMA_VERSION, STEPS, all_metadata, migrate

pytestmark = pytest.mark.in_a_file("files of earlier releases; test_database upgrades PostgreSQL's tables")
DATABASES = Path(__file__).parent / "databases"
OLD = sorted(DATABASES.glob("workspace-*.sql"))

_NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{now}"


def upgrade() -> None:
    op.add_column("source", sa.Column("camera", sa.Text, nullable=False, server_default="unknown"))
    with op.batch_alter_table("vote") as vote:
        vote.alter_column("round", new_column_name="asked_in_round")
    {last}
"""


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """The migrations with one more step, as the next release would have them."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "steps", ignore=shutil.ignore_patterns("__pycache__")))
    write_next(folder, last="")
    return folder


def write_next(steps: Path, *, last: str) -> None:
    """Put the step after today's newest one there; `last` is its last line."""
    text = _NEXT.format(last=last, now=f"{SCHEMA_VERSION:04d}", next=f"{SCHEMA_VERSION + 1:04d}")
    (steps / "versions" / f"v{SCHEMA_VERSION + 1:04d}_next.py").write_text(text)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose database was made by 0.1.0."""
    workspace = restored(tmp_path / "ws", OLD[0])
    yield workspace
    workspace.__dict__.pop("db", None)


def restored(root: Path, dump: Path) -> Workspace:
    root.mkdir()
    (root / "galloway.toml").write_text('name = "old"\n', encoding="utf-8")
    with closing(sqlite3.connect(root / "galloway.db")) as db:
        db.executescript(dump.read_text(encoding="utf-8"))
    return Workspace.open(root)


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that is in a database, by table."""
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table' order by name")]
        return {name: sorted(db.execute(f"select * from {name}").fetchall(), key=repr) for name in names}


def version_of(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("pragma user_version").fetchone()[0])


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_a_database_of_every_release_becomes_todays(tmp_path: Path, dump: Path) -> None:
    workspace = restored(tmp_path / "ws", dump)
    before = {name: len(found) for name, found in rows(workspace.root / "galloway.db").items()}
    app = App(workspace)
    assert [face.name for face in app.store.faces(Side.A)] == ["clip_000001_0.png", "clip_000002_0.png"]
    assert {vote.kind for vote in app.store.votes()} == {VoterKind.WORKER}
    assert len(app.ledger.assignments("local")) == 3
    assert [item.person for item in sources(app.workspace)] == ["Eileen", "Grace"]
    assert app.standing_merge(Side.B) is not None
    with workspace.db.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), all_metadata()) == []
    workspace.db.dispose()
    after = {name: len(found) for name, found in rows(workspace.root / "galloway.db").items()}
    assert {name: after[name] for name in before} == before
    assert version_of(workspace.root / "galloway.db") == SCHEMA_VERSION


def test_there_is_a_dump_of_every_earlier_release() -> None:
    assert len(OLD) == max(1, SCHEMA_VERSION - 1), "a change of the tables needs a dump of the version before it"


def test_the_version_is_the_newest_step(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "new")
    workspace.db.dispose()
    file = workspace.root / "galloway.db"
    assert version_of(file) == SCHEMA_VERSION == len(list((STEPS / "versions").glob("v0*.py")))
    assert rows(file)["alembic_version"] == [(f"{SCHEMA_VERSION:04d}",)]
    assert not (workspace.root / "backups").exists(), "a new database has nothing to keep"


def test_the_next_release_keeps_every_row_and_a_copy(old: Workspace, steps: Path) -> None:
    file = old.root / "galloway.db"
    before = rows(file)
    engine = make_engine(f"sqlite:///{file}")
    migrate(engine, steps=steps)
    engine.dispose()
    after = rows(file)
    assert version_of(file) == SCHEMA_VERSION + 1
    assert {row[-1] for row in after["source"]} == {"unknown"}
    assert [row[:-1] for row in after["source"]] == before["source"]
    for name in set(before) - {"source", "alembic_version"}:
        width = len(before[name][0]) if before[name] else 0
        assert [row[:width] for row in after[name]] == [row[:width] for row in before[name]], name
    (copy,) = (old.root / "backups").iterdir()
    assert copy.name.startswith("galloway-version-1-")
    assert rows(copy) == before
    assert version_of(copy) == 1


def test_an_upgrade_that_fails_leaves_the_old_version(old: Workspace, steps: Path) -> None:
    file = old.root / "galloway.db"
    before = rows(file)
    write_next(steps, last='raise OSError("the disk is full")')
    engine = make_engine(f"sqlite:///{file}")
    with pytest.raises(OSError, match="disk is full"):
        migrate(engine, steps=steps)
    write_next(steps, last="op.execute(\"delete from face where side = 'a'\")")
    with pytest.raises(WorkspaceError, match="would break a row of"):
        migrate(engine, steps=steps)
    assert (rows(file), version_of(file)) == (before, 1)
    write_next(steps, last="")
    migrate(engine, steps=steps)
    engine.dispose()
    assert version_of(file) == SCHEMA_VERSION + 1


def test_a_workspace_of_a_newer_release_is_refused_untouched(old: Workspace, steps: Path) -> None:
    file = old.root / "galloway.db"
    engine = make_engine(f"sqlite:///{file}")
    migrate(engine, steps=steps)
    engine.dispose()
    before = rows(file)
    with pytest.raises(WorkspaceError, match=f"of a newer Galloway: its tables have version {SCHEMA_VERSION + 1}"):
        assert old.db is not None
    assert rows(file) == before


def test_a_database_that_was_killed_while_it_was_made_is_finished(tmp_path: Path) -> None:
    """0.1.0 made its tables one by one."""
    root = tmp_path / "ws"
    restored(root, OLD[0])
    file = root / "galloway.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("drop table faceset")
        db.execute("delete from alembic_version")
        db.execute("pragma user_version = 0")
        db.commit()
    with Workspace.open(root).db.connect() as connection:
        assert sa.inspect(connection).has_table("faceset")
