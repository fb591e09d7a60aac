"""Rejected faces go for good: hashes and verdicts stay, undo refuses in words, killed anywhere it is finished."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from galloway.curation.errors import MergeConflict
from galloway.curation.faceset.index import content_hash
from galloway.curation.faceset.merging.erasure import erase_rejected, held_pictures
from galloway.curation.faceset.merging.merge import apply_merge, manifests, plan_merge, undo_merge
from galloway.curation.faceset.verify import verify

from tests.support.faceset import Built, build_faceset, decide, paths_of, visible

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """A faceset after a merge that rejected two faces."""
    built = build_faceset(tmp_path / "set", {"clip": {1: 1, 3: 2}, "other": {1: 1}}, size=4)
    paths = paths_of(built)
    apply_merge(plan_merge(paths, decide(paths, {"clip_000003_0.png": "blurred", "other_000001_0.png": "blurred"})))
    return built


def merge_of(built: Built) -> str:
    return str(next(iter(manifests(paths_of(built))))["merge_id"])


def rejected(built: Built) -> list[Path]:
    hold = paths_of(built).rejected_dir
    return sorted(path for path in hold.rglob("*") if path.is_file()) if hold.is_dir() else []


def test_pictures_and_thumbnails_go_and_hashes_and_verdicts_stay(built: Built) -> None:
    paths, before = paths_of(built), visible(paths_of(built))
    assert held_pictures(paths, merge_of(built)) == 2
    hashes = {path.name: content_hash(path.read_bytes()) for path in rejected(built) if path.suffix == ".png"}
    ids = erase_rejected(paths, merge_of(built), NOW)
    assert rejected(built) == [], "the alignments of before hold thumbnails of the rejected, too"
    (manifest,) = manifests(paths)
    rows = {row["name"]: row for row in manifest["removals"]}
    assert {name: row["content"] for name, row in rows.items()} == {name: hashes[name] for name in rows}
    assert {row["reason"] for row in rows.values()} == {"blurred"}
    assert set(ids) == {row["face_id"] for row in rows.values()}
    assert manifest["erased_at"] == NOW.isoformat()
    after = visible(paths)
    assert {name: body for name, body in after.items() if "rejected" not in name and "merges" not in name} == {
        name: body for name, body in before.items() if "rejected" not in name and "merges" not in name
    }
    assert verify(paths) == [], "what was meant to go is no fault"


def test_the_undo_refuses_in_words(built: Built) -> None:
    erase_rejected(paths_of(built), merge_of(built), NOW)
    with pytest.raises(MergeConflict, match=r"its rejected faces went on 2026-11-26, as \[privacy\] says"):
        undo_merge(paths_of(built))


def test_twice_is_once_and_an_undone_merge_has_nothing(built: Built) -> None:
    merge_id = merge_of(built)
    erase_rejected(paths_of(built), merge_id, NOW)
    first = visible(paths_of(built))
    erase_rejected(paths_of(built), merge_id, datetime(2027, 1, 1, tzinfo=UTC))
    assert visible(paths_of(built)) == first


def test_an_undone_merge_keeps_its_faces(built: Built) -> None:
    merge_id = merge_of(built)
    undo_merge(paths_of(built))
    before = visible(paths_of(built))
    assert erase_rejected(paths_of(built), merge_id, NOW) == ()
    assert visible(paths_of(built)) == before


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_every_step_and_run_again_it_is_finished(built: Built, tmp_path: Path) -> None:
    steps: list[str] = []
    shutil.copytree(built.root, tmp_path / "count")
    count = Built(tmp_path / "count", tmp_path / "count" / "faces", tmp_path / "count" / "alignments")
    erase_rejected(paths_of(count), merge_of(count), NOW, checkpoint=steps.append)
    assert len(steps) > 4
    for at in range(len(steps)):
        root = tmp_path / f"at{at}"
        shutil.copytree(built.root, root)
        copy = Built(root, root / "faces", root / "alignments")
        seen: list[str] = []

        def kill(step: str, seen: list[str] = seen, at: int = at) -> None:
            seen.append(step)
            if len(seen) > at:
                raise Killed

        with pytest.raises(Killed):
            erase_rejected(paths_of(copy), merge_of(copy), NOW, checkpoint=kill)
        erase_rejected(paths_of(copy), merge_of(copy), NOW)
        assert rejected(copy) == []
        with pytest.raises(MergeConflict):
            undo_merge(paths_of(copy))
        (manifest,) = manifests(paths_of(copy))
        assert all(row["content"] for row in manifest["removals"]), "hashed before anything went"
