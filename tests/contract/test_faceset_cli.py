"""`galloway faceset …` as people call it: results on stdout, talk on stderr, exit codes, a second run does nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from galloway.curation.faceset.fsa.alignments import Alignments, read_alignments, write_alignments
from galloway.curation.faceset.merging.disk import Disk
from galloway.curation.faceset.png.headers import read_header, replace_header
from galloway.pipeline.cli.failures import exit_code
from galloway.pipeline.cli.main import cli
from PIL import Image

from tests.support.faceset import Built, build_faceset, dfl_jpg, dfl_values, visible
from tests.support.faceset import paths_of as side_paths


def run(*arguments: object, code: int = 0) -> Result:
    """Run the command; its exit code is the one that `galloway` would give."""
    result = CliRunner().invoke(cli, ["faceset", *map(str, arguments)])
    given = result.exit_code
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        given = exit_code(result.exception) or -1
    assert given == code, (given, result.output, result.exception)
    return result


def answer(*arguments: object, code: int = 0) -> Any:
    """The JSON of a command."""
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build_faceset(tmp_path / "set", {"clip": {1: 1, 2: 0, 3: 3}}, size=4)


def where(built: Built) -> list[object]:
    return ["--faces", built.faces, "--alignments", built.alignments / "clip_alignments.fsa"]


def test_help_lists_what_is_there() -> None:
    text = run("--help").output
    for name in ("verify", "recover", "remove-faces", "leftover-faces", "export", "import", "readiness"):
        assert f"  {name} " in text


def test_remove_faces_and_undo(built: Built) -> None:
    (built.faces / "clip_000003_0.png").unlink()
    before = visible(side_paths(built))
    assert answer("verify", *where(built), code=1)["problems"][0]["kind"] == "no-picture"
    dry = answer("remove-faces", *where(built), "--dry-run")
    assert visible(side_paths(built)) == before
    done = answer("remove-faces", *where(built))
    assert {key: done[key] for key in dry} == dry
    assert (done["removed"], done["renumbered"], done["kept"]) == (1, 2, 3)
    assert answer("verify", *where(built)) == {"problems": []}
    run("remove-faces", *where(built), code=3)
    assert [row["state"] for row in answer("merges", *where(built))] == ["applied"]
    assert answer("merges", *where(built), done["merge_id"])["moves"][0]["new_name"] == "clip_000003_0.png"
    run("merges", *where(built), "nonsense", code=1)
    answer("undo", *where(built))
    assert visible(side_paths(built)) == before
    run("undo", *where(built), code=1)


def test_alignments_beside_the_faces_are_found(built: Built) -> None:
    assert answer("no-faces", "--faces", built.faces)["items"] == ["clip_000002.mp4"]
    (built.root / "x_alignments.fsa").write_bytes(b"")
    assert "several alignments files" in run("no-faces", "--faces", built.faces, code=2).output


def test_a_faceset_must_be_named(tmp_path: Path) -> None:
    assert "--side" in run("verify", code=2).output


def test_lists_to_console_file_and_folder(built: Built) -> None:
    assert run("multi-faces", *where(built)).stdout.startswith("clip_000003.mp4: clip_000003_0.png")
    data = answer("no-faces", *where(built), "--output", "file")
    assert Path(data["file"]).read_text() == "clip_000002.mp4\n"
    moved = answer("multi-faces", *where(built), "--output", "move")
    assert len(list(Path(moved["folder"]).iterdir())) == 3
    assert answer("leftover-faces", *where(built))["count"] == 0


def test_leftover_faces_are_moved(built: Built) -> None:
    stranger = build_faceset(built.root.parent / "other", {"stranger": {1: 1}}, size=4, seed=3)
    (stranger.faces / "stranger_000001_0.png").rename(built.faces / "stranger_000001_0.png")
    data = answer("leftover-faces", *where(built), "--output", "move")
    assert data["items"] == ["stranger_000001_0.png"]
    assert (Path(data["folder"]) / "stranger_000001_0.png").is_file()
    assert answer("verify", *where(built)) == {"problems": []}


def test_frames_of_a_folder(built: Built, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "new.png").write_bytes(b"")
    assert answer("missing-alignments", *where(built), "--frames", frames)["items"] == ["new.png"]
    assert answer("missing-frames", *where(built), "--frames", frames)["count"] == 3
    (tmp_path / "no.mp4").write_bytes(b"x")
    run("missing-frames", *where(built), "--frames", tmp_path / "no.mp4", code=1)


def test_rename(built: Built) -> None:
    (built.faces / "clip_000001_0.png").rename(built.faces / "0001_mine.png")
    assert answer("rename", "--faces", built.faces)["renamed"] == {"0001_mine.png": "clip_000001_0.png"}
    run("rename", "--faces", built.faces, code=3)


def test_undo_wants_the_alignments_that_it_changed(built: Built, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere_alignments.fsa"
    elsewhere.write_bytes((built.alignments / "clip_alignments.fsa").read_bytes())
    (built.faces / "clip_000003_0.png").unlink()
    answer("remove-faces", "--faces", built.faces, "--alignments", elsewhere)
    run("undo", "--faces", built.faces, code=1)
    answer("undo", "--faces", built.faces, "--alignments", elsewhere)


def test_recover_says_when_there_is_nothing(built: Built) -> None:
    run("recover", *where(built), code=3)
    (built.faces / ".galloway-tmp-x").write_bytes(b"")
    assert answer("recover", *where(built))["swept"] == 1


def test_export_and_import_round_trip(built: Built, tmp_path: Path) -> None:
    known = read_alignments(built.alignments / "clip_alignments.fsa")
    for kind in ("json", "fsa", "csv", "parquet", "coco"):
        assert answer("export", *where(built), "--to", kind, "-o", tmp_path / f"out.{kind}")["faces"] == 4
    answer("import", tmp_path / "out.json", "-o", tmp_path / "back.fsa", "--dialect", "v3")
    back = read_alignments(tmp_path / "back.fsa")
    assert back.dialect == "v3"
    assert {n: [f.box for f in fr.faces] for n, fr in back.frames.items()} == {
        n: [f.box for f in fr.faces] for n, fr in known.frames.items()
    }
    assert read_alignments(tmp_path / "out.fsa").frames == known.frames
    run("import", tmp_path / "out.json", "-o", tmp_path / "back.fsa", code=1)
    run("export", *where(built), "--to", "fsa", "-o", tmp_path / "out.fsa", code=1)


def test_an_export_never_replaces_what_it_reads(built: Built) -> None:
    source = built.alignments / "clip_alignments.fsa"
    before = source.read_bytes()
    for kind in ("json", "fsa", "coco"):
        failed = run("export", *where(built), "--to", kind, "-o", source, code=1)
        assert "is the file that is read" in str(failed.exception)
    assert source.read_bytes() == before


def test_from_faces_makes_alignments_that_verify(built: Built, tmp_path: Path) -> None:
    data = answer("from-faces", "--faces", built.faces, "-o", tmp_path / "new_alignments.fsa")
    assert (data["frames"], data["faces"]) == (2, 4)
    checked = answer("verify", "--faces", built.faces, "--alignments", tmp_path / "new_alignments.fsa")
    assert checked == {"problems": []}
    run("from-faces", "--faces", built.faces, "-o", tmp_path / "new_alignments.fsa", code=1)


@pytest.mark.parametrize(("count", "gone"), [(2, 0), (3, 0), (3, 1)])
@pytest.mark.parametrize("dialect", ["v2.3", "v3"])
def test_from_faces_gives_moved_faces_their_new_place_in_header_and_name(
    tmp_path: Path, dialect: str, count: int, gone: int
) -> None:
    built = build_faceset(tmp_path / "set", {"clip": {1: 1, 3: count}}, dialect=dialect, size=4)
    (built.alignments / "clip_alignments.fsa").unlink()
    (built.faces / f"clip_000003_{gone}.png").unlink()
    before = visible(side_paths(built))
    landmarks = [read_header(path).alignment.landmarks for path in sorted(built.faces.glob("clip_000003_*"))]
    made = tmp_path / "new_alignments.fsa"
    data = answer("from-faces", "--faces", built.faces, "-o", made)
    assert (data["faces"], data["renumbered"]) == (count, count - 1 - gone)
    assert answer("verify", "--faces", built.faces, "--alignments", made) == {"problems": []}
    run("remove-faces", "--faces", built.faces, "--alignments", made, code=3)
    for place, points in enumerate(landmarks):
        header = read_header(built.faces / f"clip_000003_{place}.png")
        assert (header.source.face_index, header.source.original_filename) == (place, f"clip_000003_{place}.png")
        assert (header.alignment.landmarks == points).all()
        assert (read_alignments(made).frames["clip_000003.mp4"].faces[place].landmarks == points).all()
    answer("undo", "--faces", built.faces, "--alignments", made)
    assert visible(side_paths(built)) == before


def test_from_faces_touches_no_header_where_alignments_still_hold_the_deleted_face(
    built: Built, tmp_path: Path
) -> None:
    (built.faces / "clip_000003_0.png").unlink()
    before = visible(side_paths(built))
    failed = run("from-faces", "--faces", built.faces, "-o", tmp_path / "new_alignments.fsa", code=1)
    assert "remove-faces" in str(failed.exception)
    assert visible(side_paths(built)) == before and not (tmp_path / "new_alignments.fsa").exists()


def test_from_faces_gives_no_place_of_a_face_that_was_sorted_away_to_another(built: Built, tmp_path: Path) -> None:
    (built.alignments / "clip_alignments.fsa").unlink()
    (built.faces / "good").mkdir()
    (built.faces / "clip_000003_0.png").rename(built.faces / "good" / "clip_000003_0.png")
    failed = run("from-faces", "--faces", built.faces, "-o", tmp_path / "new_alignments.fsa", code=1)
    assert "good/clip_000003_0.png" in str(failed.exception)
    assert not (tmp_path / "new_alignments.fsa").exists()


def test_from_faces_says_before_it_writes_that_headers_cannot_be_rewritten(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built.alignments / "clip_alignments.fsa").unlink()
    (built.faces / "clip_000003_0.png").unlink()
    before = visible(side_paths(built))

    def refuse(_: Disk, source: Path, target: Path) -> None:
        assert built.faces in (source.parent, target.parent)
        if not source.exists():
            raise FileNotFoundError(2, "No such file or directory", str(source))
        raise PermissionError(13, "Permission denied", str(built.faces))

    monkeypatch.setattr(Disk, "rename", refuse)
    failed = run("from-faces", "--faces", built.faces, "-o", tmp_path / "new_alignments.fsa", code=1)
    assert "Permission denied. Nothing was changed" in str(failed.exception)
    assert visible(side_paths(built)) == before and not (tmp_path / "new_alignments.fsa").exists()


def test_no_good_face_goes_where_earlier_alignments_number_them_otherwise(built: Built, tmp_path: Path) -> None:
    """As from-faces left them once: alignments without the deleted face, headers with their old places."""
    known = built.alignments / "clip_alignments.fsa"
    (built.faces / "clip_000003_0.png").unlink()
    found = read_alignments(known)
    del found.frames["clip_000003.mp4"].faces[0]
    write_alignments(known, found, "v2.3")
    (problem, *others) = answer("verify", *where(built), code=1)["problems"]
    assert problem["kind"] == "numbering" and "from-faces" in problem["remedy"]
    assert not {row["kind"] for row in others} & {"leftover", "no-picture"}
    before = visible(side_paths(built))
    assert "from-faces" in str(run("remove-faces", *where(built), code=1).exception)
    assert visible(side_paths(built)) == before
    answer("from-faces", *where(built), "-o", tmp_path / "new_alignments.fsa")
    assert answer("verify", *where(built)) == {"problems": []}


def test_import_of_deepfacelab(tmp_path: Path) -> None:
    (tmp_path / "aligned").mkdir()
    (tmp_path / "aligned" / "00001_0.jpg").write_bytes(dfl_jpg(dfl_values("00001.png", 1), 1))
    data = answer("import", tmp_path / "aligned", "-o", tmp_path / "out")
    assert data["faces"] == {"DeepFaceLab": 1}
    (problem,) = answer("verify", "--faces", tmp_path / "out" / "faces")["problems"]
    assert problem["kind"] == "xseg" and "1 XSeg mask" in problem["message"] and not problem["stops"]


def test_hostile_alignments_are_refused_by_every_command(built: Built, tmp_path: Path) -> None:
    evil = tmp_path / "evil_alignments.fsa"
    evil.write_bytes(b"\x80\x04cos\nsystem\n(X\x04\x00\x00\x00truetR.")
    for job in ("no-faces", "multi-faces", "leftover-faces", "remove-faces"):
        run(job, "--faces", built.faces, "--alignments", evil, code=1)
    problems = answer("verify", "--faces", built.faces, "--alignments", evil, code=1)["problems"]
    assert problems[0]["kind"] == "unreadable"
    run("import", evil, "-o", tmp_path / "x.fsa", code=1)


def test_frames_of_several_sources(tmp_path: Path) -> None:
    """Each source has a folder of its own: both named, both are judged; one named, only that one is."""
    built = build_faceset(tmp_path / "set", {"clip": {1: 1, 2: 1}, "walk": {1: 1, 3: 0}}, size=4)
    options = ["--faces", built.faces, "--alignments", built.alignments]
    folders = {}
    for stem, numbers in {"clip": (1, 2), "walk": (1, 2, 3)}.items():
        folders[stem] = tmp_path / stem
        folders[stem].mkdir()
        for number in numbers:
            Image.new("RGB", (4, 4)).save(folders[stem] / f"{stem}_{number:06d}.png")
    for path in built.alignments.iterdir():
        found = read_alignments(path)
        renamed = {Path(frame).with_suffix(".png").name: faces for frame, faces in found.frames.items()}
        write_alignments(path, Alignments(renamed))
    for path in built.faces.iterdir():
        known = read_header(path)
        frame = Path(known.source.source_filename).with_suffix(".png").name
        replace_header(path, replace(known, source=replace(known.source, source_filename=frame)))
    both = ["--frames", folders["clip"], "--frames", folders["walk"]]
    (problem,) = answer("verify", *options, *both)["problems"]
    assert (problem["kind"], problem["names"]) == ("missing-alignments", ["walk_000002.png"])
    assert answer("missing-alignments", *options, *both)["items"] == ["walk_000002.png"]
    assert answer("missing-frames", *options, *both)["items"] == []
    (problem,) = answer("verify", *options, "--frames", folders["clip"])["problems"]
    assert (problem["kind"], problem["names"]) == ("not-compared", ["walk_alignments.fsa"])
    (folders["clip"] / "clip_000002.png").unlink()
    problems = answer("verify", *options, "--frames", folders["clip"], code=1)["problems"]
    assert [(item["kind"], item["names"]) for item in problems if item["stops"]] == [
        ("missing-frames", ["clip_000002.png"])
    ]
