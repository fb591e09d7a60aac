"""`galloway results measure`: a film beside its source, and what is no film of ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FrameFaces
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.embedded.detect import FaceFinder
from galloway.pipeline.errors import StageError
from galloway.pipeline.measures.values import SERIES, Measured
from galloway.pipeline.stages.masking import clear_regions, find_source, set_regions
from galloway.pipeline.stages.measure import command_without, figures_of, measure_film, worth_a_look
from PIL import Image

from tests.support.engines import filmed_frames, write_clip
from tests.support.workspace import built_app, galloway

COUNT = 5


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A workspace whose side A is a clip with a real face, and a "swap" of it that changed nothing."""
    made = built_app(tmp_path_factory.mktemp("work") / "w", faces=4)
    root = made.workspace.root
    frames = filmed_frames(COUNT)
    write_clip(made.workspace.path("sources", "a", "clipa.mp4"), frames)
    finder = FaceFinder(threads=1)
    found = {}
    for number, frame in enumerate(frames, start=1):
        (face,) = finder.find(frame)
        left, top, right, bottom = (round(value) for value in face.box)
        box = FaceAlignment(left, top, right - left, bottom - top, landmarks=face.landmarks)
        found[f"clipa_{number:06d}.mp4"] = FrameFaces([box])
    write_alignments(made.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa", Alignments(found), "v2.3")
    (root / "results").mkdir(exist_ok=True)
    write_clip(root / "results" / "clipa-swapped.mp4", frames)
    record = {"source": "clipa", "run": "train-1", "sha256": "0", "skip": [[2, 2]]}
    (root / "results" / "clipa-swapped.json").write_text(json.dumps(record))
    return made


def test_an_unchanged_film_is_a_onto_itself(app: App) -> None:
    film = app.workspace.root / "results" / "clipa-swapped.mp4"
    done = measure_film(app, film)
    assert list(done.found.frames) == [1, 3, 4, 5]
    told = json.loads(done.written.read_text())
    assert set(told["measures"]) == set(SERIES)
    assert told["film"]["ID retrieval"] == 0
    assert told["measures"]["border colour"]["worst"] < 1
    assert told["measures"]["identity"]["frame"] in (1, 3, 4, 5)


@pytest.mark.parametrize(
    ("record", "region", "frames"),
    [
        ({"swapped_frames": [[1, 3]]}, [], [1, 2, 3]),
        ({"swapped_frames": [[1, 5]], "hidden_frames": [[2, 2]]}, [2, 3], [1, 4, 5]),
        ({"swapped_frames": [[2, 5]], "skip": [[1, 1]], "settings": {"fade": 2}}, [], [4, 5]),
        ({"skip": [[1, 1]], "settings": {"fade": 0}}, [5, 5], [2, 3, 4]),
    ],
    ids=["some frames", "masked out", "soft cuts", "an earlier release"],
)
def test_only_what_shows_all_of_a_swap_is_measured(
    app: App, tmp_path: Path, record: dict[str, Any], region: list[int], frames: list[int]
) -> None:
    film = Path(shutil.copy(app.workspace.root / "results" / "clipa-swapped.mp4", tmp_path / "film.mp4"))
    (tmp_path / "film.mp4.json").write_text(json.dumps({"source": "clipa", "sha256": "0", **record}))
    source = find_source(app, Side.A, "clipa")
    if region:
        masked = {"frames": region, "keys": [{"frame": 1, "rectangle": [0, 0, 320, 180]}]}
        set_regions(app, source, json.dumps({"regions": [masked]}), "x")
    try:
        assert list(measure_film(app, film).found.frames) == frames
    finally:
        if region:
            clear_regions(app, source)


def test_a_film_of_a_folder_is_measured_by_the_places_of_its_frames(app: App, tmp_path: Path) -> None:
    root, path = app.workspace.root, app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    before = path.read_bytes()
    names = [f"shot_{number:06d}.png" for number in range(1001, 1001 + COUNT)]
    known = read_alignments(path).frames
    write_alignments(path, Alignments(dict(zip(names, known.values(), strict=True))), "v2.3")
    film = Path(shutil.copy(root / "results" / "clipa-swapped.mp4", tmp_path / "film.mp4"))
    (tmp_path / "film.mp4.json").write_text(
        json.dumps({"source": "clipa", "sha256": "0", "swapped_frames": [[2, 4]], "skip": [[1, 1], [5, 5]]})
    )
    clip = app.workspace.path("sources", "a", "clipa.mp4")
    aside = clip.rename(tmp_path / "aside.mp4")
    clip.mkdir()
    for name, picture in zip(names, filmed_frames(COUNT), strict=True):
        Image.fromarray(picture).save(clip / name)
    try:
        assert list(measure_film(app, film).found.frames) == [2, 3, 4]
    finally:
        shutil.rmtree(clip)
        aside.rename(clip)
        path.write_bytes(before)


@pytest.mark.in_a_file("the workspace of all tests of this module, made before any of them")
def test_the_command_prints_the_table(app: App) -> None:
    root = app.workspace.root
    done = galloway(app, "results", "measure", str(root / "results" / "clipa-swapped.mp4"))
    assert "lip sync error" in done.stdout
    assert "clipa-swapped.mp4.measures.json" in done.stdout
    assert "4 of 4 swapped frames" in done.stderr and "little of the swap" in done.stderr, "it is A in every frame"
    assert "galloway convert" not in done.stderr


def test_the_command_for_doubtful_frames_is_that_of_the_film(app: App, tmp_path: Path) -> None:
    film = app.workspace.root / "results" / "clipa-swapped.mp4"
    note = film.with_suffix(".json")
    ranges = ["2-3", "7", "9", "11-12"]
    plain = note.read_text()
    settings = {"mask": "components", "color": "none", "codec": "h265", "crf": 12, "preset": None, "fade": 3}
    record = json.loads(plain) | {"settings": settings | {"occlusion": "no"}, "label": "left out: a test of ours"}
    try:
        assert command_without(app, film, ["2"]) == (
            f"galloway convert --source clipa --output {film} --skip 2-2 --skip 2"
        ), "an earlier release did not note what is swapped"
        note.write_text(json.dumps(record | {"swapped_frames": [[1, 5]], "frames": 5}))
        again = "--again 2-3 --again 7 --again 9 --again 11-12"
        assert command_without(app, film, ranges) == f"galloway convert --film clipa-swapped.mp4 {again} --leave"
        other = Path(shutil.copy(film, tmp_path / "my film.mkv"))
        (tmp_path / "my film.mkv.json").write_text(note.read_text())
        assert command_without(app, other, ["7"]) == (
            f"galloway convert --source clipa --output '{other}' --codec h265 --crf 12 --mask components --color none "
            "--fade 3 --no-label 'a test of ours' -o occlusion=no --skip 2-2 --skip 7"
        )
    finally:
        note.write_text(plain)


def test_what_is_no_film_of_this_workspace_is_refused(app: App, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="does not exist"):
        measure_film(app, tmp_path / "none.mp4")
    alone = write_clip(tmp_path / "alone.mp4", filmed_frames(2))
    with pytest.raises(StageError, match="has no record"):
        measure_film(app, alone)
    alone.with_suffix(".json").write_text(json.dumps({"source": "other", "sha256": "0"}))
    with pytest.raises(StageError, match="made of other"):
        measure_film(app, alone)


def test_neighbouring_frames_are_one_range_and_unknown_values_are_null() -> None:
    series = {name: np.zeros(5) for name in SERIES}
    series["border colour"] = np.array([0.0, 30, 30, 0, 30])
    series["identity"] = np.full(5, np.nan)
    found = Measured(np.array([1, 2, 3, 4, 7]), series, {"lip sync": float("nan")})
    assert worth_a_look(found) == ["2-3", "7"]
    told = figures_of(found)
    assert told["measures"]["identity"]["mean"] is None
    assert told["film"]["lip sync"] is None
    assert told["measures"]["border colour"] == {"mean": 18.0, "worst": 30.0, "frame": 2}
