"""A merge leaves what faceswap's own `remove-faces` leaves: golden files of both lines, and the programs themselves
where GALLOWAY_FACESWAP_HOME and GALLOWAY_FACESWAP_PYTHON (or …_V2, …_V3) name them."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.merging.merge import apply_merge, digest, plan_merge, plan_removal, undo_merge
from galloway.curation.faceset.png.headers import header_text, read_header
from galloway.curation.faceset.png.types import FaceAlignment, FaceHeader
from galloway.curation.faceset.verify import verify

from tests.support.faceset import Built, build_faceset, decide, paths_of, visible

GOLDEN = Path(__file__).parent / "golden_faceset"
LINES = {"v2.3.0": "v2.3", "master": "v3"}
GONE = (GOLDEN / "removed.txt").read_text().split()


@pytest.fixture(params=sorted(LINES))
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def built(tmp_path: Path, line: str) -> Built:
    """A copy of what the real extraction left."""
    built = Built(tmp_path / "set", tmp_path / "set" / "faces", tmp_path / "set" / "alignments")
    shutil.copytree(GOLDEN / line / "before" / "faces", built.faces)
    built.alignments.mkdir()
    shutil.copy(GOLDEN / line / "before" / "clip_alignments.fsa", built.alignments)
    return built


def assert_is_golden(built: Built, line: str) -> None:
    """Every PNG byte for byte; alignments value for value, with the types that the line writes, in its order."""
    after = GOLDEN / line / "after"
    assert {p.name: p.read_bytes() for p in built.faces.iterdir()} == {
        p.name: p.read_bytes() for p in (after / "faces").iterdir()
    }
    ours, theirs = (
        pickle.loads(zlib.decompress((folder / "clip_alignments.fsa").read_bytes()))
        for folder in (built.alignments, after)
    )
    assert list(ours["__data__"]) == list(theirs["__data__"])
    np.testing.assert_equal(ours, theirs)
    for frame in theirs["__data__"]:
        for one, other in zip(ours["__data__"][frame]["faces"], theirs["__data__"][frame]["faces"], strict=True):
            assert {key: type(value) for key, value in one.items()} == {key: type(v) for key, v in other.items()}


def test_extracted_faces_agree_with_their_alignments(built: Built, line: str) -> None:
    assert verify(paths_of(built)) == []
    found = read_alignments(built.alignments / "clip_alignments.fsa")
    assert (found.dialect, found.version, found.face_count, len(found.frames)) == (LINES[line], 2.4, 13, 10)
    for path in built.faces.iterdir():
        header = read_header(path)
        assert header_text(header, LINES[line]) in path.read_bytes(), "we write headers as this line does"


def test_merge_of_votes_leaves_what_remove_faces_leaves(built: Built, line: str) -> None:
    paths = paths_of(built)
    before, first = visible(paths), digest(paths)
    apply_merge(plan_merge(paths, decide(paths, dict.fromkeys(GONE, "blurred"))))
    assert_is_golden(built, line)
    assert verify(paths) == []
    undo_merge(paths)
    assert visible(paths) == before
    assert digest(paths) == first


def test_removal_of_deleted_pictures_leaves_what_remove_faces_leaves(built: Built, line: str) -> None:
    for name in GONE:
        (built.faces / name).unlink()
    apply_merge(plan_removal(paths_of(built)))
    assert_is_golden(built, line)


@pytest.mark.parametrize("dialect", ["v2.3", "v3"])
def test_either_dialect_holds_the_same(built: Built, tmp_path: Path, dialect: str) -> None:
    found = read_alignments(built.alignments / "clip_alignments.fsa")
    write_alignments(tmp_path / "x.fsa", found, dialect)  # type: ignore[arg-type]
    again = read_alignments(tmp_path / "x.fsa")
    assert again.frames == found.frames
    assert again.dialect == dialect


def real_program(line: str) -> tuple[Path, Path] | None:
    """Checkout and Python of a faceswap line, where the environment names them."""
    suffixes = [{"v2.3.0": "_V2", "master": "_V3"}[line]]
    if os.environ.get("GALLOWAY_FACESWAP_LINE") == line:
        suffixes.append("")
    for suffix in suffixes:
        names = [os.environ.get(f"GALLOWAY_FACESWAP_{part}{suffix}") for part in ("HOME", "PYTHON")]
        if all(names):
            return Path(str(names[0])), Path(str(names[1]))
    return None


INSTALLED = [line for line in sorted(LINES) if real_program(line)]


if INSTALLED:

    @pytest.mark.slow
    @pytest.mark.timeout(900)
    @pytest.mark.parametrize("dialect", ["v2.3", "v3"])
    @pytest.mark.parametrize("line", INSTALLED)
    def test_the_program_itself_reads_ours_and_leaves_the_same(tmp_path: Path, line: str, dialect: str) -> None:
        """Both lines run on files that we wrote, in either dialect."""
        program = real_program(line)
        assert program is not None
        frames = {1: 1, 2: 0, 3: 3, 4: 2, 5: 1}
        ours = build_faceset(tmp_path / "ours", {"clip": frames}, dialect=dialect, size=64)
        theirs = build_faceset(tmp_path / "theirs", {"clip": frames}, dialect=dialect, size=64)
        for built in (ours, theirs):
            for name in ("clip_000001_0.png", "clip_000003_0.png", "clip_000004_1.png"):
                (built.faces / name).unlink()
        home, python = program
        file = theirs.alignments / "clip_alignments.fsa"
        job = [
            "alignments",
            "-j",
            "remove-faces",
            "-a",
            str(file),
            "-c",
            str(theirs.faces),
            "-F",
            str(tmp_path / "log"),
        ]
        environment = {**os.environ, "FACESWAP_BACKEND": "cpu", "KERAS_BACKEND": "torch"}
        subprocess.run(
            [str(python), "tools.py", *job], cwd=home, env=environment, check=True, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=800,
        )  # fmt: skip
        apply_merge(plan_removal(paths_of(ours)))
        drops = line == "master"
        assert {p.name: as_kept(read_header(p), drops) for p in ours.faces.iterdir()} == {
            p.name: as_kept(read_header(p), drops) for p in theirs.faces.iterdir()
        }
        mine = read_alignments(ours.alignments / "clip_alignments.fsa").frames
        left = read_alignments(file).frames
        assert mine.keys() == left.keys()
        for frame, faces in left.items():
            kept = [without_drawn_masks(face, drops) for face in mine[frame].faces]
            assert kept == [without_drawn_masks(face, drops) for face in faces.faces]

    def without_drawn_masks(face: FaceAlignment, drops: bool) -> FaceAlignment:
        """master draws the masks that follow from landmarks anew, and drops stored ones where it rewrites a face."""
        drawn = ("components", "extended") if drops else ()
        return replace(face, masks={name: mask for name, mask in face.masks.items() if name not in drawn})

    def as_kept(header: FaceHeader, drops: bool) -> FaceHeader:
        return replace(header, alignment=without_drawn_masks(header.alignment, drops))
