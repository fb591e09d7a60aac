"""What lies before a face: made things, the net that finds them, the blend that leaves them, faceswap's masks."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.headers import read_png
from galloway.curation.faceset.png.types import Alignments, FrameFaces
from galloway.curation.types import no_progress
from galloway.pipeline.engines.align import face_matrix, hull_mask, transform_points
from galloway.pipeline.engines.base import MASK_NAME, EngineError
from galloway.pipeline.engines.embedded.blend import blend
from galloway.pipeline.engines.embedded.data import load_faces
from galloway.pipeline.engines.embedded.occlusion import learn
from galloway.pipeline.engines.embedded.occlusion.edges import _GRAIN, _ONE, _OTHER, _solved, along_edges
from galloway.pipeline.engines.embedded.occlusion.faces import Faces, faces_of
from galloway.pipeline.engines.embedded.occlusion.ground import Ground, apart, ground_of, unlike_others
from galloway.pipeline.engines.embedded.occlusion.known import Known
from galloway.pipeline.engines.embedded.occlusion.learn import (
    Taught,
    load_taught,
    overlap_of,
    save_taught,
    teach,
    trusted,
)
from galloway.pipeline.engines.embedded.occlusion.lessons import Lessons
from galloway.pipeline.engines.embedded.occlusion.net import SIDE, OcclusionNet, hull_plane
from galloway.pipeline.engines.embedded.occlusion.paste import covered
from galloway.pipeline.engines.embedded.occlusion.seen import mostly_hidden, seen_of
from galloway.pipeline.engines.embedded.occlusion.shapes import KINDS
from galloway.pipeline.engines.embedded.occlusion.stored import MASK, with_occlusion
from numpy.typing import NDArray

from tests.support.engines import drawn_face, landmarks_at, write_faces


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("occlusion")
    write_faces(root / "a", 8)
    write_faces(root / "b", 6, skin=(120, 80, 60))
    return root


@pytest.fixture(scope="module")
def faces(folder: Path) -> Faces:
    return faces_of((load_faces(folder / "a", 64), load_faces(folder / "b", 64)), {"clip_000002_0.png"})


def plain(
    images: NDArray[np.uint8], shapes: NDArray[np.float64], whose: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    return np.zeros((*images.shape[:3], 8), np.float32)


class LeftHalf(OcclusionNet):
    """Sees the left half of every face covered, and has learnt nothing."""

    def __init__(self) -> None:
        pass

    def predict(
        self, images: NDArray[np.uint8], shapes: NDArray[np.float64], whose: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        found = np.zeros((len(images), SIDE, SIDE), np.float32)
        found[:, :, : SIDE // 2] = 1
        return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_thing_lies_on_the_canvas_and_is_no_two_times_the_same(kind: str, faces: Faces) -> None:
    make, _ = KINDS[kind]
    chance = np.random.default_rng(5)
    one, two = (np.maximum.reduce(make(faces.shapes[0], SIDE, chance)) for _ in range(2))
    assert one.shape == (SIDE, SIDE)
    assert one.dtype == np.float32
    assert 0 <= one.min() <= one.max() <= 1
    assert not np.array_equal(one, two)


def test_what_is_said_to_be_covered_is_what_was_changed(faces: Faces) -> None:
    chance = np.random.default_rng(2)
    inside, outside = [], []
    for _ in range(12):
        image, truth = covered(faces.images[0], faces.shapes[0], faces.images, chance)
        change = np.abs(image.astype(float) - faces.images[0]).mean(axis=2)
        inside.append(change[truth > 0.9].mean())
        outside.append((change[truth == 0] > 0).mean())
    assert min(inside) > 3
    assert np.median(outside) < 0.25, "only shadows are thrown beside a thing"


def test_faces_that_people_call_covered_are_hard_examples_and_never_bare_ones(faces: Faces) -> None:
    assert faces.told.sum() == 2, "one of each side's faces has that name"
    lesson = Lessons(faces, np.random.default_rng(1), plain).batch(8)
    assert list(lesson.known) == [0.0] + [1.0] * 7
    assert not lesson.truth[0].any(), "what covers it is not known"


def test_a_face_that_looks_covered_is_left_out_but_never_most_of_them(faces: Faces) -> None:
    known = Known(faces)
    found = np.zeros((len(faces), SIDE, SIDE), np.float32)
    found[5, :60] = 0.9
    known.looked(found, trained=True)
    assert sorted(np.flatnonzero(known.doubtful)) == sorted({5, *np.flatnonzero(faces.told)})
    for row, likely in enumerate(found):
        likely[: 60 + row] = 0.9
    known.looked(found, trained=True)
    assert known.doubtful.mean() <= 0.6


def test_a_net_goes_on_where_it_was_stopped_and_is_done_once(
    tmp_path: Path, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "ENOUGH", 4)
    monkeypatch.setattr(learn, "AGAIN", 1)
    monkeypatch.setattr(learn, "_EXAMINED", 4)
    told: list[str] = []

    def taught(known: Faces, most: int, *stops: bool) -> Taught:
        answers = iter(stops)
        return teach(
            tmp_path, known, most=most, seed=2, stop=lambda: next(answers, False), used=lambda: 0.0, tell=told.append
        )

    assert taught(faces, 3).iterations == 3
    assert "3 iterations of 4 at most" in told[-1]
    assert taught(faces, 9, False, True).iterations == 4, "asked to stop, it saves and ends"
    found = load_taught(tmp_path)
    assert found is not None
    assert found[1].iterations == 4
    assert trusted(tmp_path) is None, "four iterations teach nothing that may decide about a picture"
    before = (tmp_path / MASK_NAME).read_bytes()
    assert taught(faces, 9) == found[1], "it knows these faces"
    assert (tmp_path / MASK_NAME).read_bytes() == before
    taught(replace(faces, names=tuple(f"other_{name}" for name in faces.names)), 9)
    assert (tmp_path / MASK_NAME).read_bytes() != before, "other faces are learnt too"


def test_a_net_that_has_little_time_learns_as_slowly_at_its_end(
    tmp_path: Path, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "_EXAMINED", 4)
    rates: list[float] = []
    real = OcclusionNet.train_on

    def noted(self: OcclusionNet, *given: Any) -> float:
        rates.append(given[-1])
        return real(self, *given)

    monkeypatch.setattr(OcclusionNet, "train_on", noted)
    shares = iter([0.0, 0.5, 1.0, 1.2])
    teach(tmp_path, faces, most=1000, seed=2, stop=lambda: len(rates) == 4, used=lambda: next(shares), tell=[].append)
    assert [rate / rates[0] for rate in rates] == pytest.approx([1.0, 0.51, 0.02, 0.02])


def test_a_damaged_net_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / MASK_NAME).write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(EngineError, match=r"occlusion\.npz cannot be read"):
        load_taught(tmp_path)


def test_training_brings_the_net_nearer_to_the_truth(faces: Faces) -> None:
    net = OcclusionNet(1)
    net.grounds = tuple(ground_of(faces.images[faces.whose == n], faces.shapes[faces.whose == n]) for n in (0, 1))
    lessons, losses = Lessons(faces, np.random.default_rng(3), net.planes), []
    for _ in range(10):
        lesson = lessons.batch(4)
        losses.append(net.train_on(lesson.planes, lesson.truth, lesson.sure, lesson.known, 2e-3))
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:2])


def test_overlap_is_counted_on_the_face_only() -> None:
    hull = np.zeros((SIDE, SIDE), np.float32)
    hull[:, 20:60] = 1
    truth, found = np.zeros_like(hull), np.zeros_like(hull)
    truth[:40], found[:20] = 1, 1
    assert overlap_of(found, truth, hull) == 0.5
    assert overlap_of(found, np.zeros_like(hull), hull) is None


def test_what_lies_before_a_face_keeps_its_pixels() -> None:
    points = landmarks_at(80, 60, 50)
    frame = drawn_face(points, 160, 120)
    matrix = face_matrix(points, 128)
    drawn = np.full((128, 128, 3), 20, np.uint8)
    seen = seen_of(LeftHalf(), [frame], [[points]], 128, 0)[0]
    assert seen is not None
    swapped = blend(frame, drawn, matrix, points, mask="extended", colour="none", seen=seen)
    whole = blend(frame, drawn, matrix, points, mask="extended", colour="none")
    middle = round(float(points[27, 0]))
    assert np.array_equal(swapped[:, : middle - 2], frame[:, : middle - 2])
    assert np.array_equal(swapped[:, middle + 3 :], whole[:, middle + 3 :])
    assert not np.array_equal(whole[:, : middle - 2], frame[:, : middle - 2])


def test_a_picture_says_when_hardly_anything_of_a_face_is_seen() -> None:
    points = landmarks_at(80, 60, 50)
    face = hull_mask(transform_points(face_matrix(points, 128), points), (128, 128), extended=True) > 0
    nothing, all_of_it = np.where(face, 0, 255).astype(np.uint8), np.where(face, 255, 0).astype(np.uint8)
    half = all_of_it.copy()
    half[:, :64] = 0
    seen = [None, half, nothing, all_of_it, all_of_it, nothing]
    marks = [[points], [points], [points, points], [points], [points]]
    assert mostly_hidden(seen, marks) == [False, False, True, False, True]


def test_masks_are_written_as_faceswap_reads_them(folder: Path, tmp_path: Path) -> None:
    headers = [read_png(path)[0] for path in sorted((folder / "a").glob("*.png"))]
    frames = {header.source.source_filename: FrameFaces([header.alignment]) for header in headers}
    masked, count = with_occlusion(Alignments(frames), folder / "a", LeftHalf(), no_progress)
    assert count == len(headers)
    for dialect in ("v2.3", "v3"):
        write_alignments(tmp_path / f"{dialect}.fsa", masked, dialect)
        again = read_alignments(tmp_path / f"{dialect}.fsa").frames
        for name, frame in again.items():
            mask = frame.faces[0].masks[MASK]
            pixels = np.frombuffer(zlib.decompress(mask.data), np.uint8).reshape(mask.stored_size, -1)
            assert mask.stored_centering == "face"
            assert pixels.shape == (128, 128)
            assert not pixels[:, :50].any(), "what is covered is not swapped"
            assert pixels[50:80, 75:85].min() > 250
            assert frames[name].faces[0].masks.keys() <= frame.faces[0].masks.keys()


def test_the_forehead_counts_as_face(faces: Faces) -> None:
    plane, brows = hull_plane(faces.shapes[0]), faces.shapes[0][17:27].mean(axis=0)
    assert plane[int(brows[1]) - 4, int(brows[0])] == 1


def film_of_a_face(count: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A face on canvases: it sways, and the light on it changes. Pictures and landmarks."""
    images, shapes = [], []
    for n in range(count):
        points = landmarks_at(SIDE / 2 + 3 * np.sin(n), SIDE / 2 + 2 * np.cos(n / 2), SIDE * 0.5)
        lit = drawn_face(points, SIDE, SIDE) * (1 + 0.2 * np.sin(n / 3))
        images.append(np.clip(lit, 0, 255).astype(np.uint8))
        shapes.append(points.astype(np.float64))
    return np.stack(images), np.stack(shapes)


