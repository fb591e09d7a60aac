"""Masking out: which faces it takes, what merge and conversion make of it, and that the footage is never touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.types import DecidedBy, FaceId, Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.masking import find_source, masked_faces, set_regions, unmasked
from galloway.pipeline.workspace.masked import faces_in_regions, kept_regions, regions_path

from tests.support.engines import landmarks_at, write_drawn_alignments
from tests.support.faceset import picture
from tests.support.judged import film_app
from tests.support.workspace import built_app, galloway

LEFT = {"regions": [{"name": "left", "keys": [{"frame": 1, "rectangle": [0, 0, 260, 360]}]}]}


@pytest.fixture
def app(tmp_path: Path) -> App:
    return built_app(tmp_path / "ws")


def masked(app: App) -> set[str]:
    return {face.face_id for face in app.store.faces(Side.A) if face.box[0] + face.box[2] / 2 < 260}


def test_faces_in_a_region_are_not_asked_and_come_back(app: App, tmp_path: Path) -> None:
    inside = masked(app)
    assert 0 < len(inside) < len(app.store.faces(Side.A))
    file = tmp_path / "left.json"
    file.write_text(json.dumps(LEFT))
    done = galloway(app, "source", "mask", "--side", "a", "clipa", "--from", str(file))
    assert done.returncode == 0, done.stderr
    assert f"{len(inside)} faces of clipa lie in 1 masked region." in done.stdout
    rejected = {d.face_id: d for d in app.store.decisions() if d.question is None and d.status is Status.REJECTED}
    assert set(rejected) == inside
    assert {(item.reason, item.decided_by) for item in rejected.values()} == {("another_person", DecidedBy.SCREEN)}
    planned = json.loads(galloway(app, "publish", "--side", "a", "--dry-run", "--json").stdout)
    assert planned["faces"] == len(app.store.faces(Side.A)) - len(inside)
    assert json.loads(galloway(app, "source", "mask", "--side", "a", "clipa", "--json").stdout)["regions"][0]["keys"]
    assert galloway(app, "source", "mask", "--side", "a", "clipa", "--clear").returncode == 0
    assert not [d for d in app.store.decisions() if d.status is Status.REJECTED]
    assert galloway(app, "source", "mask", "--side", "a", "clipa", "--clear").returncode == 3


def test_faces_that_people_kept_are_said_to_stay_in_the_faceset(app: App, tmp_path: Path) -> None:
    overrule(app, min(masked(app)), "keep", name="Ann", note="he is the one")
    file = tmp_path / "left.json"
    file.write_text(json.dumps(LEFT))
    done = galloway(app, "source", "mask", "--side", "a", "clipa", "--from", str(file))
    assert "1 face of these people judged and kept: in the faceset" in done.stdout
    assert "Next: galloway publish" in done.stderr


def test_what_is_wrong_leaves_what_was_kept(app: App, tmp_path: Path) -> None:
    source = find_source(app, Side.A, "clipa")
    set_regions(app, source, json.dumps(LEFT), "x")
    before = kept_regions(app.workspace, Side.A, "clipa")
    for wrong in (
        '{"regions": [{}]}',
        "nothing",
        '{"regions": [{"keys": [{"frame": 999, "rectangle": [0, 0, 1, 1]}]}]}',
    ):
        with pytest.raises(StageError):
            set_regions(app, source, wrong, "x")
    assert kept_regions(app.workspace, Side.A, "clipa") == before
    with pytest.raises(StageError, match="no footage named 'other'"):
        find_source(app, Side.A, "other")
    regions_path(app.workspace, Side.A, "clipa").write_text("{}")
    with pytest.raises(StageError, match=r"clipa\.regions\.json: regions: field required"):
        masked_faces(app, source)


def test_conversion_gets_alignments_without_them(app: App, tmp_path: Path) -> None:
    source = find_source(app, Side.A, "clipa")
    known = app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    before = known.read_bytes()
    assert unmasked(app, source, known, tmp_path / "copy.fsa") == known
    set_regions(app, source, json.dumps(LEFT), "x")
    left = read_alignments(unmasked(app, source, known, tmp_path / "copy.fsa"))
    assert left.face_count == read_alignments(known).face_count - len(masked(app))
    assert all(face.box[0] + face.box[2] / 2 >= 260 for frame in left.frames.values() for face in frame.faces)
    assert set(left.frames) == set(read_alignments(known).frames)
    assert known.read_bytes() == before


def test_in_a_folder_of_numbered_frames_a_region_counts_by_place_for_faces_and_conversion(
    app: App, tmp_path: Path
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    names = [f"shot_{number:06d}.png" for number in range(101, 107)]
    for name in names:
        picture(1).save(folder / name)
    source = replace(find_source(app, Side.A, "clipa"), kind="photos", path=folder)
    region = {"frames": [3, 4], "keys": [{"frame": 1, "rectangle": [0, 0, 640, 360]}]}
    set_regions(app, source, json.dumps({"regions": [region]}), "x")
    one = app.store.faces(Side.A)[0]
    faces = [replace(one, face_id=FaceId(name), source_name=name, frame_number=None) for name in names]
    inside = {face.source_name for face in faces_in_regions(app.workspace, source, faces)}
    x, y, w, h = one.box
    alignments = write_drawn_alignments(
        tmp_path / "shot.fsa", {name: [landmarks_at(x + w / 2, y + h / 2, w)] for name in names}
    )
    frames = read_alignments(unmasked(app, source, alignments, tmp_path / "copy.fsa")).frames
    assert inside == {name for name, frame in frames.items() if not frame.faces} == set(names[2:4])


def test_workers_votes_stand_over_a_region(app: App, tmp_path: Path) -> None:
    face = sorted(masked(app))[0]
    assert galloway(app, "decide", face, "keep", "--by", "Ann", "--note", "it is her").returncode == 0
    set_regions(app, find_source(app, Side.A, "clipa"), json.dumps(LEFT), "x")
    decide(app)
    assert {d.status for d in app.store.decisions() if d.face_id == face and d.question is None} == {Status.APPROVED}


def test_the_preview_shades_and_leaves_the_footage(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    before = film.source.path.read_bytes()
    out = tmp_path / "shown.mp4"
    assert galloway(app, "source", "mask", "--side", "a", "clipa", "--preview", str(out)).returncode == 3
    moving = {
        "regions": [
            {"keys": [{"frame": 1, "rectangle": [0, 0, 40, 40]}, {"frame": 90, "rectangle": [100, 60, 40, 40]}]}
        ]
    }
    set_regions(app, find_source(app, Side.A, "clipa"), json.dumps(moving), "x")
    done = galloway(app, "source", "mask", "--side", "a", "clipa", "--preview", str(out))
    assert (done.returncode, out.stat().st_size > 1000) == (0, True), done.stderr
    assert film.source.path.read_bytes() == before
