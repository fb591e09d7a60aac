"""Two facesets or two merges compared without cards."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from galloway.curation.errors import FacesetError
from galloway.curation.faceset.cards.compare import ListedFace as Listed
from galloway.curation.faceset.cards.compare import Listing, diff_listings, diff_merges, list_folder
from galloway.curation.faceset.merging.merge import apply_merge, manifests, plan_merge, plan_removal, undo_merge
from galloway.curation.faceset.png.headers import read_header, replace_header
from galloway.curation.types import Side
from galloway.pipeline.cli.failures import exit_code
from galloway.pipeline.cli.main import cli
from galloway.pipeline.stages.cards import make_card, write_card
from galloway.pipeline.stages.merge import merge
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faceset import Built, build_faceset, decide, paths_of
from tests.support.screen import answer, workspace_with_faces


def diff(*arguments: object, code: int = 0) -> Result:
    found = CliRunner().invoke(cli, [*map(str, arguments)])
    given = found.exit_code
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        given = exit_code(found.exception) or -1
    assert given == code, (given, found.output, found.exception)
    return found


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build_faceset(tmp_path / "set", {"clip": {1: 1, 3: 3, 5: 1}}, size=8)


LISTINGS = st.dictionaries(
    st.text("abcdef", min_size=2, max_size=3),
    st.builds(Listed, st.text("xyz", min_size=1, max_size=3), st.integers(0, 3)),
    max_size=8,
)


@given(LISTINGS, LISTINGS)
def test_a_difference_turned_round_is_the_other_difference(old: dict[str, Listed], new: dict[str, Listed]) -> None:
    there, back = (
        diff_listings(Listing("o", old), Listing("n", new)),
        diff_listings(Listing("n", new), Listing("o", old)),
    )
    assert (there.added, there.removed) == (back.removed, back.added)
    assert sorted((after, before) for before, after in there.renamed) == sorted(back.renamed)
    assert there.is_empty == back.is_empty == (old == new)
    assert len(there.added) == len(new.keys() - old.keys())


def test_folders_are_compared_by_face(built: Built, tmp_path: Path) -> None:
    paths, backup = paths_of(built), tmp_path / "backup"
    shutil.copytree(built.faces, backup)
    apply_merge(plan_merge(paths, decide(paths, {"clip_000003_1.png": "blurred"})))
    moved = built.faces / "clip_000005_0.png"
    header = read_header(moved)
    shifted = replace(header.alignment, landmarks=header.alignment.landmarks + 2)
    replace_header(moved, replace(header, alignment=shifted))
    shutil.copy(built.faces / "clip_000001_0.png", built.faces / "again.png")
    (built.faces / "note.png").write_bytes(b"no picture")
    found = json.loads(diff("faceset", "diff", backup, built.root, "--json").stdout)
    assert (found["faces"], found["added"], found["removed"]) == ([5, 4], [], ["clip_000003_1.png"])
    assert ["clip_000003_2.png", "clip_000003_1.png"] in found["renamed"]
    assert found["renumbered"] == ["clip_000003_1.png"]
    assert found["realigned"] == ["clip_000005_0.png"]
    assert found["unusable"] == ["note.png"]
    assert len(found["copies"]) == 1
    text = diff("faceset", "diff", backup, built.faces).stdout
    assert "1 removed\n      clip_000003_1.png" in text
    assert "(5 faces) → " in text
    same = diff("faceset", "diff", backup, backup).stdout
    assert "the same faces" in same
    assert diff_listings(list_folder(backup, Side.A), list_folder(backup, Side.A)).is_empty


def test_merges_are_compared_by_what_they_took_out(built: Built, tmp_path: Path) -> None:
    paths = paths_of(built)
    first = {"clip_000001_0.png": "blurred", "clip_000003_0.png": "covered"}
    apply_merge(plan_merge(paths, decide(paths, first)))
    undo_merge(paths)
    second = {"clip_000001_0.png": "bad_crop", "clip_000005_0.png": "covered"}
    apply_merge(plan_merge(paths, decide(paths, second)))
    rows = list(manifests(paths))
    old, new = sorted(rows, key=lambda row: row["state"] == "applied")
    found = diff_merges(old, new)
    assert found.relation == "same start"
    assert (found.only_old, found.only_new) == (
        (("clip_000003_0.png", "covered"),),
        (("clip_000005_0.png", "covered"),),
    )
    assert found.other_reason == (("clip_000001_0.png", "blurred", "bad_crop"),)
    (built.faces / "clip_000003_2.png").unlink()
    apply_merge(plan_removal(paths, digest=True))
    newest = next(row for row in manifests(paths) if row["merge_id"] not in (old["merge_id"], new["merge_id"]))
    files = [paths.merges_dir / f"{row['merge_id']}.json" for row in (new, newest)]
    text = diff("faceset", "diff", *files).stdout
    assert "clip_000003.mp4, face 2" in text
    diff("faceset", "diff", files[0], built.faces, code=1)


def test_what_is_nothing_of_the_kind_is_named(tmp_path: Path, built: Built) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FacesetError, match="no face PNG"):
        list_folder(tmp_path / "empty", Side.A)
    (tmp_path / "x.json").write_text("[" * 100_000)
    for wrong in ("x.json", "gone"):
        diff("faceset", "diff", tmp_path / wrong, built.faces, code=1)


def test_a_workspace_without_cards_and_one_with(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 4})
    root = str(app.workspace.root)
    backup = tmp_path / "backup"
    shutil.copytree(app.workspace.faces_dir(Side.B), backup)
    before = json.loads(diff("-w", root, "faceset", "diff", backup, "b", "--json").stdout)
    assert before["same"]
    answer(app, Side.B, rejected={1})
    merge(app, Side.B)
    write_card(app, make_card(app, Side.B))
    after = json.loads(diff("-w", root, "faceset", "diff", backup, "b", "--json").stdout)
    assert len(after["removed"]) == 1
    assert not after["added"]
