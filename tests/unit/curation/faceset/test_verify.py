"""`verify` names every disagreement and the command that mends it; following it ends in agreement."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.errors import FacesetError
from galloway.curation.faceset import jobs
from galloway.curation.faceset.dialects.imports import import_pictures
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.index import FaceIndex, FacesetPaths
from galloway.curation.faceset.merging.merge import apply_merge, plan_merge, plan_removal, plan_rename, recover
from galloway.curation.faceset.png.headers import read_header, replace_header, write_png
from galloway.curation.faceset.verify import verify
from galloway.curation.files import TEMPORARY
from PIL import Image

from tests.support.faceset import Built, build_faceset, decide, dfl_jpg, dfl_values, paths_of, snapshot, visible


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build_faceset(tmp_path / "set", {"clip": {1: 1, 2: 0, 3: 2}, "other": {1: 1}}, size=4)


def kinds(built: Built, **options: object) -> dict[str, tuple[str, ...]]:
    return {p.kind: p.names for p in verify(paths_of(built), **options)}  # type: ignore[arg-type]


FRAMES = [f"clip_{n:06d}.mp4" for n in (1, 2, 3)] + ["other_000001.mp4"]


def test_a_sound_faceset_has_no_problem_and_is_not_touched(built: Built) -> None:
    before = visible(paths_of(built))
    assert verify(paths_of(built), frames=FRAMES) == []
    assert visible(paths_of(built)) == before


def test_missing_and_leftover_faces(built: Built) -> None:
    (built.faces / "clip_000001_0.png").unlink()
    extra = built.faces / "clip_000002_0.png"
    shutil.copy(built.faces / "clip_000003_0.png", extra)
    header = read_header(extra)
    replace_header(extra, replace(header, source=replace(header.source, source_filename="clip_000002.mp4")))
    found = kinds(built)
    assert found == {"leftover": ("clip_000002_0.png",), "no-picture": ("clip_000001.mp4 #0",)}
    extra.unlink()
    apply_merge(plan_removal(paths_of(built)))
    assert kinds(built) == {}


def test_renamed_copied_and_broken_pictures(built: Built) -> None:
    (built.faces / "clip_000001_0.png").rename(built.faces / "mine.png")
    shutil.copy(built.faces / "other_000001_0.png", built.faces / "copy.png")
    (built.faces / "broken.png").write_bytes(b"x")
    found = kinds(built)
    assert found["names"] == ("mine.png",), "the copy's name is another's, and rename leaves it"
    assert found["copies"] == ("copy.png, other_000001_0.png",)
    assert found["unusable"] == ("broken.png",)
    plan = plan_rename(paths_of(built))
    assert [(move.name, move.new_name) for move in plan.moves] == [("mine.png", "clip_000001_0.png")]
    assert "cannot all have its name: copy.png, other_000001_0.png. Move all but one" in plan.notes[-1]
    (built.faces / "copy.png").unlink()
    (built.faces / "broken.png").unlink()
    apply_merge(plan_rename(paths_of(built)))
    assert kinds(built) == {}
    assert plan_rename(paths_of(built)).is_empty


def test_header_that_points_elsewhere(built: Built) -> None:
    one, two = built.faces / "clip_000003_0.png", built.faces / "clip_000003_1.png"
    first, second = read_header(one), read_header(two)
    replace_header(one, replace(first, alignment=second.alignment))
    assert kinds(built) == {"elsewhere": (one.name,)}
    assert kinds(built, deep=False) == {}


def test_footage_that_does_not_fit(built: Built) -> None:
    found = kinds(built, frames=[*FRAMES[1:], "clip_000004.mp4"])
    assert found == {"missing-alignments": ("clip_000004.mp4",), "missing-frames": ("clip_000001.mp4",)}


def test_frames_of_videos_that_faceswap_before_2_4_called_png(built: Built) -> None:
    for path in built.faces.glob("clip_*.png"):
        header = read_header(path)
        frame = header.source.source_filename.replace(".mp4", ".png")
        replace_header(path, replace(header, source=replace(header.source, source_filename=frame)))
    assert kinds(built) == {"old-names": ("clip_000001.png", "clip_000003.png")}
    with pytest.raises(FacesetError, match=r"clip_000001.png is clip_000001.mp4 in the alignments"):
        plan_removal(paths_of(built))
    file = built.alignments / "clip_alignments.fsa"
    known = read_alignments(file)
    known.frames = {name.replace(".mp4", ".png"): frame for name, frame in known.frames.items()}
    write_alignments(file, known)
    assert kinds(built) == {}
    (problem,) = verify(paths_of(built), frames=FRAMES)
    assert (problem.kind, len(problem.names), problem.stops) == ("old-names", 3, False)
    (built.faces / "clip_000001_0.png").unlink()
    apply_merge(plan_removal(paths_of(built)))
    assert kinds(built) == {}


def test_alignments_that_are_gone_damaged_or_double(built: Built) -> None:
    file = built.alignments / "clip_alignments.fsa"
    shutil.copy(file, built.alignments / "again_alignments.fsa")
    assert "ambiguous" in kinds(built)
    (built.alignments / "again_alignments.fsa").write_bytes(b"nonsense")
    assert "unreadable" in kinds(built)
    for path in built.alignments.iterdir():
        path.unlink()
    assert set(kinds(built)) == {"no-alignments"}


def test_symbolic_links(built: Built, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes((built.faces / "clip_000001_0.png").read_bytes())
    (built.faces / "link.png").symlink_to(tmp_path / "x.png")
    assert kinds(built)["links"] == ("link.png",)


def test_a_killed_merge_is_explained_at_every_step_and_mended(built: Built, tmp_path: Path) -> None:
    paths = paths_of(built)
    names: list[str] = []
    shutil.copytree(built.root, tmp_path / "count")
    count = Built(tmp_path / "count", tmp_path / "count" / "faces", tmp_path / "count" / "alignments")
    gone = {"clip_000003_0.png": "blurred", "other_000001_0.png": "blurred"}
    apply_merge(plan_merge(paths_of(count), decide(paths_of(count), gone)), checkpoint=names.append)
    messages = set()
    for at in range(0, len(names), 2):
        root = tmp_path / f"at{at}"
        shutil.copytree(built.root, root)
        paths = paths_of(Built(root, root / "faces", root / "alignments"))
        plan = plan_merge(paths, decide(paths, gone))
        child = os.fork()
        if child == 0:
            seen: list[str] = []

            def die(name: str, seen: list[str] = seen, at: int = at) -> None:
                if len(seen) == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                seen.append(name)

            apply_merge(plan, checkpoint=die)
            os._exit(3)
        os.waitpid(child, 0)
        problems = verify(paths)
        messages |= {p.message.split(": ")[-1] for p in problems if p.kind == "unfinished"}
        assert all("recover" in p.remedy for p in problems if p.kind in ("unfinished", "half-written"))
        if any(p.kind in ("no-picture", "leftover") for p in problems):
            assert any(p.kind == "unfinished" for p in problems), f"step {at}: a half state that nobody explains"
        recover(paths)
        assert verify(paths) == []
    assert len(messages) >= 3


def test_erased_rejected_faces_are_told(built: Built) -> None:
    paths = paths_of(built)
    result = apply_merge(plan_merge(paths, decide(paths, {"clip_000001_0.png": "blurred"})))
    shutil.rmtree(paths.rejected_dir / result.merge_id)
    assert kinds(built) == {"erased": ("clip_000001_0.png",)}
    assert not any(problem.stops for problem in verify(paths))
    result.manifest.write_text("{")
    assert "manifest" in kinds(built)


def test_half_written_files_are_swept(built: Built) -> None:
    (built.faces / f"{TEMPORARY}x.png").write_bytes(b"half")
    assert "half-written" in kinds(built)
    assert recover(paths_of(built)).swept == 1
    assert kinds(built) == {}


def test_jobs_answer_from_the_index(built: Built, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    index = FaceIndex.load(paths_of(built)).refresh(ids=False, content=False)
    assert jobs.no_faces(index) == ["clip_000002.mp4"]
    assert jobs.multi_faces(index) == {"clip_000003.mp4": ["clip_000003_0.png", "clip_000003_1.png"]}
    assert jobs.missing_alignments(index, ["clip_000001.mp4", "x.mp4"]) == ["x.mp4"]
    assert len(jobs.missing_frames(index, [])) == 4
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    listed = jobs.write_list(tmp_path, "no_faces", ["a", "b"], now)
    assert (listed.name, listed.read_text()) == ("no_faces_20260102_030405.txt", "a\nb\n")
    folder = jobs.move_files(built.faces, "multi_faces", ["clip_000003_0.png"], now)
    assert [path.name for path in folder.iterdir()] == ["clip_000003_0.png"]


def test_pictures_of_several_sizes_and_shapes_are_told(built: Built) -> None:
    for name, size in (("clip_000001_0.png", (8, 8)), ("other_000001_0.png", (4, 6))):
        header = read_header(built.faces / name)
        write_png(built.faces / name, Image.new("RGB", size), header)
    found = kinds(built)
    assert found == {"not-square": ("other_000001_0.png",), "mixed-sizes": ("clip_000001_0.png",)}
    assert not any(problem.stops for problem in verify(paths_of(built), one_size=False))


def into(built: Built, folder: str, *names: str) -> None:
    (built.faces / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        (built.faces / name).rename(built.faces / folder / name)


def test_faces_sorted_into_sub_folders_are_not_called_deleted(built: Built) -> None:
    into(built, "good", "clip_000001_0.png")
    into(built, "good/best", "clip_000003_1.png")
    found = {problem.kind: problem for problem in verify(paths_of(built))}
    assert found.keys() == {"sub-folders"}
    assert found["sub-folders"].names == ("good/best/clip_000003_1.png", "good/clip_000001_0.png")
    assert str(built.faces) in found["sub-folders"].remedy


def test_the_remedy_for_sub_folders_really_mends(built: Built) -> None:
    before = snapshot(built.faces)
    into(built, "it's good/best", "clip_000001_0.png", "clip_000003_1.png")
    (problem,) = verify(paths_of(built))
    subprocess.run(problem.remedy.split(": ", 1)[1], shell=True, check=True)
    assert snapshot(built.faces) == before
    assert verify(paths_of(built)) == []


def test_neither_merge_nor_removal_takes_sorted_faces_for_deleted(built: Built) -> None:
    paths = paths_of(built)
    decisions = decide(paths, {})
    into(built, "good", "clip_000001_0.png")
    before = snapshot(built.faces, built.alignments)
    for plan in (lambda: plan_merge(paths, decisions), lambda: plan_removal(paths)):
        with pytest.raises(FacesetError, match=r"good/clip_000001_0\.png.*mv -n"):
            plan()
    assert snapshot(built.faces, built.alignments) == before
    (built.faces / "good" / "clip_000001_0.png").rename(built.root / "gone.png")
    assert len(plan_removal(paths).rewrites) == 1


def test_what_a_job_moved_into_its_own_folder_counts_as_moved_away(built: Built) -> None:
    into(built, "multi_faces_20260102_030405", "clip_000003_1.png")
    assert set(kinds(built)) == {"no-picture"}


def deepfacelab(folder: Path) -> Path:
    """Three faces as DeepFaceLab leaves them, the last one without anything of XSeg's."""
    folder.mkdir()
    none = {"seg_ie_polys": {"polys": []}, "xseg_mask": None}
    for n, extra in enumerate(({}, {"xseg_mask": None}, none)):
        (folder / f"{n:05d}_0.jpg").write_bytes(dfl_jpg(dfl_values(f"{n:05d}.png", n, **extra), n))
    return folder


