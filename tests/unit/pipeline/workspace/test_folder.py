"""The workspace: found from below, moved, locked, migrated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.schema import SCHEMA_VERSION, all_metadata

from tests.support.faces import make_face


def test_a_workspace_is_found_from_a_folder_below_it(tmp_path: Path) -> None:
    made, new = make_workspace(tmp_path / "swap")
    assert new
    below = made.root / "sources" / "a"
    below.mkdir(parents=True)
    assert Workspace.find(below).root == made.root


def test_making_it_twice_keeps_the_first(tmp_path: Path) -> None:
    first, _ = make_workspace(tmp_path / "swap", "My swap")
    again, new = make_workspace(tmp_path / "swap", "Other")
    assert not new
    assert (again.settings.name, again.settings.id) == ("My swap", first.settings.id)


def test_no_workspace_inside_another(tmp_path: Path) -> None:
    make_workspace(tmp_path / "swap")
    with pytest.raises(WorkspaceError, match="inside the workspace"):
        make_workspace(tmp_path / "swap" / "inner")


def test_where_there_is_none_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="galloway init"):
        Workspace.find(tmp_path)


def test_a_moved_workspace_still_knows_its_faces(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "swap")
    App(workspace).store.add_faces([make_face(1)])
    workspace.db.dispose()
    moved = workspace.root.rename(tmp_path / "moved")
    assert App(Workspace.open(moved)).store.faces(Side.A) == [make_face(1)]


def test_one_command_at_a_time_and_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "swap")
    code = (
        "import sys; from pathlib import Path; from galloway.pipeline.workspace.folder import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])).lock('a test'):\n"
        "    print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(WorkspaceError, match="Another galloway command"), workspace.lock("merging"):
            raise AssertionError("two commands at once")
        holder.kill()
        holder.wait()
    with workspace.lock("merging"):
        pass


@pytest.mark.in_a_file("the version of a file; test_database compares PostgreSQL's tables")
def test_the_migrated_database_is_the_schema_of_the_code(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "swap")
    with workspace.db.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION
        merged = sa.MetaData()
        for metadata in all_metadata():
            for table in metadata.tables.values():
                table.to_metadata(merged)
        assert compare_metadata(MigrationContext.configure(connection), merged) == []


def test_a_remedy_to_copy_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"galloway init '.*/my folder'"):
        Workspace.open(tmp_path / "my folder")
