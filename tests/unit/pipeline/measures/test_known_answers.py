"""The measures against known answers: nothing for an untouched film; each drawn fault moves its own measure first."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.faceset.png.types import FaceAlignment, FrameFaces
from galloway.curation.types import no_progress
from galloway.pipeline.demo.scenes import Pose, Stage, film
from galloway.pipeline.engines.align import face_matrix, hull_mask, transform_points, warp
from galloway.pipeline.engines.embedded.bending import places_of, sample
from galloway.pipeline.engines.embedded.blend import blend
from galloway.pipeline.engines.embedded.detect import FaceFinder
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.measures.border import surface
from galloway.pipeline.measures.figures import frechet, measure
from galloway.pipeline.measures.see import dlib_embedding, look, seen_face
from galloway.pipeline.measures.values import NOTICEABLE, SERIES, Measured, People, SeenFace
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tests.support.engines import filmed_frames, write_clip

FRAMES = 12
VIEW = (320, 280)
Picture = NDArray[np.uint8]
Fault = Callable[["Clip", int], Picture]


class Clip:
    """The astronaut talking and turning, her landmarks, and another person in the same poses."""

    def __init__(self) -> None:
        stage = Stage.load(1)
        self.finder = FaceFinder(threads=1)
        self.boxes, self.frames, self.others = [], [], []
        for index in range(FRAMES):
            turn = 2 * math.pi * index / FRAMES
            pose = Pose(
                160 + 6 * math.sin(turn), 140, 150, yaw=0.4 * math.sin(turn), speak=0.5 + 0.5 * math.sin(3 * turn)
            )
            picture, face = film(stage.people["astronaut"], pose, VIEW)
            x, y, width, height = face.box
            self.frames.append(picture)
            self.boxes.append((x, y, x + width, y + height))
            self.others.append(film(stage.people["hopper"], pose, VIEW)[0])
        self.points = [self.landmarks(frame, box) for frame, box in zip(self.frames, self.boxes, strict=True)]

    def landmarks(self, picture: Picture, box: tuple[float, ...]) -> NDArray[np.float64]:
        return np.asarray(self.finder.landmarks(picture, (box[0], box[1], box[2], box[3])), np.float64)

    def seen(self, fault: Fault) -> list[SeenFace]:
        found = []
        for number, (frame, box) in enumerate(zip(self.frames, self.boxes, strict=True)):
            made = np.ascontiguousarray(fault(self, number))
            found.append(
                seen_face(self.finder, number + 1, (frame, made), (box[0], box[1], box[2], box[3]), dlib_embedding)
            )
        return found


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip()


@pytest.fixture(scope="module")
def people(clip: Clip) -> People:
    """The person on the screen is B, so that the untouched film is the perfect swap; the other one is A."""
    b = np.stack([face.vector for face in clip.seen(untouched) if face.vector is not None])
    others = [clip.landmarks(picture, box) for picture, box in zip(clip.others, clip.boxes, strict=True)]
    a = [
        dlib_embedding(picture, np.asarray(points, np.float32))
        for picture, points in zip(clip.others, others, strict=True)
    ]
    return People(np.stack(a), b)


def untouched(clip: Clip, number: int) -> Picture:
    return clip.frames[number]


def encoded(clip: Clip, number: int) -> Picture:
    kept = io.BytesIO()
    Image.fromarray(clip.frames[number]).save(kept, "JPEG", quality=85)
    return np.asarray(Image.open(kept))


def put_in(clip: Clip, number: int, changed: Picture, region: Picture) -> Picture:
    """`changed` where `region` (0 to 255) is white, softly."""
    soft = np.asarray(Image.fromarray(region).filter(ImageFilter.GaussianBlur(3)), np.float32)[..., None] / 255
    return np.asarray(changed * soft + clip.frames[number] * (1 - soft) + 0.5).astype(np.uint8)


def shaken(clip: Clip, number: int) -> Picture:
    """The inner face jumps to and fro by two pixels."""
    moved = np.roll(clip.frames[number], 2 if number % 2 else -2, axis=1)
    return put_in(clip, number, moved, hull_mask(clip.points[number][17:], VIEW, extended=False))


def frozen_mouth(clip: Clip, number: int) -> Picture:
    """The first frame's mouth in every frame."""
    first, here = (face_matrix(clip.points[place], 200) for place in (0, number))
    mouth = warp(clip.frames[0], first, 200)
    inverse = np.linalg.inv(np.vstack([here, [0, 0, 1]]))[:2]
    back = warp(mouth, inverse, VIEW)
    both = np.concatenate(
        [clip.points[number][48:68], transform_points(inverse, transform_points(first, clip.points[0][48:68]))]
    )
    wide = both.mean(axis=0) + (both - both.mean(axis=0)) * 1.3
    canvas = Image.new("L", VIEW)
    ImageDraw.Draw(canvas).ellipse([*wide.min(axis=0), *wide.max(axis=0)], fill=255)
    return put_in(clip, number, back, np.asarray(canvas))


