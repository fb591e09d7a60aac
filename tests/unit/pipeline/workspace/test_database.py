"""A workspace's rows on PostgreSQL: named once and for all, whose they are, moved whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from galloway.curation.tables import vote_table
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import NothingToDo, UnclaimedWorkspace, WorkspaceBusy, WorkspaceError
from galloway.pipeline.stages.erase import erase_person, plan_erasure
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.trouble import sentence
from galloway.pipeline.workspace.backup import back_up, restore
from galloway.pipeline.workspace.database import engine
from galloway.pipeline.workspace.database.copying import sums
from galloway.pipeline.workspace.database.home import NOTE, noted_home, shares_rows, take_home
from galloway.pipeline.workspace.database.moving import (
    as_noted,
    move_to_postgresql,
    move_to_sqlite,
    row_counts,
    tables,
    take_back,
)
from galloway.pipeline.workspace.database.reached import why_not
from galloway.pipeline.workspace.database.tables import standing
from galloway.pipeline.workspace.folder import Workspace, make_engine
from galloway.pipeline.workspace.place import record_place
from galloway.pipeline.workspace.schema import SCHEMA_VERSION, STEPS, all_metadata, migrate

from tests.support.databases import DATABASE
from tests.support.faces import make_face
from tests.support.postgres import Databases
from tests.support.web import face_id, full_workspace
from tests.support.workspace import galloway

SERVER = "postgresql://ann:hidden@db.example/swap"
on_postgresql = pytest.mark.postgresql


def everything(workspace: Workspace) -> dict[str, tuple[int, str]]:
    """Every table's rows and their digest."""
    with workspace.db.connect() as db:
        return {name: tuple(found) for name, found in sums(db, tables()).items()}


@pytest.fixture
def full(tmp_path: Path) -> Workspace:
    workspace = full_workspace(tmp_path / "ws")
    record_place(workspace.root)
    overrule(App(workspace), face_id(Side.B, 0), "reject", reason="covered", name="Ann", note="a hand")
    return workspace


def moved(workspace: Workspace, url: str) -> Workspace:
    """The workspace with its rows brought there."""
    with workspace.lock("moving"):
        move_to_postgresql(workspace, url)
    workspace.db.dispose()
    return reopened(workspace, url)


def reopened(workspace: Workspace, url: str) -> Workspace:
    again = Workspace.open(workspace.root)
    return replace(again, settings=as_noted(again, url).settings)


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


# Moving


@on_postgresql
def test_rows_go_there_on_to_another_one_and_back(full: Workspace, databases: Databases, database: str) -> None:
    old, before = App(full), everything(full)
    first = moved(full, database)
    assert everything(first) == before and noted_home(first.root) is not None
    assert not list(first.root.glob("galloway.db*"))
    assert (first.root / "galloway.toml").read_text().count("database = ") == 1
    for _ in range(2):
        with pytest.raises(WorkspaceError, match=r"are in postgresql://127\.0\.0\.1.* start it again"):
            assert old.store.votes()
    assert not list(first.root.glob("galloway.db*"))
    second = moved(first, databases.make())
    assert everything(second) == before
    with pytest.raises(WorkspaceError, match="start it again"):
        assert App(first).store.votes()
    overrule(App(second), face_id(Side.A, 1), "keep", name="Ann", note="seen")
    after = everything(second)
    assert after["vote"][0] == before["vote"][0] + 2
    with second.lock("moving"):
        done = move_to_sqlite(second)
    assert done.rows == {name: count for name, (count, _) in after.items()}
    home = Workspace.open(second.root)
    assert home.rows.place == "" and everything(home) == after
    overrule(App(home), face_id(Side.A, 2), "keep", name="Ann", note="seen")
    assert moved(home, database).rows.place.startswith("postgresql://"), "a database that they left takes them again"


@on_postgresql
def test_a_database_with_another_workspaces_rows_is_not_written_over(
    full: Workspace, tmp_path: Path, database: str
) -> None:
    there = moved(full, database)
    before = everything(there)
    other = full_workspace(tmp_path / "other")
    for command in (["workspace", "move", "--to", database, "--dry-run"], ["workspace", "move", "--to", database]):
        said = galloway(App(other), *command)
        assert said.returncode == 1 and "another workspace or folder" in said.stderr
    assert everything(there) == before and other.rows.place == ""
    with pytest.raises(NothingToDo, match="already"):
        move_to_postgresql(there, database)


