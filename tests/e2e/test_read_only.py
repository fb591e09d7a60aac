"""A workspace on a disk that is mounted read-only is read and backed up, and everything else says why it cannot."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import record_place

from tests.support.small_disk import COMMAND
from tests.support.workspace import built_app

pytestmark = [pytest.mark.mount, pytest.mark.in_a_file("rows that lie on that disk")]
MOUNTED = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    app = built_app(tmp_path / "ws", faces=3)
    record_place(app.workspace.root)
    app.workspace.db.dispose()
    return app.workspace


def mounted(workspace: Workspace, *args: str) -> subprocess.CompletedProcess[str]:
    root = str(workspace.root)
    command = [*COMMAND, "sh", "-c", MOUNTED, "sh", root, sys.executable, "-m", "galloway", "-w", root, *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])


def test_it_is_read_and_backed_up(workspace: Workspace, tmp_path: Path) -> None:
    done = mounted(workspace, "status")
    assert done.returncode == 0 and "3 faces" in done.stdout, done.stderr
    done = mounted(workspace, "backup", str(tmp_path / "b.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "galloway.db" in archive.namelist()
    done = mounted(workspace, "extract", "--again")
    assert done.returncode == 1 and "mounted read-only; extracting would write there" in done.stderr


def test_rows_that_are_only_in_the_log_are_not_passed_over(workspace: Workspace, tmp_path: Path) -> None:
    """One is at work elsewhere; then its machine stopped, and what is left is a log without its index."""
    with closing(sqlite3.connect(workspace.root / "galloway.db")) as writer:
        writer.execute("UPDATE source SET person = 'Late'")
        writer.commit()
        assert "Late" in mounted(workspace, "source", "list").stdout
        left = Path(shutil.copytree(workspace.root, tmp_path / "left"))
    (left / "galloway.db-shm").unlink()
    done = mounted(Workspace.open(left), "source", "list")
    assert done.returncode == 1 and "may hold rows that are not in galloway.db yet" in done.stderr