def test_pictures_of_deepfacelab_are_named_with_what_xseg_left_in_them(tmp_path: Path) -> None:
    folder = deepfacelab(tmp_path / "aligned")
    (problem,) = verify(FacesetPaths.of_folder(folder, folder), frames=None)
    assert problem.kind == "deepfacelab" and len(problem.names) == 3 and problem.stops
    assert "1 XSeg mask and 2 sets of XSeg polygons" in problem.message
    assert problem.remedy.startswith("galloway faceset import")


def test_what_xseg_left_is_still_said_of_imported_faces(tmp_path: Path) -> None:
    import_pictures(deepfacelab(tmp_path / "aligned"), tmp_path / "new")
    (problem,) = verify(FacesetPaths.of_folder(tmp_path / "new" / "faces"))
    assert problem.kind == "xseg" and not problem.stops
    assert "1 XSeg mask and 2 sets of XSeg polygons" in problem.message and "aligned" in problem.message


def test_a_damaged_note_of_what_was_left_out_is_an_error_with_its_remedy(built: Built) -> None:
    for text in ("", "[]", '{"format": "other"}', '{"format": "galloway-left-out/1", "xseg": [{}]}', "[" * 5000):
        (built.faces / ".left-out.json").write_text(text)
        with pytest.raises(FacesetError, match="Delete it"):
            verify(paths_of(built))