@on_postgresql
def test_a_move_that_was_cut_off_is_taken_back_or_made_whole(full: Workspace, database: str) -> None:
    class Cut(Exception):
        pass

    def cut(*_: object, **__: object) -> None:
        raise Cut

    from galloway.pipeline.workspace.database import moving

    before = everything(full)
    for step in ("copy_rows", "_compare", "_keep", "_refuse_writes", "settle"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Cut), full.lock("moving"):
            patch.setattr(moving, step, cut)
            move_to_postgresql(full, database)
        again = Workspace.open(full.root)
        assert again.rows.place == "" and everything(again) == before
    with pytest.raises(sa.exc.DBAPIError, match="the move was cut off"):
        overrule(App(full), face_id(Side.A, 1), "keep", name="Ann", note="seen")
    take_back(full)
    overrule(App(full), face_id(Side.A, 1), "keep", name="Ann", note="seen")
    after = everything(full)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Cut), full.lock("moving"):
        patch.setattr(moving, "_write_setting", cut)
        move_to_postgresql(full, database)
    said = galloway(App(Workspace.open(full.root)), "status")
    assert said.returncode == 1 and "and no database was named" in said.stderr
    said = galloway(App(Workspace.open(full.root)), "workspace", "move", "--to", database)
    assert said.returncode == 3 and "already" in said.stderr
    there = Workspace.open(full.root)
    assert everything(there) == after
    for step in ("_into_sqlite", "_refuse_writes", "_forget_sqlite"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Cut), there.lock("moving"):
            patch.setattr(moving, step, cut)
            move_to_sqlite(there)
        take_back(there)
        assert everything(replace(there)) == after


@on_postgresql
def test_the_command_says_where_rows_are_and_never_a_password(full: Workspace, database: str) -> None:
    url = sa.make_url(database).set(password="hidden").render_as_string(hide_password=False)
    app, environment = App(full), {DATABASE: url}
    total = sum(row_counts(full).values())
    dry = galloway(app, "workspace", "move", "--to", url, "--dry-run")
    assert dry.returncode == 0 and f"{total:,} rows would go from galloway.db to postgresql://" in dry.stderr
    done = galloway(app, "workspace", "move", "--to", url)
    assert done.returncode == 0 and f"{total:,} rows of" in done.stderr, done.stderr
    assert "hidden" not in (full.root / "galloway.toml").read_text() + (full.root / NOTE).read_text()
    there = json.loads(galloway(app, "workspace", "where", "--json", environment=environment).stdout)
    assert sum(there["rows"].values()) == total and there["database"].startswith("postgresql://127.0.0.1")
    assert "rows in postgresql://127.0.0.1" in galloway(app, "status", environment=environment).stdout
    for said in (dry, done):
        assert "hidden" not in said.stdout + said.stderr


# Locks


@on_postgresql
def test_a_lock_is_held_among_machines_and_names_its_holder(full: Workspace, tmp_path: Path, database: str) -> None:
    here = moved(full, database)
    there = replace(here, root=Path(shutil.copytree(here.root, tmp_path / "there")))
    there.__dict__["rows"] = here.rows  # as a machine on which the same folder has another lock file
    with here.lock("collecting"):
        with pytest.raises(WorkspaceBusy, match=r"\(collecting, since .*, process \d+ on .+\)"), there.lock("merging"):
            pass
        assert App(there).store.faces() and galloway(App(here), "status", environment={DATABASE: database})
    with there.lock("merging", faces=True), pytest.raises(WorkspaceBusy, match="merging"), here.lock("collecting"):
        pass
    with here.reading_faces("training"):
        with there.lock("collecting"):
            pass
        with pytest.raises(WorkspaceBusy, match="training"), there.lock("merging", faces=True):
            pass


@on_postgresql
def test_a_command_whose_lock_was_lost_writes_nothing_more(full: Workspace, tmp_path: Path, database: str) -> None:
    here = moved(full, database)
    there = replace(here, root=Path(shutil.copytree(here.root, tmp_path / "there")))
    there.__dict__["rows"] = reopened(here, database).rows
    before = row_counts(here)
    with here.lock("collecting"):
        with here.db.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            assert db.exec_driver_sql(ended).all()
        overrule(App(here), face_id(Side.A, 1), "keep", name="Ann", note="seen")  # nobody else came meanwhile
        with there.lock("merging"), pytest.raises(WorkspaceError, match=r"another command \(merging on .*went on"):
            overrule(App(here), face_id(Side.A, 2), "keep", name="Ann", note="seen")
    assert row_counts(there)["vote"] == before["vote"] + 2


# Backups


@on_postgresql
def test_a_backup_comes_back_in_the_folder_and_compared(full: Workspace, tmp_path: Path, database: str) -> None:
    workspace = moved(full, database)
    before = everything(workspace)
    done = galloway(App(workspace), "backup", str(tmp_path / "b.zip"), environment={DATABASE: database})
    assert done.returncode == 0, done.stderr
    back = restore(tmp_path / "b.zip", tmp_path / "again")
    assert back.rows_were.startswith("postgresql://127.0.0.1") and not (tmp_path / "again" / NOTE).exists()
    again = Workspace.open(tmp_path / "again")
    assert again.rows.place == "" and everything(again) == before
    overrule(App(workspace), face_id(Side.A, 1), "keep", name="Ann", note="seen")
    assert everything(Workspace.open(tmp_path / "again")) == before
    with pytest.raises(WorkspaceError, match="another workspace or folder"):
        move_to_postgresql(again, database)


