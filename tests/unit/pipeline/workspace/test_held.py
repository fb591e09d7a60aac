"""Locks: who holds one is said, waiting can be asked for, and a training does not stop the rest of the work."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from galloway.pipeline.cli.main import cli
from galloway.pipeline.errors import WorkspaceBusy
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.both_databases


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "shop")[0]


def test_the_refusal_names_the_command_since_when_and_its_process(workspace: Workspace) -> None:
    with (
        workspace.lock("collecting"),
        pytest.raises(WorkspaceBusy, match=rf"collecting, since .*\d\d:\d\d, process {os.getpid()}\)"),
        workspace.lock("merging"),
    ):
        pass
    assert not (workspace.root / ".lock.json").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"doing": "x"}', '{"doing": "x", "pid": "y", "since": 1}'])
def test_a_broken_note_is_not_in_the_way(workspace: Workspace, text: str) -> None:
    with workspace.lock("collecting"):
        (workspace.root / ".lock.json").write_text(text)
        with pytest.raises(WorkspaceBusy, match="Another galloway command is"), workspace.lock("merging"):
            pass


def test_who_waits_comes_in_when_the_other_one_is_done(workspace: Workspace) -> None:
    entered: list[float] = []

    def other() -> None:
        with workspace.lock("deciding", wait=PATIENCE):
            entered.append(time.monotonic())

    with workspace.lock("collecting"):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.4)
        left = time.monotonic()
    thread.join(timeout=PATIENCE)
    assert entered and entered[0] >= left


def test_while_a_training_reads_the_faces_everything_else_goes_on(workspace: Workspace) -> None:
    with workspace.reading_faces("training"):
        with workspace.lock("collecting"):
            pass
        with (
            pytest.raises(WorkspaceBusy, match="training, since"),
            workspace.lock("merging", faces=True),
        ):
            pass
        with pytest.raises(WorkspaceBusy, match="training, since"), workspace.reading_faces("converting"):
            pass
        with workspace.lock("deciding"):  # the refused ones let go of what they had
            pass
    with workspace.lock("merging", faces=True):
        pass


def test_a_lock_is_given_back_before_its_connection_ends(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PostgreSQL server that has much to do ends a connection some time after it was left: here, never."""
    left, end = [], sa.Engine.dispose
    with monkeypatch.context() as patched:
        patched.setattr(sa.Engine, "dispose", lambda engine, close=True: left.append(engine))
        with workspace.lock("collecting"):
            pass
        with workspace.lock("deciding", faces=True):
            pass
    for engine in left:
        end(engine)


def test_nobody_begins_to_train_half_through_a_merge(workspace: Workspace) -> None:
    with (
        workspace.lock("merging", faces=True),
        pytest.raises(WorkspaceBusy, match="merging, since"),
        workspace.reading_faces("training"),
    ):
        pass


def test_the_command_has_an_exit_code_of_its_own_and_waits_if_asked(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    from galloway.pipeline.cli.main import main

    with workspace.lock("collecting"), pytest.raises(SystemExit) as ended:
        main(["-w", str(workspace.root), "merge", "undo", "--side", "a"])
    assert ended.value.code == 5
    assert "galloway --wait" in capsys.readouterr().err
    with workspace.lock("collecting"):
        begun = time.monotonic()
        done = CliRunner().invoke(cli, ["-w", str(workspace.root), "--wait", "0.6", "merge", "undo", "--side", "a"])
    assert isinstance(done.exception, WorkspaceBusy)
    assert time.monotonic() - begun >= 0.6
