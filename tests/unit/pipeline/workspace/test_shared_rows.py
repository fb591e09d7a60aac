"""Rows that several commands and machines share: locks, backups, a server in trouble."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.tables import vote_table
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import WorkspaceBusy, WorkspaceError
from galloway.pipeline.stages.erase import erase_person, plan_erasure
from galloway.pipeline.trouble import sentence
from galloway.pipeline.workspace.backup import back_up, restore
from galloway.pipeline.workspace.database import engine
from galloway.pipeline.workspace.database.home import NOTE
from galloway.pipeline.workspace.database.moving import (
    move_to_postgresql,
    row_counts,
)
from galloway.pipeline.workspace.folder import Workspace, make_engine

from tests.support.databases import DATABASE
from tests.support.rows import everything, moved, reopened
from tests.support.web import face_id
from tests.support.workspace import galloway

on_postgresql = pytest.mark.postgresql


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
    assert not there.faces_held()
    with here.reading_faces("training"):
        assert here.faces_held() and there.faces_held(), "a page on another machine sees it, too"
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
