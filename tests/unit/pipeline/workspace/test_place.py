"""A copy of a workspace is told from the workspace, which may be moved."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from galloway.mturk.requester.hosting import S3Hosting
from galloway.pipeline.app import App
from galloway.pipeline.errors import UnclaimedWorkspace
from galloway.pipeline.market.session import public_hosting
from galloway.pipeline.stages.claim import claim_copy
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import check_place, open_to_others, record_place


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


@pytest.mark.in_a_file("a copied folder with rows of its own; a folder whose rows are elsewhere is claimed by none")
def test_a_copy_of_its_own_leaves_the_originals_pictures_in_the_bucket(tmp_path: Path) -> None:
    original = App(make_workspace(tmp_path / "original")[0])
    config = original.workspace.root / "galloway.toml"
    hosting = '\n[hosting]\ns3_bucket = "shared"\ns3_access_key = "a"\ns3_secret_key = "b"\n'
    config.write_text(config.read_text(encoding="utf-8") + hosting, encoding="utf-8")
    original = App(Workspace.open(original.workspace.root))
    theirs = public_hosting(original.workspace)
    shutil.copytree(original.workspace.root, tmp_path / "copy")
    claim_copy(App(Workspace.open(tmp_path / "copy")))
    copy = App(Workspace.open(tmp_path / "copy"))
    ours = public_hosting(copy.workspace)
    assert isinstance(ours, S3Hosting) and isinstance(theirs, S3Hosting)
    assert copy.settings.hosting.s3_prefix == f"faces/{copy.settings.id}/"
    listed = [place.object_name("face").rpartition("/")[0] + "/" for place in (ours, theirs)]
    assert not ours.object_name("face").startswith(listed[1])
    assert not theirs.object_name("face").startswith(listed[0])


def test_a_new_workspace_is_its_owners_alone_and_one_that_holds_something_keeps_its_rights(
    begin_elsewhere: Callable[[], None],
) -> None:
    with TemporaryDirectory() as name:
        above = Path(name).resolve()
        reached = all(folder.stat().st_mode & 0o001 for folder in above.parents)
        for folder in ("full", "empty"):
            (above / folder).mkdir()
            (above / folder).chmod(0o755)
        above.chmod(0o755)
        (above / "full" / "clip.mp4").touch()
        for folder, mode in (("full", 0o755), ("empty", 0o700), ("new", 0o700)):
            begin_elsewhere()
            root = make_workspace(above / folder)[0].root
            assert stat.S_IMODE(root.stat().st_mode) == mode
            assert open_to_others(root) == (folder == "full" and reached)
        above.chmod(0o700)
        assert not open_to_others(above / "full"), "nobody else comes so far"
