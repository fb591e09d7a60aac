"""Merging decisions: what goes, what moves, what is recorded, and that it can be taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from galloway.curation.errors import FacesetError, FormatError, MergeConflict, OpenFaces, UnsafeFile
from galloway.curation.faceset.deflate import deflate
from galloway.curation.faceset.fsa.alignments import export_json, read_alignments
from galloway.curation.faceset.fsa.emit import pickle_chunks
from galloway.curation.faceset.fsa.rewrite import Unpacked, without_faces
from galloway.curation.faceset.index import FacesetPaths
from galloway.curation.faceset.merging import steps
from galloway.curation.faceset.merging.merge import (
    apply_merge,
    digest,
    pending,
    plan_merge,
    plan_removal,
    recover,
    scan_faces,
    undo_merge,
)
from galloway.curation.faceset.merging.removal import plan_closing
from galloway.curation.faceset.png.headers import read_header, replace_header
from galloway.curation.faceset.png.source import read_source
from galloway.curation.types import AssignmentId, Question, Side, Status, Vote, WorkerId
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.faceset import Built, build_faceset, decide, paths_of, visible

FRAMES = {"clip": {1: 1, 2: 0, 3: 1, 4: 2, 5: 3}, "other": {1: 2, 9: 1}}


@pytest.fixture(params=["v2.3", "v3"])
def built(tmp_path: Path, request: pytest.FixtureRequest) -> Built:
    return build_faceset(tmp_path / "set", FRAMES, dialect=request.param)


def names(built: Built) -> list[str]:
    return sorted(path.name for path in built.faces.iterdir())


def counts(built: Built, stem: str = "clip") -> dict[str, int]:
    frames = read_alignments(built.alignments / f"{stem}_alignments.fsa").frames
    return {key.removeprefix(f"{stem}_").removesuffix(".mp4").lstrip("0"): len(f.faces) for key, f in frames.items()}


def test_rejected_faces_leave_folder_headers_and_alignments(built: Built) -> None:
    paths = paths_of(built)
    kept = read_header(built.faces / "clip_000005_2.png")
    gone = {"clip_000001_0.png": "blurred", "clip_000004_0.png": "covered", "clip_000005_0.png": "not_a_face"}
    result = apply_merge(plan_merge(paths, decide(paths, gone)))
    assert (result.removed, result.moved, result.kept) == (3, 3, 7)
    assert names(built) == [
        "clip_000003_0.png", "clip_000004_0.png", "clip_000005_0.png", "clip_000005_1.png",
        "other_000001_0.png", "other_000001_1.png", "other_000009_0.png",
    ]  # fmt: skip
    assert counts(built) == {"1": 0, "2": 0, "3": 1, "4": 1, "5": 2}
    moved = read_header(built.faces / "clip_000005_1.png")
    assert moved.alignment == kept.alignment
    assert (moved.source.face_index, moved.source.original_filename) == (1, "clip_000005_1.png")
    for path in built.faces.iterdir():
        header = read_header(path)
        stem = path.name.split("_")[0]
        frames = read_alignments(built.alignments / f"{stem}_alignments.fsa").frames
        assert frames[header.source.source_filename].faces[header.source.face_index].box == header.alignment.box


def test_untouched_files_keep_their_bytes(built: Built) -> None:
    paths = paths_of(built)
    before = visible(paths)
    apply_merge(plan_merge(paths, decide(paths, {"clip_000004_1.png": "blurred"})))
    after = visible(paths)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"alignments/clip_alignments.fsa"}


def test_manifest_tells_who_went_and_why(built: Built) -> None:
    paths = paths_of(built)
    face = next(face for face in scan_faces(paths) if face.name == "clip_000004_0.png")
    vote = Vote(
        face.face_id, Question.USABLE, "reject", WorkerId("A1VISIBLE"), AssignmentId("x"), 1,
        datetime(2026, 1, 2, tzinfo=UTC), "blurred", 1.5, note="private words",
    )  # fmt: skip
    result = apply_merge(plan_merge(paths, decide(paths, {face.name: "blurred"}), [vote]))
    text = result.manifest.read_text()
    manifest = json.loads(text)
    (row,) = manifest["removals"]
    assert (row["face_id"], row["reason"], row["name"]) == (face.face_id, "blurred", face.name)
    assert (row["frame"], row["index"], row["posterior"]) == ("clip_000004.mp4", 0, 0.9)
    assert row["votes"][0]["label"] == "reject"
    assert "A1VISIBLE" not in text and "private words" not in text
    assert manifest["digest_before"] != manifest["digest_after"] == result.digest == digest(paths)
    assert manifest["state"] == "applied"
    assert manifest["counts"] == {"removed": 1, "kept": 9, "reasons": {"blurred": 1}}
    held = paths.rejected_dir / result.merge_id / face.name
    assert held.is_file(), "nothing is deleted"


def test_plan_after_apply_is_empty_and_undo_is_identity(built: Built) -> None:
    paths = paths_of(built)
    before, first = visible(paths), digest(paths)
    decisions = decide(paths, {"clip_000004_0.png": "blurred", "other_000001_0.png": "blurred"})
    result = apply_merge(plan_merge(paths, decisions))
    again = plan_merge(paths, decisions)
    assert again.is_empty
    assert again.gone == 2
    undone = undo_merge(paths)
    assert undone.merge_id == result.merge_id
    assert visible(paths) == before
    assert digest(paths) == first == undone.digest
    assert not (paths.rejected_dir / result.merge_id).exists()
    assert json.loads(result.manifest.read_text())["state"] == "undone"
    apply_merge(plan_merge(paths, decisions))
    assert digest(paths) == result.digest


def test_face_ids_survive_the_merge(built: Built) -> None:
    paths = paths_of(built)
    before = {face.face_id: face for face in scan_faces(paths)}
    apply_merge(plan_merge(paths, decide(paths, {"clip_000005_0.png": "blurred"})))
    after = {face.face_id: face for face in scan_faces(paths)}
    assert before.keys() - after.keys() == {f.face_id for f in before.values() if f.name == "clip_000005_0.png"}
    assert not after.keys() - before.keys()
    moved = next(face for face in after.values() if before[face.face_id].name == "clip_000005_2.png")
    assert (moved.name, moved.face_index, moved.frame_number, moved.source) == ("clip_000005_1.png", 1, 5, "clip")


@pytest.mark.parametrize(("side", "kept"), [(Side.A, True), (Side.B, False)])
@pytest.mark.parametrize("reason", ["blurred", "covered"])
def test_side_a_keeps_blurred_and_covered_faces(tmp_path: Path, side: Side, kept: bool, reason: str) -> None:
    built = build_faceset(tmp_path / "set", FRAMES)
    paths = paths_of(built, side)
    plan = plan_merge(paths, decide(paths, {"clip_000001_0.png": reason}))
    assert plan.is_empty is kept
    assert bool(plan.spared) is kept


@pytest.mark.parametrize("reason", ["not_a_face", "another_person", "bad_crop", None])
def test_side_a_drops_wrong_faces(tmp_path: Path, reason: str | None) -> None:
    built = build_faceset(tmp_path / "set", FRAMES)
    paths = paths_of(built, Side.A)
    assert len(plan_merge(paths, decide(paths, {"clip_000001_0.png": reason})).removals) == 1


def test_open_faces_stop_the_merge_unless_told_otherwise(built: Built) -> None:
    paths = paths_of(built)
    decisions = decide(paths, {"clip_000001_0.png": "blurred"}, status=Status.DISPUTED)[1:]
    before = visible(paths)
    plan = plan_merge(paths, decisions)
    assert {face.status for face in plan.open} == {"disputed", "unasked"}
    with pytest.raises(OpenFaces, match="galloway publish"):
        apply_merge(plan)
    assert visible(paths) == before
    kept = plan_merge(paths, decisions, allow_open="keep")
    dropped = plan_merge(paths, decisions, allow_open="reject")
    assert len(kept.removals) == 0
    assert len(dropped.removals) == 10
    apply_merge(dropped)
    assert names(built) == []
    undo_merge(paths)
    assert visible(paths) == before


def test_question_level_decisions_do_not_count(built: Built) -> None:
    from dataclasses import replace

    paths = paths_of(built)
    decisions = [replace(d, question=Question.USABLE) for d in decide(paths, {"clip_000001_0.png": "blurred"})]
    plan = plan_merge(paths, decisions, allow_open="keep")
    assert plan.is_empty
    assert len(plan.open) == 10


def test_faces_renamed_by_hand_get_their_name_back(built: Built) -> None:
    paths = paths_of(built)
    (built.faces / "clip_000003_0.png").rename(built.faces / "000001_clip_000003_0.png")
    (built.faces / "other_000001_0.png").rename(built.faces / "swap.png")
    (built.faces / "other_000001_1.png").rename(built.faces / "other_000001_0.png")
    (built.faces / "swap.png").rename(built.faces / "other_000001_1.png")
    before = visible(paths)
    result = apply_merge(plan_merge(paths, decide(paths, {})))
    assert result.renamed == {
        "000001_clip_000003_0.png": "clip_000003_0.png",
        "other_000001_0.png": "other_000001_1.png",
        "other_000001_1.png": "other_000001_0.png",
    }
    assert all(read_source(path).original_filename == path.name for path in built.faces.iterdir())
    undo_merge(paths)
    assert visible(paths) == before


def test_copies_of_one_face_do_not_overwrite_each_other(built: Built) -> None:
    paths = paths_of(built)
    data = (built.faces / "clip_000005_2.png").read_bytes()
    (built.faces / "copy.png").write_bytes(data)
    apply_merge(plan_merge(paths, decide(paths, {"clip_000005_0.png": "blurred"})))
    assert "copy.png" in names(built)
    assert len(names(built)) == 10
    assert read_source(built.faces / "copy.png").face_index == 1
    assert counts(built)["5"] == 2


def test_removal_of_what_was_deleted_by_hand(built: Built) -> None:
    paths = paths_of(built)
    for name in ("clip_000004_0.png", "clip_000001_0.png"):
        (built.faces / name).unlink()
    before = visible(paths)
    result = apply_merge(plan_removal(paths))
    assert counts(built) == {"1": 0, "2": 0, "3": 1, "4": 1, "5": 3}
    assert result.renamed == {"clip_000004_1.png": "clip_000004_0.png"}
    assert plan_removal(paths).is_empty
    undo_merge(paths)
    assert visible(paths) == before


def test_removal_refuses_a_folder_of_other_faces(tmp_path: Path) -> None:
    built = build_faceset(tmp_path / "a", {"clip": {1: 1}})
    stranger = build_faceset(tmp_path / "b", {"stranger": {1: 1}})
    (built.faces / "clip_000001_0.png").unlink()
    (stranger.faces / "stranger_000001_0.png").rename(built.faces / "stranger_000001_0.png")
    with pytest.raises(FacesetError, match="would empty them"):
        plan_removal(paths_of(built))


def test_closing_gaps_leaves_alignments_at_hand_alone(built: Built) -> None:
    paths = paths_of(built)
    (built.faces / "clip_000003_0.png").unlink()
    apply_merge(plan_removal(paths))
    assert plan_closing(paths).is_empty
    for name in ("clip_000005_1.png", "clip_000005_2.png"):  # as a release before left headers behind from-faces
        path, header = built.faces / name, read_header(built.faces / name)
        source = replace(header.source, face_index=header.source.face_index + 1)
        replace_header(path, replace(header, source=source))
    before = (built.alignments / "clip_alignments.fsa").read_bytes()
    planned = plan_closing(paths)
    assert (planned.rewrites, len(planned.moves)) == ((), 2)
    apply_merge(planned)
    assert (built.alignments / "clip_alignments.fsa").read_bytes() == before
    assert plan_removal(paths).is_empty


def test_removal_knows_the_alignments_of_a_folder_of_pictures(built: Built) -> None:
    (built.alignments / "clip_alignments.fsa").rename(built.alignments / "alignments.fsa")
    (built.faces / "clip_000001_0.png").unlink()
    assert [list(rewrite.removed) for rewrite in plan_removal(paths_of(built)).rewrites] == [["clip_000001.mp4"]]


def test_removal_refuses_where_there_are_no_alignments(built: Built) -> None:
    for path in built.alignments.iterdir():
        path.unlink()
    with pytest.raises(FacesetError, match=r"There are no alignments in .*--alignments FILE"):
        plan_removal(paths_of(built))


def test_json_that_was_imported_does_not_count_beside_the_alignments_made_of_it(built: Built) -> None:
    made = export_json(read_alignments(built.alignments / "clip_alignments.fsa"))
    (built.alignments / "clip_alignments.json").write_text(json.dumps(made), encoding="utf-8")
    (built.faces / "clip_000001_0.png").unlink()
    apply_merge(plan_removal(paths_of(built)))
    assert counts(built)["1"] == 0


def test_removal_refuses_where_a_lost_face_stands_in_two_files(built: Built) -> None:
    one = built.alignments / "clip_alignments.fsa"
    (built.alignments / "from_faces_alignments.fsa").write_bytes(one.read_bytes())
    assert plan_removal(paths_of(built)).is_empty
    (built.faces / "clip_000001_0.png").unlink()
    with pytest.raises(FacesetError, match=r"clip_000001.mp4 lacks a picture and stands in clip_alignments.fsa and in"):
        plan_removal(paths_of(built))
    named = FacesetPaths.of_folder(built.faces, one)
    apply_merge(plan_removal(named))
    assert counts(built)["1"] == 0


@pytest.mark.parametrize("change", ["delete", "rewrite", "appear", "alignments"])
def test_changes_between_plan_and_apply_are_a_conflict(built: Built, change: str) -> None:
    paths = paths_of(built)
    plan = plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred", "clip_000004_0.png": "blurred"}))
    victim = built.faces / "clip_000004_1.png"
    if change == "delete":
        victim.unlink()
    elif change == "rewrite":
        victim.write_bytes(victim.read_bytes() + b"\0")
    elif change == "appear":
        (built.faces / "clip_000004_0.png").unlink()
        os.link(built.faces / "clip_000003_0.png", built.faces / "clip_000004_0.png")
    else:
        file = built.alignments / "clip_alignments.fsa"
        os.utime(file, ns=(1, 1))
    before = visible(paths)
    with pytest.raises(MergeConflict, match="changed since"):
        apply_merge(plan)
    assert visible(paths) == before
    assert pending(paths) == []


@pytest.mark.parametrize("fault", ["a frame short", "cut off", "a face too few"])
def test_alignments_that_cannot_be_read_back_replace_nothing(
    built: Built, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = paths_of(built)
    plan = plan_merge(paths, decide(paths, {"clip_000004_1.png": "blurred"}))
    before = visible(paths)

    def faulty(path: Path, removed: Mapping[str, set[int]], _unpacked: Unpacked | None) -> Iterator[bytes | memoryview]:
        if fault == "cut off":
            return iter((b"".join(without_faces(path, removed))[:-40],))
        alignments = read_alignments(path)
        if fault == "a frame short":
            alignments.frames.popitem()
        else:
            next(frame for frame in alignments.frames.values() if frame.faces).faces.pop()
        return deflate(pickle_chunks(alignments, alignments.dialect))

    monkeypatch.setattr(steps, "without_faces", faulty)
    with pytest.raises(FacesetError, match=r"cannot be read back: .* Nothing was changed"):
        apply_merge(plan)
    assert visible(paths) == before


def test_undo_refuses_to_lose_anything(built: Built) -> None:
    paths = paths_of(built)
    one = apply_merge(plan_merge(paths, decide(paths, {"clip_000004_0.png": "blurred"})))
    two = apply_merge(plan_merge(paths, decide(paths, {"clip_000005_0.png": "blurred"})))
    with pytest.raises(MergeConflict, match=two.merge_id):
        undo_merge(paths, one.merge_id)
    undo_merge(paths, two.merge_id)
    with pytest.raises(MergeConflict, match="undone already"):
        undo_merge(paths, two.merge_id)
    (built.faces / "clip_000004_0.png").write_bytes(b"edited")
    with pytest.raises(MergeConflict, match="changed after"):
        undo_merge(paths, one.merge_id)
    with pytest.raises(FormatError, match="cannot be used"):
        undo_merge(paths, "20200101-000000-abcdef")


def test_undo_says_when_the_faces_were_erased(built: Built) -> None:
    paths = paths_of(built)
    result = apply_merge(plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"})))
    (paths.rejected_dir / result.merge_id / "clip_000001_0.png").unlink()
    with pytest.raises(MergeConflict, match="erased"):
        undo_merge(paths)


def test_undo_does_not_overwrite_a_new_face(built: Built) -> None:
    paths = paths_of(built)
    apply_merge(plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"})))
    (built.faces / "clip_000001_0.png").write_bytes(b"new")
    with pytest.raises(MergeConflict, match="overwrite"):
        undo_merge(paths)


def test_nothing_to_undo_is_said(built: Built) -> None:
    with pytest.raises(MergeConflict, match=r"No merge of .*faces stands"):
        undo_merge(paths_of(built))


def test_unusable_pngs_are_passed_over_and_noted(built: Built) -> None:
    paths = paths_of(built)
    (built.faces / "broken.png").write_bytes(b"no png")
    decisions_paths = plan_merge(paths, (), allow_open="keep")
    assert "broken.png" in decisions_paths.notes[0]
    with pytest.raises(FormatError, match=r"broken\.png"):
        scan_faces(paths)
    with pytest.raises(FormatError, match=r"broken\.png"):
        digest(paths)


def test_symbolic_links_are_refused(built: Built, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (built.faces / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UnsafeFile, match="symbolic"):
        plan_merge(paths_of(built), ())
    with pytest.raises(UnsafeFile, match="symbolic"):
        plan_removal(paths_of(built))


def test_one_command_at_a_time(built: Built) -> None:
    from galloway.curation.faceset.merging.disk import locked

    paths = paths_of(built)
    plan = plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"}))
    with locked(paths.merges_dir, "merge"), pytest.raises(FacesetError, match="Another command"):
        apply_merge(plan)
    apply_merge(plan)


def test_manifest_with_paths_in_it_is_refused(built: Built) -> None:
    paths = paths_of(built)
    result = apply_merge(plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"})))
    values = json.loads(result.manifest.read_text())
    values["removals"][0]["name"] = "../../etc/passwd"
    result.manifest.write_text(json.dumps(values))
    with pytest.raises(UnsafeFile, match="leave its folder"):
        undo_merge(paths)


def test_a_digest_before_the_plan_changes_nothing(built: Built) -> None:
    paths = paths_of(built)
    digest(paths)
    plan = plan_merge(paths, decide(paths, {"clip_000004_0.png": "blurred"}))
    assert [rewrite.removed for rewrite in plan.rewrites] == [{"clip_000004.mp4": [0]}]


def test_digest_is_of_exactly_these_bytes(built: Built, tmp_path: Path) -> None:
    import shutil

    paths = paths_of(built)
    first = digest(paths)
    shutil.copytree(built.root, tmp_path / "moved", ignore=shutil.ignore_patterns("merges"))
    copy = Built(tmp_path / "moved", tmp_path / "moved" / "faces", tmp_path / "moved" / "alignments")
    assert digest(paths_of(copy)) == first
    (copy.faces / "clip_000001_0.png").rename(copy.faces / "x.png")
    assert digest(paths_of(copy)) != first
    file = built.alignments / "other_alignments.fsa"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    assert digest(paths) != first


def test_recover_with_nothing_to_do(built: Built) -> None:
    assert recover(paths_of(built)).is_empty


sets = st.dictionaries(
    st.sampled_from(["clip", "b", "long_name"]),
    st.dictionaries(st.integers(1, 6), st.integers(0, 3), max_size=4),
    min_size=1,
)


@settings(max_examples=25)
@given(frames=sets, dialect=st.sampled_from(["v2.3", "v3"]), data=st.data())
def test_laws_of_two_merges(tmp_path_factory: Any, frames: Any, dialect: str, data: st.DataObject) -> None:
    """undo∘apply = id, plan∘apply = nothing, and two merges one after the other are one merge of both."""
    built = build_faceset(tmp_path_factory.mktemp("law") / "set", frames, dialect=dialect, size=4)
    twin = build_faceset(tmp_path_factory.mktemp("law") / "set", frames, dialect=dialect, size=4)
    paths, other = paths_of(built), paths_of(twin)
    faces = scan_faces(paths)
    state = st.sets(st.sampled_from(range(len(faces)))) if faces else st.just(set())
    one, two = data.draw(state), data.draw(state)
    by_id = {face.face_id: face.name for face in faces}

    def rejected(which: Any) -> dict[str, str | None]:
        return {faces[i].name: "blurred" for i in which}

    both = decide(paths, rejected(one | two))
    start = visible(paths)
    apply_merge(plan_merge(paths, decide(paths, rejected(one))))
    middle = visible(paths)
    apply_merge(plan_merge(paths, both))
    assert plan_merge(paths, both).is_empty
    apply_merge(plan_merge(other, both))
    assert {f.face_id: f.name for f in scan_faces(paths)} == {f.face_id: f.name for f in scan_faces(other)}
    assert {f.face_id for f in scan_faces(paths)} == {i for i, n in by_id.items() if n not in rejected(one | two)}
    for file in sorted(other.alignments_dir.iterdir()):
        mine = read_alignments(paths.alignments_dir / file.name)
        assert mine.frames == read_alignments(file).frames
    undo_merge(paths)
    assert visible(paths) == middle
    undo_merge(paths)
    assert visible(paths) == start
