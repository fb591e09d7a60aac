"""A workspace's rows go to another database whole or not at all, and the setting with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import NothingToDo, WorkspaceError
from galloway.pipeline.workspace.database.home import NOTE, noted_home
from galloway.pipeline.workspace.database.moving import (
    move_to_postgresql,
    move_to_sqlite,
    row_counts,
    take_back,
)
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import record_place

from tests.support.databases import DATABASE
from tests.support.postgres import Databases
from tests.support.rows import everything, moved
from tests.support.web import face_id, full_workspace
from tests.support.workspace import galloway

on_postgresql = pytest.mark.postgresql


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


@on_postgresql
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "x"\n\n[ask]\nvotes = 2\n', 'name = "x"\n\n[workspace]\n{}\n\n[ask]\nvotes = 2\n'),
        ('name = "x"\n[workspace] # rows\ndatabase = ""\n', 'name = "x"\n[workspace] # rows\n{}\n'),
        ("", "[workspace]\n{}\n"),
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
