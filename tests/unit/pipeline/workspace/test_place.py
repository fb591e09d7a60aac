"""A copy of a workspace is told from the workspace, which may be moved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from galloway.pipeline.errors import UnclaimedWorkspace
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.place import check_place, record_place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "original")[0].root


def test_a_workspace_that_was_renamed_is_itself_and_says_nothing(root: Path, tmp_path: Path) -> None:
    moved = root.rename(tmp_path / "moved")
    check_place(moved)
    assert json.loads((moved / "place.json").read_text())["folder"] == str(moved)


def test_a_workspace_without_a_record_gets_one(root: Path) -> None:
    (root / "place.json").unlink()
    check_place(root)
    assert (root / "place.json").exists()


def test_a_copy_names_the_original_and_both_ways_out(root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    with pytest.raises(UnclaimedWorkspace, match="is a copy of") as told:
        check_place(copy)
    assert str(root) in str(told.value)
    assert "galloway claim moved" in str(told.value) and "galloway claim copy" in str(told.value)
    check_place(root)


def test_where_the_original_is_not_to_be_seen_it_is_asked(root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    gone = root.rename(tmp_path / "gone")
    root.mkdir()  # a folder of the same name is not the same folder, and has another inode while the first is there
    shutil.rmtree(gone)
    with pytest.raises(UnclaimedWorkspace, match="not there any more"):
        check_place(copy)
    record_place(copy)
    check_place(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"folder": 1, "device": "x", "inode": null}'])
def test_a_damaged_record_is_a_question_too(root: Path, text: str) -> None:
    (root / "place.json").write_text(text)
    with pytest.raises(UnclaimedWorkspace, match="damaged"):
        check_place(root)
