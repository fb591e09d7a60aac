"""Faces that were extracted elsewhere come into a workspace whole, once, and nobody else's are touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.errors import FacesetError
from galloway.curation.faceset.dialects.left_out import XsegLeft, note_left_out, read_left_out
from galloway.curation.faceset.fsa.alignments import export_json, read_alignments
from galloway.curation.faceset.png.headers import read_header, replace_header, write_png
from galloway.curation.faceset.verify import verify
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.errors import NothingToDo, StageError
from galloway.pipeline.stages.extract import extract
from galloway.pipeline.stages.ingest import Ingested, ingest
from galloway.pipeline.stages.ingest_faces import ingest_faces
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import faceset_table, source_table
from PIL import Image

from tests.support.faceset import Built, alignment, build_faceset, header, jpeg, picture, snapshot
from tests.support.videos import sound_video
from tests.support.workspace import built_app


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(make_workspace(tmp_path / "swap")[0])


def elsewhere(root: Path, stem: str = "party", seed: int = 30) -> Built:
    """Four faces in three frames and a frame without one, as faceswap leaves them."""
    return build_faceset(root / stem, {stem: {1: 1, 2: 2, 5: 1, 6: 0}}, seed=seed, size=32)


def fsa(built: Built) -> Path:
    (path,) = built.alignments.iterdir()
    return path


def take(app: App, built: Built, **options: object) -> Ingested:
    values: dict[str, object] = {"person": "Ann", "basis": "consent", "note": "letter", **options}
    return ingest_faces(app, built.faces, Side.B, **values)  # type: ignore[arg-type]


def state(app: App) -> tuple[object, ...]:
    """What a run leaves, but for the time."""
    record = json.loads((app.workspace.sources_dir(Side.B) / "party.source.json").read_text(encoding="utf-8"))
    files = snapshot(app.workspace.faces_dir(Side.B), app.workspace.alignments_dir(Side.B))
    shown = [(item.name, item.kind, item.sha256, item.faces) for item in sources(app.workspace)]
    return files, shown, app.store.faces(), record["basis"], record["sha256"]


def test_faces_and_alignments_arrive_and_are_registered(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    done = take(app, built, alignments=fsa(built))
    source = done.source
    assert done.added
    assert (source.name, source.kind, source.person, source.basis) == ("party", "faces", "Ann", "consent")
    assert (source.frames, source.faces, source.engine) == (None, 4, "import")
    assert source.path.name == "party_alignments.fsa"
    assert source.path.read_bytes() == fsa(built).read_bytes()
    kept = app.workspace.faces_dir(Side.B)
    assert {item.name: item.read_bytes() for item in kept.iterdir()} == {
        item.name: item.read_bytes() for item in built.faces.iterdir()
    }
    faces = app.store.faces(Side.B)
    assert [(face.name, face.frame_number, face.face_index) for face in faces] == [
        ("party_000001_0.png", 1, 0),
        ("party_000002_0.png", 2, 0),
        ("party_000002_1.png", 2, 1),
        ("party_000005_0.png", 5, 0),
    ]
    assert {face.source for face in faces} == {"party"}
    assert verify(app.faceset_paths(Side.B)) == []


def test_alignments_are_made_from_the_headers(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    done = take(app, built)
    made = read_alignments(done.source.path)
    assert [len(frame.faces) for frame in made.frames.values()] == [1, 2, 1]
    first = read_header(built.faces / "party_000002_1.png").alignment
    assert made.frames["party_000002.mp4"].faces[1].landmarks.tolist() == first.landmarks.tolist()
    assert verify(app.faceset_paths(Side.B)) == []


def test_alignments_in_json_become_fsa(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    given = tmp_path / "import.json"
    given.write_text(json.dumps(export_json(read_alignments(fsa(built)))), encoding="utf-8")
    done = take(app, built, alignments=given)
    assert read_alignments(done.source.path).dialect == "v2.3"
    assert len(read_alignments(done.source.path).frames) == 4


def test_the_same_faces_again_change_nothing(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    first = take(app, built)
    before = state(app)
    again = take(app, built)
    assert not again.added
    assert again.source == first.source
    assert state(app) == before


class Killed(BaseException):
    """Stands for the process ending there: nothing of ours catches it."""


@pytest.mark.parametrize("with_alignments", [True, False])
@pytest.mark.parametrize(
    ("stage", "step"), [("checking", 2), ("copying", 1), ("copying", 4), ("registering faces", 1), ("end", 0)]
)
def test_a_run_that_was_killed_is_finished_by_the_next(
    tmp_path: Path, stage: str, step: int, with_alignments: bool, begin_elsewhere: Callable[[], None]
) -> None:
    built = elsewhere(tmp_path)
    options = {"alignments": fsa(built) if with_alignments else None}
    whole = App(make_workspace(tmp_path / "whole")[0])
    take(whole, built, **options)

    def killing(name: str, done: int, total: int | None) -> None:
        if (name, done) == (stage, step):
            raise Killed

    begin_elsewhere()
    app = App(make_workspace(tmp_path / "swap")[0])
    if stage != "end":
        with pytest.raises(Killed):
            take(app, built, progress=killing, **options)
        assert sources(app.workspace) == []
    assert take(app, built, **options).added
    assert state(app) == state(whole)


def test_extract_passes_over_faces(app: App, tmp_path: Path) -> None:
    take(app, elsewhere(tmp_path))
    for again in (False, True):
        with pytest.raises(NothingToDo):
            extract(app, again=again)


@pytest.mark.parametrize("content", ["photo.jpg", "plain.png", "nothing"])
def test_other_pictures_are_sent_to_import(app: App, tmp_path: Path, content: str) -> None:
    folder = tmp_path / "aligned"
    folder.mkdir()
    if content == "photo.jpg":
        (folder / content).write_bytes(jpeg(1))
    elif content == "plain.png":
        picture(1).save(folder / content)
    with pytest.raises((StageError, FacesetError), match="galloway faceset import"):
        ingest_faces(app, folder, Side.B, person="", basis="own")
    assert sources(app.workspace) == []
    assert not app.workspace.faces_dir(Side.B).exists()


def test_a_damaged_picture_stops_it_before_anything_is_copied(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    last = built.faces / "party_000005_0.png"
    last.write_bytes(last.read_bytes()[:-200])
    with pytest.raises(FacesetError, match=r"party_000005_0\.png"):
        take(app, built)
    assert not app.workspace.faces_dir(Side.B).exists()


def test_alignments_that_do_not_know_the_pictures_are_refused(app: App, tmp_path: Path) -> None:
    built, other = elsewhere(tmp_path), elsewhere(tmp_path, "street", 40)
    with pytest.raises(StageError, match=r"does not know 4 of the pictures, such as party_000001_0\.png"):
        take(app, built, alignments=fsa(other))
    assert not app.workspace.faces_dir(Side.B).exists()


def test_faces_without_a_picture_are_said_and_gaps_refused(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    (built.faces / "party_000002_0.png").unlink()
    with pytest.raises(StageError, match=r"lacks a face between others.*--alignments FILE.*faceset import"):
        take(app, built)
    done = take(app, built, alignments=fsa(built))
    (said,) = done.notes
    assert said.startswith("party_alignments.fsa holds 1 faces that have no picture;")
    assert said.endswith("take them out: galloway faceset remove-faces --side b")


def test_two_pictures_of_one_face_are_refused(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    copy = built.faces / "party_000001_0b.png"
    copy.write_bytes((built.faces / "party_000001_0.png").read_bytes())
    with pytest.raises(StageError, match=r"party_000001_0\.png and party_000001_0b\.png"):
        take(app, built, alignments=fsa(built))


def test_names_and_frames_of_other_sources_are_refused(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=3)
    before = snapshot(app.workspace.faces_dir(Side.B), app.workspace.alignments_dir(Side.B))
    same_name = build_faceset(tmp_path / "other", {"clipb": {1: 1}}, seed=50)
    with pytest.raises(StageError, match=r"already has a clipb_000001_0\.png, in source 'clipb'"):
        take(app, same_name)
    same_frame = build_faceset(tmp_path / "third", {"clipb": {1: 1}}, seed=60)
    (same_frame.faces / "clipb_000001_0.png").rename(same_frame.faces / "mine.png")
    with pytest.raises(StageError, match=r"already has frame clipb_000001\.mp4, in clipb_alignments\.fsa"):
        take(app, same_frame)
    unknown = app.workspace.faces_dir(Side.B) / "party_000001_0.png"
    unknown.write_bytes(b"somebody put it here")
    with pytest.raises(StageError, match="with other content"):
        take(app, elsewhere(tmp_path))
    unknown.unlink()
    with pytest.raises(StageError, match="already has a source named 'clipb'"):
        take(app, build_faceset(tmp_path / "clipb", {"x": {1: 1}}, seed=70))
    assert snapshot(app.workspace.faces_dir(Side.B), app.workspace.alignments_dir(Side.B)) == before
    assert len(sources(app.workspace, Side.B)) == 1


def test_faces_join_those_of_footage(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=3)
    take(app, elsewhere(tmp_path))
    assert [item.kind for item in sources(app.workspace, Side.B)] == ["video", "faces"]
    assert len(app.store.faces(Side.B)) == 7
    assert verify(app.faceset_paths(Side.B)) == []


def test_a_merged_side_takes_no_faces(app: App, tmp_path: Path) -> None:
    with app.workspace.db.begin() as db:
        db.execute(
            faceset_table.insert().values(
                id="b-1",
                side="b",
                merge_id="m",
                digest="d",
                faces=1,
                rejected=0,
                approved_at=datetime.now(UTC).isoformat(),
            )
        )
    with pytest.raises(StageError, match="merge undo --side b"):
        take(app, elsewhere(tmp_path))
    assert not app.workspace.faces_dir(Side.B).exists()


def test_a_header_that_leaves_the_folder_is_refused(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    path = folder / "a_0.png"
    write_png(path, picture(1), header(path.name, "a.png", 0, alignment(1, thumb=False)))
    replace_header(path, header(path.name, "../../a.png", 0, alignment(1, thumb=False)))
    with pytest.raises(FacesetError, match="leave its folder"):
        ingest_faces(app, folder, Side.B, person="", basis="own")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(StageError, match="symbolic link"):
        ingest_faces(app, folder, Side.B, person="", basis="own")


def test_the_command(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    start = ["-w", str(app.workspace.root), "ingest", "--side", "b", "--basis", "own"]
    done = CliRunner().invoke(cli, [*start, "--faces", str(built.faces), "--alignments", str(fsa(built)), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sources"][0]["source"] == "party"
    assert "Next: galloway ingest --side a VIDEO" in done.stderr, "there is nothing to extract here"
    assert "galloway faceset verify --side b" in done.stderr
    for wrong in (["--alignments", str(fsa(built))], ["--faces", str(built.faces), str(fsa(built))]):
        assert CliRunner().invoke(cli, [*start, *wrong]).exit_code == 2


def test_crops_of_several_sizes_and_shapes_are_said_as_verify_says_them(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    first, second = (built.faces / name for name in ("party_000001_0.png", "party_000002_0.png"))
    for path, size in ((first, (16, 16)), (second, (16, 24))):
        write_png(path, Image.new("RGB", size), read_header(path))
    notes = " ".join(take(app, built).notes)
    for problem in verify(app.faceset_paths(Side.B)):
        assert problem.message in notes and problem.names[0] in notes
    assert "not square" in notes and "not 32x32" in notes


def test_crops_of_one_size_are_not_mentioned(app: App, tmp_path: Path) -> None:
    assert take(app, elsewhere(tmp_path)).notes == ()


def test_crops_of_several_sizes_are_a_note_where_the_embedded_engine_made_them_all(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap")
    path = app.workspace.face_path(Side.B, "clipb_000001_0.png")
    write_png(path, Image.new("RGB", (16, 16)), read_header(path))
    verified = ["--workspace", str(app.workspace.root), "faceset", "verify", "--side", "b"]
    for engine, code in (("embedded", 0), ("faceswap", 1)):
        with app.workspace.db.begin() as db:
            db.execute(source_table.update().values(engine=engine))
        done = CliRunner().invoke(cli, verified)
        assert (done.exit_code, "not 32x32" in done.output) == (code, True), done.output
    done_now = merge(app, Side.B, open_faces="keep")
    assert any("not 32x32" in note and "clipb_000001_0.png" in note for note in done_now.notes)


def test_faces_in_sub_folders_come_in_with_the_others(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    good = built.faces / "good"
    good.mkdir()
    (built.faces / "party_000002_1.png").rename(good / "party_000002_1.png")
    done = take(app, built, alignments=fsa(built))
    assert (done.source.faces, len(app.store.faces(Side.B)), verify(app.faceset_paths(Side.B))) == (4, 4, [])
    assert any("good" in note for note in done.notes)
    assert done.skipped == ()


def test_faces_of_one_name_in_two_sub_folders_are_refused(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    (built.faces / "again").mkdir()
    shutil.copy(built.faces / "party_000001_0.png", built.faces / "again" / "party_000001_0.png")
    with pytest.raises(StageError, match=r"again/party_000001_0\.png"):
        take(app, built)
    assert app.store.faces(Side.B) == []


def test_faces_and_footage_of_one_name_do_not_share_frames(tmp_path: Path, begin_elsewhere: Callable[[], None]) -> None:
    """The faces came from another `party.mp4` than the one that waits to be extracted, in either order."""
    video = sound_video(tmp_path / "party.mp4")
    who = {"person": "Ann", "basis": "own"}
    folder = elsewhere(tmp_path).faces.rename(tmp_path / "shoot")
    first = App(make_workspace(tmp_path / "one")[0])
    ingest(first, video, Side.B, **who)
    with pytest.raises(StageError, match=r"party_000001\.mp4.*source 'party'"):
        ingest_faces(first, folder, Side.B, **who)
    begin_elsewhere()
    second = App(make_workspace(tmp_path / "two")[0])
    ingest_faces(second, folder, Side.B, **who)
    with pytest.raises(StageError, match=r"party_000001\.mp4.*shoot_alignments\.fsa"):
        ingest(second, video, Side.B, **who)
    assert [item.name for item in sources(second.workspace)] == ["shoot"]
    assert ingest(second, video, Side.A, **who).added


def test_faces_and_photographs_of_one_name_do_not_share_frames(
    app: App, tmp_path: Path, begin_elsewhere: Callable[[], None]
) -> None:
    photographs = tmp_path / "walk"
    photographs.mkdir()
    picture(1, 64).save(photographs / "00001.png")
    (frame,) = ingest(app, photographs, Side.B, person="Ann", basis="own").source.path.iterdir()
    folder = tmp_path / "dfl"
    folder.mkdir()
    face = header(f"{frame.stem}_0.png", frame.name, 0, alignment(1, thumb=False))
    write_png(folder / f"{frame.stem}_0.png", picture(2), face)
    with pytest.raises(StageError, match=rf"{frame.stem}\.png.*source 'walk'"):
        ingest_faces(app, folder, Side.B, person="Ann", basis="own")
    begin_elsewhere()
    other = App(make_workspace(tmp_path / "other")[0])
    ingest_faces(other, folder, Side.B, person="Ann", basis="own")
    with pytest.raises(StageError, match=rf"{frame.stem}\.png, in dfl_alignments"):
        ingest(other, photographs, Side.B, person="Ann", basis="own")


def test_what_an_import_left_out_comes_along_and_goes_with_the_source(app: App, tmp_path: Path) -> None:
    built = elsewhere(tmp_path)
    note_left_out(built.faces, [XsegLeft("aligned", 4, 2, "aligned")])
    done = take(app, built)
    folder = app.workspace.faces_dir(Side.B)
    assert [item.source for item in read_left_out(folder)] == ["party"]
    assert "4 XSeg masks and 2 sets of XSeg polygons" in done.notes[-1]
    assert [problem.kind for problem in verify(app.faceset_paths(Side.B))] == ["xseg"]
    remove_source(app, plan_removal(app, Side.B, "party"))
    assert read_left_out(folder) == ()