def wrong_face(clip: Clip, number: int) -> Picture:
    """The other person's features, bent to the landmarks and in the right colours."""
    other = clip.landmarks(clip.others[number], clip.boxes[number])
    theirs, ours = face_matrix(other, 200), face_matrix(clip.points[number], 200)
    crop = warp(clip.others[number], theirs, 200)[None].astype(np.float32)
    size = crop.shape[1]
    places = places_of(transform_points(theirs, other), transform_points(ours, clip.points[number])[None], size, size)
    drawn = sample(crop, places)[0]
    picture = np.clip(drawn + 0.5, 0, 255).astype(np.uint8)
    return blend(clip.frames[number], picture, ours, clip.points[number], mask="components", colour="avg-color")


def slab(clip: Clip, number: int) -> Picture:
    """Turquoise in one cheek, along the jaw."""
    points = clip.points[number]
    canvas = Image.new("L", VIEW)
    inner = points[1:7] + (points[33] - points[1:7]) * 0.2
    outline = [(float(x), float(y)) for x, y in [*points[1:7], *inner[::-1]]]
    ImageDraw.Draw(canvas).polygon(outline, fill=255)
    return put_in(clip, number, np.full_like(clip.frames[number], (70, 160, 150)), np.asarray(canvas))


def test_an_untouched_film_of_b_has_no_fault_in_any_measure(clip: Clip, people: People) -> None:
    found = measure(clip.seen(untouched), people)
    assert {name: found.mean(name) for name in SERIES if name != "identity"} == dict.fromkeys(
        set(SERIES) - {"identity"}, 0.0
    )
    assert found.mean("identity") < 0.2
    assert found.whole["ID retrieval"] == 1
    assert found.whole["lip sync"] == pytest.approx(1)
    assert found.whole["Fréchet distance"] < 0.1


def test_encoding_alone_is_not_noticeable(clip: Clip, people: People) -> None:
    found = measure(clip.seen(encoded), people)
    assert found.doubt().max() < 1


def test_a_onto_itself_is_the_floor_of_identity(clip: Clip, people: People) -> None:
    found = measure(clip.seen(untouched), People(people.b, people.a))
    assert found.whole["ID retrieval"] == 0
    assert found.mean("identity") > NOTICEABLE["identity"]
    assert found.whole["ID similarity to A"] > found.whole["ID similarity to B"]


@pytest.mark.parametrize(
    ("fault", "moved"),
    [
        (shaken, {"jitter"}),
        (frozen_mouth, {"lip sync error"}),
        (wrong_face, {"identity"}),
        (slab, {"border colour", "border edge"}),
    ],
)
def test_a_fault_moves_its_own_measure_first(clip: Clip, people: People, fault: Fault, moved: set[str]) -> None:
    found = measure(clip.seen(fault), people)
    shares = {name: round(found.mean(name) / NOTICEABLE[name], 2) for name in SERIES}
    assert max(shares, key=lambda name: shares[name]) in moved, shares
    assert max(shares.values()) > 1, shares


