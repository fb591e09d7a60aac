"""The demo's footage: clips with sound, and a truth file that says what was drawn."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from galloway.curation.types import Side
from galloway.pipeline.demo.footage import Footage, Truth, load_truth, make_footage, truth_of_face
from galloway.pipeline.demo.scenes import DrawnFace, Pose, Stage, film
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.errors import StageError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    return make_footage(tmp_path_factory.mktemp("footage"), seed=3, small=True)


def a_truth(*faces: DrawnFace, side: Side = Side.A) -> Truth:
    return Truth(
        people={Side.A: "astronaut", Side.B: "hopper"},
        files={Side.A: "clip_a.mp4", Side.B: "clip_b.mp4"},
        frames={one: (faces if one is side else (),) for one in Side},
    )


def test_clips_have_sound_and_a_truth_for_every_frame(footage: Footage) -> None:
    truth = load_truth(footage.truth)
    for side in Side:
        source = open_source(footage.clips[side])
        frames = list(source.read())
        assert len(frames) == source.frames == len(truth.frames[side])
        with av.open(str(footage.clips[side])) as container:
            sound = sum(frame.samples for frame in container.decode(audio=0)) / 44100
        assert sound == pytest.approx(len(frames) / 12, abs=0.1)


def test_each_clip_holds_the_right_person_the_other_one_and_strangers(footage: Footage) -> None:
    truth = load_truth(footage.truth)
    for side in Side:
        drawn = [face for frame in truth.frames[side] for face in frame]
        people = {face.person for face in drawn}
        assert {"astronaut", "hopper"} <= people
        assert any(person.startswith("other-") for person in people)
        assert {face.quality for face in drawn} == {"good", "blurred", "covered"}
        assert any(not frame for frame in truth.frames[side]), "some frames show no face at all"


def test_the_same_seed_draws_the_same_frames(tmp_path: Path, footage: Footage) -> None:
    again = make_footage(tmp_path, seed=3, small=True)
    assert again.truth.read_text() == footage.truth.read_text()
    one, other = (next(open_source(f.clips[Side.B]).read()).image for f in (footage, again))
    assert np.array_equal(one, other)


def test_references_are_photographs_of_each_person(footage: Footage) -> None:
    for side in Side:
        assert len(footage.references[side]) == 3
        sizes = set()
        for path in footage.references[side]:
            with Image.open(path) as picture:
                sizes.add(picture.size)
        assert sizes == {(256, 256)}


def test_turning_moves_the_nose_against_the_outline() -> None:
    photo = Stage.load(1).people["astronaut"]
    front, _ = film(photo, Pose(128, 128, 110), (256, 256))
    turned, face = film(photo, Pose(128, 128, 110, yaw=1.0), (256, 256))
    corner = (slice(0, 20), slice(0, 20))
    assert np.array_equal(front[corner], turned[corner])
    assert not np.array_equal(front[120:140, 120:140], turned[120:140, 120:140])
    assert face.box[0] + face.box[2] / 2 > 128


FACE = DrawnFace("astronaut", "good", (100.0, 50.0, 80.0, 100.0))


@pytest.mark.parametrize(
    ("person", "quality", "side", "usable", "reason", "identity"),
    [
        ("astronaut", "good", Side.A, "keep", None, "same"),
        ("astronaut", "blurred", Side.A, "keep", None, "same"),
        ("astronaut", "covered", Side.A, "keep", "covered", "same"),
        ("other-3", "good", Side.A, "reject", "another_person", "different"),
        ("hopper", "good", Side.B, "keep", None, "same"),
        ("hopper", "blurred", Side.B, "reject", "blurred", "same"),
        ("hopper", "covered", Side.B, "reject", "covered", "same"),
        ("astronaut", "blurred", Side.B, "reject", "another_person", "different"),
    ],
)
def test_sides_are_judged_by_their_own_rules(
    person: str, quality: str, side: Side, usable: str, reason: str | None, identity: str
) -> None:
    truth = a_truth(DrawnFace(person, quality, FACE.box), side=side)
    found = truth_of_face(truth, side, 1, FACE.box)
    assert (found.usable, found.reason, found.identity) == (usable, reason, identity)
    assert found.wanted is (usable == "keep")


def test_a_box_beside_every_face_is_none_and_half_a_face_is_a_bad_crop() -> None:
    truth = a_truth(FACE)
    assert truth_of_face(truth, Side.A, 1, (300, 50, 80, 100)).reason == "not_a_face"
    assert truth_of_face(truth, Side.A, 1, (100, 50, 80, 25)).reason == "bad_crop"


@pytest.mark.parametrize("name", ["clip_a_000001.mp4", "clip_a_000001_0.png", "clip_a_000001_12.png"])
def test_frames_are_known_by_number_and_by_name(name: str) -> None:
    truth = a_truth(FACE)
    assert truth_of_face(truth, Side.A, name, FACE.box) == truth_of_face(truth, Side.A, 1, FACE.box)


@pytest.mark.parametrize("frame", [0, 2, "clip_a_000002.mp4", "holiday.png"])
def test_a_frame_that_is_not_there_is_refused(frame: int | str) -> None:
    with pytest.raises(StageError):
        truth_of_face(a_truth(FACE), Side.A, frame, FACE.box)


@given(st.tuples(*[st.floats(-50, 50)] * 2), st.floats(0.2, 4))
def test_overlap_does_not_depend_on_where_the_frame_lies(move: tuple[float, float], scale: float) -> None:
    def moved(box: tuple[float, ...]) -> tuple[float, ...]:
        return (box[0] * scale + move[0], box[1] * scale + move[1], box[2] * scale, box[3] * scale)

    found = (110.0, 60.0, 80.0, 100.0)
    shifted = a_truth(DrawnFace("astronaut", "good", moved(FACE.box)))
    assert truth_of_face(shifted, Side.A, 1, moved(found)) == truth_of_face(a_truth(FACE), Side.A, 1, found)


def test_another_file_is_not_taken_for_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"clips": []}))
    with pytest.raises(StageError, match="galloway demo"):
        load_truth(path)