@on_postgresql
def test_a_backup_is_of_one_instant(full: Workspace, tmp_path: Path, database: str) -> None:
    workspace = moved(full, database)
    app = App(workspace)
    said = back_up(workspace.root, tmp_path / "b.zip", rows=workspace.db)
    overrule(app, face_id(Side.A, 1), "keep", name="Ann", note="seen")
    restore(said.path, tmp_path / "again")
    again = App(Workspace.open(tmp_path / "again"))
    assert len(again.store.votes()) == len(app.store.votes()) - 2


@on_postgresql
def test_an_erased_person_is_looked_for_in_the_rows_there(full: Workspace, database: str) -> None:
    app = App(moved(full, database))
    left = erase_person(app, plan_erasure(app, "Eileen"))
    told = {item.path: item.why for item in left}
    assert [why for path, why in told.items() if path == app.workspace.rows.place] and not told.get("galloway.db")
    assert not [path for path in told if ", table " in path]
    with app.workspace.db.begin() as db:
        db.exec_driver_sql("UPDATE source SET note = 'beside EILEEN'")
    left = erase_person(app, plan_erasure(app, "Eileen"))
    assert f"{app.workspace.rows.place}, table source" in {item.path for item in left}


# A server in trouble


@on_postgresql
def test_a_frozen_writer_is_cut_off_and_the_others_go_on(
    full: Workspace, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = App(moved(full, database))
    before = row_counts(others.workspace)
    # Of the one that freezes alone: a machine that stutters cuts off nobody else.
    monkeypatch.setitem(engine._SETTINGS, "idle_in_transaction_session_timeout", 1_000)
    workspace = replace(others.workspace)
    frozen = App(workspace)
    assert workspace.database_answers()
    monkeypatch.undo()
    with pytest.raises(sa.exc.DBAPIError, match=r"terminat|closed|lost") as told, workspace.db.begin() as db:
        db.execute(sa.delete(vote_table))  # and nothing more is heard of it
        assert len(others.store.votes()) == before["vote"], "who reads does not wait"
        overrule(others, face_id(Side.A, 1), "keep", name="Ann", note="seen")
    assert "went away" in (sentence(told.value) or "")
    assert len(frozen.store.votes()) == before["vote"] + 2


@on_postgresql
def test_a_look_is_one_statement_and_a_lost_connection_is_replaced(full: Workspace, database: str) -> None:
    app = App(moved(full, database))
    states = []

    def look(connection: sa.Connection, *_: object) -> None:
        states.append(connection.connection.dbapi_connection.info.transaction_status.name)  # type: ignore[union-attr]

    sa.event.listen(app.workspace.db, "after_cursor_execute", look)
    ended = sa.text("SELECT pg_terminate_backend(:pid, 10000)")
    for answers in (app.store.faces, app.ledger.sums):
        with app.workspace.db.begin() as db:
            lost = db.scalar(sa.select(sa.func.pg_backend_pid()))
        states.clear()
        before = answers()
        assert set(states) == {"IDLE"}, "no transaction was begun, which would have to be ended"
        with make_engine(database).connect() as other:
            assert other.scalar(ended, {"pid": lost})
        assert answers() == before


@on_postgresql
def test_health_tells_that_the_database_is_away(full: Workspace, database: str) -> None:
    workspace = moved(full, database)
    assert workspace.database_answers()
    with workspace.db.begin() as db:
        db.exec_driver_sql("UPDATE home SET token = 'another'")
    assert not replace(workspace).database_answers()


@on_postgresql
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "x"\n\n[ask]\nvotes = 2\n', 'name = "x"\n\n[workspace]\n{}\n\n[ask]\nvotes = 2\n'),
        ('name = "x"\n[workspace] # rows\ndatabase = ""\n', 'name = "x"\n[workspace] # rows\n{}\n'),
        ("", "\n[workspace]\n{}\n"),
    ],
)
def test_the_setting_is_written_and_taken_out_again_and_the_rest_stays(
    tmp_path: Path, database: str, before: str, after: str
) -> None:
    config = tmp_path / "ws" / "galloway.toml"
    config.parent.mkdir()
    config.write_text(before)
    record_place(config.parent)
    workspace = Workspace.open(config.parent)
    assert workspace.db is not None
    there = moved(workspace, database)
    bare = sa.make_url(database).set(drivername="postgresql").render_as_string()
    assert config.read_text() == after.format(f'database = "{bare}"')
    move_to_sqlite(there)
    kept = [line for line in config.read_text().split("\n") if line.strip() and not line.startswith("[workspace]")]
    assert kept == [
        line for line in before.split("\n") if line.strip() and not line.startswith(("[workspace]", "database"))
    ]
