"""Rejected faces go for good: hashes and verdicts stay, undo ends the merge alone, killed anywhere it is finished."""

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


def states(built: Built) -> list[str]:
    return [manifest["state"] for manifest in manifests(paths_of(built))]


def faceset(built: Built) -> dict[str, bytes]:
    """What faceswap reads: faces and alignments."""
    return {name: body for name, body in visible(paths_of(built)).items() if name.startswith(("faces", "alignments"))}


def test_the_undo_ends_the_merge_and_leaves_the_faceset(built: Built) -> None:
    paths = paths_of(built)
    erase_rejected(paths, merge_of(built), NOW)
    before = faceset(built)
    assert before
    done = undo_merge(paths)
    assert (done.merge_id, done.removed, done.kept) == (merge_of(built), 0, 2)
    assert (states(built), faceset(built), rejected(built)) == (["undone"], before, [])
    assert next(iter(manifests(paths)))["erased_at"] == NOW.isoformat()
    assert verify(paths) == []
    with pytest.raises(MergeConflict, match="none can be taken back"):
        undo_merge(paths)
    again = plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"}))
    apply_merge(again)
    undo_merge(paths)
    assert faceset(built) == before


def test_a_merge_before_it_that_took_nothing_ends_with_it(built: Built) -> None:
    """It cannot be taken back any more: the later one changed its files."""
    root = built.root.with_name("two")
    other = build_faceset(root, {"clip": {1: 1, 3: 2}, "other": {1: 1}}, size=4)
    paths = paths_of(other)
    apply_merge(plan_merge(paths, decide(paths, {})))
    newest = apply_merge(plan_merge(paths, decide(paths, {"clip_000003_0.png": "blurred"})))
    erase_rejected(paths, newest.merge_id, NOW)
    seen: list[str] = []

    def kill(step: str) -> None:
        seen.append(step)
        if len(seen) > 2:
            raise Killed

    with pytest.raises(Killed):
        undo_merge(paths, checkpoint=kill)
    undo_merge(paths)
    assert states(other) == ["undone", "undone"] and rejected(other) == []


def test_rejected_faces_of_a_merge_before_it_are_not_lost(built: Built) -> None:
    paths, first = paths_of(built), merge_of(built)
    second = apply_merge(plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"})))
    erase_rejected(paths, second.merge_id, NOW)
    with pytest.raises(MergeConflict, match=f"{first} before it still has rejected faces"):
        undo_merge(paths)
    assert held_pictures(paths, first) == 2 and states(built) == ["applied", "applied"]


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
        undo_merge(paths_of(copy))
        (manifest,) = manifests(paths_of(copy))
        assert all(row["content"] for row in manifest["removals"]), "hashed before anything went"