def test_a_slab_in_one_cheek_counts_as_much_as_one_in_both(clip: Clip) -> None:
    frame, points = clip.frames[0], clip.points[0]
    one = surface(frame, slab(clip, 0), points)
    assert one.border_colour > NOTICEABLE["border colour"]
    assert surface(frame, frame, points).border_colour == 0


def test_frames_that_do_not_follow_each_other_have_no_jitter(clip: Clip, people: People) -> None:
    seen = clip.seen(shaken)[::3]
    assert measure(seen, people).mean("jitter") == 0


def test_the_worst_frame_is_named(clip: Clip, people: People) -> None:
    found: Measured = measure(clip.seen(lambda c, n: slab(c, n) if n == 6 else c.frames[n]), people)
    assert found.worst("border colour")[1] == 7
    assert [int(n) for n in found.frames[found.doubt() > 1]] == [7]


def thinned(faces: list[SeenFace], embedded: tuple[int, ...], frames: tuple[int, ...] | None = None) -> list[SeenFace]:
    """The faces, embedded at these places only; as `frames`, if given."""
    return [
        replace(face, frame=frames[place] if frames else face.frame, **({} if place in embedded else _UNKNOWN))
        for place, face in enumerate(faces)
    ]


_UNKNOWN: dict[str, Any] = {"vector": None, "vector_before": None}


def test_a_face_that_was_not_embedded_is_as_far_from_b_as_the_nearest_one_of_its_run(
    clip: Clip, people: People
) -> None:
    seen = clip.seen(wrong_face)
    every = measure(seen, people).series["identity"]
    some = measure(thinned(seen, (1, 6)), people)
    assert some.series["identity"] == pytest.approx([every[1]] * 4 + [every[6]] * 8)
    assert (some.doubt() > 1).all(), "a wholly wrong person is one stretch"
    cut = measure(thinned(seen, (1, 6), (1, 2, 3, *range(5, 14))), people)
    assert cut.series["identity"] == pytest.approx([every[1]] * 3 + [every[6]] * 9), "not across a gap"
    jumped = [replace(face, before=face.before + 200) if place > 7 else face for place, face in enumerate(seen)]
    known = measure(thinned(jumped, (1, 6)), people).series["identity"]
    assert np.isfinite(known).tolist() == [True] * 8 + [False] * 4, "another face is not this one"


def test_each_run_of_frames_has_an_embedded_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = filmed_frames(9)
    path = write_clip(tmp_path / "clip.mp4", frames)
    finder = FaceFinder(threads=1)
    known = {}
    for number, frame in enumerate(frames, start=1):
        (face,) = finder.find(frame)
        left, top, right, bottom = (round(value) for value in face.box)
        alignment = FaceAlignment(left, top, right - left, bottom - top, landmarks=face.landmarks)
        known[f"clip_{number:06d}.mp4"] = FrameFaces([alignment] if number != 6 else [])
    monkeypatch.setattr("galloway.pipeline.measures.see.MOST_EMBEDDED", 3)
    source = open_source(path)
    seen = look(source, source, known, no_progress, embed=lambda _pixels, _landmarks: np.ones(3))
    assert [face.frame for face in seen if face.vector is not None] == [1, 4, 7]
    assert [face.frame for face in seen] == [1, 2, 3, 4, 5, 7, 8, 9]


def test_no_faces_are_refused(people: People) -> None:
    with pytest.raises(ValueError, match="no swapped face"):
        measure([], people)


def test_frechet_distance_of_shifted_clouds_is_the_shift() -> None:
    cloud = np.random.default_rng(1).normal(size=(500, 3))
    assert frechet(cloud, cloud) == pytest.approx(0, abs=1e-6)
    assert frechet(cloud, cloud + np.array([3, 0, 4])) == pytest.approx(2500, rel=1e-6)
    assert np.isnan(frechet(cloud[:1], cloud))
