"""Taking one photograph of footage out: its faces, alignments, digest and records follow; the others stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.headers import write_png
from galloway.curation.faceset.png.types import Alignments, FrameFaces
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.consent.kept import record_of
from galloway.pipeline.errors import SafetyStop, StageError
from galloway.pipeline.stages import one_photograph
from galloway.pipeline.stages.extract import register_faces
from galloway.pipeline.stages.ingest import Footage, ingest
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.stages.one_photograph import photographs_of, plan_photograph, take_photograph_out
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.records import note_extracted, sources

from tests.support.acting import job_state
from tests.support.faceset import alignment, header, picture

FACES = {"walk_beach.png": 2, "walk_hill.png": 1, "walk_town.png": 0}
GONE = "walk_beach.png"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "walk"
    folder.mkdir()
    for number, name in enumerate(FACES):
        picture(number, 48).save(folder / name.removeprefix("walk_"))
    return folder


@pytest.fixture
def app(tmp_path: Path, given: Path) -> App:
    """Three photographs of Ann, as extraction leaves them: two faces, one, none."""
    app = App(make_workspace(tmp_path / "ws")[0])
    source = ingest(app, given, Side.B, person="Ann", basis="consent").source
    folder, frames = app.workspace.faces_dir(Side.B), {}
    folder.mkdir(parents=True)
    for seed, (name, count) in enumerate(FACES.items()):
        faces = [alignment(10 * seed + index) for index in range(count)]
        frames[name] = FrameFaces(faces, {})
        for index, face in enumerate(faces):
            file = f"{Path(name).stem}_{index}.png"
            write_png(folder / file, picture(10 * seed + index, 32), header(file, name, index, face))
    alignments = app.workspace.alignments_dir(Side.B)
    alignments.mkdir(parents=True)
    write_alignments(alignments / "walk_alignments.fsa", Alignments(frames, "v2.3", 2.4))
    names = tuple(sorted(path.name for path in folder.iterdir()))
    register_faces(app, source, names)
    note_extracted(app.workspace, source, frames=3, faces=len(names), engine="builder")
    return app


def frames_left(app: App) -> list[str]:
    return sorted(read_alignments(app.workspace.alignments_dir(Side.B) / "walk_alignments.fsa").frames)


def assert_gone(app: App, given: Path) -> None:
    workspace = app.workspace
    assert [face.source_name for face in app.store.faces(Side.B)] == ["walk_hill.png"]
    assert [path.name for path in workspace.faces_dir(Side.B).glob("*.png")] == ["walk_hill_0.png"]
    assert frames_left(app) == ["walk_hill.png", "walk_town.png"]
    (source,) = sources(workspace, Side.B)
    assert (source.frames, source.faces) == (2, 1)
    assert sorted(path.name for path in source.path.iterdir()) == ["walk_hill.png", "walk_town.png"]
    told = json.loads(workspace.source_record(Side.B, "walk").read_bytes())
    assert [row["as"] for row in told["pictures"]] == ["walk_hill.png", "walk_town.png"]
    assert told["sha256"] == source.sha256 and (told["person"], told["basis"]) == ("Ann", "consent")
    consent = record_of(workspace.root, "Ann")
    assert consent is not None and [item.sha256 for item in consent.material] == [source.sha256]
    (given / "beach.png").unlink()
    again = ingest(app, given, Side.B, person="Ann", basis="consent")
    assert not again.added, "the folder without it is what is here"


def test_all_that_is_its_follows_and_it_can_come_again(app: App, given: Path) -> None:
    beach = (given / "beach.png").read_bytes()
    assert [(item.given, item.faces) for item in photographs_of(app, Side.B, "walk")] == [
        ("beach.png", 2), ("hill.png", 1), ("town.png", 0),
    ]  # fmt: skip
    take_photograph_out(app, plan_photograph(app, Side.B, "walk", GONE))
    assert_gone(app, given)
    (row,) = acts(app.workspace, kind="remove")
    assert (row.what, row.figure) == ("side b", "1 photograph, 2 faces, 0 votes")
    (given / "beach.png").write_bytes(beach)
    back = ingest(app, Footage(given, (given / "beach.png",)), Side.B, person="Ann", basis="consent")
    assert back.added and [path.read_bytes() for path in back.source.path.iterdir()] == [beach]


@pytest.mark.parametrize("step", ["remove_faces", "write_alignments", "forget_faces", "note_content", "write_atomic"])
def test_killed_at_a_step_the_same_call_finishes(
    app: App, given: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_args: object, **_named: object) -> Iterator[None]:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(one_photograph, step, killed)
        with pytest.raises(Killed):
            take_photograph_out(app, plan_photograph(app, Side.B, "walk", GONE))
    take_photograph_out(app, plan_photograph(app, Side.B, "walk", GONE))
    assert_gone(app, given)


def test_what_holds_it_is_named(app: App, tmp_path: Path) -> None:
    face = next(face for face in app.store.faces(Side.B) if face.source_name == GONE)
    overrule(app, face.face_id, "keep", name="Ann", note="it is she")
    with pytest.raises(SafetyStop, match=r"2 votes on faces of walk_beach\.png"):
        take_photograph_out(app, plan_photograph(app, Side.B, "walk", GONE))
    with pytest.raises(StageError, match=r"no photograph named .x\.png."):
        plan_photograph(app, Side.B, "walk", "x.png")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    ingest(app, film, Side.B, person="Ann", basis="consent")
    with pytest.raises(StageError, match="film is no folder of photographs"):
        plan_photograph(app, Side.B, "film", GONE)
    merge(app, Side.B, open_faces="keep", accept_unproved=True)
    with pytest.raises(StageError, match="Side b is merged"):
        plan_photograph(app, Side.B, "walk", GONE)


def test_the_last_one_goes_with_its_source(app: App) -> None:
    for name in (GONE, "walk_hill.png"):
        take_photograph_out(app, plan_photograph(app, Side.B, "walk", name))
    with pytest.raises(StageError, match=r"the only photograph of walk\. Take walk out: galloway source remove"):
        plan_photograph(app, Side.B, "walk", "walk_town.png")


def test_by_its_pages_with_the_figure_that_was_shown(app: App, given: Path) -> None:
    site = create_web_app(app.workspace)
    client = site.test_client()
    try:
        assert "/footage/b/walk/photographs" in client.get("/footage").text
        page = client.get("/footage/b/walk/photographs").text
        assert "beach.png · 2 faces" in page and "1 to 3 of 3." in page
        assert client.get(f"/footage/b/walk/photographs/{GONE}").mimetype == "image/jpeg"
        assert client.get("/footage/b/walk/photographs/walk_x.png").status_code == 404
        address = f"/footage/b/walk/photographs/{GONE}/remove"
        asked = client.get(address).text
        assert "yes, 2 faces, 0 votes go for good" in asked and 'name="references"' not in asked
        assert client.post(address, data={"figure": "2 faces, 0 votes"}).status_code == 400, "it asks first"
        client.post(address, data={"figure": "1 face, 0 votes", "yes": "yes"})
        assert job_state(site)[0] == "failed", "another figure was shown"
        client.post(address, data={"figure": "2 faces, 0 votes", "yes": "yes"})
        state, said = job_state(site)
        assert state == "done" and said.startswith("Removed: 2 faces, 0 votes.")
        assert_gone(app, given)
        assert "has no photograph named" in client.get(address).text
    finally:
        jobs(site).close()


def test_what_a_table_says_of_it_leaves_the_persons_record(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "trip"
    folder.mkdir()
    for number, name in enumerate(("p0.png", "p1.png", "p2.png")):
        picture(20 + number, 48).save(folder / name)
    table = "file,source\np0.png,https://example.org/0\np1.png,https://example.org/1\n"
    (folder / "urls.csv").write_text(table, encoding="utf-8")
    ingest(app, folder, Side.A, person="Cy", basis="consent")
    before = record_of(app.workspace.root, "Cy")
    take_photograph_out(app, plan_photograph(app, Side.A, "trip", "trip_p0.png"))
    after = record_of(app.workspace.root, "Cy")
    assert before is not None and after is not None
    (item,) = after.material
    assert [row["file"] for row in item.pictures] == ["p1.png"]
    assert item.sha256 == sources(app.workspace, Side.A)[0].sha256 != before.material[0].sha256
