"""A workspace's rows on PostgreSQL: named once and for all, and whose they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import UnclaimedWorkspace, WorkspaceError
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.database.copying import sums
from galloway.pipeline.workspace.database.home import NOTE, shares_rows, take_home
from galloway.pipeline.workspace.database.moving import (
    row_counts,
    tables,
)
from galloway.pipeline.workspace.database.reached import why_not
from galloway.pipeline.workspace.database.tables import standing
from galloway.pipeline.workspace.folder import Workspace, make_engine
from galloway.pipeline.workspace.schema import SCHEMA_VERSION, STEPS, all_metadata, migrate

from tests.support.databases import DATABASE
from tests.support.faces import make_face
from tests.support.postgres import Databases
from tests.support.rows import everything, moved
from tests.support.web import face_id
from tests.support.workspace import galloway

on_postgresql = pytest.mark.postgresql
SERVER = "postgresql://ann:hidden@db.example/swap"


# Addresses


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgres://ann:hidden@db.example/swap", "postgres://"),
        ("postgresql//ann:hidden@db.example", "cannot be read"),
        ("postgresql://ann:hidden@db.example:port/swap", "cannot be read"),
        ("mysql://ann:hidden@db.example/swap", "mysql"),
        ("postgresql://ann:hidden@db.example", "names no database"),
        ("sqlite:///hidden.db", r"galloway\.db or on PostgreSQL"),
    ],
)
def test_a_wrong_address_is_a_sentence_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv(DATABASE, text)
    with pytest.raises(WorkspaceError, match=words) as told:
        make_workspace(tmp_path / "ws")
    assert "hidden" not in str(told.value) and "postgresql://USER@HOST:5432/NAME" in str(told.value)


@pytest.mark.in_a_file("where no database is named")
def test_the_folder_of_all_commands_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLOWAY_WORKSPACE", str(tmp_path / "ws"))
    assert make_workspace(tmp_path / "ws")[0].settings.workspace.database == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('FATAL:  password authentication failed for user "ann"', "does not take the password of ann"),
        ("fe_sendauth: no password supplied", "wants a password of ann"),
        ('FATAL:  role "ann" does not exist', "createuser ann"),
        ('FATAL:  database "swap" does not exist', "createdb -h db.example swap"),
        ('could not translate host name "db.example" to address', "not known by that name"),
        ("Connection refused\n\tIs the server running on that host", "does not answer"),
        ("connection timeout expired", "does not answer in time"),
        ("FATAL:  sorry, too many clients already", "no connection free"),
        ("permission denied for database swap", "GRANT CREATE ON DATABASE swap TO ann"),
        ("something new", "cannot be used: something new"),
    ],
)
def test_what_is_in_the_way_is_said_with_what_to_do(said: str, told: str) -> None:
    assert told in why_not(said, sa.make_url(SERVER))


@on_postgresql
def test_a_database_that_is_not_there_and_a_server_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    url = sa.make_url(database)
    monkeypatch.setenv(DATABASE, url.set(database="nothing").render_as_string(hide_password=False))
    with pytest.raises(WorkspaceError, match="has no database of that name"):
        make_workspace(tmp_path / "ws")
    monkeypatch.setenv(DATABASE, url.set(port=1, password="hidden").render_as_string(hide_password=False))
    for command in (["status"], ["doctor"], ["publish", "--dry-run"]):
        said = galloway(App(Workspace.open(tmp_path / "ws")), *command)
        assert said.returncode == 1 and "does not answer" in said.stdout + said.stderr
        assert "hidden" not in said.stdout + said.stderr and "Traceback" not in said.stderr


# Which database, whose


@on_postgresql
def test_a_command_without_the_setting_does_not_begin_a_second_set_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, databases: Databases, database: str
) -> None:
    monkeypatch.setenv(DATABASE, database)
    workspace = make_workspace(tmp_path / "ws")[0]
    App(workspace).store.add_faces([make_face(1)])
    assert App(Workspace.open(workspace.root)).store.faces(Side.A) == [make_face(1)]
    monkeypatch.delenv(DATABASE)
    with pytest.raises(WorkspaceError, match=r"are in postgresql://127\.0\.0\.1:\d+/\w+, and no database was named"):
        assert Workspace.open(workspace.root).db
    assert not (workspace.root / "galloway.db").exists()
    other = databases.make()
    monkeypatch.setenv(DATABASE, other)
    with pytest.raises(WorkspaceError, match="Name the same everywhere"):
        assert Workspace.open(workspace.root).db
    assert "postgresql+psycopg" not in (workspace.root / NOTE).read_text()
    assert (workspace.root / NOTE).stat().st_mode & 0o077 == 0


@on_postgresql
def test_rows_in_the_folder_are_not_left_behind_unseen(full: Workspace, database: str) -> None:
    config = full.root / "galloway.toml"
    config.write_text(config.read_text() + f'\n[workspace]\ndatabase = "{database}"\n')
    named = Workspace.open(full.root)
    with pytest.raises(WorkspaceError, match=r"galloway\.db, and postgresql://.* was named.*galloway workspace move"):
        assert named.db


@on_postgresql
def test_one_database_holds_one_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    monkeypatch.setenv(DATABASE, database)
    make_workspace(tmp_path / "one", "The first")
    with pytest.raises(WorkspaceError, match=r"another workspace or folder: 'The first', .*/one on .*createdb NAME"):
        make_workspace(tmp_path / "two")


@on_postgresql
def test_a_copied_folder_has_no_rows_until_it_is_said_what_it_is(
    full: Workspace, tmp_path: Path, database: str
) -> None:
    original = moved(full, database)
    folder = Path(shutil.copytree(original.root, tmp_path / "copy"))
    copy = replace(original, root=folder)
    with pytest.raises(UnclaimedWorkspace, match=r"is a copy of[\s\S]*one folder can have") as told:
        assert copy.db
    assert "galloway claim moved" in str(told.value) and "galloway backup" in str(told.value)
    with pytest.raises(UnclaimedWorkspace, match="galloway restore"):
        shares_rows(folder)
    before = row_counts(original)
    environment = {DATABASE: database}
    assert galloway(App(copy), "claim", "copy", environment=environment).returncode == 1
    assert galloway(App(copy), "claim", "moved", environment=environment).returncode == 0
    assert row_counts(replace(copy)) == {**before, "team_act": before["team_act"] + 1}
    with pytest.raises(WorkspaceError, match="is not this folder's any more"):
        overrule(App(original), face_id(Side.A, 1), "keep", name="Ann", note="seen")
    with pytest.raises(WorkspaceError, match="another workspace or folder"):
        assert replace(original).db
    take_home(original.root, original.settings)
    assert row_counts(replace(original))["team_act"] == before["team_act"] + 1


@on_postgresql
def test_a_database_of_a_newer_release_is_refused_untouched(full: Workspace, database: str) -> None:
    workspace = moved(full, database)
    with workspace.db.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WorkspaceError, match=r"of a newer Galloway: its tables have version 9999"):
        assert replace(workspace).db


@on_postgresql
def test_the_tables_are_those_of_the_code_and_sorted_by_bytes(full: Workspace, database: str) -> None:
    workspace = moved(full, database)
    merged = sa.MetaData()
    for metadata in (*all_metadata(), standing):
        for table in metadata.tables.values():
            table.to_metadata(merged)

    def same_type(_context: object, _inspected: object, _column: object, there: object, meant: object) -> bool | None:
        text = meant.impl_instance if isinstance(meant, sa.TypeDecorator) else meant
        return False if isinstance(there, sa.String) and isinstance(text, sa.String) else None

    with workspace.db.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_type": same_type})
        assert compare_metadata(context, merged) == []
        odd = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'workspace'"
        odd += " AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
        assert db.exec_driver_sql(odd).scalar() == 0


@on_postgresql
def test_the_next_release_keeps_every_row_and_a_copy(full: Workspace, tmp_path: Path, database: str) -> None:
    workspace = moved(full, database)
    before = everything(workspace)
    steps = Path(shutil.copytree(STEPS, tmp_path / "steps", ignore=shutil.ignore_patterns("__pycache__")))
    (steps / "versions" / "v9999_next.py").write_text(
        f'from alembic import op\nrevision = "9999"\ndown_revision = "{SCHEMA_VERSION:04d}"\n\n\n'
        "def upgrade():\n    op.execute(\"ALTER TABLE source ADD COLUMN camera varchar(20) DEFAULT 'unknown'\")\n"
    )
    migrate(workspace.db, steps=steps, backups=workspace.root / "backups")
    with workspace.db.connect() as db:
        assert db.exec_driver_sql("SELECT DISTINCT camera FROM source").scalars().all() == ["unknown"]
    assert everything(workspace) == before
    (copy,) = [path for path in (workspace.root / "backups").iterdir() if "-version-" in path.name]
    kept = make_engine(f"sqlite:///{copy}")
    with kept.connect() as db:
        assert {name: tuple(found) for name, found in sums(db, tables()).items()} == before
        assert db.exec_driver_sql("PRAGMA user_version").scalar() == SCHEMA_VERSION
    kept.dispose()