@pytest.mark.parametrize("light", [0.7, 1.0, 1.3])
def test_what_differs_from_the_uncovered_face_is_the_thing_before_it(light: float) -> None:
    images, shapes = film_of_a_face(40)
    ground = ground_of(images[:30], shapes[:30])
    bare = np.clip(images[30:] * light, 0, 255).astype(np.uint8)
    thing = bare.copy()
    thing[:, 50:70, 40:60] = (30, 160, 90)
    inside = np.stack([hull_plane(shape) for shape in shapes[30:]]) > 0
    before, after = (np.abs(apart((ground,), pictures, shapes[30:])).mean(axis=3) for pictures in (bare, thing))
    put = np.zeros_like(inside)
    put[:, 50:70, 40:60] = True
    assert after[put & inside].mean() > 4 * before[inside].mean()
    assert after[~put & inside].mean() < 1.5 * before[inside].mean() + 0.1, "what is not covered is fitted as before"


def test_each_picture_is_compared_with_the_person_whom_it_shows(faces: Faces) -> None:
    grounds = tuple(ground_of(faces.images[faces.whose == n], faces.shapes[faces.whose == n]) for n in (0, 1))
    right, wrong = (np.abs(apart((ground,), faces.images[:8], faces.shapes[:8])).mean() for ground in grounds)
    both = np.abs(apart(grounds, faces.images[:8], faces.shapes[:8])).mean()
    told = np.abs(apart(grounds, faces.images[:8], faces.shapes[:8], np.ones(8, np.int64))).mean()
    assert both == pytest.approx(right)
    assert told == pytest.approx(wrong), "where it is said who is shown, that is believed"
    assert right < wrong


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_faces_are_ground_enough(count: int) -> None:
    images, shapes = film_of_a_face(count)
    ground = ground_of(images, shapes)
    kept = Ground.from_arrays(ground.to_arrays())
    for one in (ground, kept):
        found = apart((one,), images, shapes)
        assert np.isfinite(found).all()
        assert np.abs(found).mean() < 1


