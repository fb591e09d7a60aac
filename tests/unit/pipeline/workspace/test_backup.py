"""What a backup or a restore leaves when it is killed, and who takes that away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from galloway.pipeline.engines.stopping import ended_in_order
from galloway.pipeline.errors import StageError, WorkspaceBusy
from galloway.pipeline.workspace.backup import back_up, restore

KILLED = """
import os, sys
from pathlib import Path
from galloway.pipeline.workspace import backup
backup._add = backup._take_out = lambda *_: os.kill(os.getpid(), 9)
backup.{call}(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def kill(call: str, one: Path, other: Path) -> None:
    """Run a backup or a restore that is killed at its first file."""
    command = [sys.executable, "-c", KILLED.format(call=call), str(one), str(other)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def state(folder: Path) -> Path:
    folder.mkdir()
    (folder / "market.key").write_bytes(b"k" * 32)
    return folder


def test_what_a_killed_backup_left_goes_with_the_next_one_and_anothers_stays(tmp_path: Path) -> None:
    one, other, backups = state(tmp_path / "one"), state(tmp_path / "other"), tmp_path / "backups"
    backups.mkdir()
    kill("back_up", one, backups)
    of_one = [name for name in hidden(backups) if (backups / name).is_dir()]
    assert len(of_one) == 1 and (backups / of_one[0] / "backup.zip").is_file()
    back_up(other, backups)
    assert of_one[0] in hidden(backups), "it may be at work"
    back_up(one, backups)
    assert hidden(backups) == []


def test_what_a_killed_restore_left_goes_with_the_next_one(tmp_path: Path) -> None:
    file = back_up(state(tmp_path / "state"), tmp_path / "b.zip").path
    kill("restore", file, tmp_path / "new")
    assert any((tmp_path / name / "market.key").parent.is_dir() for name in hidden(tmp_path))
    assert restore(file, tmp_path / "new").files == 1
    assert hidden(tmp_path) == []


def test_two_backups_of_one_folder_do_not_sweep_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = state(tmp_path / "state")

    def second(*_: object) -> str:
        with pytest.raises(WorkspaceBusy, match="backup"):
            back_up(folder, tmp_path / "again.zip")
        return ""

    monkeypatch.setattr("galloway.pipeline.workspace.backup._add", second)
    assert back_up(folder, tmp_path / "b.zip").files == 1
    assert hidden(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="nowhere is no folder"):
        back_up(state(tmp_path / "state"), tmp_path / "nowhere" / "b.zip")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_and_what_was_begun_is_taken_away(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cleaned = False
    with pytest.raises(SystemExit) as end, ended_in_order():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            cleaned = True
    assert cleaned and end.value.code == 128 + number
    assert signal.getsignal(number) is before