def test_a_net_without_ground_is_named_with_its_remedy(tmp_path: Path, faces: Faces) -> None:
    net = OcclusionNet(1)
    save_taught(tmp_path, net, Taught())
    with pytest.raises(EngineError, match=r"another Galloway\. Remove occlusion\.npz"):
        load_taught(tmp_path)


def test_what_is_found_roughly_gets_the_edges_of_the_picture(faces: Faces) -> None:
    image, truth = faces.images[0].copy(), np.zeros((SIDE, SIDE), np.float32)
    truth[30:60, 30:70] = 1
    image[truth > 0] = (40, 90, 200)
    rough = np.zeros_like(truth)
    rough[33:63, 27:67] = 0.9
    exact = along_edges(rough[None], image[None])[0]
    hull = np.ones_like(truth)
    before, after = overlap_of(rough, truth, hull), overlap_of(exact, truth, hull)
    assert before is not None
    assert after is not None
    assert before < 0.75
    assert after > before + 0.1
    assert 0 <= exact.min() <= exact.max() <= 1
    nothing = np.full((1, SIDE, SIDE), 0.3, np.float32)
    assert np.array_equal(along_edges(nothing, image[None]), nothing), "where nothing is found nothing is worked out"


def test_faces_before_which_something_is_held_unsaid_are_not_taken_for_uncovered() -> None:
    images, shapes = film_of_a_face(40)
    images[17:22, 40:75, 30:60] = (180, 60, 20)
    assert np.flatnonzero(unlike_others(images, shapes)).tolist() == [17, 18, 19, 20, 21]
    assert not unlike_others(images[:9], shapes[:9]).any(), "few faces tell nothing"
    held = Faces(
        images,
        shapes,
        tuple(map(str, range(40))),
        np.zeros(40, bool),
        np.zeros(40, np.int64),
        np.zeros((40, SIDE, SIDE), bool),
    )
    assert sorted(Known(held).clean()) == [*range(17), *range(22, 40)]


def test_each_pixel_s_line_is_the_solution_of_its_system() -> None:
    colours = np.random.default_rng(4).random((3, 50, 6, 5)).astype(np.float32)
    colours[:, :, 0] = colours[:1, :, 0]  # grey: only the grain tells three bands apart
    apart = colours - colours.mean(axis=1, keepdims=True)
    spread = np.einsum("ind,jnd->dij", *(apart.reshape(3, 50, -1),) * 2) / 50
    told = spread @ [0.3, -0.2, 0.5]
    exact = np.linalg.solve(spread + _GRAIN * np.eye(3), told[..., None])[..., 0]
    six = spread[:, _ONE, _OTHER].T.reshape(6, 6, 5).astype(np.float32)
    found = _solved(six, told.T.reshape(3, 6, 5).astype(np.float32)).reshape(3, -1).T
    assert np.abs(found - exact).max() < 1e-2
    assert np.abs(found - exact).mean() < 1e-4
